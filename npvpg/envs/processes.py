"""Environments in processes of their own, each of whose failures is told and blamed on one."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState, _async_worker
from typing_extensions import override

from npvpg import theirs

_PATIENCE = 1.0  # time that a process gets to end whose pipe has ended [s]


class ProcessVectorEnv(AsyncVectorEnv):
    """
    Environments that step side by side, and are reset when the caller says so.

    Beside what Gymnasium's own does, whatever a sub-environment raises arrives as a `ValueError`
    that says what and where, and so does the end of a process; its pipe is then None.

    Parameters
    ----------
    make : callable
        Makes one environment; called once in this process, for the spaces.
    num_envs : int
        Number of sub-environments, N.

    Raises
    ------
    ValueError
        If an environment cannot be made in its process.
    """

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], num_envs: int) -> None:
        self._killed = False
        with self._blaming():
            super().__init__([make] * num_envs, autoreset_mode=AutoresetMode.DISABLED, worker=_work)

    @override
    def reset(self, **given: Any) -> Any:
        with self._blaming():
            return super().reset(**given)

    @override
    def step(self, actions: Any) -> Any:
        with self._blaming():
            return super().step(actions)

    @override
    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        with contextlib.suppress(OSError, EOFError):  # nobody is left to be told
            super().close_extras(timeout, terminate or self._killed)

    @contextlib.contextmanager
    def _blaming(self) -> Iterator[None]:
        """Name the process that has ended when a pipe has."""
        try:
            yield
        except (EOFError, OSError):
            processes = getattr(self, "processes", [])
            for process in processes:
                process.join(_PATIENCE / self.num_envs)
            dead = [i for i, process in enumerate(processes) if not process.is_alive()]
            if not dead:
                raise
            for process in processes:
                process.kill()  # what they have sent will never be read
            self._killed = True
            self._state = AsyncState.DEFAULT
            pipes: list[Any] = self.parent_pipes
            pipes[dead[0]] = None
            code = processes[dead[0]].exitcode
            signalled = f"by {signal.Signals(-code).name}" if code and code < 0 else ""
            end = signalled or f"with exit code {code}"
            raise ValueError(f"the process of sub-environment {dead[0]} ended {end}") from None


def _work(
    index: int, make: Callable[[], gym.Env[Any, Any]], pipe: Any, theirs_too: Any, *rest: Any
) -> None:
    """Do as Gymnasium's worker does, and tell what it does not: a failure to make, an exit."""
    memory, queue, *others = rest
    errors: Any = _Errors(queue)
    made = False
    try:
        env = make()
        made = True
        _async_worker(index, lambda: env, pipe, theirs_too, memory, errors, *others)
    except (Exception, SystemExit) as error:
        errors.put((index, type(error), error, ""))
        with contextlib.suppress(OSError, EOFError):
            if not made:
                pipe.recv()  # the first question, which this answers
            pipe.send((None, False))


class _Errors:
    """A queue for errors of any kind, which reach the other end even if pickle knows them not."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def put(self, item: tuple[int, type[BaseException], BaseException, str]) -> None:
        """Put an error in, as text."""
        index, _, error, trace = item
        self._queue.put((index, ValueError, theirs.told(error), trace))
