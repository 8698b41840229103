"""What a process on another machine does for a run: its part of every batch, or the whole of it."""

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from threadpoolctl import threadpool_limits

from npvpg import theirs
from npvpg.envs.faults import EnvError
from npvpg.jobs.job import Job
from npvpg.jobs.pool import Workers
from npvpg.jobs.run import versions
from npvpg.runs import cores, environments
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.report import Report
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Task
from npvpg.world.local import LocalWorker
from npvpg.world.position import Position
from npvpg.world.split import Part


class Remote:
    """
    A part of the sub-environments of a run, in a process of its own.

    Whatever goes wrong is given back as an `EnvError`, as an exception would arrive with frames.
    """

    def __init__(self) -> None:
        threadpool_limits(1, user_api="blas")
        cores.share(cores.n_cores())  # a core each is what the cluster gives
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


class RemoteRun:
    """A whole run on another machine: its files come with it, and go back when it ends."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="npvpg-")
        self._directory = RunDirectory(Path(self._folder.name, "run"))
        self._stack = contextlib.ExitStack()
        self._reports: Iterator[Report] = iter(())

    def versions(self) -> dict[str, str]:
        """
        Name the versions here.

        Returns
        -------
        dict of str
            As `npvpg.jobs.run.versions` does.
        """
        return versions()

    def begin(self, job: Job, files: Mapping[str, bytes]) -> None:
        """
        Begin, or go on with, a run.

        Parameters
        ----------
        job : Job
            The run; its directory is that of the machine it is for.
        files : mapping of str to bytes
            What the directory holds, by path in it.
        """
        self.stop()
        for name, data in files.items():
            file = self._directory.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        workers = self._stack.enter_context(Workers(1))
        self._reports = workers.carry_out([dataclasses.replace(job, directory=self._directory)])

    def next(self) -> Report:
        """
        Wait for the next report.

        Returns
        -------
        Report
            What the run reports.
        """
        return next(self._reports)

    def files(self) -> dict[str, bytes]:
        """
        Give the files of the run.

        Returns
        -------
        dict of bytes
            What the directory holds, by path in it.
        """
        return files_of(self._directory.path)

    def stop(self) -> dict[str, bytes]:
        """
        End the run if it is not over, its state saved, and forget it.

        Returns
        -------
        dict of bytes
            Its files.
        """
        self._stack.close()
        files = files_of(self._directory.path)
        shutil.rmtree(self._directory.path, ignore_errors=True)
        return files


def files_of(path: Path) -> dict[str, bytes]:
    """
    Read the files of a directory.

    Parameters
    ----------
    path : Path
        The directory, which may not be there.

    Returns
    -------
    dict of bytes
        What it holds, by path in it; what is being written is left out.
    """
    found = sorted(path.rglob("*")) if path.is_dir() else []
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in found
        if file.is_file() and not file.name.startswith(".")
    }
