from typing import Any

import numpy as np
import pytest

from npvpg.distributions import Categorical, DiagonalGaussian, SquashedGaussian
from npvpg.lab.analytic import (
    LinearQuadratic,
    Path,
    Pendulum,
    affine,
    as_batch,
    pathwise_gradient,
    pathwise_gradients,
    play,
)
from npvpg.mlp import MLP
from npvpg.policy import Policy

POLICY = Policy(MLP((3, 4, 1)), DiagonalGaussian(1))


@pytest.fixture
def theta() -> np.ndarray[Any, np.dtype[np.float64]]:
    return POLICY.init(np.random.default_rng(0))


@pytest.fixture
def path(theta: np.ndarray[Any, Any]) -> Path:
    rng = np.random.default_rng(1)
    return play(
        Pendulum(), POLICY, theta, rng.standard_normal((5, 2)), rng.standard_normal((4, 5, 1))
    )


def test_shapes(theta: np.ndarray[Any, Any], path: Path) -> None:
    assert path.state.shape == (5, 5, 2)
    assert path.obs.shape == (5, 5, 3)
    assert path.act.shape == (4, 5, 1)
    assert path.rew.shape == (4, 5)
    assert pathwise_gradient(Pendulum(), POLICY, theta, path, 0.9).shape == theta.shape
    assert pathwise_gradients(Pendulum(), POLICY, theta, path, 0.9).shape == (5, theta.size)


def test_by_hand() -> None:
    """One step of x' = x + a from x = 2 with a = 3: r = -(4 + 9), v = -25."""
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one, one)
    theta = np.array([1.0, 0.5, 0.0])  # a = x + 0.5 + noise
    path = play(system, affine(system), theta, 2 * one, np.full((1, 1, 1), 0.5))
    assert (path.act.item(), path.rew.item(), path.final.item()) == (3, -13, -25)
    slope = -2 * 3 + 0.5 * -2 * 5  # of the return by the action
    grad = pathwise_gradient(system, affine(system), theta, path, 0.5)
    assert grad.tolist() == [2 * slope, slope, 0.5 * slope]
    alone = pathwise_gradient(system, affine(system), theta, path, 0.5, detach="reward")
    assert alone.tolist() == [2 * -6, -6, 0.5 * -6]
    assert pathwise_gradient(system, affine(system), theta, path, 0.5, detach="state").tolist() == [
        2 * -6,
        -6,
        0.5 * -6,
    ]


def test_a_sigma_that_depends_on_the_state() -> None:
    """As before, the second output being log sigma: it moves the action by a - mu = 0.5."""
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one, one)
    policy = Policy(MLP((1, 2)), DiagonalGaussian(1))
    theta = np.array([1.0, 0.0, 0.5, 0.0])
    path = play(system, policy, theta, 2 * one, np.full((1, 1, 1), 0.5))
    slope = -11.0
    grad = pathwise_gradient(system, policy, theta, path, 0.5)
    assert grad.tolist() == [2 * slope, 2 * 0.5 * slope, slope, 0.5 * slope]


def test_detached_states_by_hand() -> None:
    """Two steps of x' = x + a, r = -(x^2 + a^2), a = K x, from x = 1 with K = 1: 1, 2, 4."""
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one)
    policy = affine(system)
    theta = np.array([1.0, 0.0, -20.0])
    path = play(system, policy, theta, one, np.zeros((2, 1, 1)))
    assert path.state.ravel().tolist() == [1, 2, 4]
    # a_0 = K, a_1 = K (1 + K): by K, dr = -2 a_0, and -2 x_1 - 2 a_1 (1 + 2 K)
    found = [
        pathwise_gradient(system, policy, theta, path, 1.0, detach=detach)[0]
        for detach in ("nothing", "reward", "state")
    ]
    assert found == [-2 - 4 - 12, -2 - 12, -2 - 4 * 2]


def test_a_batch_holds_the_same_numbers_trajectory_after_trajectory(path: Path) -> None:
    batch = as_batch(path)
    assert batch.start.tolist() == [0, 4, 8, 12, 16, 20]
    assert np.array_equal(batch.obs[4:8], path.obs[:4, 1])
    assert np.array_equal(batch.act[4:8], path.act[:, 1])
    assert np.array_equal(batch.rew[4:8], path.rew[:, 1])
    assert np.array_equal(batch.last_obs[1], path.obs[4, 1])
    assert not batch.terminated.any()


def test_errors(theta: np.ndarray[Any, Any], path: Path) -> None:
    first, noise = np.zeros((5, 2)), np.zeros((4, 5, 1))
    with pytest.raises(ValueError, match=r"first must have shape \(any, 2\), got \(5, 3\)"):
        play(Pendulum(), POLICY, theta, np.zeros((5, 3)), noise)
    with pytest.raises(ValueError, match=r"noise must have shape \(any, 5, 1\), got \(4, 5\)"):
        play(Pendulum(), POLICY, theta, first, noise[..., 0])
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        play(Pendulum(), POLICY, theta, first, noise[:0])
    with pytest.raises(ValueError, match="policy must be Gaussian, got Categorical"):
        play(Pendulum(), Policy(MLP((3, 2)), Categorical(2)), np.zeros(8), first, noise)
    squashed = Policy(MLP((3, 1)), SquashedGaussian(DiagonalGaussian(1), half_width=(2.0,)))
    with pytest.raises(ValueError, match="policy must be Gaussian, got SquashedGaussian"):
        play(Pendulum(), squashed, np.zeros(5), first, noise)
    with pytest.raises(ValueError, match="policy must map 3 observations to 1 actions, got 2 and"):
        play(Pendulum(), Policy(MLP((2, 1)), DiagonalGaussian(1)), np.zeros(4), first, noise)
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got 2"):
        pathwise_gradient(Pendulum(), POLICY, theta, path, 2)
    with pytest.raises(ValueError, match="detach must be one of nothing, reward, state, got 'all'"):
        pathwise_gradient(Pendulum(), POLICY, theta, path, 1, detach="all")  # type: ignore[arg-type]
