"""E1 to E5 at the corners: predicted bias, fields that are no gradient, baselines of the batch."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.estimators import (
    GAE,
    ActionValue,
    BaselinedReturn,
    LeaveOneOut,
    NStep,
    RewardToGo,
    TDResidual,
    TotalReturn,
    standardize,
)
from npvpg.gradient import policy_gradient
from verification.claims import claim, observe
from verification.mathematics.lab import Lab, Table, laboratory, random_laboratory
from verification.oracles.derivatives import central_difference

SEED = st.integers(0, 2**32 - 1)
GAMMA = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def largest(x: Any) -> float:
    """Give the largest absolute entry."""
    return float(np.abs(x).max())


@claim("E1")
@given(SEED, GAMMA, st.integers(2, 3), st.integers(1, 4))
@example(0, 0.0, 2, 1)
@example(1, 1.0, 3, 3)
def test_every_weight_of_any_process(seed, gamma, n_actions, horizon):
    """Sizes, discounts and a worth at the horizon that only bootstrapping can see."""
    rng = np.random.default_rng([61, seed])
    lab = random_laboratory(rng, 2, n_actions, min(horizon, 6 - n_actions), gamma)
    truth, size = lab.truth, 1 + largest(lab.solved.V)
    assert set(np.diff(lab.batch.start)) == set(range(1, lab.process.horizon + 1))
    for estimator in (
        RewardToGo(gamma),
        BaselinedReturn(gamma),
        TDResidual(gamma),
        NStep(gamma, 1 + seed % 4),
        GAE(gamma, (seed % 11) / 10),
        ActionValue(GAE(gamma, 0.6)),
    ):
        have = lab.expect(lab.weigh(estimator), gamma)
        observe(largest(have - truth), 1e-12 * size, f"{estimator} {seed=}")
    # R(tau) sees no worth at the horizon: it is right where there is none
    bare = laboratory(replace(lab.process, final=np.zeros(2)), lab.theta)
    have = bare.expect(bare.weigh(TotalReturn(gamma)), None)
    observe(largest(have - bare.truth), 1e-12 * size, f"R(tau) {seed=}")


def _by_occupancy(lab: Lab, advantage: Table) -> Table:
    """Sum gamma^t Pr(s, a at t) score(s, a) advantage(t, s, a): no episode is enumerated."""
    power = lab.process.gamma ** np.arange(lab.process.horizon)
    weight = power[:, np.newaxis, np.newaxis] * lab.occupancy() * advantage
    return np.asarray(np.einsum("tsa,sap->p", weight, lab.score()))


def _expected_gae(lab: Lab, value: Table, lam: float) -> Table:
    """GAE by induction over its conditional expectation, for values that may be wrong."""
    process, pi = lab.process, lab.table(lab.theta)
    n = process.n_states
    out = np.zeros((process.horizon, n, process.n_actions))
    following = np.zeros(n + 1)
    for t in reversed(range(process.horizon)):
        target = process.reward + process.gamma * (value[t + 1] + lam * following)
        out[t] = (process.transition * target).sum(axis=-1) - value[t, :n, np.newaxis]
        following = np.append((pi * out[t]).sum(axis=-1), 0.0)
    return out


def _expected_n_step(lab: Lab, value: Table, n_ahead: int) -> Table:
    """Rewards of n steps and a value, by n steps of induction from that value."""
    process, pi = lab.process, lab.table(lab.theta)
    n, horizon = process.n_states, process.horizon
    out = np.zeros((horizon, n, process.n_actions))
    for t in range(horizon):
        following = value[min(t + n_ahead, horizon)]
        for _ in range(min(n_ahead, horizon - t)):
            q = (process.transition * (process.reward + process.gamma * following)).sum(axis=-1)
            following = np.append((pi * q).sum(axis=-1), 0.0)
        out[t] = q - value[t, :n, np.newaxis]
    return out


@claim(
    name="E3",
    title="The bias of a wrong value function is what its formula predicts",
    statement=r"E[\hat g] = \sum_t \gamma^t \sum_{s,a} d_t(s)\,\pi(a|s)\,\nabla\log\pi(a|s)"
    r"\;E[\hat A_t \mid s, a]",
    words="wrong values bias TD, n-step and GAE as predicted, and the baselined return not at all",
    assumptions="any function of state and time for V, right where the horizon cuts",
    source="Schulman et al. 2016, section 3",
    method="induction over conditional expectations against enumeration of every trajectory",
    tolerance=1e-12,
    tolerance_reason="relative to the values; sums of some hundred terms",
    about=(
        "npvpg.estimators.TDResidual",
        "npvpg.estimators.NStep",
        "npvpg.estimators.GAE",
        "npvpg.estimators.BaselinedReturn",
        "npvpg.kernels.returns.gae",
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.td_residual",
    ),
)
@given(SEED, st.sampled_from([0.5, 0.9, 1.0]))
@example(0, 0.9)
def test_predicted_bias(seed, gamma):
    rng = np.random.default_rng([62, seed])
    lab = random_laboratory(rng, 2, 2, 4, gamma)
    value = lab.solved.V.copy()
    value[:-1, :-1] += 1 + rng.random(value[:-1, :-1].shape)
    size = 1 + largest(value)
    for estimator, advantage in (
        (TDResidual(gamma), _expected_gae(lab, value, 0.0)),
        (GAE(gamma, 0.6), _expected_gae(lab, value, 0.6)),
        (NStep(gamma, 2), _expected_n_step(lab, value, 2)),
        (NStep(gamma, 3), _expected_n_step(lab, value, 3)),
    ):
        biased = lab.expect(lab.weigh(estimator, value), gamma)
        observe(largest(biased - _by_occupancy(lab, advantage)), 1e-12 * size, f"{estimator}")
    for unbiased in (BaselinedReturn(gamma), GAE(gamma, 1.0), NStep(gamma, 4)):
        have = lab.expect(lab.weigh(unbiased, value), gamma)
        observe(largest(have - lab.truth), 1e-12 * size, f"{unbiased}")


@claim("E3")
def test_a_stationary_value_is_wrong_where_time_is_limited():
    """Control of E1: values that do not know the time bias every weight but lambda = 1."""
    lab = random_laboratory(np.random.default_rng(63), 2, 2, 4, 0.9)
    value = lab.solved.V.copy()
    value[1:-1] = value[0]
    have = lab.expect(lab.weigh(TDResidual(0.9), value), 0.9)
    observe(largest(have - _by_occupancy(lab, _expected_gae(lab, value, 0.0))), 1e-12)
    assert largest(have - lab.truth) > 1e-3 * largest(lab.truth)


@claim("E4")
@pytest.mark.parametrize("seed", range(3))
def test_only_one_of_the_two_fields_is_a_gradient(seed):
    """The Jacobian of a gradient is symmetric; the field without gamma^t has none that is."""
    lab = random_laboratory(np.random.default_rng([64, seed]), 2, 2, 3, 0.5)

    def asymmetry(discount):
        def field(theta):
            at = laboratory(lab.process, theta)
            return at.expect(at.weigh(RewardToGo(0.5)), discount)

        jacobian = central_difference(field, lab.theta)
        return float(np.linalg.norm(jacobian - jacobian.T) / np.linalg.norm(jacobian))

    # a difference quotient of a smooth function: 1e-10 is usual
    observe(asymmetry(0.5), 1e-7, f"{seed=}")
    assert asymmetry(None) > 1e-3


@claim(
    name="E5",
    title="A baseline that includes the sample shrinks the gradient; leave-one-out does not",
    statement=r"E\bigl[\hat g\,|\,\Phi = R_k - \tfrac1K\textstyle\sum_j R_j\bigr]"
    r" = (1-\tfrac1K)\nabla J, \qquad E[\hat g_{\mathrm{leave\ one\ out}}] = \nabla J",
    words="the mean return of the batch shrinks the gradient by 1 - 1/K, of the others not",
    assumptions="K independent whole episodes",
    source="Kool, van Hoof and Welling 2019; Williams 1992 for the baseline",
    method="enumeration of every tuple of K trajectories",
    tolerance=1e-12,
    tolerance_reason="relative to the returns; sums of up to 10000 weighted terms",
    about=("npvpg.estimators.LeaveOneOut", "npvpg.estimators.TotalReturn"),
)
@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_batch_baselines(n, gamma):
    rng = np.random.default_rng([65, n])
    horizon = 2 if n < 4 else 1
    lab = random_laboratory(rng, 1, 2, horizon, gamma, final=False)
    episodes = range(lab.batch.n_trajectories)
    lengths = set(np.diff(lab.batch.start))
    assert len(lengths) == horizon  # long and short ones in one batch
    sums: dict[str, Any] = dict.fromkeys(("alone", "mean", "standardised"), 0.0)
    for chosen in product(episodes, repeat=n):
        rows = np.concatenate(
            [np.arange(lab.batch.start[k], lab.batch.start[k + 1]) for k in chosen]
        )
        spans = [lab.batch.start[k + 1] - lab.batch.start[k] for k in chosen]
        pick = list(chosen)
        batch = Batch(
            lab.batch.obs[rows],
            lab.batch.act[rows],
            lab.batch.rew[rows],
            np.concatenate([[0], np.cumsum(spans)]),
            lab.batch.last_obs[pick],
            lab.batch.terminated[pick],
        )
        # values are not read: NaN would show
        nothing = np.full(len(rows), np.nan), np.full(n, np.nan)
        total = TotalReturn(gamma)(batch.rew, *nothing, batch.start)
        mean = total[batch.start[:-1]].mean()
        chance = float(np.prod(lab.flat.probability[pick]))
        for name, psi in (
            ("alone", LeaveOneOut(gamma)(batch.rew, *nothing, batch.start)),
            ("mean", total - mean),
            ("standardised", standardize(total)),
        ):
            sums[name] += chance * policy_gradient(lab.policy.at(lab.theta, batch.obs), batch, psi)
    size = 1 + largest(lab.batch.rew)
    observe(largest(sums["alone"] - lab.truth), 1e-12 * size, f"leave one out of {n}")
    observe(largest(sums["mean"] - (1 - 1 / n) * lab.truth), 1e-12 * size, f"mean of {n}")
    assert largest(sums["mean"] - lab.truth) > 1e-3 * largest(lab.truth)
    # standardising is a heuristic: an ascent direction here, of a length of its own
    assert sums["standardised"] @ lab.truth > 0
    assert largest(sums["standardised"] - lab.truth) > 1e-3 * largest(lab.truth)


@claim("E5")
def test_leave_one_out_needs_another():
    """One trajectory has no others; the error says how many there were."""
    with pytest.raises(ValueError, match="trajectories must number at least 2, got 1"):
        LeaveOneOut(0.9)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    psi = LeaveOneOut(0.5)(np.array([1.0, 1.0, 3.0]), np.zeros(3), np.zeros(2), np.array([0, 2, 3]))
    observe(float(psi.tolist() != [-1.5, -1.5, 1.5]), 0)
