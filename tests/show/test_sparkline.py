import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.show.sparkline import sparkline


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=50), st.integers(1, 60))
def test_a_sparkline_has_a_character_a_number_or_fewer(
    values: list[float | None], width: int
) -> None:
    line = sparkline(values, width)
    assert len(line) == min(len(values), width)
    assert set(line) <= set("▁▂▃▄▅▆▇█ ")
    if len(values) <= width:
        assert [mark == " " for mark in line] == [value is None for value in values]


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=50, unique=True))
def test_a_sparkline_keeps_the_order_of_heights(values: list[int]) -> None:
    line = sparkline(values, 50)
    assert line[int(np.argmin(values))] == "▁"
    assert line[int(np.argmax(values))] == "█"
    in_order = [line[index] for index in np.argsort(values)]
    assert in_order == sorted(in_order)


def test_the_corners_of_a_sparkline() -> None:
    assert sparkline([], 5) == ""
    assert sparkline([None, math.nan, math.inf], 5) == "   "
    assert sparkline([3, 3, 3], 5) == "▄▄▄"
    assert sparkline([0, 0, 10, 10, None, None], 3) == "▁█ "
    assert sparkline(np.arange(3.0), 5) == "▁▅█"
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        sparkline([1], 0)
