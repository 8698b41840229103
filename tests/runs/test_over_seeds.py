import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from npvpg.runs import statistics
from npvpg.runs.over_seeds import over_seeds
from npvpg.runs.statistics import iqm, iqm_band, stratified_bootstrap_interval

CURVES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 9), st.integers(1, 3)),
    elements=st.floats(-1e3, 1e3),
)


@given(CURVES, st.integers(0, 2**32))
def test_the_band_is_the_stratified_interval_at_every_point(
    curves: NDArray[np.float64], seed: int
) -> None:
    low, high = iqm_band(curves, n_resamples=40, seed=seed, level=0.9)
    for point, column in enumerate(curves.T):
        # the same generator draws the same runs on both sides
        expected = stratified_bootstrap_interval(
            column[:, None], iqm, n_resamples=40, seed=seed, level=0.9
        )
        np.testing.assert_allclose((low[point], high[point]), expected, rtol=1e-12, atol=1e-9)


def test_every_block_of_redrawn_curves_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = np.random.default_rng(0).normal(size=(8, 5))
    whole = iqm_band(curves, n_resamples=100, seed=3)
    monkeypatch.setattr(statistics, "_BLOCK", 300)  # 7 samples at a time
    np.testing.assert_array_equal(iqm_band(curves, n_resamples=100, seed=3), whole)


def test_bad_curves_are_refused() -> None:
    with pytest.raises(ValueError, match=r"scores must have at least 2 runs"):
        iqm_band([[1.0, 2.0]], seed=0)
    with pytest.raises(ValueError, match=r"level must lie strictly between 0 and 1, got 1"):
        iqm_band([[1.0], [2.0]], level=1, seed=0)


def test_both_means_come_with_the_stratified_intervals() -> None:
    x = [12.0, 480.0, 490.0, 495.0, 500.0, 500.0]
    found = over_seeds(x)
    assert found is not None
    assert (found["seeds"], found["iqm"], found["mean"]) == (6, iqm(x), sum(x) / 6)
    scores = np.array(x)[:, None]
    expected = stratified_bootstrap_interval(scores, iqm, seed=0)
    assert found["iqm_interval"] == pytest.approx(expected, rel=1e-12)
    expected = stratified_bootstrap_interval(scores, lambda s: float(s.mean()), seed=0)
    assert found["mean_interval"] == pytest.approx(expected, rel=1e-12)


def test_nothing_is_said_where_some_have_no_number() -> None:
    """No mean of survivors: the steps to a solution that one seed never found are no number."""
    assert over_seeds([1.0, None, 3.0]) is None
    assert over_seeds([None]) is None
    assert over_seeds([]) is None


def test_a_single_seed_has_no_interval() -> None:
    assert over_seeds([7.0]) == {
        "seeds": 1,
        "iqm": 7.0,
        "iqm_interval": None,
        "mean": 7.0,
        "mean_interval": None,
    }
