"""A CSV file of numbers that grows row by row, and is cut back to where a run goes on."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.runs.files import write_atomically

Cell = int | float | None


class LogFile:
    """
    A CSV file that grows row by row, each row handed to the system as soon as it is written.

    Resuming cuts it back to the rows that the checkpoint counted: those after it are about to be
    produced again.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Its columns, or the first of them.
    keep_rows : int or None
        None for a file that is yet to begin; a number cuts the file back to so many rows.
    more : bool
        Whether others may follow behind `columns`.

    Attributes
    ----------
    rows : int
        Rows in the file, header apart. A checkpoint stores it as the next `keep_rows`.

    Raises
    ------
    ValueError
        If a new log would overwrite a file, or the file to go on with is missing, is no such log
        or has fewer rows than `keep_rows`.
    """

    _file: TextIO | None = None

    def __init__(
        self, path: Path, columns: Sequence[str], keep_rows: int | None, *, more: bool = False
    ) -> None:
        self.path = Path(path)
        self.columns: Sequence[str] | None = None
        self.rows = keep_rows or 0
        if keep_rows is None:
            if self.path.exists():
                raise ValueError(f"{self.path} exists and would be overwritten")
            return
        checks.at_least(0, keep_rows=keep_rows)
        self.columns, lines = _complete_lines(self.path, columns, more)
        if len(lines) < keep_rows:
            raise ValueError(f"{self.path} must have {keep_rows} rows to go on, got {len(lines)}")
        self.begin("".join([joined(self.columns), *lines[:keep_rows]]))

    def begin(self, text: str) -> None:
        """
        Write what the file begins with, and open it for what follows.

        Parameters
        ----------
        text : str
            The header, and rows that are kept.
        """
        write_atomically(self.path, text.encode())
        self._file = self.path.open("a", encoding="utf-8", newline="")

    def append(self, rows: Sequence[Sequence[Cell]]) -> None:
        """
        Append rows, in one piece, so that a kill tears the last line at worst.

        Parameters
        ----------
        rows : sequence of sequence of number or None
            The rows.
        """
        if rows and self._file is not None:
            self._file.write("".join(joined([_cell(value) for value in row]) for row in rows))
            self._file.flush()
            self.rows += len(rows)

    def sync(self) -> None:
        """Force the rows to the disk: due before a checkpoint that counts on them is written."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        if self._file is not None:
            self._file.close()


def joined(cells: Sequence[str]) -> str:
    """
    Join the cells of a row, none of which needs quoting.

    Parameters
    ----------
    cells : sequence of str
        The cells.

    Returns
    -------
    str
        The line.
    """
    return ",".join(cells) + "\n"


def _cell(value: Cell) -> str:
    """Write a number so that reading it gives the same bits; None is an empty cell."""
    if value is None:
        return ""
    # NumPy scalars print their type as well; their plain counterparts do not.
    return str(int(value)) if isinstance(value, int | np.integer) else repr(float(value))


def _complete_lines(path: Path, columns: Sequence[str], more: bool) -> tuple[list[str], list[str]]:
    """Read the columns, and the lines below that were written to their end."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    found = lines[0].strip("\n").split(",") if lines else []
    if (found[: len(columns)] if more else found) != list(columns):
        raise ValueError(f"{path} must start with the line {joined(columns).strip()!r}")
    return found, lines[1:]


def read(
    path: Path, columns: Sequence[str], *, more: bool = False
) -> tuple[list[str], NDArray[np.float64]]:
    """
    Read a table of numbers; a line that is still being written is left out.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Its columns, or the first of them.
    more : bool
        Whether others may follow behind `columns`.

    Returns
    -------
    names : list of str
        The columns.
    table : ndarray of float64, shape (rows, columns)
        The numbers; an empty cell is NaN.

    Raises
    ------
    ValueError
        If the file is missing, has another header, or holds something other than numbers.
    """
    names, lines = _complete_lines(path, columns, more)
    table = np.empty((len(lines), len(names)))
    for number, text in enumerate(lines):
        try:
            values = [float(cell or "nan") for cell in text.strip("\n").split(",")]
            table[number] = np.reshape(values, len(names))  # refuses one cell too many or few
        except ValueError:
            rule = f"must hold {len(names)} numbers in line {number + 2}"
            raise ValueError(f"{path} {rule}, got {text.strip()!r}") from None
    return names, table


def columns_of(
    path: Path, columns: Sequence[str], *, more: bool = False
) -> dict[str, NDArray[np.float64]]:
    """
    Read a table of numbers by column, as `read` does.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Its columns, or the first of them.
    more : bool
        Whether others may follow behind `columns`.

    Returns
    -------
    dict of ndarray of float64, shape (rows,)
        The columns under their names.

    Raises
    ------
    ValueError
        If the file is missing, has another header, or holds something other than numbers.
    """
    names, table = read(path, columns, more=more)
    return {name: table[:, column].copy() for column, name in enumerate(names)}
