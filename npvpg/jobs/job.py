"""What one process asks another to carry out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.report import Report


@dataclass(frozen=True)
class Job:
    """
    A run to carry out.

    Parameters
    ----------
    config : Config
        Its configuration.
    directory : RunDirectory
        Its directory; if the run has begun, it goes on.
    until : int, optional
        Environment steps to stop at, before the end of the run.
    also : tuple of str
        Where its numbers go as well, of `npvpg.runs.sinks.NAMES`.
    trial : str
        What it belongs to, if the runs beside it are of several trials.
    """

    config: Config
    directory: RunDirectory
    until: int | None = None
    also: tuple[str, ...] = ()
    trial: str = ""

    @property
    def name(self) -> str:
        """What it is called among those beside it."""
        return f"{self.trial}/{self.config.seed}" if self.trial else str(self.config.seed)


class Carrier(ABC):
    """Processes that carry out runs side by side, here or elsewhere."""

    n: int
    """How many."""

    @abstractmethod
    def carry_out(
        self, jobs: Sequence[Job], stops: Callable[[Report], bool] | None = None
    ) -> Iterator[Report]:
        """
        Carry out runs.

        Parameters
        ----------
        jobs : sequence of Job
            The runs, begun in this order.
        stops : callable, optional
            Takes a report, says whether its run is to be stopped for good.

        Yields
        ------
        Report
            What the runs report, as it comes; the last of each run says "finished", "stopped" or
            "failed".

        Raises
        ------
        ValueError
            If no process is to be had that gives the same numbers.
        """
