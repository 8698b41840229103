"""A policy of two logits and no network to speak of: its score is (1 - p, -p) or (-p, 1 - p)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy

POLICY = Policy(MLP((1, 2)), Categorical(2))
THETA = np.zeros(4)  # both actions equally likely; entries: two weights, two biases


def batch(*, start: tuple[int, ...] = (0, 3, 4), act: tuple[int, ...] = (0, 1, 0, 1)) -> Batch:
    """Two trajectories of three and one steps, in observations 1, 2, 3 and 4."""
    n, k = len(act), len(start) - 1
    return Batch(
        obs=np.arange(1.0, n + 1)[:, np.newaxis],
        act=np.array(act),
        rew=np.zeros(n),
        start=np.array(start),
        last_obs=np.zeros((k, 1)),
        terminated=np.ones(k, bool),
    )


PI = POLICY.at(THETA, batch().obs)
PSI = np.array([8.0, 4.0, 2.0, 6.0])


def test_worked_by_hand() -> None:
    # Scores of the biases: (1, -1) / 2, (-1, 1) / 2, (1, -1) / 2, (-1, 1) / 2; of the weights
    # times the observation. Weighted by psi, summed, divided by 2 trajectories.
    bias = (8 - 4 + 2 - 6) / 2 / 2
    weight = (8 * 1 - 4 * 2 + 2 * 3 - 6 * 4) / 2 / 2
    assert policy_gradient(PI, batch(), PSI).tolist() == [
        weight,
        -weight,
        bias,
        -bias,
    ]


def test_per_step_divides_by_steps() -> None:
    per_trajectory = policy_gradient(PI, batch(), PSI)
    per_step = policy_gradient(PI, batch(), PSI, per_step=True)
    assert per_step.tolist() == (per_trajectory * 2 / 4).tolist()


def test_discounting_starts_anew_with_every_trajectory() -> None:
    plain = policy_gradient(PI, batch(), PSI * [1, 0.5, 0.25, 1])
    assert policy_gradient(PI, batch(), PSI, discount=0.5).tolist() == plain.tolist()
    undiscounted = policy_gradient(PI, batch(), PSI)
    assert policy_gradient(PI, batch(), PSI, discount=1.0).tolist() == (undiscounted.tolist())
    first_only = policy_gradient(PI, batch(), PSI * [1, 0, 0, 1])
    assert policy_gradient(PI, batch(), PSI, discount=0.0).tolist() == (first_only.tolist())


def test_one_step() -> None:
    one = batch(start=(0, 1), act=(1,))
    assert policy_gradient(POLICY.at(THETA, one.obs), one, np.array([2.0])).tolist() == [
        -1,
        1,
        -1,
        1,
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_has_the_type_of_the_parameters(dtype: type[Any]) -> None:
    given = replace(batch(), obs=batch().obs.astype(dtype))
    grad = policy_gradient(POLICY.at(THETA.astype(dtype), given.obs), given, PSI)
    assert grad.shape == (4,)
    assert grad.dtype == dtype


def test_nothing_is_written_to() -> None:
    theta, psi = THETA.copy(), PSI.copy()
    for x in (theta, psi):
        x.flags.writeable = False
    policy_gradient(POLICY.at(theta, batch().obs), batch(), psi, discount=0.5)


@pytest.mark.parametrize("shape", [(4, 1), (1,), (3,), ()])
def test_weights_that_would_broadcast_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^psi must have shape \(4,\), got \("):
        policy_gradient(PI, batch(), np.ones(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=rf"^psi must be finite, got {bad} at index 2$"):
        policy_gradient(PI, batch(), np.array([1, 1, bad, 1]))


@pytest.mark.parametrize("discount", [-0.5, 1.5])
def test_the_discount_lies_in_the_unit_interval(discount: float) -> None:
    with pytest.raises(ValueError, match=rf"^discount must lie in \[0, 1\], got {discount}$"):
        policy_gradient(PI, batch(), PSI, discount=discount)
