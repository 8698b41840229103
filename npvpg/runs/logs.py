"""What is written while a run goes on: the logs of it, opened, written and closed together."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from npvpg.runs import sinks
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import EpisodesLog, MetricsLog, TimesLog, row_of
from npvpg.runs.progress import Progress
from npvpg.state import Iteration


class Logs:
    """
    The logs of a run; a context manager, which closes them.

    Parameters
    ----------
    directory : RunDirectory
        The run.
    start : Progress
        Where it goes on: the logs are cut back to there.
    also : sequence of str
        Sinks beside them, of `npvpg.runs.sinks.NAMES`.

    Raises
    ------
    ValueError
        If a log is none, or has lost rows that belong to the run.
    """

    def __init__(self, directory: RunDirectory, start: Progress, also: Sequence[str] = ()) -> None:
        with contextlib.ExitStack() as stack:
            metrics, episodes, times = directory.metrics, directory.episodes, directory.times
            self.metrics = MetricsLog(metrics, keep_rows=_keep(metrics, start.metrics_rows))
            stack.callback(self.metrics.close)
            self.episodes = EpisodesLog(episodes, keep_rows=_keep(episodes, start.episodes_rows))
            stack.callback(self.episodes.close)
            n_updates = start.state.iteration if start.state else 0
            self.times = TimesLog(times, keep_iterations=n_updates)
            stack.callback(self.times.close)
            self.sinks = sinks.opened(directory, also, n_updates=n_updates, steps=start.steps)
            for sink in self.sinks:
                stack.callback(sink.close)
            self._open = stack.pop_all()

    def __enter__(self) -> "Logs":
        """Give the logs, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._open.close()

    def write(self, iteration: Iteration, seconds: float) -> None:
        """
        Write what an update did.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.
        seconds : float
            Training time of the run so far [s].

        Raises
        ------
        ValueError
            If a diagnostic has a name that cannot head a column.
        """
        self.metrics.write(iteration)
        self.episodes.write(iteration.episodes)
        self.times.write(iteration, seconds)
        for sink in self.sinks:
            sink.write(row_of(iteration))

    def sync(self) -> None:
        """Force to the disk what a checkpoint counts on."""
        self.metrics.sync()
        self.episodes.sync()


def _keep(log: Path, rows: int) -> int | None:
    """Count the rows to keep; None begins a log."""
    return rows if rows or log.exists() else None
