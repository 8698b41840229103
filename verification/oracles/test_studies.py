"""The oracles of moments, prediction and control: by hand, against each other, seen to fail."""

from fractions import Fraction

import numpy as np
import pytest

from verification.oracles import control, moments, prediction
from verification.oracles.mdp import MDP
from verification.oracles.quadrature import noise_sequences

SUITE_SEED = 21


def test_moments_of_a_coin_by_hand() -> None:
    """Two actions, one step, reward 1 for the first: the estimates are those of REINFORCE."""
    ends = np.array([[[0.0, 1.0], [0.0, 1.0]]])
    reward = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    coin = MDP(ends, reward, np.ones(1), 1, 1.0)
    chances, each = moments.episode_gradients(
        coin, np.full((1, 2), 0.5), lambda e: [float(e.rewards[0])]
    )
    assert chances == [0.5, 0.5]
    assert [g.tolist() for g in each] == [[0.5, -0.5, 0.5, -0.5], [0, 0, 0, 0]]
    mean, covariance = moments.moments(chances, each)
    assert mean.tolist() == [0.25, -0.25, 0.25, -0.25]
    assert np.diag(covariance).tolist() == [0.0625] * 4
    assert covariance[0, 1] == -0.0625


def test_a_batch_of_means_has_an_nth_of_the_variance() -> None:
    values = [np.array([1.0]), np.array([5.0])]
    chances = [0.25, 0.75]
    _, one = moments.moments(chances, values)
    mean, three = moments.batch_moments(
        chances, 3, lambda batch: np.mean([values[k] for k in batch], axis=0)
    )
    assert mean.item() == pytest.approx(4)
    assert three.item() == pytest.approx(one.item() / 3)


def test_prediction_by_hand() -> None:
    """States 0, 1, 0 and out, rewards 1, 2, 4; the second visit sees what the first one left."""
    half = Fraction(1, 2)
    one = prediction.n_step_td([0, 1, 0], [1, 2, 4], 0, [0, 0], 1, half, 1)
    # V0 = (1 + V1) / 2 = 1/2, V1 = (2 + V0) / 2 = 5/4, then V0 = (1/2 + 4) / 2
    assert one == [Fraction(9, 4), Fraction(5, 4)]
    # looking to the end, targets are the returns 7, 6 and 4
    whole = prediction.n_step_td([0, 1, 0], [1, 2, 4], 0, [0, 0], 1, half, 9)
    assert whole == [Fraction(15, 4), 3]
    # two steps with discount 1/2 and 8 beyond the end: targets 2 + V0 / 4, 6, 8
    two = prediction.n_step_td([0, 1, 0], [1, 2, 4], 8, [0, 0], half, half, 2)
    assert two == [Fraction(9, 2), 3]


def test_the_objective_is_the_mean_of_sampled_returns() -> None:
    """Moments of the state against quadrature over the noise; four terms of five would show."""
    rng = np.random.default_rng([SUITE_SEED, 0])
    half = rng.standard_normal((3, 2, 2))
    costs = half @ np.swapaxes(half, 1, 2)
    model = control.Quadratic(rng.standard_normal((2, 2)), rng.standard_normal((2, 1)), *costs)
    model = model._replace(R=np.array([[0.7]]))
    theta = 0.5 * rng.standard_normal(4)
    noise, chance = noise_sequences(3, 1, 3)
    mean = rng.standard_normal(2)
    total = sum(
        p * control.sampled_return(model, (2, 1), theta, mean, e, 0.9)[0].real
        for p, e in zip(chance, noise, strict=True)
    )
    have = control.quadratic_objective(model, theta, 0.9, 3, mean, np.zeros((2, 2)))
    assert have == pytest.approx(total, rel=1e-12)
    changed = control.quadratic_objective(
        model._replace(P=2 * model.P), theta, 0.9, 3, mean, np.zeros((2, 2))
    )
    assert abs(changed - total) > 1e-3


def test_swing_by_hand() -> None:
    """Hanging at rest, pushed beyond the bound; and a fall that the speed limit stops."""
    swing = control.Swing()
    x, a = np.array([0j, 0j]), np.array([5 + 0j])
    assert swing.move(x, a) == pytest.approx([0.015, 0.3])
    assert swing.reward(np.array([3 + 0j, 1]), a) == pytest.approx(-(9 + 0.1 + 0.004))
    turned = np.array([3 + 4 * np.pi + 0j, 1])
    assert swing.reward(turned, a) == pytest.approx(-(9 + 0.1 + 0.004))
    assert swing.move(np.array([np.pi / 2 + 0j, 7.9]), a)[1] == 8


def test_frozen_states_are_what_the_reward_sees() -> None:
    """With frozen states of its own a return is the same; with others it is not."""
    swing, theta = control.Swing(), np.array([0.3, -0.2, 0.5, 0.1, 0.0])
    noise = np.array([[0.3], [-1.0], [0.4]])
    first = np.array([1.0, 0.5])
    total, states = control.sampled_return(swing, (3, 1), theta, first, noise, 0.9)
    again, _ = control.sampled_return(swing, (3, 1), theta, first, noise, 0.9, states)
    assert again == total
    moved = [x + 0.1 for x in states]
    for acts_frozen in (False, True):
        other, _ = control.sampled_return(
            swing, (3, 1), theta, first, noise, 0.9, moved, acts_frozen=acts_frozen
        )
        assert abs(other - total) > 1e-3
