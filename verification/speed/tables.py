"""Tables of measurements: as Markdown for people, as JSON for programs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from verification.speed.timing import Ratio, Sample

Cell = str | int | float | Sample | Ratio | None


@dataclass
class Table:
    """
    Rows that share their columns.

    Parameters
    ----------
    title : str
        What is measured.
    notes : str
        Settings, and how to read it.
    rows : list of dict
        Cells by column, the same columns in every row.
    """

    title: str
    notes: str
    rows: list[dict[str, Cell]] = field(default_factory=list)

    def markdown(self) -> str:
        """
        Write the table as Markdown.

        Returns
        -------
        str
            Heading, notes and table; without rows, a line that says so.
        """
        head = f"## {self.title}\n\n{self.notes}\n\n"
        if not self.rows:
            return head + "Nothing was measured.\n"
        columns = list(self.rows[0])
        lines = [columns, ["---"] * len(columns)]
        lines += [[show(row[column]) for column in columns] for row in self.rows]
        return head + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def json(self) -> dict[str, Any]:
        """
        Write the table as what JSON can hold.

        Returns
        -------
        dict
            Title, notes and rows; a sample with its measurements, its median and its extremes.
        """
        rows = [{name: _plain(cell) for name, cell in row.items()} for row in self.rows]
        return {"title": self.title, "notes": self.notes, "rows": rows}


def show(cell: Cell) -> str:
    """
    Write one cell.

    Parameters
    ----------
    cell : str, int, float, Sample, Ratio or None
        The cell.

    Returns
    -------
    str
        "12.3 (11.9–14.1)" for a sample: median and extremes; "7.4 (7.0–7.9)" for a ratio: value
        and interval, if there is one. A bound bears its sign; what there is not is a dash.

    Examples
    --------
    >>> show(Sample((35_600.0, 33_100.0, 36_000.0)))
    '35,600 (33,100–36,000)'
    >>> show(Sample((17.6,), cut=(60.0, 60.1)))
    '> 60.0 (17.6 to > 60.0)'
    >>> show(Ratio(7.4, 7.0, 7.9, at_least=True))
    '≥ 7.40 (7.00–7.90)'
    """
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Ratio):
        sign = "≥ " if cell.at_least else ""
        interval = f" ({number(cell.low)}–{number(cell.high)})" if cell.low < cell.high else ""
        return f"{sign}{number(cell.value)}{interval}"
    if isinstance(cell, Sample):
        return _show_sample(cell)
    return number(cell)


def number(x: float) -> str:
    """
    Write a number with three digits, or all of those before the point.

    Parameters
    ----------
    x : float
        The number.

    Returns
    -------
    str
        The digits.

    Examples
    --------
    >>> number(123456.7), number(123.4), number(12.34), number(1.234), number(0.01234)
    ('123,457', '123', '12.3', '1.23', '0.0123')
    """
    if isinstance(x, int) or abs(x) >= 100:
        return f"{x:,.0f}"
    if x == 0:
        return "0"
    digits = max(2 - math.floor(math.log10(abs(x))), 0)
    return f"{x:.{digits}f}"


def _show_sample(sample: Sample) -> str:
    bound = f"> {number(min(sample.cut))}" if sample.cut else ""
    median = bound if math.isinf(sample.median) else number(sample.median)
    if len(sample.values) + len(sample.cut) == 1 or not sample.values:
        return median
    if bound:
        return f"{median} ({number(sample.low)} to {bound})"
    return f"{median} ({number(sample.low)}–{number(sample.high)})"


def _plain(cell: Cell) -> Any:
    """Replace what JSON lacks: infinity becomes null."""
    if isinstance(cell, Sample):
        extremes: Mapping[str, float] = {
            "median": cell.median,
            "low": cell.low,
            "high": cell.high,
        }
        finite = {name: x if math.isfinite(x) else None for name, x in extremes.items()}
        return {**finite, "values": list(cell.values), "cut": list(cell.cut)}
    return asdict(cell) if isinstance(cell, Ratio) else cell
