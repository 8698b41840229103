"""N1 and N2: n-step learning of values, by the book and beside the estimators."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.kernels.prediction import _n_step_td, n_step_td
from npvpg.kernels.returns import n_step
from verification.claims import claim, observe, require
from verification.mathematics.strategies import Roll, rolls
from verification.oracles import prediction as textbook


@claim(
    name="N1",
    title="n-step learning is the algorithm of the textbook",
    statement=r"V(s_t) \leftarrow V(s_t) + \alpha\Bigl(\sum_{l<m}\gamma^l r_{t+l}"
    r" + \gamma^m V(s_{t+m}) - V(s_t)\Bigr)",
    words="values learnt after the walk are those that the book's loop learns while it goes on",
    assumptions="any states, revisited or not; any ends",
    source="Sutton and Barto 2018, section 7.1, box and (7.2)",
    method="the book's loop over time in fractions, from one trajectory to the next",
    tolerance=1e-13,
    tolerance_reason="relative to the largest number; 16 steps of at most 16 terms",
    about=("npvpg.kernels.prediction.n_step_td",),
)
@given(
    rolls(), st.integers(1, 5), st.sampled_from([0.0, 0.25, 0.7, 1.0]), st.integers(0, 2**32 - 1)
)
@example(Roll(), 2, 0.7, 0)
@example(Roll(n=1), 1, 0.7, 0)
def test_learning(roll, n_states, alpha, seed):
    rng = np.random.default_rng([101, seed])
    rew, _, last_val, start = roll.arrays()
    state = rng.integers(0, n_states, len(rew))
    value = rng.integers(-8, 9, n_states).astype(np.float64)
    gamma, _ = roll.exact
    V = [Fraction(x) for x in value]
    size = 1 + max(float(np.abs(x).max()) for x in (rew, value, last_val))
    want = []
    for k, (a, b) in enumerate(itertools.pairwise(start)):
        V = textbook.n_step_td(
            state[a:b].tolist(),
            [Fraction(x) for x in rew[a:b]],
            Fraction(last_val[k]),
            V,
            gamma,
            Fraction(alpha),
            roll.n,
        )
        want.append([float(x) for x in V])
    arguments = state, rew, last_val, start, value, roll.gamma, alpha, roll.n
    have, plain = n_step_td(*arguments), _n_step_td(*arguments)
    observe(float(np.abs(have - want).max()), 1e-13 * size * len(rew), lambda: f"{roll} {alpha=}")
    require(np.array_equal(have, plain), "compiled and plain")


@claim(
    name="N2",
    title="Where no state comes twice, it adds the n-step advantage of the library",
    statement=r"s_t \ne s_u \ (t \ne u) \;\Rightarrow\; V'(s_t) = V(s_t) + \alpha\,\hat A^{(n)}_t",
    words="without revisits the updates are the fixed-V estimates of n_step, bit for bit",
    assumptions="the states of all trajectories differ",
    source="Sutton and Barto 2018, (7.1) and (7.2)",
    method="the kernel of the estimators, with V held fixed",
    tolerance=0,
    tolerance_reason="the same operations in the same order",
    about=("npvpg.kernels.prediction.n_step_td", "npvpg.kernels.returns.n_step"),
)
@given(rolls(dyadic=False), st.floats(0, 1))
@example(Roll(), 0.5)
def test_without_revisits(roll, alpha):
    rew, val, last_val, start = roll.arrays()
    state = np.arange(len(rew))
    table = n_step_td(state, rew, last_val, start, val, roll.gamma, alpha, roll.n)
    want = val + alpha * n_step(rew, val, last_val, start, roll.gamma, roll.n)
    require(np.array_equal(table[-1], want), lambda: f"{roll} {alpha=}")
