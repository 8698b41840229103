"""D: sums over time are what their definitions say, bit for bit where floats are exact."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg import estimators
from npvpg.kernels import returns as kernels
from verification.claims import claim, observe
from verification.oracles import returns as textbook

DYADIC = st.sampled_from([0.0, 0.5, 1.0])
SHAPE = st.lists(st.integers(1, 6), min_size=1, max_size=4)
SEED = st.integers(0, 2**32 - 1)


def _roll(lengths, seed, *, whole=True):
    """Trajectories with rewards and values that are small integers, some terminated."""
    rng = np.random.default_rng([41, seed])
    n_steps, k = sum(lengths), len(lengths)
    rew, val = rng.integers(-64, 65, (2, n_steps)).astype(np.float64)
    if not whole:
        rew, val = rng.standard_normal((2, n_steps)) * 10.0 ** rng.integers(-3, 9, (2, n_steps))
    last_val = np.where(rng.random(k) < 0.5, 0.0, rng.integers(-64, 65, k)).astype(np.float64)
    return rew, val, last_val, np.concatenate([[0], np.cumsum(lengths)])


def _exact(roll, f):
    """Apply a textbook sum to every trajectory, in fractions."""
    rew, val, last_val, start = roll
    out = []
    for k in range(len(last_val)):
        rows = slice(start[k], start[k + 1])
        r, v = ([Fraction(x) for x in a[rows].tolist()] for a in (rew, val))
        out += f(r, v, Fraction(float(last_val[k])))
    return out


def _bitwise(have, want):
    observe(float(sum(Fraction(float(h)) != w for h, w in zip(have, want, strict=True))), 0)


@claim(
    name="D1",
    title="Reward-to-go and total return",
    statement=r"G_t = \sum_{k\ge t} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T),\quad "
    r"R(\tau) = \sum_k \gamma^k r_k",
    words="reward-to-go, total return and the baselined return equal sums of fractions",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Sutton and Barto 2018, 3.3; Spinning Up, part 3; Pardo et al. 2018",
    method="fractions.Fraction",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input",
    about=(
        "npvpg.kernels.returns.discounted_sum",
        "npvpg.kernels.returns.total_return",
        "npvpg.kernels.returns.discount_weights",
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.TotalReturn",
        "npvpg.estimators.BaselinedReturn",
    ),
)
@given(SHAPE, DYADIC, SEED)
@example([1], 1.0, 0)
def test_returns(lengths, gamma, seed):
    roll = _roll(lengths, seed)
    g = Fraction(gamma)
    to_go = _exact(roll, lambda r, v, tail: textbook.reward_to_go(r, tail, g))
    _bitwise(estimators.RewardToGo(gamma)(*roll), to_go)
    val = [Fraction(v) for v in roll[1].tolist()]
    baselined = [a - b for a, b in zip(to_go, val, strict=True)]
    _bitwise(estimators.BaselinedReturn(gamma)(*roll), baselined)
    total = _exact(roll, lambda r, v, tail: textbook.total_return(r, g))
    _bitwise(estimators.TotalReturn(gamma)(*roll), total)
    powers = [g**t for n in lengths for t in range(n)]
    _bitwise(kernels.discount_weights(roll[3], gamma), powers)


@claim(
    name="D2",
    title="n-step advantage and TD residual",
    statement=r"\hat A^{(n)}_t = \sum_{l<m}\gamma^l r_{t+l} + \gamma^m V(s_{t+m}) - V(s_t)",
    words="n-step advantages equal sums of fractions, cut at the end of the trajectory",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Sutton and Barto 2018, (7.1); Schulman et al. 2016, (11)-(15)",
    method="fractions.Fraction",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input",
    about=(
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.td_residual",
        "npvpg.estimators.NStep",
        "npvpg.estimators.TDResidual",
    ),
)
@given(SHAPE, DYADIC, st.integers(1, 9), SEED)
def test_n_step(lengths, gamma, n, seed):
    roll = _roll(lengths, seed)
    g = Fraction(gamma)
    want = _exact(roll, lambda r, v, tail: textbook.n_step(r, v, tail, g, n))
    _bitwise(estimators.NStep(gamma, n)(*roll), want)
    want = _exact(roll, lambda r, v, tail: textbook.td_residual(r, v, tail, g))
    _bitwise(estimators.TDResidual(gamma)(*roll), want)


@claim(
    name="D3",
    title="Generalised advantage estimate",
    statement=r"\hat A_t = (1-\lambda)\sum_{n<m}\lambda^{n-1}\hat A^{(n)}_t"
    r" + \lambda^{m-1}\hat A^{(m)}_t",
    words="GAE equals its definition, a geometric mixture of n-step advantages",
    assumptions="V(s_T) = 0 where the trajectory terminated",
    source="Schulman et al. 2016, (16)",
    method="fractions.Fraction; the mixture, not the recursion",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input",
    about=(
        "npvpg.kernels.returns.gae",
        "npvpg.estimators.GAE",
        "npvpg.estimators.ActionValue",
    ),
)
@given(SHAPE, DYADIC, DYADIC, SEED)
def test_gae(lengths, gamma, lam, seed):
    roll = _roll(lengths, seed)
    g, mix = Fraction(gamma), Fraction(lam)
    want = _exact(roll, lambda r, v, tail: textbook.gae(r, v, tail, g, mix))
    _bitwise(estimators.GAE(gamma, lam)(*roll), want)
    q = [a + Fraction(v) for a, v in zip(want, roll[1].tolist(), strict=True)]
    _bitwise(estimators.ActionValue(estimators.GAE(gamma, lam))(*roll), q)


@claim("D3")
@given(SHAPE, st.floats(0, 1), st.floats(0, 1), SEED)
def test_gae_in_floats(lengths, gamma, lam, seed):
    roll = _roll(lengths, seed, whole=False)
    g, mix = Fraction(gamma), Fraction(lam)
    want = _exact(roll, lambda r, v, tail: textbook.gae(r, v, tail, g, mix))
    have = estimators.GAE(gamma, lam)(*roll)
    size = sum(float(np.abs(x).sum()) for x in roll[:3])
    error = max(abs(Fraction(float(h)) - w) for h, w in zip(have, want, strict=True))
    observe(float(error), (4 * max(lengths) + 8) * 2.0**-53 * size)


@claim(
    name="D4",
    title="Limits of GAE",
    statement=r"\lambda=0:\ \delta_t,\qquad \lambda=1:\ G_t - V(s_t)",
    words="GAE with lambda 0 and 1 is the TD residual and the baselined return",
    assumptions="none",
    source="Schulman et al. 2016, (17)-(18)",
    method="the kernels against each other",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input",
    about=("npvpg.kernels.returns.gae",),
)
@given(SHAPE, DYADIC, SEED)
def test_limits(lengths, gamma, seed):
    roll = _roll(lengths, seed)
    td, whole = estimators.TDResidual(gamma)(*roll), estimators.BaselinedReturn(gamma)(*roll)
    observe(float(np.abs(estimators.GAE(gamma, 0.0)(*roll) - td).max()), 0)
    observe(float(np.abs(estimators.GAE(gamma, 1.0)(*roll) - whole).max()), 0)


@claim(
    name="D6",
    title="Compiled kernels are their Python",
    statement=r"\mathrm{njit}(f)(x) = f(x)",
    words="compiled and interpreted kernels agree bit for bit",
    assumptions="no fastmath",
    source="this library",
    method="py_func beside the compiled function",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.kernels.returns.discounted_sum",
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.gae",
    ),
)
@given(SHAPE, st.floats(0, 1), st.floats(0, 1), SEED)
def test_compiled(lengths, gamma, lam, seed):
    rew, val, last_val, start = _roll(lengths, seed, whole=False)
    for have, want in (
        (
            kernels.gae(rew, val, last_val, start, gamma, lam),
            kernels._gae(rew, val, last_val, start, gamma, lam),
        ),
        (
            kernels.n_step(rew, val, last_val, start, gamma, 3),
            kernels._n_step(rew, val, last_val, start, gamma, 3),
        ),
        (
            kernels.discounted_sum(rew, last_val, start, gamma),
            kernels._discounted_sum(rew, last_val, start, gamma),
        ),
    ):
        observe(float((have != want).sum()), 0)
