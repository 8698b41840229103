import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.show.numbers import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (476.52, "476.5"),
        (12.345, "12.3"),
        (9.999, "10.0"),
        (-3.0, "-3.0"),
        (0.05, "0.05"),
        (-0.000123, "-0.000123"),
        (1e-9, "1e-09"),
        (0.0, "0.0"),
        (123456.78, "123457"),
        (-12345678.9, "-1.23e+07"),
        (None, "-"),
        (math.nan, "-"),
    ],
)
def test_a_return_has_as_many_digits_as_its_size_needs(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.just(0.0) | st.floats(1e-99, 1e99), st.sampled_from([-1, 1]))
def test_a_hundredth_of_its_size_is_seen_and_the_width_is_bounded(size: float, sign: int) -> None:
    value = sign * size
    assert abs(float(number(value)) - value) <= 0.01 * abs(value)
    assert len(number(value)) <= 9
