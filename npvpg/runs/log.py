"""
Logs of a run: `metrics.csv`, a row per update, and `episodes.csv`, a row per episode.

Both hold numbers that depend on the seed alone: no times. So the logs of a run that was stopped
and resumed equal those of one that never stopped, byte for byte. The times of the updates, which
no two runs share, lie in a file of their own, `times.csv`: no result depends on it.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.runs.files import write_atomically

if TYPE_CHECKING:  # what reads a log need not load the algorithm
    from npvpg.state import Iteration
    from npvpg.world.rollout import Episode

COUNTED = ("iteration", "steps", "episodes", "mean_return", "mean_length")
"""First columns of `metrics.csv`; those behind are what the algorithm says of its updates."""
EPISODES = ("step", "return", "length")
TIMES = ("iteration", "steps", "seconds")

Cell = int | float | None


class _Log:
    """
    A CSV file that grows row by row, each row handed to the system as soon as it is written.

    Resuming cuts it back to the rows that the checkpoint counted: those after it are about to be
    produced again.

    Attributes
    ----------
    rows : int
        Rows in the file, header apart. A checkpoint stores it as the next `keep_rows`.
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
        self._begin("".join([_line(self.columns), *lines[:keep_rows]]))

    def _begin(self, text: str) -> None:
        """Write what the file begins with, and open it for what follows."""
        write_atomically(self.path, text.encode())
        self._file = self.path.open("a", encoding="utf-8", newline="")

    def _append(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows, in one piece, so that a kill tears the last line at worst."""
        if rows and self._file is not None:
            self._file.write("".join(_line([_cell(value) for value in row]) for row in rows))
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


class MetricsLog(_Log):
    """
    The log of the updates, `metrics.csv`.

    Its columns are the iteration (the number of the update, from 1), steps (environment steps so
    far, over all sub-environments), episodes (how many finished **in this update**), mean_return
    and mean_length of `npvpg.state.Iteration`, and the diagnostics of the first update under their
    own names: whatever the algorithm says of it. A metric that does not exist yet, such as the mean
    return before the first episode has ended, is an empty cell.

    Parameters
    ----------
    path : Path
        The file, which begins with the first row.
    keep_rows : int, optional
        None starts a new file; a number cuts the file back to so many rows and goes on with the
        columns it has, which an older version may have chosen.

    Raises
    ------
    ValueError
        If a new log would overwrite a file, or the file to go on with is missing, is no such log
        or has fewer rows than `keep_rows`.
    """

    def __init__(self, path: Path, *, keep_rows: int | None = None) -> None:
        super().__init__(path, COUNTED, keep_rows, more=True)

    def write(self, iteration: "Iteration") -> None:
        """
        Append the row of one update.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.

        Raises
        ------
        ValueError
            If a diagnostic of the first update has a name that cannot head a column.
        """
        values = row_of(iteration)
        if self.columns is None:
            self.columns = tuple(values)
            self._begin(_line(self.columns))
        self._append([[values.get(name) for name in self.columns]])


def row_of(iteration: "Iteration") -> dict[str, Cell]:
    """
    Lay out what an update did as a row.

    Parameters
    ----------
    iteration : Iteration
        What the update yielded.

    Returns
    -------
    dict
        `COUNTED` and the diagnostics, by name; None for what does not exist yet.

    Raises
    ------
    ValueError
        If a diagnostic has a name that cannot head a column.
    """
    counted = (
        iteration.iteration,
        iteration.steps,
        len(iteration.episodes),
        iteration.mean_return,
        iteration.mean_length,
    )
    for name in iteration.diagnostics:
        if name in COUNTED or not name.isidentifier():
            raise ValueError(
                f"diagnostics must be named by identifiers other than {', '.join(COUNTED)}, "
                f"got {name!r}"
            )
    return dict(zip(COUNTED, counted, strict=True)) | dict(iteration.diagnostics)


class TimesLog(_Log):
    """
    The log of the wall-clock times, `times.csv`: the only one that two equal runs do not share.

    Its columns are iteration and steps, as in `metrics.csv`, and seconds: training time up to the
    end of the update, summed over the pieces of a run that was stopped, without evaluations [s].

    Parameters
    ----------
    path : Path
        The file.
    keep_iterations : int
        Updates whose rows are kept. They may be missing, and so may the file: older versions wrote
        none.

    Raises
    ------
    ValueError
        If the file to go on with is no such log.
    """

    def __init__(self, path: Path, *, keep_iterations: int = 0) -> None:
        keep = None
        if Path(path).exists():
            keep = int((read_times(path)["iteration"] <= keep_iterations).sum())
        super().__init__(path, TIMES, keep)
        if keep is None:
            self._begin(_line(TIMES))

    def write(self, iteration: "Iteration", seconds: float) -> None:
        """
        Append the row of one update.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.
        seconds : float
            Training time of the run so far [s].
        """
        self._append([(iteration.iteration, iteration.steps, round(seconds, 6))])


class EpisodesLog(_Log):
    """
    The log of the episodes, `episodes.csv`.

    Its columns are step (environment steps of the run, over all sub-environments, when the
    episode ended), return (the undiscounted sum of the environment's own rewards) and length
    [steps].

    Parameters
    ----------
    path : Path
        The file.
    keep_rows : int, optional
        None starts a new file; a number cuts the file back to so many rows and goes on.

    Raises
    ------
    ValueError
        If a new log would overwrite a file, or the file to go on with is missing, has another
        header or fewer rows than `keep_rows`.
    """

    def __init__(self, path: Path, *, keep_rows: int | None = None) -> None:
        super().__init__(path, EPISODES, keep_rows)
        if keep_rows is None:
            self._begin(_line(EPISODES))

    def write(self, episodes: Iterable["Episode"]) -> None:
        """
        Append a row for each episode.

        Parameters
        ----------
        episodes : iterable of Episode
            The episodes that ended in an update, in order.
        """
        self._append([(episode.step, float(episode.ret), episode.length) for episode in episodes])


def read_metrics(path: Path) -> dict[str, NDArray[np.float64]]:
    """
    Read a `metrics.csv`; a line that is still being written is left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of ndarray of float64, shape (rows,)
        The columns under their names; an empty cell is NaN.

    Raises
    ------
    ValueError
        If the file is missing, is no such log, or holds something other than numbers.
    """
    return _columns(path, COUNTED, more=True)


def read_times(path: Path) -> dict[str, NDArray[np.float64]]:
    """
    Read a `times.csv`; a line that is still being written is left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of ndarray of float64, shape (rows,)
        iteration, steps and seconds under their names.

    Raises
    ------
    ValueError
        If the file is missing, has another header, or holds something other than numbers.
    """
    return _columns(path, TIMES)


def read_episodes(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """
    Read an `episodes.csv`; a line that is still being written is left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    step : ndarray of int64, shape (E,)
        Environment steps when each episode ended [steps].
    ret : ndarray of float64, shape (E,)
        Returns [reward].
    length : ndarray of int64, shape (E,)
        Lengths [steps].

    Raises
    ------
    ValueError
        If the file is missing, has another header, or holds something other than numbers.
    """
    _, table = _read(path, EPISODES)
    if np.isnan(table[:, [0, 2]]).any():
        raise ValueError(f"{path} must give the step and length of every episode")
    return table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2].astype(np.int64)


def _line(cells: Sequence[str]) -> str:
    """Join the cells of a row; none of them needs quoting."""
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
        raise ValueError(f"{path} must start with the line {_line(columns).strip()!r}")
    return found, lines[1:]


def _read(
    path: Path, columns: Sequence[str], *, more: bool = False
) -> tuple[list[str], NDArray[np.float64]]:
    """Read the columns and a table of numbers, shape (rows, columns); an empty cell is NaN."""
    names, lines = _complete_lines(path, columns, more)
    table = np.empty((len(lines), len(names)))
    for number, line in enumerate(lines):
        try:
            values = [float(cell or "nan") for cell in line.strip("\n").split(",")]
            table[number] = np.reshape(values, len(names))  # refuses one cell too many or few
        except ValueError:
            rule = f"must hold {len(names)} numbers in line {number + 2}"
            raise ValueError(f"{path} {rule}, got {line.strip()!r}") from None
    return names, table


def _columns(
    path: Path, columns: Sequence[str], *, more: bool = False
) -> dict[str, NDArray[np.float64]]:
    """Read a table of numbers by column."""
    names, table = _read(path, columns, more=more)
    return {name: table[:, column].copy() for column, name in enumerate(names)}
