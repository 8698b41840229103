"""A process that carries out runs for another: each an ordinary run, whose screen is a pipe."""

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from npvpg import theirs
from npvpg.jobs import run
from npvpg.jobs.interrupt import Interrupted
from npvpg.jobs.job import Job
from npvpg.runs.directory import RunDirectory
from npvpg.runs.progress import Progress
from npvpg.runs.ready import Run
from npvpg.runs.report import Report, State
from npvpg.show.screen import Screen
from npvpg.state import Iteration

_EVERY = 0.1  # between two reports on a training [s]


class Reporter(Screen):
    """
    The screen of a run that another process watches.

    Parameters
    ----------
    name : str
        What the run is called among those beside it.
    send : callable
        Takes every report.
    """

    def __init__(self, name: str, send: Callable[[Report], None]) -> None:
        super().__init__(quiet=True)
        self._name = name
        self._send = send
        self._sent = self._counted = 0.0
        self._speed: float | None = None
        self.last = Report(name, "starting")

    def _report(self, state: State, progress: Progress) -> None:
        """Report how far the run has come."""
        self._sent = time.perf_counter()
        self.last = Report(
            self._name,
            state,
            progress.steps,
            progress.mean_return,
            progress.solved_at_step,
            self._speed,
        )
        self._send(self.last)

    def compiling(self, text: str) -> None:
        """
        Report that kernels are being compiled.

        Parameters
        ----------
        text : str
            Which, and how often that happens.
        """
        self._send(Report(self._name, "compiling", text=text))

    def header(self, run: Run, start: Progress) -> None:
        """
        Report that the training begins.

        Parameters
        ----------
        run : Run
            The run.
        start : Progress
            Where it starts.
        """
        self._report("training", start)

    def iteration(self, iteration: Iteration, progress: Progress) -> None:
        """
        Report an update, unless another has just been reported.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.
        progress : Progress
            How far the run has come.
        """
        now = time.perf_counter()
        if now - self._sent > _EVERY:
            due = now - self._counted >= 1
            self._speed = self._pace.now(progress.steps, now, row=due)
            self._counted = now if due else self._counted
            self._report("training", progress)

    def verdict(self, progress: Progress, threshold: float | None, kernels: float) -> None:
        """
        Report that the training has ended.

        Parameters
        ----------
        progress : Progress
            How far the run has come.
        threshold : float or None
            Return at which the environment counts as solved.
        kernels : float
            Time that kernels took before they ran [s].
        """
        self._report("evaluating", progress)

    def evaluation(self, evaluation: dict[str, Any], title: str = "") -> None:
        """
        Report nothing: the summary will hold it.

        Parameters
        ----------
        evaluation : dict
            Returns of a policy.
        title : str
            Which policy.
        """

    def files(self, directory: RunDirectory) -> None:
        """
        Report nothing: the files are where they are expected.

        Parameters
        ----------
        directory : RunDirectory
            The run.
        """


def serve(connection: Connection) -> None:
    """
    Carry out the runs that come through a pipe, until it is closed.

    Parameters
    ----------
    connection : Connection
        Brings a `Job` after the other, takes every `Report`.
    """
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send(_carry_out(connection.recv(), connection.send))


def _stop_with_parent() -> None:
    """Stop as after SIGTERM, state saved, when the process that watches is no more."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _carry_out(job: Job, send: Callable[[Report], None]) -> Report:
    """Carry out a run, and give the last report on it."""
    reporter = Reporter(job.name, send)
    begun = job.directory.config.is_file()
    try:
        run.train(
            job.config, job.directory, resume=begun, until=job.until, also=job.also, screen=reporter
        )
    except (Interrupted, ValueError, OSError) as error:
        return Report(job.name, "failed", text=_one_line(error))
    except (Exception, SystemExit) as error:  # what ends one run is no reason to lose the others
        return Report(job.name, "failed", text=theirs.told(error))
    return dataclasses.replace(reporter.last, state="finished")


def _one_line(error: BaseException) -> str:
    """Give the text of an error, as the command line prints it."""
    return " ".join(str(error).split())
