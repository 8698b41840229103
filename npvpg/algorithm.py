"""What the loop asks of an algorithm: how it begins, who acts, and what a batch changes."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvpg.batch import Batch
from npvpg.collect import Collect
from npvpg.policy import Policy
from npvpg.world.streams import Purpose, generator

Learner = TypeVar("Learner", bound=tuple[Any, ...])
"""What an algorithm learns and remembers: a NamedTuple of arrays, ints and such tuples."""


class Turn(NamedTuple):
    """
    Which update of which run it is.

    Attributes
    ----------
    seed : int
        Seed of the run.
    iteration : int
        Updates made before.
    fraction : float
        Environment steps taken before, by steps of the whole run: below 1.
    """

    seed: int
    iteration: int
    fraction: float

    def generator(self, purpose: Purpose) -> np.random.Generator:
        """
        Open the stream that this update has for a purpose.

        Parameters
        ----------
        purpose : Purpose
            What the stream is for.

        Returns
        -------
        numpy.random.Generator
            The stream, at its beginning.
        """
        return generator(self.seed, purpose, self.iteration)


class Algorithm(ABC, Generic[Learner]):
    """
    A frozen description of how to learn; what is learnt is an argument.

    A subclass sets `collect` and `learner`, and writes three methods; `npvpg.loop.iterate` does the
    rest. It need know nothing of environments, files or screens.
    """

    collect: Collect
    """What makes a batch."""
    learner: ClassVar[type[Any]]
    """Type of what `init` returns, from which a state read from a file is built."""

    @property
    @abstractmethod
    def n_obs(self) -> int:
        """Size of an observation."""

    @abstractmethod
    def init(self, seed: int, dtype: DTypeLike = np.float64) -> Learner:
        """
        Learner before the first update.

        Parameters
        ----------
        seed : int
            Seed of the run.
        dtype : dtype
            Type of all parameters.

        Returns
        -------
        Learner
            Drawn parameters, empty statistics.
        """

    @abstractmethod
    def acting(self, learner: Learner, fraction: float) -> tuple[Policy, NDArray[Any]]:
        """
        Policy that acts at a point of the run, and its parameters.

        Parameters
        ----------
        learner : Learner
            What is learnt so far.
        fraction : float
            Environment steps taken, by steps of the whole run.

        Returns
        -------
        policy : Policy
            The policy.
        theta : ndarray, shape (P,)
            Its parameters.
        """

    @abstractmethod
    def update(
        self, batch: Batch, learner: Learner, turn: Turn
    ) -> tuple[Learner, dict[str, float]]:
        """
        Learn from a batch that `acting` collected.

        Parameters
        ----------
        batch : Batch
            The trajectories.
        learner : Learner
            What was learnt before; not written to.
        turn : Turn
            Which update it is.

        Returns
        -------
        learner : Learner
            What is learnt now.
        diagnostics : dict of str to float
            What there is to say of the update: the columns of the log are those of the first
            update; one that is left out of a later update is an empty cell there.

        Raises
        ------
        ValueError
            If a gradient is not finite.
        """
