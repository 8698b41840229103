import numpy as np
import pytest

from npvpg.estimators import GAE, LeaveOneOut, RewardToGo, TDResidual
from npvpg.exact import Laboratory, random_process


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
