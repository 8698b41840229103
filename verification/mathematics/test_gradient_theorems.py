"""E1: whatever the weight, the expected estimate is the gradient of the objective."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import NAMED, TDResidual, TotalReturn, named
from verification.claims import claim, observe
from verification.mathematics.lab import Case, cases, largest


@claim(
    name="E1",
    title="Every weight gives the gradient of the objective",
    statement=r"\nabla J = E\Bigl[\sum_t \gamma^t\,\nabla\log\pi(a_t|s_t)\,\Phi_t\Bigr]",
    words="total return, reward-to-go, baseline, Q, A, TD, n-step and GAE agree with the gradient",
    assumptions="exact time-indexed V; the factor gamma^t, which R(tau) has already; R(tau) is "
    "asked only where states are worth nothing at the horizon",
    source="Spinning Up, part 3 and its two proofs; Schulman et al. 2016, (1)",
    method="enumeration of every trajectory; the gradient by complex step through induction",
    tolerance=1e-13,
    tolerance_reason="relative to one and the largest value; sums of up to a thousand terms",
    about=(
        "npvpg.gradient.policy_gradient",
        "npvpg.estimators.TotalReturn",
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.BaselinedReturn",
        "npvpg.estimators.NStep",
        "npvpg.estimators.TDResidual",
        "npvpg.estimators.GAE",
        "npvpg.estimators.ActionValue",
        "npvpg.kernels.returns.discount_weights",
        "npvpg.batch.Batch",
    ),
)
@given(cases(), st.floats(0, 1), st.integers(1, 4))
@example(Case(), 0.6, 2)
@example(Case(gamma=1.0, horizon=4), 0.9, 3)
@example(Case(gamma=0.0, horizon=1), 0.0, 1)
def test_every_weight(case, lam, n):
    whole = case.lab
    for name in NAMED:
        estimator = named(name, gamma=case.gamma, lam=lam, n=n)
        if not estimator.compares_trajectories:  # of what depends on the batch E5 speaks
            lab = whole.bare if estimator.needs_whole_episodes else whole
            error = largest(lab.expected(estimator) - lab.truth)
            observe(error, 1e-13 * lab.size, f"{estimator} {case}")


@claim("E1")
@given(cases(horizon=st.just(3)))
@example(Case())
def test_episodes_of_every_length_are_among_them(case):
    """What is enumerated is no special case: short episodes, long ones, and cut ones."""
    lab = case.lab
    observe(largest(lab.flat.probability.sum() - 1), 1e-13, lambda: f"{case}")
    assert set(np.diff(lab.batch.start)) == {1, 2, 3}
    assert set(lab.batch.terminated) == {False, True}


def test_total_return_misses_a_worth_at_the_horizon() -> None:
    """Negative control: it bootstraps nothing."""
    lab = Case().lab
    assert largest(lab.expected(TotalReturn(0.9)) - lab.truth) > 1e-3 * largest(lab.truth)


def test_another_discount_is_another_gradient() -> None:
    """Negative control: weights of one gamma, objective of another."""
    lab = Case().lab
    assert largest(lab.expected(TDResidual(0.8)) - lab.truth) > 1e-3 * largest(lab.truth)


def test_weights_of_the_step_before_are_none() -> None:
    """Negative control: an index off by one."""
    lab = Case().lab
    late = np.roll(lab.weigh(TDResidual(0.9)), 1)
    assert largest(lab.expect(late, 0.9) - lab.truth) > 1e-3 * largest(lab.truth)
