"""G2: moments of what was seen, what they normalise, and standardised weights."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import standardize
from npvpg.normalize import RunningMoments
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED, UNIT

SIZE = st.sampled_from([1e-300, 1e-9, 0.1, 1.0, 1 / 3, 7.0, 1e9, 3.3e299, 1.7e308])


@claim(
    name="G2",
    title="Normalisation",
    statement=r"\Phi \mapsto (\Phi-\bar\Phi)/(\mathrm{std}(\Phi)+10^{-8})",
    words="running moments equal those of all rows at once; weights get mean 0 and deviation 1",
    assumptions="none; constants and single entries give zeros",
    source="Chan, Golub and LeVeque 1982",
    method="the moments of everything together",
    tolerance=1e-12,
    tolerance_reason="relative to the moments; and what cancels where rows all but agree",
    about=(
        "npvpg.normalize.RunningMoments",
        "npvpg.normalize.RunningMoments.update",
        "npvpg.normalize.RunningMoments.normalize",
        "npvpg.estimators.standardize",
    ),
)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), SEED)
@example([2], 192802)  # two rows that all but agree
def test_normalisation(sizes, seed):
    rng = np.random.default_rng([72, seed])
    rows = 3 + 2 * rng.standard_normal((sum(sizes), 2))
    moments = RunningMoments.empty(2)
    for part in np.split(rows, np.cumsum(sizes)[:-1]):
        moments = moments.update(part)
    if len(rows):
        observe(float(np.abs(moments.mean - rows.mean(axis=0)).max()), 1e-12 * 10)
        observe(float(np.abs(moments.var - rows.var(axis=0)).max()), 1e-12 * 100)
    if len(rows) > 1:
        psi, std = standardize(rows[:, 0]), float(rows[:, 0].std())
        cancelled = 16 * UNIT * float(np.abs(rows).max()) / std
        observe(abs(float(psi.mean())), 1e-12 + cancelled)
        observe(abs(float(psi.std()) - std / (std + 1e-8)), 1e-12 + cancelled)
    observe(float(np.abs(standardize(np.full(3, 7.0))).max()), 0)
    observe(float(np.abs(standardize(np.ones(1))).max()), 0)
    observe(float(standardize(np.zeros(0)).size), 0)


@claim("G2")
@given(st.integers(2, 9), st.floats(-1e3, 1e3), st.floats(1e-2, 1e3), SEED)
@example(2, 0.0, 1.0, 0)
def test_standardised_weights_forget_shift_and_scale(n, shift, scale, seed):
    psi = np.random.default_rng([73, seed]).standard_normal(n)
    std, largest, root = float(psi.std()), float(np.abs(psi).max()), float(np.sqrt(n))
    # 1e-8 is added to the deviation; what is shifted keeps fewer digits
    lost = 1 + (abs(shift) + 2 * scale * largest) / (scale * std)
    allowed = 4 * root * (1e-8 / min(std, scale * std) + (n + 3) * UNIT * lost)
    have = standardize(shift + scale * psi)
    observe(float(np.abs(have - standardize(psi)).max()), allowed)
    observe(float(np.abs(standardize(-psi) + standardize(psi)).max()), allowed)


@claim("G2")
@given(st.floats(-5, 5), st.floats(0, 9), st.floats(-100, 100))
def test_normalised_value(mean, var, value):
    moments = RunningMoments(1, np.array([mean]), np.array([var]))
    scale = 1.0 if var <= (1e-12 * mean) ** 2 else 1 / math.sqrt(var + 1e-8)
    want = min(max((value - mean) * scale, -10.0), 10.0)
    observe(abs(float(moments.normalize(np.array([[value]]))[0, 0]) - want), 1e-14)


@claim("G2")
@given(SIZE | st.floats(-1e300, 1e300), st.integers(1, 2000))
@example(3.3e299, 1000)
@example(0.1, 7)
def test_equal_weights_give_zeros(size, n):
    require(not standardize(np.full(n, size)).any(), lambda: f"{n} x {size}")
    require(not standardize(np.full(n, -size)).any(), lambda: f"{n} x {-size}")


@claim("G2")
@given(SIZE, st.lists(st.integers(0, 40), min_size=2, max_size=30))
@example(3.3e299, [1] + 9 * [0])
@example(1.0, [0, 1])
def test_weights_that_differ_in_their_last_digits(size, steps):
    """What those digits say, by fractions: the mean of such weights is no float."""
    psi = size + np.array(steps) * np.spacing(size)
    exact = [Fraction(x) for x in psi.tolist()]
    mean = sum(exact) / len(exact)
    var = sum((x - mean) ** 2 for x in exact) / len(exact)
    unit = Fraction(float(np.spacing(size)))
    std = Fraction(math.sqrt(var / unit**2)) * unit  # a root near one: the square is no float
    want = [float((x - mean) / (std + Fraction(1, 10**8))) for x in exact]
    error = float(np.abs(standardize(psi) - want).max())
    observe(error, 8 * len(psi) * UNIT, lambda: f"{size} {steps}")


@claim("G2")
@given(SIZE.filter(lambda size: size < 1e150), st.lists(st.integers(1, 9), min_size=1, max_size=9))
@example(1.0, [1])
@example(0.1, [1, 9, 2, 9])
def test_a_scale_of_zero_is_no_scale(size, counts):
    """What was constant so far is shifted by itself, and what comes next is not blown up."""
    moments = RunningMoments.empty(2)
    for n in counts:
        rows = np.column_stack([np.full(n, size), np.arange(n) % 2])
        moments = moments.update(rows)
    require(moments.inverse_std[0] == 1.0, lambda: f"{size} {counts}")
    seen = moments.normalize(np.array([[size, 0.0]]))
    observe(abs(float(seen[0, 0])), 2 * len(counts) * UNIT * size + 1e-308, f"{size} {counts}")
    if moments.var[1] > 0:
        observe(abs(float(moments.inverse_std[1] - 1 / math.sqrt(moments.var[1] + 1e-8))), 0)


def test_a_small_scale_is_a_scale() -> None:
    """Negative control: a deviation of a part in 10^11 of the mean is more than rounding."""
    rows = np.array([[1e6], [1e6 + 2e-5]])
    assert RunningMoments.empty(1).update(rows).inverse_std[0] > 1e3
