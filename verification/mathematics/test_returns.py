"""D1 to D3: sums over time are what their definitions say, bit for bit where floats are exact."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp

from npvpg import estimators
from npvpg.kernels import returns as kernels
from verification.claims import claim, observe, require
from verification.mathematics.strategies import Roll, rolls
from verification.oracles import returns as textbook

U = Fraction(1, 2**53)
# what a rounding may lose where a product leaves the range of normal floats, times values of 1e9
NEAR_ZERO = Fraction(1, 2**1034)
# terminated and truncated at once, a cut in the middle, a single step, huge terms that cancel
BOTH = Roll(end=(True, False, True), terminated=(True, False, False))
SINGLE = Roll((1.0,), (2.0,), (4.0,), (True,), (False,), 1.0, 1.0, 1)
CANCEL = Roll((1e8, -1e8, 1.0), (0.1, 1e-308, -0.0), (0.0, 0.0, 0.3), gamma=0.9, lam=0.7)


def _over(roll, f):
    """Apply a textbook sum to every trajectory, in fractions, and lay the results end to end."""
    return [x for segment in roll.segments() for x in f(*segment)]


def _left(roll):
    """Steps from every step to the end of its trajectory, itself included."""
    return [n - t for segment in roll.segments() for n in (len(segment[0]),) for t in range(n)]


def _bitwise(have, want, roll):
    wrong = sum(Fraction(float(h)) != w for h, w in zip(have, want, strict=True))
    observe(float(wrong), 0, lambda: f"{roll}")


def _within(have, want, size, roundings, roll):
    """Hold every entry to so many roundings of the sum of its absolute terms."""
    for h, w, s, n in zip(have, want, size, roundings, strict=True):
        allowed = n * (U * s + NEAR_ZERO)
        observe(float(abs(Fraction(float(h)) - w)), float(allowed), lambda: f"{roll}")


def _as_fractions(roll):
    """Arguments of a kernel as exact numbers: what it computes is then the formula itself."""
    *numbers, start = roll.arrays()
    rew, val, last_val = (np.array([Fraction(x) for x in a.tolist()], object) for a in numbers)
    return (rew, val, last_val), start


def _returns(roll):
    """Reward-to-go, baselined and total return of a roll: estimator, truth, size of the terms."""
    g, _ = roll.exact
    to_go = _over(roll, lambda r, v, tail: textbook.reward_to_go(r, tail, g))
    size = _over(roll, lambda r, v, tail: textbook.discounted_magnitude(r, tail, g))
    total = _over(roll, lambda r, v, tail: textbook.total_return(r, g))
    whole = _over(roll, lambda r, v, tail: textbook.total_return([abs(x) for x in r], g))
    val = [Fraction(v) for v in roll.val]
    less = [a - b for a, b in zip(to_go, val, strict=True)]
    more = [a + abs(b) for a, b in zip(size, val, strict=True)]
    return (
        (estimators.RewardToGo(roll.gamma), to_go, size),
        (estimators.BaselinedReturn(roll.gamma), less, more),
        (estimators.TotalReturn(roll.gamma), total, whole),
    )


@claim(
    name="D1",
    title="Reward-to-go and total return",
    statement=r"G_t = \sum_{k\ge t} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T),\quad "
    r"R(\tau) = \sum_k \gamma^k r_k",
    words="reward-to-go, total return and the baselined return equal sums of fractions",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Sutton and Barto 2018, 3.3; Spinning Up, part 3; Pardo et al. 2018",
    method="fractions.Fraction, which the kernels take as well; floats against both",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input; else 2m + 4 roundings of m terms, 5 of a power",
    about=(
        "npvpg.kernels.returns.discounted_sum",
        "npvpg.kernels.returns.total_return",
        "npvpg.kernels.returns.discount_weights",
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.TotalReturn",
        "npvpg.estimators.BaselinedReturn",
    ),
)
@given(rolls())
@example(Roll())
@example(BOTH)
@example(SINGLE)
def test_returns(roll):
    for estimator, want, _ in _returns(roll):
        _bitwise(estimator(*roll.arrays()), want, roll)
    g, _ = roll.exact
    powers = _over(roll, lambda r, v, tail: [g**t for t in range(len(r))])
    _bitwise(kernels.discount_weights(roll.arrays()[3], roll.gamma), powers, roll)


@claim("D1")
@given(rolls(dyadic=False))
@example(CANCEL)
@example(CANCEL._replace(gamma=1.0))
def test_returns_in_floats(roll):
    expected, left = _returns(roll), _left(roll)
    whole = _over(roll, lambda r, v, tail: [len(r)] * len(r))
    for estimator, want, size in expected:
        steps = whole if isinstance(estimator, estimators.TotalReturn) else left
        _within(estimator(*roll.arrays()), want, size, [2 * m + 4 for m in steps], roll)
    g, _ = roll.exact
    powers = _over(roll, lambda r, v, tail: [g**t for t in range(len(r))])
    ages = [min(n - m, 5) for n, m in zip(whole, left, strict=True)]
    _within(kernels.discount_weights(roll.arrays()[3], roll.gamma), powers, powers, ages, roll)
    (rew, _, last_val), start = _as_fractions(roll)
    for have, (_, want, _) in (
        (kernels._discounted_sum(rew, last_val, start, g), expected[0]),
        (kernels._total_return(rew, start, g), expected[2]),
    ):
        require(have.tolist() == want, lambda: f"in fractions {roll}")


@claim("D1")
@given(
    st.floats(0, 1) | st.floats(0.99, 1), st.lists(st.integers(0, 200), max_size=3), st.randoms()
)
@example(0.999999, [1_000_000], None)
@example(0.5, [64, 1, 65, 128], None)
def test_discounts_of_long_episodes(gamma, lengths, random):
    """Each is a power: a rounding in a step would be seen after a million."""
    lengths = [n + 1 for n in lengths] + [1 + (random.randrange(100_000) if random else 7)]
    start = np.cumsum([0, *lengths])
    weights = kernels.discount_weights(start, gamma)
    with mp.workprec(200):
        for first, n in zip(start.tolist(), lengths, strict=False):
            for t in {0, 1, 63, 64, 65, n // 3, n // 2, n - 2, n - 1} & set(range(n)):
                want = mp.mpf(gamma) ** t
                error = abs(mp.mpf(float(weights[first + t])) - want)
                # two powers and their product; three roundings more where they all but vanish
                allowed = 5 * mp.mpf(2) ** -53 * want + 3 * mp.mpf(2) ** -1074
                observe(float(error / allowed), 1, f"{gamma=} {t=}")


def _ahead(roll):
    """n-step advantage and TD residual of a roll: estimator, truth, size, roundings."""
    g, _ = roll.exact

    def size(n):
        return _over(
            roll,
            lambda r, v, tail: [
                a + 2 * abs(b)  # the oracle subtracts the value; its size is added
                for a, b in zip(
                    textbook.n_step([abs(x) for x in r], [abs(x) for x in v], abs(tail), g, n),
                    v,
                    strict=True,
                )
            ],
        )

    mine = _over(roll, lambda r, v, tail: textbook.n_step(r, v, tail, g, roll.n))
    delta = _over(roll, lambda r, v, tail: textbook.td_residual(r, v, tail, g))
    window = [min(roll.n, m) for m in _left(roll)]
    return (
        (estimators.NStep(roll.gamma, roll.n), mine, size(roll.n), [2 * m + 4 for m in window]),
        (estimators.TDResidual(roll.gamma), delta, size(1), [6] * len(delta)),
    )


@claim(
    name="D2",
    title="n-step advantage and TD residual",
    statement=r"\hat A^{(n)}_t = \sum_{l<m}\gamma^l r_{t+l} + \gamma^m V(s_{t+m}) - V(s_t)",
    words="n-step advantages equal sums of fractions, cut at the end of the trajectory",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Sutton and Barto 2018, (7.1); Schulman et al. 2016, (11)-(15)",
    method="fractions.Fraction, which the kernels take as well; floats against both",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input; 2m + 4 roundings of the m terms on other floats",
    about=(
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.td_residual",
        "npvpg.estimators.NStep",
        "npvpg.estimators.TDResidual",
    ),
)
@given(rolls())
@example(Roll())
@example(BOTH._replace(n=9))
@example(SINGLE)
def test_n_step(roll):
    for estimator, want, _, _ in _ahead(roll):
        _bitwise(estimator(*roll.arrays()), want, roll)


@claim("D2")
@given(rolls(dyadic=False))
@example(CANCEL)
@example(CANCEL._replace(n=3, gamma=1.0))
def test_n_step_in_floats(roll):
    expected = _ahead(roll)
    for estimator, want, size, roundings in expected:
        _within(estimator(*roll.arrays()), want, size, roundings, roll)
    (rew, val, last_val), start = _as_fractions(roll)
    g, _ = roll.exact
    for have, (_, want, _, _) in zip(
        (
            kernels._n_step(rew, val, last_val, start, g, roll.n),
            kernels._td_residual(rew, val, last_val, start, g),
        ),
        expected,
        strict=True,
    ):
        require(have.tolist() == want, lambda: f"in fractions {roll}")


@claim(
    name="D3",
    title="Generalised advantage estimate",
    statement=r"\hat A_t = (1-\lambda)\sum_{n<m}\lambda^{n-1}\hat A^{(n)}_t"
    r" + \lambda^{m-1}\hat A^{(m)}_t",
    words="GAE equals its definition, a geometric mixture of n-step advantages",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Schulman et al. 2016, (16)",
    method="fractions.Fraction, which the kernel takes as well; the mixture, not the recursion",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input; 3m + 4 roundings of the m terms on other floats",
    about=(
        "npvpg.kernels.returns.gae",
        "npvpg.estimators.GAE",
        "npvpg.estimators.ActionValue",
    ),
)
@given(rolls())
@example(Roll())
@example(BOTH)
@example(SINGLE)
def test_gae(roll):
    want = _over(roll, lambda r, v, tail: textbook.gae(r, v, tail, *roll.exact))
    gae = estimators.GAE(roll.gamma, roll.lam)
    _bitwise(gae(*roll.arrays()), want, roll)
    q = [a + Fraction(v) for a, v in zip(want, roll.val, strict=True)]
    _bitwise(estimators.ActionValue(gae)(*roll.arrays()), q, roll)


@claim("D3")
@given(rolls(dyadic=False))
@example(CANCEL)
@example(CANCEL._replace(gamma=1.0, lam=1.0))
def test_gae_in_floats(roll):
    g, mix = roll.exact
    want = _over(roll, lambda r, v, tail: textbook.gae(r, v, tail, g, mix))

    def size(r, v, tail):
        """Sum (gamma lambda)^l (|r| + gamma |V'| + |V|): the terms of the recursion."""
        after = [*v[1:], tail]
        terms = [abs(a) + g * abs(b) + abs(c) for a, b, c in zip(r, after, v, strict=True)]
        return textbook.reward_to_go(terms, 0, g * mix)

    sizes, left = _over(roll, size), _left(roll)
    gae = estimators.GAE(roll.gamma, roll.lam)
    _within(gae(*roll.arrays()), want, sizes, [3 * m + 4 for m in left], roll)
    q = [a + Fraction(v) for a, v in zip(want, roll.val, strict=True)]
    have = estimators.ActionValue(gae)(*roll.arrays())
    _within(have, q, sizes, [3 * m + 6 for m in left], roll)
    (rew, val, last_val), start = _as_fractions(roll)
    exact = kernels._gae(rew, val, last_val, start, g, mix)
    require(exact.tolist() == want, lambda: f"in fractions {roll}")
