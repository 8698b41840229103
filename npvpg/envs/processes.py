"""Environments in processes of their own, each of whose failures is told and blamed on one."""

import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState, _async_worker
from typing_extensions import override

from npvpg.envs.contract import declared, kept, reset_result, step_result
from npvpg.envs.faults import EnvError, name_of, raised
from npvpg.envs.fitting import fitted

_PATIENCE = 1.0  # time that a process gets to end whose pipe has ended [s]


class ProcessVectorEnv(AsyncVectorEnv):
    """
    Environments that step side by side, and are reset when the caller says so.

    Beside what Gymnasium's own does, whatever a sub-environment raises arrives as an `EnvError`
    that says what and where, and so does the end of a process; its pipe is then None. As in
    `npvpg.envs.serial.SerialVectorEnv`, infos are dropped, and every environment is held to what
    it declared.

    Parameters
    ----------
    make : callable
        Makes one environment; called once in this process, for the spaces.
    num_envs : int
        Number of sub-environments, N.

    Raises
    ------
    EnvError
        If an environment cannot be made in its process.
    """

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], num_envs: int) -> None:
        self._killed = False
        names: list[str] = []

        def made(index: int) -> "_Checked":
            env = _Checked(make, index)
            names.append(name_of(env))  # of the one that is made here
            return env

        with self._blaming("as it was made"):
            try:
                super().__init__(
                    [partial(made, i) for i in range(num_envs)],
                    autoreset_mode=AutoresetMode.DISABLED,
                    worker=_work,
                )
            except RuntimeError as error:  # Gymnasium's own check
                self.close(terminate=True)
                raise EnvError(
                    "observation_space and action_space must be the same in every sub-environment"
                ) from error
        self.env_name = names[0]

    @override
    def reset(self, **given: Any) -> Any:
        with self._blaming("at reset"):
            return super().reset(**given)

    @override
    def step(self, actions: Any) -> Any:
        with self._blaming("at step"):
            return super().step(actions)

    @override
    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        with contextlib.suppress(OSError, EOFError):  # nobody is left to be told
            super().close_extras(timeout, terminate or self._killed)

    @override
    def _raise_if_errors(self, successes: Iterable[bool]) -> None:
        """Raise what the first of the failed sub-environments sent."""
        told = [self.error_queue.get() for success in successes if not success]
        pipes: list[Any] = self.parent_pipes
        for index, *_ in told:
            pipes[index].close()
            pipes[index] = None
        if told:
            self._state = AsyncState.DEFAULT
            raise min(told, key=lambda one: one[0])[2]

    @contextlib.contextmanager
    def _blaming(self, when: str) -> Iterator[None]:
        """Name the process that has ended when a pipe has."""
        try:
            yield
        except (EOFError, OSError):
            index, how = ended(self)
            for process in self.processes:
                process.kill()  # what they have sent will never be read
            self._killed = True
            self._state = AsyncState.DEFAULT
            if index is not None:
                pipes: list[Any] = self.parent_pipes
                pipes[index] = None
            raise EnvError(how, failed=True, index=index, when=when) from None


def ended(env: Any) -> tuple[int | None, str]:
    """
    Find the process that has ended, and say how.

    Parameters
    ----------
    env : gymnasium.vector.AsyncVectorEnv
        Environment one of whose pipes has no other end.

    Returns
    -------
    index : int or None
        Number of its sub-environment; None if all processes live.
    how : str
        Its exit code, or the signal that ended it.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        for index, process in enumerate(env.processes):
            code = process.exitcode
            if code is not None:
                end = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
                return index, f"its process ended {end}"
        time.sleep(0.01)
    return None, "a process of it ended"


def culprit(env: Any, fault: EnvError) -> EnvError:
    """
    Find the sub-environment behind a fault of another package's vector environment.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        The environment, without wrappers.
    fault : EnvError
        What it raised.

    Returns
    -------
    EnvError
        With the number of the sub-environment, if it can be told.
    """
    error = fault.__cause__
    if isinstance(error, EOFError | OSError) and getattr(env, "processes", None):
        index, how = ended(env)
        return EnvError(how, failed=True, index=index)
    # Gymnasium drops the pipe of a worker that failed
    failed = [i for i, pipe in enumerate(getattr(env, "parent_pipes", ())) if pipe is None]
    if failed:
        return fault.placed(failed[0], "")
    for i, obs in enumerate(getattr(env, "_env_obs", ())):
        try:
            if obs is not None:
                fitted(env.single_observation_space, obs)
        except EnvError as broken:
            return broken.placed(i, "")
    return fault


class _Checked(gym.Wrapper[Any, Any, Any, Any]):
    """Turns whatever an environment does wrong into a fault that another process understands."""

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], index: int) -> None:
        self.index = index
        try:
            env = make()
            declared(env)
        except (Exception, SystemExit) as error:
            raise self._fault(error, "as it was made") from error
        super().__init__(env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        try:
            returned = self.env.reset(seed=seed, options=options or None)
            obs = reset_result(returned)
            return fitted(self.observation_space, obs), kept(returned[1])
        except (Exception, SystemExit) as error:
            raise self._fault(error, "at reset") from error

    def step(self, action: Any) -> Any:
        """Take a step."""
        try:
            obs, *rest = step_result(self.env.step(action))
            return fitted(self.observation_space, obs), *rest, {}
        except (Exception, SystemExit) as error:
            raise self._fault(error, "at step") from error

    def close(self) -> None:
        """Close the environment; nobody is left to be told."""
        with contextlib.suppress(Exception, SystemExit):
            self.env.close()

    def _fault(self, error: BaseException, when: str) -> EnvError:
        """Tell it with its traceback, which does not leave the process by itself."""
        fault = raised(error, when.rsplit(maxsplit=1)[-1]).placed(self.index, when)
        fault.add_note("".join(traceback.format_exception(error)))
        return fault


def _work(index: int, make: Callable[[], Any], pipe: Any, theirs_too: Any, *rest: Any) -> None:
    """Do as Gymnasium's worker does, and tell what it does not: a failure to make."""
    try:
        env = make()
    except EnvError as fault:
        rest[1].put((index, EnvError, fault, ""))
        with contextlib.suppress(OSError, EOFError):
            pipe.recv()  # the first question, which this answers
            pipe.send((None, False))
        return
    _async_worker(index, lambda: env, pipe, theirs_too, *rest)
