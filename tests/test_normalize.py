import numpy as np
import pytest

from npvpg.normalize import RunningMoments

ROWS = np.random.default_rng([90, 0]).normal([3.0, -1.0], [2.0, 0.1], (60, 2))


def test_moments_of_nothing_change_nothing() -> None:
    rows = np.array([[1e9, -3.0]])
    seen = RunningMoments.empty(2).normalize(rows)
    assert np.array_equal(seen, rows)
    assert seen.dtype == np.float64
    assert RunningMoments.empty(2).normalize(rows.astype(np.float32)).dtype == np.float64


def test_pieces_give_the_moments_of_the_whole() -> None:
    moments = RunningMoments.empty(2)
    for piece in np.split(ROWS, [1, 7, 7, 40]):
        moments = moments.update(piece)
    assert moments.n_rows == 60
    np.testing.assert_allclose(moments.mean, ROWS.mean(0), rtol=1e-13)
    np.testing.assert_allclose(moments.var, ROWS.var(0), rtol=1e-13)


def test_no_rows_are_no_update() -> None:
    moments = RunningMoments.empty(2).update(ROWS)
    assert moments.update(ROWS[:0]) is moments


def test_an_update_leaves_the_old_moments_alone() -> None:
    moments = RunningMoments.empty(2).update(ROWS)
    mean, var = moments.mean.copy(), moments.var.copy()
    moments.update(ROWS + 5)
    assert np.array_equal(moments.mean, mean)
    assert np.array_equal(moments.var, var)


def test_normalising_changes_neither_rows_nor_moments() -> None:
    moments = RunningMoments.empty(2).update(ROWS)
    rows, before = ROWS.copy(), moments
    seen = moments.normalize(rows)
    assert np.array_equal(rows, ROWS)
    assert moments is before
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(seen.std(0), 1, rtol=1e-5)


def test_one_row_and_constants_stay_finite() -> None:
    moments = RunningMoments.empty(2).update(np.array([[2.0, 5.0]]))
    assert np.array_equal(moments.var, [0, 0])
    assert np.array_equal(moments.normalize(np.array([[2.0, 5.0]])), [[0, 0]])
    assert np.isfinite(moments.inverse_std).all()


def test_outliers_are_cut_at_ten_deviations() -> None:
    moments = RunningMoments.empty(1).update(np.array([[-1.0], [1.0]]))
    assert moments.normalize(np.array([[1e6], [-1e6], [0.5]]))[:2, 0].tolist() == [10, -10]


def test_long_float32_sums_are_taken_in_float64() -> None:
    rows = np.full((1_000_000, 1), 0.1, np.float32)
    moments = RunningMoments.empty(1).update(rows)
    assert abs(moments.mean[0] - float(np.float32(0.1))) < 1e-9
    assert moments.var[0] < 1e-15
    assert moments.mean.dtype == np.float64


def test_a_small_variance_far_from_zero_is_taken_in_float64() -> None:
    # Neighbours in single precision, whose mean is not a number of single precision.
    rows = np.array([[4096.0], [4096 + 2**-11]], np.float32)
    assert RunningMoments.empty(1).update(rows).var.tolist() == [2.0**-24]


@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (2,)])
def test_rows_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^rows must have shape \(any, 2\), got \("):
        RunningMoments.empty(2).update(np.zeros(shape))
