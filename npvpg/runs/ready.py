"""A run ready to start: its configuration, directory, environment and algorithm."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gymnasium.vector import VectorEnv

from npvpg.loop import iterate
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.progress import Progress
from npvpg.state import Iteration
from npvpg.vpg import VPG
from npvpg.world.split import Crew


@dataclass(frozen=True)
class Run:
    """
    What a run is made of, ready to start.

    Parameters
    ----------
    config : Config
        The configuration.
    directory : RunDirectory
        Where the files go.
    env : gymnasium.vector.VectorEnv
        The environment.
    algorithm : VPG
        Policy, value function and how they learn.
    threshold : float or None
        Return at which the environment counts as solved.
    crew : Crew or None
        Workers that step the sub-environments; without it they are stepped in this process.
    """

    config: Config
    directory: RunDirectory
    env: VectorEnv
    algorithm: VPG
    threshold: float | None
    crew: Crew | None = None

    def iterations(self, start: Progress) -> Iterator[Iteration]:
        """
        Start the algorithm.

        Parameters
        ----------
        start : Progress
            Where to start.

        Returns
        -------
        iterator of Iteration
            One item per update; empty if nothing is left to do.
        """
        if self.config.stop_when_solved and start.solved_at_step is not None:
            return iter(())
        return iterate(
            self.env,
            self.algorithm,
            seed=self.config.seed,
            n_steps=self.config.steps,
            dtype=np.dtype(self.config.dtype),
            state=start.state,
            crew=self.crew,
        )
