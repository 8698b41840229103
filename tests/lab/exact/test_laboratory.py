import numpy as np
import pytest

from npvpg.estimators import GAE, LeaveOneOut, RewardToGo, TDResidual, TotalReturn
from npvpg.lab.exact import Laboratory, Process, random_process


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    process = random_process(np.random.default_rng(1), 2, 2, 3, 0.9)
    return Laboratory(process, np.random.default_rng(2).standard_normal(6))


def test_shapes(lab: Laboratory) -> None:
    moments = lab.moments(GAE(0.9, 0.5))
    assert moments.mean.shape == moments.bias.shape == moments.truth.shape == (6,)
    assert moments.covariance.shape == (6, 6)
    assert np.allclose(lab.pi.sum(axis=1), 1)


def test_errors(lab: Laboratory) -> None:
    with pytest.raises(ValueError, match=r"theta must have shape \(6,\), got \(5,\)"):
        Laboratory(lab.process, np.zeros(5))
    with pytest.raises(ValueError, match=r"value must have shape \(4, 3\), got \(3, 2\)"):
        lab.moments(RewardToGo(0.9), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="n_trajectories must be at least 1, got 0"):
        lab.moments(RewardToGo(0.9), n_trajectories=0)
    with pytest.raises(ValueError, match="n_trajectories must be at least 2, got 1"):
        lab.moments(LeaveOneOut(0.9))
    with pytest.raises(ValueError, match="error must be at least 0, got -1"):
        lab.wrong_value(-1, np.random.default_rng(0))


def test_wrong_values_bias_the_residual_and_leave_the_solution_alone(lab: Laboratory) -> None:
    before = lab.solution.V.copy()
    wrong = lab.wrong_value(1.0, np.random.default_rng(3))
    assert np.array_equal(lab.solution.V, before)
    assert np.linalg.norm(lab.moments(TDResidual(0.9)).bias) < 1e-14
    assert np.linalg.norm(lab.moments(TDResidual(0.9), wrong).bias) > 1e-3


def coin() -> Laboratory:
    """One step; action 0 earns 1, action 1 nothing."""
    ends = np.array([[[0.0, 1.0], [0.0, 1.0]]])
    reward = np.array([[[1.0, 1.0], [0.0, 0.0]]])
    return Laboratory(Process(ends, reward, np.ones(1), 1, 1.0), np.zeros(4))


def test_a_coin_by_hand() -> None:
    lab = coin()
    assert lab.solution.J == 0.5
    assert lab.gradient.tolist() == [0.25, -0.25, 0.25, -0.25]
    moments = lab.moments(RewardToGo(1.0), n_trajectories=4)
    assert moments.variance == 4 * 0.0625 / 4
    assert moments.mse == moments.variance
    # every episode terminates: nothing is bootstrapped, whatever the value says of its end
    assert lab.moments(RewardToGo(1.0), np.full((2, 2), 3.0)).mse == 4 * moments.mse


def test_two_tosses_of_a_coin_by_hand() -> None:
    """Both the same: no difference, no gradient; else the score times the difference is it."""
    moments = coin().moments(LeaveOneOut(1.0), n_trajectories=2)
    assert moments.mean.tolist() == [0.25, -0.25, 0.25, -0.25]
    # half the time (1/2)(1/2 + 1/2), else 0: mean 1/4, variance 1/16 in each of four
    assert moments.variance == 4 * 0.0625


def test_a_total_return_is_discounted_once() -> None:
    process = random_process(np.random.default_rng(4), 2, 2, 3, 0.5)
    lab = Laboratory(process, np.zeros(6))
    with_factor, without = (
        lab.moments(TotalReturn(0.5), exact_discount=exact).mean for exact in (True, False)
    )
    assert np.array_equal(with_factor, without)
    with_factor, without = (
        lab.moments(RewardToGo(0.5), exact_discount=exact).mean for exact in (True, False)
    )
    assert np.abs(with_factor - without).max() > 1e-3
