"""The inverse of a cumulative distribution, where the sums are small integers."""

import numpy as np
import pytest

from npvpg.kernels.sampling import categorical

ALMOST_1 = 1 - 2.0**-53  # the greatest noise there is


@pytest.mark.parametrize(
    ("uniform", "want"),
    [(0.0, 0), (0.24, 0), (0.25, 1), (0.49, 1), (0.5, 2), (0.75, 3), (ALMOST_1, 3)],
)
def test_four_equal_actions_share_the_interval(uniform: float, want: int) -> None:
    assert categorical(np.zeros((1, 4)), np.array([uniform])).tolist() == [want]


def test_every_row_has_its_own_logits_and_noise() -> None:
    logits = np.log(np.array([[1.0, 3.0], [3.0, 1.0], [1.0, 3.0]]))
    act = categorical(logits, np.array([0.3, 0.7, 0.2]))
    assert act.tolist() == [1, 0, 0]
    assert act.dtype == np.int64


@pytest.mark.parametrize("top", [0, 1, 2])
@pytest.mark.parametrize("uniform", [0.0, 0.5, ALMOST_1])
def test_what_has_probability_0_is_never_drawn(top: int, uniform: float) -> None:
    logits = np.full((1, 3), -1e300)
    logits[0, top] = 1e300
    assert categorical(logits, np.array([uniform])).tolist() == [top]


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_logits_count_by_their_differences(shift: float) -> None:
    logits = np.array([[0.0, 1.0, 2.0, 3.0]]) + shift
    # e^0 + e^1 + e^2 + e^3 = 31.19: the shares end at 0.032, 0.119, 0.356, 1
    uniform = np.array([0.03, 0.04, 0.11, 0.12, 0.35, 0.36])
    act = categorical(np.repeat(logits, 6, axis=0), uniform)
    assert act.tolist() == [0, 1, 1, 2, 2, 3]


def test_single_precision_is_summed_in_double() -> None:
    # A share of 1e-10 at the end of the interval: in single precision the sum is 1 without it.
    logits = np.array([[0.0, np.log(1e-10)]], np.float32)
    assert categorical(logits, np.array([1 - 1e-11])).tolist() == [1]
    assert categorical(logits, np.array([1 - 2e-10])).tolist() == [0]


@pytest.mark.parametrize("uniform", [0.0, ALMOST_1, 1.0])
def test_the_index_stays_in_range(uniform: float) -> None:
    assert categorical(np.array([[5.0]]), np.array([uniform])).tolist() == [0]
    assert categorical(np.zeros((1, 3)), np.array([uniform]))[0] < 3


def test_no_rows() -> None:
    act = categorical(np.zeros((0, 3)), np.zeros(0))
    assert act.shape == (0,)
    assert act.dtype == np.int64
