"""The table of a run: no wider than the screen, and its speed without the compiling."""

import pytest

from npvpg.show.table import COLUMNS, Pace, fitting, head, row

ALL = {column.key: 1234567.0 for column in COLUMNS}
LINE = {
    "steps": 1_500_000,
    "episodes": 12_345,
    "mean_return": -1234.56,
    "mean_length": 1000.0,
    "entropy": -12.345,
    "kl": 1.5e-3,
    "grad_norm": 123.4,
    "explained_variance": -0.12,
    "clipped": 0.125,
    "speed": 123_456.7,
}


@pytest.mark.parametrize("width", [10, 40, 60, 77, 78, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    columns = fitting(width, ALL)
    assert len(head(columns)) == len(row(LINE, columns)) <= width
    assert len(columns) == 10 or len(head(columns)) + 10 > width


def test_what_matters_most_stays_and_whole() -> None:
    columns = fitting(60, ALL)
    assert head(columns).split() == ["steps", "episodes", "return", "length", "entropy", "steps/s"]
    assert row(LINE, columns).split() == [
        "1,500,000",
        "12,345",
        "-1234.6",
        "1000.0",
        "-12.345",
        "123,457",
    ]


def test_a_column_without_a_value_is_left_out_and_a_value_that_is_not_yet_is_a_dash() -> None:
    values = {"steps": 64, "mean_return": None, "speed": None}
    columns = fitting(None, values)
    assert head(columns).split() == ["steps", "return", "steps/s"]
    assert row(values, columns).split() == ["64", "-", "-"]


def test_the_speed_is_that_since_the_last_row() -> None:
    pace = Pace()
    assert pace.now(100, 50.0, row=True) is None  # 50 s of compiling
    assert pace.now(300, 52.0, row=False) == 100
    assert pace.now(300, 52.0, row=True) == 100
    assert pace.now(400, 52.5, row=False) == 100  # too short to tell
    assert pace.now(1300, 54.0, row=True) == 500
    assert pace.now(1300, 54.0, row=True) == 500
