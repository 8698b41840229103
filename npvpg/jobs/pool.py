"""
Runs side by side: processes that take one run after the other and report on each.

Starting Python and importing what a run needs takes longer than many a training, so a process is
kept for as many runs as it can take. It does with each what `npvpg train` does, in the same way;
which process takes which run, and how many there are, is seen in no file.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from typing_extensions import override

from npvpg.jobs.interrupt import ignored
from npvpg.jobs.job import Carrier, Job
from npvpg.runs import cores
from npvpg.runs.report import ENDED, Report

_PATIENCE = 60.0  # time that a run gets to save its state, of which it needs a thousandth [s]
_LOOK = 1.0  # between two looks whether the processes are alive [s]


class Workers(Carrier):
    """
    Processes for runs.

    A context manager, which starts them. At its end those that have nothing to do end; those that
    are at a run, because something else has stopped, save its state first. They end in the same
    way if this process is killed.

    Parameters
    ----------
    n : int
        How many.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def __enter__(self) -> Self:
        """Start the processes."""
        for _ in range(self.n):
            self._idle.append(self._start())
        return self

    def _start(self) -> "_Worker":
        """Start one more process."""
        worker = _Worker(self.n)
        self._all.append(worker)
        return worker

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, those that are at a run after saving its state."""
        for worker in self._all:
            worker.process.terminate()
            worker.connection.close()
        for worker in self._all:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()

    @override
    def carry_out(
        self, jobs: Sequence[Job], stops: Callable[[Report], bool] | None = None
    ) -> Iterator[Report]:
        waiting = list(jobs)
        while waiting or self._busy:
            while waiting and self._idle:
                worker, job = self._idle.pop(), waiting.pop(0)
                self._busy.append(worker)
                yield Report(job.name, "starting")
                worker.begin(job)
            ready = wait([worker.connection for worker in self._busy], _LOOK)
            for worker in list(self._busy):
                # a process that was killed may leave children of its own, which hold the other end
                if worker.connection not in ready and worker.process.is_alive():
                    continue
                report = worker.receive()
                if stops is not None and stops(report):
                    report = worker.stop(report)
                yield report
                if report.state in ENDED:
                    self._busy.remove(worker)
                    self._idle.append(worker if worker.process.is_alive() else self._start())


class _Worker:
    """One process, seen from outside."""

    def __init__(self, n: int) -> None:
        context = get_context("spawn")  # a fork would inherit the threads of BLAS, half alive
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, n))
        self._job: Job | None = None
        with ignored():  # Ctrl-C reaches a run, which saves its state, and nothing before it
            self.process.start()
        theirs.close()

    def begin(self, job: Job) -> None:
        """Hand a run over."""
        self._job = job
        with contextlib.suppress(BrokenPipeError):  # it has died, as `receive` will find
            self.connection.send(job)

    def stop(self, report: Report) -> Report:
        """Stop a run, its state saved, and report on that; it may have ended meanwhile."""
        assert self._job is not None
        self.process.terminate()
        self.process.join(_PATIENCE)
        return report.ended(finished=self._job.directory.finished)

    def receive(self) -> Report:
        """Take a report, or make one of a process that can give none."""
        try:
            if self.connection.poll():
                report: Report = self.connection.recv()
                return report
        except (EOFError, ConnectionResetError):
            self.process.join(_LOOK)
        assert self._job is not None
        return Report(self._job.name, "failed", text=_end(self.process.exitcode))


def _serve(connection: Connection, n: int) -> None:
    """Be one of n such processes."""
    from npvpg.jobs.worker import serve  # noqa: PLC0415 - slow, and nothing for the parent

    cores.share(n)
    serve(connection)


def _end(code: int | None) -> str:
    """Say how a process ended that should not have."""
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"
