"""Environments that wait, or end the process that they are in."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from gymnasium.envs.classic_control import CartPoleEnv


class Waiting(CartPoleEnv):
    """
    CartPole whose every step takes a while, in which the processor is free.

    Parameters
    ----------
    milliseconds : float
        How long a step takes [ms].
    """

    def __init__(self, milliseconds: float = 5.0) -> None:
        super().__init__()
        self.seconds = milliseconds / 1000

    def step(self, action: Any) -> Any:
        """Wait, and take a step."""
        time.sleep(self.seconds)
        return super().step(action)  # type: ignore[no-untyped-call]


class Mortal(Waiting):
    """
    Such a CartPole; whoever finds the file takes it away and ends the process without a word.

    Parameters
    ----------
    file : str
        The file.
    milliseconds : float
        How long a step takes [ms].
    """

    def __init__(self, file: str, milliseconds: float = 0.0) -> None:
        super().__init__(milliseconds)
        self.file = Path(file)

    def step(self, action: Any) -> Any:
        """Look for the file, and take a step."""
        if self.file.exists():
            try:
                self.file.unlink()
            except FileNotFoundError:
                return super().step(action)  # another was faster
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(action)
