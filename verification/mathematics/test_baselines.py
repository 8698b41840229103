"""E2: what does not see the action has no part in the expected gradient."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import BaselinedReturn
from verification.claims import claim, observe
from verification.mathematics.lab import Case, Lab, Table, cases, largest

SCALE = st.sampled_from([0.0, 1.0, 100.0, -1e4])


def _any(case: Case, lab: Lab, scale: float) -> Table:
    """Draw a function of time and state, as a table (H + 1, S + 1) that is V where it is cut."""
    b = lab.solved.V.copy()
    b[:-1, :-1] = scale * case.rng.standard_normal(b[:-1, :-1].shape)
    return b


@claim(
    name="E2",
    title="A baseline leaves the gradient as it is",
    statement=r"E\Bigl[\sum_t\gamma^t\,\nabla\log\pi(a_t|s_t)\,b(s_t,t)\Bigr] = 0",
    words="any function of state and time as the weight has expected gradient zero: V(s) too",
    assumptions="b does not see the action",
    source="Spinning Up, part 3, EGLP lemma",
    method="enumeration of every trajectory",
    tolerance=1e-13,
    tolerance_reason="relative to one and the largest b; sums of up to a thousand terms",
    about=(
        "npvpg.gradient.policy_gradient",
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.estimators.BaselinedReturn",
    ),
)
@given(cases(), SCALE)
@example(Case(), 1.0)
def test_baseline(case, scale):
    lab = case.lab
    for b in (lab.solved.V, _any(case, lab, scale)):
        psi, _ = lab.values(b)
        have = lab.expect(psi, case.gamma)
        observe(largest(have), 1e-13 * (1 + largest(b)), lambda: f"{case} {scale}")


@claim("E2")
@given(cases(), SCALE)
@example(Case(gamma=0.5), 100.0)
@example(Case(gamma=0.0), 1.0)
def test_return_less_any_baseline(case, scale):
    """The estimator itself, with any b(s, t) for V, gives the gradient."""
    lab = case.lab
    b = _any(case, lab, scale)
    have = lab.expected(BaselinedReturn(case.gamma), b)
    observe(largest(have - lab.truth), 1e-13 * (lab.size + largest(b)), lambda: f"{case} {scale}")


def test_what_sees_the_action_is_no_baseline() -> None:
    """Negative control."""
    lab, flat = Case().lab, Case().lab.flat
    seeing = Case().rng.standard_normal((3, 2, 2))[flat.time, flat.state, flat.act]
    assert largest(lab.expect(seeing, 0.9)) > 1e-3


def test_what_follows_has_seen_the_action() -> None:
    """Negative control: the baseline of the state that follows."""
    lab, flat = Case().lab, Case().lab.flat
    later = Case().rng.standard_normal((4, 3))[flat.time + 1, flat.next_state]
    assert largest(lab.expect(later, 0.9)) > 1e-3
    less = lab.weigh(BaselinedReturn(0.9)) - later
    assert largest(lab.expect(less, 0.9) - lab.truth) > 1e-3 * np.abs(lab.truth).max()
