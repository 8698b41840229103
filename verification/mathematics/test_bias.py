"""E3: the bias of a wrong value function, and what is not biased by it."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import GAE, BaselinedReturn, NStep, TDResidual
from verification.claims import claim, observe
from verification.mathematics.lab import Case, Lab, Table, cases, largest


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
@given(cases(horizon=st.integers(1, 4), n_actions=st.just(2)), st.floats(0, 1))
@example(Case(horizon=4), 0.6)
def test_predicted_bias(case, lam):
    lab, gamma = case.lab, case.gamma
    value = lab.solved.V.copy()
    value[:-1, :-1] += 1 + case.rng.random(value[:-1, :-1].shape)
    size = 1 + largest(value)
    for estimator, advantage in (
        (TDResidual(gamma), _expected_gae(lab, value, 0.0)),
        (GAE(gamma, lam), _expected_gae(lab, value, lam)),
        (NStep(gamma, 2), _expected_n_step(lab, value, 2)),
        (NStep(gamma, 3), _expected_n_step(lab, value, 3)),
    ):
        biased = lab.expected(estimator, value) - _by_occupancy(lab, advantage)
        observe(largest(biased), 1e-12 * size, f"{estimator} {case}")
    for unbiased in (BaselinedReturn(gamma), GAE(gamma, 1.0), NStep(gamma, 4)):
        have = lab.expected(unbiased, value) - lab.truth
        observe(largest(have), 1e-12 * size, f"{unbiased} {case}")


@claim("E3")
def test_a_stationary_value_is_wrong_where_time_is_limited():
    """Control of E1: values that do not know the time bias every weight but lambda = 1."""
    lab = Case(horizon=4).lab
    value = lab.solved.V.copy()
    value[1:-1] = value[0]
    have = lab.expected(TDResidual(0.9), value)
    observe(largest(have - _by_occupancy(lab, _expected_gae(lab, value, 0.0))), 1e-12)
    assert largest(have - lab.truth) > 1e-3 * largest(lab.truth)
