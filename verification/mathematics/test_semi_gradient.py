"""E4: without gamma^t the estimate is another vector, and no gradient of anything."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import RewardToGo
from verification.claims import claim, observe
from verification.mathematics.lab import Case, Table, cases, laboratory, largest
from verification.oracles.derivatives import central_difference

BELOW_ONE = st.sampled_from([0.0, 0.3, 0.7, 0.9]) | st.floats(0, 0.99)


@claim(
    name="E4",
    title="Without gamma^t it is another vector",
    statement=r"E\Bigl[\sum_t \nabla\log\pi(a_t|s_t)\,G_t\Bigr] - \nabla J"
    r" = E\Bigl[\sum_t (1-\gamma^t)\,\nabla\log\pi(a_t|s_t)\,G_t\Bigr]",
    words="the usual semi-gradient misses the gradient by the bias that enumeration predicts",
    assumptions="gamma below 1",
    source="Nota and Thomas 2020; Thomas 2014",
    method="enumeration, with and without the factor; scores and gradient worked out apart",
    tolerance=1e-13,
    tolerance_reason="relative to one and the largest value",
    about=("npvpg.gradient.policy_gradient",),
)
@given(cases(gamma=BELOW_ONE))
@example(Case(gamma=0.7))
def test_semi_gradient(case):
    lab, flat = case.lab, case.lab.flat
    psi = lab.weigh(RewardToGo(case.gamma))
    lacking = (1 - case.gamma**flat.time) * psi * flat.step_probability
    bias = lacking @ lab.score()[flat.state, flat.act]
    error = lab.expect(psi, None) - lab.truth - bias
    observe(largest(error), 1e-13 * lab.size, lambda: f"{case}")


def _jacobian(case: Case, discount: float | None) -> Table:
    """Jacobian of the expected estimate as a function of theta, by differences."""
    lab = case.lab

    def field(theta: Table) -> Table:
        at = laboratory(lab.process, theta)
        return at.expect(at.weigh(RewardToGo(case.gamma)), discount)

    return np.asarray(central_difference(field, lab.theta))


@claim("E4")
@given(cases(gamma=BELOW_ONE, n_actions=st.just(2), horizon=st.integers(1, 2)))
@example(Case(gamma=0.5))
def test_with_the_factor_it_is_a_gradient(case):
    """Its Jacobian is symmetric, as second derivatives are."""
    jacobian = _jacobian(case, case.gamma)
    # a difference quotient of a smooth function: 1e-10 is usual
    observe(largest(jacobian - jacobian.T), 1e-8 * case.lab.size, lambda: f"{case}")


def test_without_it_is_none() -> None:
    """Negative control: a field whose Jacobian is not symmetric has no potential."""
    for seed in range(3):
        jacobian = _jacobian(Case(seed, gamma=0.5), None)
        assert np.linalg.norm(jacobian - jacobian.T) > 1e-3 * np.linalg.norm(jacobian)


def test_what_it_misses_is_no_rounding() -> None:
    """Negative control: the two vectors are far apart."""
    for seed in range(3):
        lab = Case(seed, gamma=0.7).lab
        semi = lab.expect(lab.weigh(RewardToGo(0.7)), None)
        assert largest(semi - lab.truth) > 1e-3 * largest(lab.truth)
