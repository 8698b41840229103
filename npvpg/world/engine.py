"""Where the sub-environments of a run are stepped: in this process, or wherever else."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.world.actor import Actor
from npvpg.world.position import Position
from npvpg.world.streams import Purpose


class Record(NamedTuple):
    """
    Steps of N sub-environments, axis 1 the time.

    Attributes
    ----------
    obs : ndarray of float64, shape (N, T, O)
        Observations as the environment gave them.
    act : ndarray, shape (N, T) or (N, T, D)
        Actions as they were sampled.
    rew : ndarray of float64, shape (N, T)
        Rewards [reward].
    terminated, done : ndarray of bool, shape (N, T)
        Whether the step ended its episode for good, and at all.
    next_obs : ndarray of float64, shape (N, T, O)
        Observation after the step; where the episode went on, not defined.
    """

    obs: NDArray[np.float64]
    act: NDArray[Any]
    rew: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    done: NDArray[np.bool_]
    next_obs: NDArray[np.float64]


class Played(NamedTuple):
    """
    What was played, and where that left the sub-environments.

    Attributes
    ----------
    record : Record
        The steps.
    episode : ndarray of int64, shape (N,)
        Number of the episode each of them is in.
    current : ndarray of float64, shape (N, O)
        Observations they are in.
    env : mapping of str to ndarray, shape (N, ...)
        All that they are, of an environment that tells, as `Position` has it.
    """

    record: Record
    episode: NDArray[np.int64]
    current: NDArray[np.float64]
    env: Mapping[str, NDArray[Any]]


class Task(NamedTuple):
    """
    What to play: so many steps from where one stands, or so many whole episodes.

    Attributes
    ----------
    purpose : Purpose
        Stream of the noise.
    iteration : int
        Key of the stream.
    n_steps : int
        Steps of every sub-environment; 0 for whole episodes.
    n_episodes : int
        Whole episodes of every sub-environment, if no number of steps is given.
    """

    purpose: Purpose
    iteration: int
    n_steps: int = 0
    n_episodes: int = 0


class Engine(ABC):
    """What steps the sub-environments of a run; which one it is, no number of the run knows."""

    n_envs: int
    """Number of sub-environments, N."""

    @abstractmethod
    def play(self, actor: Actor, position: Position, task: Task) -> Played:
        """
        Step all sub-environments and write down what happens.

        Parameters
        ----------
        actor : Actor
            What chooses the actions.
        position : Position
            Where the sub-environments stand.
        task : Task
            What to play.

        Returns
        -------
        Played
            The steps, and where they end.

        Raises
        ------
        EnvError
            If the environment returns what it must not.
        """

    @abstractmethod
    def return_to(self, position: Position) -> None:
        """
        Bring the sub-environments to where a run stopped.

        Parameters
        ----------
        position : Position
            Where they stood.

        Raises
        ------
        ValueError
            If the environment does not follow from its seed, now or in the next `play`.
        """
