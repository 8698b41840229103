"""D7: what an estimator declares is true, and the registry lists them all."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from npvpg import estimators
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, cases, largest
from verification.mathematics.strategies import Roll, rolls

GAMMA, LAM, N = 0.5, 0.25, 2
NAMES = st.sampled_from(sorted(estimators.NAMED))


class Undeclared(estimators.Estimator):
    """Negative control: TotalReturn that says it were discounted from the step itself."""

    name, formula = "undeclared", "Φₜ = R(τ)"
    uses_value, from_start, needs_whole_episodes = False, False, False

    @override
    def weigh(self, rew, val, last_val, start):
        return estimators.TotalReturn(self.gamma).weigh(rew, val, last_val, start)


def _depends(estimator, roll, argument):
    """Whether weights change with one number of one argument, and by how much each."""
    arrays = list(roll.arrays())
    before = estimator(*arrays)
    changed = []
    for i in range(len(arrays[argument])):
        moved = list(arrays)
        moved[argument] = arrays[argument].copy()
        moved[argument][i] += 1.0
        changed.append(estimator(*moved) - before)
    return np.array(changed)


@claim(
    name="D7",
    title="What an estimator declares is true, and the registry lists them all",
    statement=r"\frac{\partial\Phi_t}{\partial V(s_t)} = -1,\quad"
    r"\frac{\partial\Phi}{\partial V} = 0,\quad"
    r"\frac{\partial\Phi_t}{\partial V(s_T)} = 0,\quad"
    r"\nabla J = E\Bigl[\sum_t c_t\,\nabla\log\pi(a_t|s_t)\,\Phi_t\Bigr],\ "
    r"c_t = 1\text{ from the start, else }\gamma^t",
    words="an advantage subtracts V, what uses no value sees none, what is from the start has "
    "gamma^t in it, what needs whole episodes does not see V of the cut state",
    assumptions="dyadic input; for the last one exact values and whole episodes",
    source="the formulas of the classes; Nota and Thomas 2020 for gamma^t",
    method="every class of the package; differences of 1 in one value; enumeration of episodes",
    tolerance=1e-12,
    tolerance_reason="relative to one and the largest value; all but the last are bitwise",
    about=("npvpg.estimators.Estimator", "npvpg.estimators.named"),
)
def test_the_registry_lists_them_all():
    mine = [
        kind
        for kind in vars(estimators).values()
        if isinstance(kind, type)
        and issubclass(kind, estimators.Estimator)
        and not getattr(kind, "__abstractmethods__", None)
    ]
    mine.remove(estimators.GroupRelative)  # made of the size of a group, which names do not know
    require(len(mine) >= 8 and set(mine) == set(estimators.NAMED.values()))
    for name, kind in estimators.NAMED.items():
        made = estimators.named(name, gamma=GAMMA, lam=LAM, n=N)
        require(type(made) is kind, name)
        require(name == kind.name or (name, kind) == ("advantage", estimators.GAE), name)
        told = {"gamma": GAMMA, "lam": LAM, "n": N}
        require(made.constants.items() <= told.items(), name)


@claim("D7")
@given(NAMES, rolls())
@example("gae", Roll())
@example("leave-one-out", Roll(end=(True, False, True)))
def test_values_are_used_as_declared(name, roll):
    estimator = estimators.named(name, gamma=roll.gamma, lam=roll.lam, n=roll.n)
    if estimator.compares_trajectories and sum(roll.end) < 2:
        return
    by_val = _depends(estimator, roll, 1)
    if not estimator.uses_value:
        observe(float(np.abs(by_val).max()), 0, f"{estimator} {roll}")
    own = np.diagonal(by_val)
    if estimator.is_advantage:
        observe(float(np.abs(own + 1).max()), 0, f"{estimator} {roll}")
    elif estimator.uses_value:  # V was added back
        observe(float(np.abs(own).max()), 0, f"{estimator} {roll}")
    if estimator.needs_whole_episodes:
        observe(float(np.abs(_depends(estimator, roll, 2)).max()), 0, f"{estimator} {roll}")


@claim("D7")
@pytest.mark.parametrize("name", estimators.NAMED)
def test_nothing_is_declared_that_is_not_so(name):
    """The other way round, where it shows: on one roll of two trajectories, one of them cut."""
    roll = Roll((1.0, 2.0, 4.0, 8.0, 3.0), (8.0, 16.0, 32.0, 2.0, 5.0), (0.0, 0.0, 0.0, 64.0, 0.0))
    roll = roll._replace(end=(False, False, False, True, True), terminated=(False,) * 4 + (True,))
    estimator = estimators.named(name, gamma=GAMMA, lam=LAM, n=N)
    require(estimator.uses_value == _depends(estimator, roll, 1).any(), name)
    sees_tail = _depends(estimator, roll, 2)[0, :4].any()
    require(estimator.needs_whole_episodes != sees_tail, name)
    others = _depends(estimator, roll, 0)[:4, 4:]  # of the second's weights by the first's rewards
    require(estimator.compares_trajectories == others.any(), name)


@claim("D7")
@given(cases())
@example(Case(gamma=0.7))
def test_discount_from_the_start_is_declared_where_it_is(case):
    lab = case.lab.bare
    for name in estimators.NAMED:
        estimator = estimators.named(name, gamma=case.gamma, lam=0.6, n=2)
        if not estimator.compares_trajectories:  # of its law for batches E5 speaks
            error = largest(lab.expected(estimator) - lab.truth)
            observe(error, 1e-12 * lab.size, f"{estimator} {case}")


def test_a_false_declaration_is_seen() -> None:
    """Negative control: a total return that does not say it is discounted from the start."""
    lab = Case(gamma=0.7).lab.bare
    assert largest(lab.expected(Undeclared(0.7)) - lab.truth) > 0.01 * largest(lab.truth)
