import itertools
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvpg.runs import statistics
from npvpg.runs.statistics import bootstrap_interval, iqm, stratified_bootstrap_interval

SCORES = st.floats(-1e3, 1e3)


def scipy_interval(x: Any, level: float, n_resamples: int, seed: int) -> tuple[float, float]:
    result = scipy.stats.bootstrap(
        (x,),
        np.mean,
        confidence_level=level,
        n_resamples=n_resamples,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return tuple(result.confidence_interval)


@settings(deadline=None, max_examples=30)
@given(
    hnp.arrays(float, st.integers(2, 20), elements=SCORES),
    st.floats(0.5, 0.99),
    st.integers(0, 2**32),
)
def test_the_interval_is_that_of_scipy(x: Any, level: float, seed: int) -> None:
    # The same generator draws the same samples on both sides, so the ends agree to rounding.
    ours = bootstrap_interval(x, level=level, n_resamples=500, seed=seed)
    np.testing.assert_allclose(ours, scipy_interval(x, level, 500, seed), rtol=1e-10, atol=1e-9)


def test_the_interval_of_a_mean_is_near_the_normal_one() -> None:
    x = np.random.default_rng(0).normal(10, 2, 400)
    half = 1.959964 * x.std() / np.sqrt(400)
    low, high = bootstrap_interval(x, seed=1)
    # Percentiles of 10,000 draws have a standard error of 0.027 standard errors of the mean.
    assert low == pytest.approx(x.mean() - half, abs=0.2 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.2 * half)


def test_every_block_of_redrawn_samples_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(50.0)
    monkeypatch.setattr(statistics, "_BLOCK", 700)  # 14 samples at a time
    rng = np.random.default_rng(3)
    sizes = [14] * 7 + [2]
    means = np.concatenate([x[rng.integers(0, 50, (n, 50))].mean(axis=1) for n in sizes])
    expected = tuple(np.quantile(means, [0.025, 0.975]))
    assert bootstrap_interval(x, n_resamples=100, seed=3) == pytest.approx(expected, rel=1e-12)


def test_one_seed_gives_one_interval() -> None:
    x = [1.0, 5.0, 2.0, 9.0]
    assert bootstrap_interval(x, seed=0) == bootstrap_interval(x, seed=0)
    assert len({bootstrap_interval(x, n_resamples=37, seed=seed) for seed in range(20)}) > 1


def test_a_higher_level_is_wider() -> None:
    x = np.arange(10.0)
    low, high = bootstrap_interval(x, level=0.5, seed=0)
    lower, higher = bootstrap_interval(x, level=0.99, seed=0)
    assert lower < low < x.mean() < high < higher


@given(hnp.arrays(float, hnp.array_shapes(max_dims=2, max_side=9), elements=SCORES))
def test_the_interquartile_mean_is_the_trimmed_mean(x: Any) -> None:
    assert iqm(x) == pytest.approx(scipy.stats.trim_mean(x, 0.25, axis=None), rel=1e-12, abs=1e-9)


def test_the_interquartile_mean_ignores_an_outlier() -> None:
    assert iqm([1, 2, 3, 1e9]) == 2.5
    assert iqm([7]) == 7


@settings(deadline=None, max_examples=20)
@given(hnp.arrays(float, st.integers(2, 8), elements=SCORES), st.integers(0, 2**32))
def test_with_one_task_it_is_the_ordinary_bootstrap(x: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    means = [np.mean(x[rng.integers(0, len(x), (len(x), 1))]) for _ in range(200)]
    ours = stratified_bootstrap_interval(x[:, None], np.mean, n_resamples=200, seed=seed)
    np.testing.assert_allclose(ours, np.quantile(means, [0.025, 0.975]), rtol=1e-10, atol=1e-9)


def test_tasks_are_redrawn_apart() -> None:
    x = np.arange(10.0)
    low, high = stratified_bootstrap_interval(np.stack([x, -x], axis=1), np.mean, seed=0)
    assert low < -0.5 < 0.5 < high  # drawn together, the tasks would cancel to 0 exactly


def test_runs_stay_in_their_task() -> None:
    scores = np.tile([0.0, 1.0, 5.0], (4, 1))

    def columns(redrawn: Any) -> float:
        assert redrawn.shape == (4, 3)
        assert (redrawn == scores).all()
        return float(redrawn.mean())

    assert stratified_bootstrap_interval(scores, columns, n_resamples=50, seed=0) == (2, 2)


def test_redrawn_samples_are_equally_likely() -> None:
    scores = np.array([[0.0, 10.0], [1.0, 20.0]])
    seen: list[tuple[float, ...]] = []

    def record(redrawn: Any) -> float:
        seen.append(tuple(redrawn.ravel()))
        return 0.0

    stratified_bootstrap_interval(scores, record, n_resamples=4000, seed=0)
    outcomes = list(itertools.product([0.0, 1.0], [10.0, 20.0], [0.0, 1.0], [10.0, 20.0]))
    assert set(seen) == set(outcomes)
    counts = [seen.count(outcome) for outcome in outcomes]
    assert scipy.stats.chisquare(counts).pvalue > 1e-6


def test_the_stratified_interval_takes_any_statistic() -> None:
    scores = np.random.default_rng(0).normal(size=(6, 2))
    low, high = stratified_bootstrap_interval(scores, iqm, n_resamples=300, seed=0)
    assert low < iqm(scores) < high


@pytest.mark.parametrize("x", [[], [1.0], [[1.0, 2.0]], 3.0])
def test_a_sample_without_spread_is_refused(x: Any) -> None:
    with pytest.raises(ValueError, match=r"x must have at least 2 numbers, got shape"):
        bootstrap_interval(x, seed=0)


@pytest.mark.parametrize("scores", [[], [1.0, 2.0], [[1.0, 2.0]], [[], []]])
def test_scores_of_the_wrong_shape_are_refused(scores: Any) -> None:
    with pytest.raises(ValueError, match=r"scores must have at least 2 runs"):
        stratified_bootstrap_interval(scores, np.mean, seed=0)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x must be finite, got nan at index 1"):
        bootstrap_interval([1.0, np.nan], seed=0)
    with pytest.raises(ValueError, match=r"level must lie strictly between 0 and 1, got 95"):
        bootstrap_interval([1.0, 2.0], level=95, seed=0)
    with pytest.raises(ValueError, match=r"n_resamples must be at least 1, got 0"):
        bootstrap_interval([1.0, 2.0], n_resamples=0, seed=0)
    with pytest.raises(ValueError, match=r"x must have at least 1 entry, got 0"):
        iqm([])
