"""What one process asks another to carry out."""

from dataclasses import dataclass

from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory


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
