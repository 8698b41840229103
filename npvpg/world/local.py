"""Workers in this process, which shows that their number changes nothing without any engine."""

from collections.abc import Callable
from typing import Any, final

from gymnasium.vector import VectorEnv
from typing_extensions import override

from npvpg.envs.faults import EnvError
from npvpg.envs.serial import close
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Task
from npvpg.world.position import Position
from npvpg.world.split import Crew, Part, Worker
from npvpg.world.vector import SeededVectorEnv


@final
class LocalWorker(Worker):
    """
    A worker in this process, which plays as soon as it is asked to.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Its sub-environments, autoreset disabled.
    part : Part
        Which ones they are.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], part: Part) -> None:
        self._first = part.first
        self._driver = SeededVectorEnv(
            env, part.seed, seed_bits=part.seed_bits, repeat=part.repeat, first=part.first
        )
        self._played: Played | None = None
        self._fault: EnvError | None = None

    @override
    def begin(self, actor: Actor, position: Position, task: Task, *, anew: bool) -> None:
        self._played = self._fault = None
        try:
            if anew:
                self._driver.return_to(position)
            self._played = self._driver.play(actor, position, task)
        except EnvError as fault:
            self._fault = fault.counted_from(self._first)

    @override
    def end(self) -> Played:
        if self._fault is not None:
            raise self._fault
        assert self._played is not None
        return self._played


@final
class LocalCrew(Crew):
    """
    Workers in this process.

    Parameters
    ----------
    make : callable
        Makes a vector environment of so many sub-environments.
    n : int
        How many workers.
    """

    def __init__(self, make: Callable[[int], VectorEnv[Any, Any, Any]], n: int) -> None:
        self.n, self._make = n, make
        self._envs: list[VectorEnv[Any, Any, Any]] = []

    @override
    def hire(self, part: Part) -> LocalWorker:
        self._envs.append(self._make(part.n))
        return LocalWorker(self._envs[-1], part)

    @override
    def close(self) -> None:
        for env in self._envs:
            close(env)
