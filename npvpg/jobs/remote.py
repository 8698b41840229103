"""What a process on another machine does for a run: its part of every batch."""

import contextlib
from typing import Any

from threadpoolctl import threadpool_limits

from npvpg import theirs
from npvpg.envs.faults import EnvError
from npvpg.jobs.run import versions
from npvpg.runs import environments
from npvpg.runs.config import Config
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Task
from npvpg.world.position import Position
from npvpg.world.split import LocalWorker, Part


class Remote:
    """
    A part of the sub-environments of a run, in a process of its own.

    Whatever goes wrong is given back as an `EnvError`, as an exception would arrive with frames.
    """

    def __init__(self) -> None:
        threadpool_limits(1, user_api="blas")
        self._quiet = contextlib.ExitStack()
        self._quiet.enter_context(environments.quiet())
        self._worker: LocalWorker | None = None

    def versions(self) -> dict[str, str]:
        """
        Name the versions here.

        Returns
        -------
        dict of str
            As `npvpg.jobs.run.versions` does.
        """
        return versions()

    def open(self, config: Config, part: Part) -> EnvError | None:
        """
        Make the sub-environments.

        Parameters
        ----------
        config : Config
            Configuration of the run.
        part : Part
            Which sub-environments.

        Returns
        -------
        EnvError or None
            Why there are none.
        """
        try:
            self._worker = LocalWorker(environments.make_for(config, part.n), part)
        except (Exception, SystemExit) as error:
            return _fault(error)
        return None

    def play(
        self, actor: Actor, position: Position, task: Task, anew: bool
    ) -> tuple[Any, ...] | EnvError:
        """
        Play.

        Parameters
        ----------
        actor : Actor
            What chooses the actions.
        position : Position
            Where the sub-environments stand.
        task : Task
            What to play.
        anew : bool
            Whether they must be brought there first.

        Returns
        -------
        tuple or EnvError
            What `packed` makes of it; or what went wrong.
        """
        try:
            assert self._worker is not None
            self._worker.begin(actor, position, task, anew=anew)
            return packed(self._worker.end())
        except (Exception, SystemExit) as error:
            return _fault(error)


def _fault(error: BaseException) -> EnvError:
    """Tell it in one line."""
    if isinstance(error, EnvError):
        return EnvError(error.told, error.failed, error.index, error.when)
    text = str(error) if isinstance(error, ValueError | OSError) else theirs.told(error)
    return EnvError(text)


def packed(played: Played) -> tuple[Any, ...]:
    """
    Leave out what is not defined: observations after steps that ended no episode.

    Parameters
    ----------
    played : Played
        What was played.

    Returns
    -------
    tuple
        Plain arrays, for `unpacked`.
    """
    obs, act, rew, terminated, done, next_obs = played.record
    return obs, act, rew, terminated, done, next_obs[done], *played[1:]
