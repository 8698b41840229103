"""The variance of a gradient: by hand, and where there is nothing to tell."""

import numpy as np
import pytest

from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.lab.variance import gradient_variance, trajectory_gradients
from npvpg.mlp import MLP
from npvpg.policy import Policy

COIN = Policy(MLP((1, 2)), Categorical(2))
BATCH = Batch(
    np.zeros((3, 1)),
    np.array([0, 1, 1]),
    np.ones(3),
    np.array([0, 1, 3]),
    np.zeros((2, 1)),
    np.array([True, True]),
)


def test_gradients_of_trajectories_by_hand() -> None:
    psi = np.array([2.0, 1.0, 4.0])
    grads = trajectory_gradients(COIN, np.zeros(4), BATCH, psi)
    np.testing.assert_allclose(grads, [[0.0, 0.0, 1.0, -1.0], [0.0, 0.0, -2.5, 2.5]])
    grads = trajectory_gradients(COIN, np.zeros(4), BATCH, psi, discount=0.5)
    np.testing.assert_allclose(grads, [[0.0, 0.0, 1.0, -1.0], [0.0, 0.0, -1.5, 1.5]])


def test_gradients_that_are_equal_do_not_vary() -> None:
    found = gradient_variance(np.ones((3, 4)))
    assert found == (0, 4, 0, np.inf, np.inf)


def test_a_mean_that_is_lost_in_noise_is_not_resolved() -> None:
    found = gradient_variance(np.array([[1.0], [-1.0], [2.0], [-2.0]]))
    assert found.total == pytest.approx(10 / 3)
    assert found.signal == pytest.approx(-10 / 12)
    assert found.relative == found.relative_error == np.inf
    assert np.isfinite(found.total_error)


def test_gradients_that_are_zero_show_nothing() -> None:
    assert gradient_variance(np.zeros((3, 4))) == (0, 0, np.inf, np.inf, np.inf)


def test_what_vanishes_without_one_gradient_is_not_resolved() -> None:
    found = gradient_variance(np.array([[0.0], [1.0], [2.0]]))
    assert list(found[:3]) == pytest.approx([1, 2 / 3, 3 / 2])
    assert np.isfinite(found.total_error)
    assert found.relative_error == np.inf


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^n_gradients must be at least 3, got 2$"):
        gradient_variance(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"^grads must have shape \(any, any\), got \(4,\)$"):
        gradient_variance(np.ones(4))
    with pytest.raises(ValueError, match=r"^grads must be finite"):
        gradient_variance(np.array([[1.0], [np.nan], [2.0]]))
    with pytest.raises(ValueError, match=r"^psi must"):
        trajectory_gradients(COIN, np.zeros(4), BATCH, np.ones(2))
    with pytest.raises(ValueError, match=r"^discount must lie in \[0, 1\], got 2$"):
        trajectory_gradients(COIN, np.zeros(4), BATCH, np.ones(3), discount=2)
