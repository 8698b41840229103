"""The table of a run: its columns, as many as the screen is wide enough for, and its speed."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from npvpg.show.numbers import number

Value = float | None


class Column(NamedTuple):
    """
    A column of the table.

    Attributes
    ----------
    label : str
        Its head.
    width : int
        Its width, with the space that parts it from the one before.
    key : str
        Which value it shows.
    form : str
        How that is formatted; a return if nothing is said.
    rank : int
        Where there is little room the columns of high rank are left out.
    """

    label: str
    width: int
    key: str
    form: str
    rank: int


COLUMNS = (
    Column("steps", 10, "steps", ",", 0),
    Column("episodes", 9, "episodes", ",", 3),
    Column("return", 9, "mean_return", "", 1),
    Column("length", 8, "mean_length", "", 4),
    Column("entropy", 8, "entropy", ".3f", 5),
    Column("KL", 9, "kl", ".1e", 6),
    Column("|g|", 8, "grad_norm", ".3g", 7),
    Column("expl.V", 8, "explained_variance", ".2f", 8),
    Column("clipped", 8, "clipped", ".0%", 9),
    Column("steps/s", 9, "speed", ",.0f", 2),
)


def fitting(width: int | None, values: Container[str]) -> tuple[Column, ...]:
    """
    Choose the columns that have something to show, as many as there is room for.

    Parameters
    ----------
    width : int or None
        Width of the screen; None where lines may be as long as they are.
    values : container of str
        Keys of what a row knows.

    Returns
    -------
    tuple of Column
        The columns, in their order; the first whatever the width.
    """
    kept: list[Column] = []
    for column in sorted((each for each in COLUMNS if each.key in values), key=_rank):
        taken = sum(each.width for each in kept)
        if kept and width is not None and taken + column.width > width:
            break
        kept.append(column)
    return tuple(column for column in COLUMNS if column in kept)


def _rank(column: Column) -> int:
    """Give the rank."""
    return column.rank


def head(columns: Sequence[Column]) -> str:
    """
    Set the heads of the columns.

    Parameters
    ----------
    columns : sequence of Column
        The columns.

    Returns
    -------
    str
        One line.
    """
    return _set([column.label for column in columns], columns)


def row(values: Mapping[str, Value], columns: Sequence[Column]) -> str:
    """
    Set a row under the heads.

    Parameters
    ----------
    values : mapping of str to float or None
        Values by key; a missing one is a dash.
    columns : sequence of Column
        The columns.

    Returns
    -------
    str
        One line.
    """
    return _set([_cell(values.get(column.key), column.form) for column in columns], columns)


def _cell(value: Value, form: str) -> str:
    """Format a value."""
    return f"{value:{form}}" if form and value is not None else number(value)


def _set(cells: Sequence[str], columns: Sequence[Column]) -> str:
    """Set cells flush right, one space between them at least."""
    pairs = zip(cells, columns, strict=True)
    return "".join(f" {cell:>{column.width - 1}}" for cell, column in pairs)


class Pace:
    """
    Speed since the last row.

    The first update is not counted, in which what the environment calls may still be loaded.
    """

    def __init__(self) -> None:
        self._since: tuple[int, float] | None = None
        self._last: float | None = None

    def now(self, steps: int, time: float, *, row: bool) -> float | None:
        """
        Give the speed.

        Parameters
        ----------
        steps : int
            Environment steps so far.
        time : float
            Time on any clock [s].
        row : bool
            Whether a row is printed, from which the next counts on.

        Returns
        -------
        float or None
            Steps per second since the last row; in the first second after it, and where no time
            has passed, that of the last row. None before there is any.
        """
        if self._since is None:
            self._since = steps, time
            return None
        begun, since = self._since
        passed = time - since
        speed = (steps - begun) / passed if passed > 0 else self._last
        if row:
            self._since, self._last = (steps, time), speed
        elif passed < 1 and self._last is not None:
            return self._last
        return speed
