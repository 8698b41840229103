"""Comparisons of groups of runs, against counts of every pair and every redrawn sample."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.runs.comparison import (
    improvement_interval,
    performance_profile,
    probability_of_improvement,
)

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=6)


@given(SCORES, SCORES)
def test_improvement_counts_pairs_and_half_of_ties(x: list[int], y: list[int]) -> None:
    wins = sum(Fraction(a > b) + Fraction(a == b, 2) for a, b in product(x, y))
    assert probability_of_improvement(x, y) == pytest.approx(float(wins / (len(x) * len(y))))
    both = probability_of_improvement(x, y) + probability_of_improvement(y, x)
    assert both == pytest.approx(1)


@given(SCORES, st.lists(st.floats(-4, 4), max_size=5))
def test_a_profile_counts_runs_above(x: list[int], thresholds: list[float]) -> None:
    shares = performance_profile(x, thresholds)
    assert shares.tolist() == [sum(a > t for a in x) / len(x) for t in thresholds]


def test_the_interval_is_that_of_every_redrawn_sample() -> None:
    x, y = [1.0, 4.0, 2.0], [2.0, 3.0, 0.0]
    means = [
        probability_of_improvement(a, b) for a in product(x, repeat=3) for b in product(y, repeat=3)
    ]
    exact = np.quantile(means, [0.1, 0.9])
    # of 40,000 draws a quantile of these 729 lies off by less than one of their steps
    low, high = improvement_interval(x, y, level=0.8, n_resamples=40_000, seed=0)
    assert low == pytest.approx(exact[0], abs=1 / 18 + 1e-9)
    assert high == pytest.approx(exact[1], abs=1 / 18 + 1e-9)
    assert improvement_interval(x, y, seed=3) == improvement_interval(x, y, seed=3)
    assert improvement_interval([5, 6], [1, 2], seed=0) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([], [1], "n_scores must be at least 1, got 0"),
        ([np.nan], [1], "scores must be finite"),
        ([[1]], [1], "scores must have shape"),
    ],
)
def test_what_is_no_group_is_refused(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        probability_of_improvement(x, y)


def test_an_interval_needs_two_runs_and_a_level() -> None:
    with pytest.raises(ValueError, match="n_scores must be at least 2, got 1"):
        improvement_interval([1], [1, 2], seed=0)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1, got 1"):
        improvement_interval([1, 2], [1, 2], level=1, seed=0)
