import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.runs import seeds


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3", (3,)),
        ("0-9", tuple(range(10))),
        ("0,2,5-7", (0, 2, 5, 6, 7)),
        ("7,1-2", (1, 2, 7)),
        ("4-4", (4,)),
        ("0, 2", (0, 2)),
    ],
)
def test_lists_and_ranges_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert seeds.parse(text) == numbers


@given(st.sets(st.integers(0, 60), min_size=1))
def test_what_is_written_is_read(numbers: set[int]) -> None:
    given_order = tuple(sorted(numbers))
    written = seeds.text(given_order)
    assert seeds.parse(written) == given_order
    # the shortest way: what follows upon each other is one range
    assert written.count(",") == sum(n + 1 not in numbers for n in numbers) - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "seeds must be a list such as 0-9 or 0,2,5-7, got ''"),
        ("a", "seeds must be a list such as 0-9 or 0,2,5-7, got 'a'"),
        ("-1", "seeds must be a list such as 0-9 or 0,2,5-7, got '-1'"),
        ("1,,2", "seeds must be a list such as 0-9 or 0,2,5-7, got '1,,2'"),
        ("1.5", "seeds must be a list such as 0-9 or 0,2,5-7, got '1.5'"),
        ("²", "seeds must be a list such as 0-9 or 0,2,5-7, got '²'"),
        ("0,7-5", "seeds must have ranges that rise, got '7-5'"),
        ("0-4,3", "seeds must differ from each other, got 3 twice"),
        ("5-10004,1", "seeds must be at most 10,000, got '5-10004,1'"),
        ("0-99999999999", "seeds must be at most 10,000, got '0-99999999999'"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        seeds.parse(text)


def test_so_many_are_allowed() -> None:
    assert len(seeds.parse("0-9999")) == seeds.MOST
