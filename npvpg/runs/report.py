"""What a run that is carried out elsewhere says of itself."""

from dataclasses import dataclass, replace
from typing import Literal

State = Literal[
    "waiting", "starting", "compiling", "training", "evaluating", "finished", "stopped", "failed"
]
ENDED: tuple[State, ...] = ("finished", "stopped", "failed")
"""What the last report on a run says."""


@dataclass(frozen=True)
class Report:
    """
    How a run is doing.

    Parameters
    ----------
    name : str
        What it is called among those beside it: its seed, or trial and seed.
    state : str
        What it is at.
    steps : int
        Environment steps so far.
    mean_return : float or None
        Mean return of the last 100 episodes [reward].
    solved_at_step : int or None
        Environment step at which the environment was solved.
    steps_per_second : float or None
        Speed of the training of late; None before it is known.
    text : str
        Of a failure the reason, in one line; of compiling, what is compiled.
    """

    name: str
    state: State
    steps: int = 0
    mean_return: float | None = None
    solved_at_step: int | None = None
    steps_per_second: float | None = None
    text: str = ""

    def ended(self, *, finished: bool) -> "Report":
        """
        Report on the same run when it has been stopped.

        Parameters
        ----------
        finished : bool
            Whether it had come to its end by then.

        Returns
        -------
        Report
            The last one.
        """
        return replace(self, state="finished" if finished else "stopped", text="")
