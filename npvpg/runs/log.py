"""
Logs of a run: `metrics.csv`, a row per update, and `episodes.csv`, a row per episode.

Both hold numbers that depend on the seed alone: no times. So the logs of a run that was stopped
and resumed equal those of one that never stopped, byte for byte.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.runs.files import write_atomically

if TYPE_CHECKING:  # what reads a log need not load the algorithm
    from npvpg.state import Iteration
    from npvpg.world.rollout import Episode

METRICS = (
    "iteration",
    "steps",
    "episodes",
    "mean_return",
    "mean_length",
    "entropy",
    "kl",
    "grad_norm",
    "explained_variance",
    "value_loss",
    "policy_lr",
)
EPISODES = ("step", "return", "length")

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

    def __init__(self, path: Path, columns: Sequence[str], keep_rows: int | None) -> None:
        path = Path(path)
        if keep_rows is None:
            if path.exists():
                raise ValueError(f"{path} exists and would be overwritten")
            write_atomically(path, _line(columns).encode())
        else:
            checks.at_least(0, keep_rows=keep_rows)
            kept = _complete_lines(path, columns)[: keep_rows + 1]
            if len(kept) < keep_rows + 1:
                raise ValueError(f"{path} must have {keep_rows} rows to go on, got {len(kept) - 1}")
            write_atomically(path, "".join(kept).encode())
        self.rows = keep_rows or 0
        self._file = path.open("a", encoding="utf-8", newline="")

    def _append(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows, in one piece, so that a kill tears the last line at worst."""
        if rows:
            self._file.write("".join(_line([_cell(value) for value in row]) for row in rows))
            self._file.flush()
            self.rows += len(rows)

    def sync(self) -> None:
        """Force the rows to the disk: due before a checkpoint that counts on them is written."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        self._file.close()


class MetricsLog(_Log):
    """
    The log of the updates, `metrics.csv`.

    Its columns are the iteration (the number of the update, from 1), steps (environment steps so
    far, over all sub-environments), episodes (how many finished **in this update**), and the
    metrics of `npvpg.state.Iteration` under their own names. A metric that does not exist yet, such
    as the mean return before the first episode has ended, is an empty cell.

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
        super().__init__(path, METRICS, keep_rows)

    def write(self, iteration: "Iteration") -> None:
        """
        Append the row of one update.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.
        """
        counted = {
            "iteration": iteration.iteration,
            "steps": iteration.steps,
            "episodes": len(iteration.episodes),
            "mean_return": iteration.mean_return,
            "mean_length": iteration.mean_length,
        }
        values = counted | dict(iteration.diagnostics)
        self._append([[values[name] for name in METRICS]])


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
        If the file is missing, has another header, or holds something other than numbers.
    """
    table = _read(path, METRICS)
    return {name: table[:, column].copy() for column, name in enumerate(METRICS)}


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
    table = _read(path, EPISODES)
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


def _complete_lines(path: Path, columns: Sequence[str]) -> list[str]:
    """Read the lines that were written to their end, the header first."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    if not lines or lines[0] != _line(columns):
        raise ValueError(f"{path} must start with the line {_line(columns).strip()!r}")
    return lines


def _read(path: Path, columns: Sequence[str]) -> NDArray[np.float64]:
    """Read a table of numbers, shape (rows, columns); an empty cell is NaN."""
    lines = _complete_lines(path, columns)[1:]
    table = np.empty((len(lines), len(columns)))
    for number, line in enumerate(lines):
        try:
            values = [float(cell or "nan") for cell in line.strip("\n").split(",")]
            table[number] = np.reshape(values, len(columns))  # refuses one cell too many or few
        except ValueError:
            rule = f"must hold {len(columns)} numbers in line {number + 2}"
            raise ValueError(f"{path} {rule}, got {line.strip()!r}") from None
    return table
