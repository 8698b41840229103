"""Values learnt from two short trajectories over two states, worked by hand."""

from typing import Any

import numpy as np
import pytest

from npvpg.kernels import prediction

STATE = np.array([0, 1, 0, 1])
REW = np.array([1.0, 2.0, 4.0, 8.0])
LAST_VAL = np.array([8.0, 0.0])  # the first trajectory was cut, the second terminated
START = np.array([0, 3, 4])
VALUE = np.array([2.0, 4.0])


@pytest.mark.parametrize("kernel", [prediction.n_step_td, prediction._n_step_td])
@pytest.mark.parametrize(
    ("n", "want"),
    [
        (1, [[5.25, 3.625], [5.25, 5.8125]]),
        (2, [[5.125, 5], [5.125, 6.5]]),
        (3, [[5.5, 5], [5.5, 6.5]]),
        (99, [[5.5, 5], [5.5, 6.5]]),
    ],
)
def test_worked_by_hand(kernel: Any, n: int, want: list[list[float]]) -> None:
    value = VALUE.copy()
    value.flags.writeable = False
    have = kernel(STATE, REW, LAST_VAL, START, value, 0.5, 0.5, n)
    assert have.tolist() == want
    assert have.dtype == np.float64


def test_a_step_of_length_0_learns_nothing_and_one_of_length_1_everything() -> None:
    still = prediction.n_step_td(STATE, REW, LAST_VAL, START, VALUE, 0.5, 0.0, 1)
    assert still.tolist() == [VALUE.tolist()] * 2
    sure = prediction.n_step_td(STATE, REW, LAST_VAL, START, VALUE, 0.5, 1.0, 99)
    assert sure.tolist() == [[8, 6], [8, 8]]


def test_the_table_has_the_type_of_the_values() -> None:
    single = prediction.n_step_td(
        STATE, REW, LAST_VAL, START, VALUE.astype(np.float32), 0.5, 0.5, 1
    )
    assert single.dtype == np.float32
    assert single.tolist() == [[5.25, 3.625], [5.25, 5.8125]]


def test_no_trajectories() -> None:
    nothing = np.zeros(0)
    none = np.zeros(0, np.int64)
    table = prediction.n_step_td(none, nothing, nothing, np.array([0]), VALUE, 0.5, 0.5, 1)
    assert table.shape == (0, 2)
