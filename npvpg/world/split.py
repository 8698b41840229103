"""
Sub-environments shared out among workers, whose number changes no number of the run.

Every worker holds sub-environments that follow each other, and plays them as they are played
anywhere: their streams are keyed by their number in the run, and no row of a policy sees another.
What comes back is laid end to end in the order of the sub-environments. A worker that is lost is
replaced by one that plays its part again from where it stood.
"""

import contextlib
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg.world.actor import Actor
from npvpg.world.engine import Engine, Played, Record, Task
from npvpg.world.position import Position

PATIENCE = 5
"""Workers that may be lost one after the other at one part of a batch."""


class Part(NamedTuple):
    """
    Which sub-environments a worker holds, and what their episodes follow from.

    Attributes
    ----------
    first, n : int
        Number of the first in the run, and how many there are.
    seed, seed_bits, repeat : int
        As `npvpg.world.vector.SeededVectorEnv` takes them.
    """

    first: int
    n: int
    seed: int
    seed_bits: int
    repeat: int

    def of(self, position: Position, *, history: bool) -> Position:
        """
        Take the part of a position.

        Parameters
        ----------
        position : Position
            Where all sub-environments stand.
        history : bool
            Whether it is to be returned to, which takes the actions since.

        Returns
        -------
        Position
            Where these stand.
        """
        rows = slice(self.first, self.first + self.n)
        acts = position.history[rows]
        return Position(
            position.episode[rows],
            position.length[rows],
            position.ret[rows],
            position.obs[rows],
            acts if history else acts[:, :0],
            position.seed_bits,
            {name: array[rows] for name, array in position.env.items()} if history else {},
        )


class Lost(Exception):  # noqa: N818 - no error of anybody's
    """A worker is no more."""


class Gone(ValueError):  # noqa: N818
    """No worker is to be had any more."""


class Worker(ABC):
    """One part of the sub-environments, wherever it is."""

    @abstractmethod
    def begin(self, actor: Actor, position: Position, task: Task, *, anew: bool) -> None:
        """
        Begin to play, without waiting for the end of it.

        Parameters
        ----------
        actor : Actor
            What chooses the actions.
        position : Position
            Where its sub-environments stand.
        task : Task
            What to play.
        anew : bool
            Whether they must be brought there first.
        """

    @abstractmethod
    def end(self) -> Played:
        """
        Wait for what was begun.

        Returns
        -------
        Played
            What was played.

        Raises
        ------
        Lost
            If the worker is no more.
        EnvError
            If the environment returns what it must not.
        """


class Crew(ABC):
    """
    Where workers come from.

    Attributes
    ----------
    n : int
        How many there are to be.
    """

    n: int

    @abstractmethod
    def hire(self, part: Part) -> Worker:
        """
        Get a worker.

        Parameters
        ----------
        part : Part
            The sub-environments it is to hold.

        Returns
        -------
        Worker
            The worker.

        Raises
        ------
        ValueError
            If there is none to be had.
        """

    @abstractmethod
    def close(self) -> None:
        """Give up all workers, and what they hold."""


@final
class Split(Engine):
    """
    Sub-environments shared out among workers.

    Parameters
    ----------
    crew : Crew
        Where the workers come from.
    n_envs : int
        Number of sub-environments, N, at least as many as workers.
    seed, seed_bits, repeat : int
        As `npvpg.world.vector.SeededVectorEnv` takes them.

    Raises
    ------
    ValueError
        If there are more workers than sub-environments, or none.
    """

    def __init__(
        self, crew: Crew, n_envs: int, *, seed: int, seed_bits: int, repeat: int = 1
    ) -> None:
        if not 1 <= crew.n <= n_envs:
            raise ValueError(
                f"workers must be from 1 to {n_envs}, one a sub-environment at most, got {crew.n}"
            )
        self.n_envs, self._crew = n_envs, crew
        bounds = [n_envs * k // crew.n for k in range(crew.n + 1)]
        self._parts = [
            Part(first, end - first, seed, seed_bits, repeat) for first, end in pairwise(bounds)
        ]
        self._workers = [crew.hire(part) for part in self._parts]
        self._anew = [True] * crew.n

    @override
    def play(self, actor: Actor, position: Position, task: Task) -> Played:
        for k in range(len(self._parts)):
            self._begin(k, actor, position, task)
        played = [self._end(k, actor, position, task) for k in range(len(self._parts))]
        return joined(played)

    @override
    def return_to(self, position: Position) -> None:
        self._anew = [True] * len(self._anew)  # as all are when they begin to play

    def _begin(self, k: int, actor: Actor, position: Position, task: Task) -> None:
        anew, self._anew[k] = self._anew[k], False
        place = self._parts[k].of(position, history=anew)
        self._workers[k].begin(actor, place, task, anew=anew)

    def _end(self, k: int, actor: Actor, position: Position, task: Task) -> Played:
        """Wait for a part; have it played again for every worker that is lost at it."""
        for attempt in range(PATIENCE):
            if attempt:
                self._workers[k], self._anew[k] = self._crew.hire(self._parts[k]), True
                self._begin(k, actor, position, task)
            with contextlib.suppress(Lost):
                return self._workers[k].end()
        part = self._parts[k]
        numbers = f"{part.first} to {part.first + part.n - 1}"
        raise ValueError(
            f"sub-environments {numbers} cannot be played: {PATIENCE} workers were lost at them"
        )


def joined(played: list[Played]) -> Played:
    """
    Lay parts end to end, in the order of the sub-environments.

    Parameters
    ----------
    played : list of Played
        The parts. Of whole episodes one may have fewer steps than another: its sub-environments
        were through, and what follows is nothing that is used.

    Returns
    -------
    Played
        The whole.
    """
    n_steps = max(part.record.rew.shape[1] for part in played)
    columns = zip(*(part.record for part in played), strict=True)
    record = Record(*(np.concatenate([_padded(a, n_steps) for a in each]) for each in columns))
    episode, current = (
        np.concatenate([getattr(part, name) for part in played]) for name in ("episode", "current")
    )
    names = played[0].env
    env = {name: np.concatenate([part.env[name] for part in played]) for name in names}
    return Played(record, episode, current, env)


def _padded(part: NDArray[Any], n_steps: int) -> NDArray[Any]:
    """Lengthen along the time, by what no collector keeps."""
    missing = n_steps - part.shape[1]
    if not missing:
        return part
    return np.concatenate([part, np.zeros((len(part), missing, *part.shape[2:]), part.dtype)], 1)
