"""
Logs of a run: `metrics.csv`, a row per update, and `episodes.csv`, a row per episode.

Both hold numbers that depend on the seed alone: no times. So the logs of a run that was stopped
and resumed equal those of one that never stopped, byte for byte. The times of the updates, which
no two runs share, lie in a file of their own, `times.csv`: no result depends on it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from npvpg.runs.log_file import Cell, LogFile, columns_of, joined, read

if TYPE_CHECKING:  # what reads a log need not load the algorithm
    from npvpg.state import Iteration
    from npvpg.world.rollout import Episode

COUNTED = ("iteration", "steps", "episodes", "mean_return", "mean_length")
"""First columns of `metrics.csv`; those behind are what the algorithm says of its updates."""
EPISODES = ("step", "return", "length")
TIMES = ("iteration", "steps", "seconds")


class MetricsLog(LogFile):
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
            self.begin(joined(self.columns))
        self.append([[values.get(name) for name in self.columns]])


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


class TimesLog(LogFile):
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
            self.begin(joined(TIMES))

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
        self.append([(iteration.iteration, iteration.steps, round(seconds, 6))])


class EpisodesLog(LogFile):
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
            self.begin(joined(EPISODES))

    def write(self, episodes: Iterable["Episode"]) -> None:
        """
        Append a row for each episode.

        Parameters
        ----------
        episodes : iterable of Episode
            The episodes that ended in an update, in order.
        """
        self.append([(episode.step, float(episode.ret), episode.length) for episode in episodes])


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
    return columns_of(path, COUNTED, more=True)


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
    return columns_of(path, TIMES)


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
    _, table = read(path, EPISODES)
    if np.isnan(table[:, [0, 2]]).any():
        raise ValueError(f"{path} must give the step and length of every episode")
    return table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2].astype(np.int64)
