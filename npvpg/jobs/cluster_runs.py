"""Runs side by side on the machines of a Ray cluster, each as `npvpg.jobs.pool` carries it out."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from npvpg.jobs.cluster import Cluster, check_versions
from npvpg.jobs.job import Carrier, Job
from npvpg.jobs.remote import RemoteRun, files_of
from npvpg.runs.directory import RunDirectory
from npvpg.runs.files import write_atomically
from npvpg.runs.report import ENDED, Report
from npvpg.world.split import PATIENCE, Gone, Lost

_LOOK = 1.0  # between two looks whether the cluster is there [s]
_SAVING = 60.0  # time that the runs get to save their state [s]


class ClusterWorkers(Carrier):
    """
    Processes of a cluster for runs.

    A context manager. At its end runs that are not over save their state, which is fetched. A run
    whose process is lost begins again where its files here stand, and comes to the same.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    n : int
        How many runs side by side.
    """

    def __init__(self, cluster: Cluster, n: int) -> None:
        self.n, self._cluster = n, cluster
        self._busy: dict[Any, _Running] = {}

    def __enter__(self) -> Self:
        """Begin with nothing."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Fetch what the runs have come to that are not over."""
        if kind is not None and issubclass(kind, Gone):
            return
        stopping = [(running, running.handle.stop.remote()) for running in self._busy.values()]
        for running, reference in stopping:
            with contextlib.suppress(Lost, ValueError):
                put(running.job.directory.path, self._cluster.get(reference, within=_SAVING))
            self._cluster.end(running.handle)

    @override
    def carry_out(
        self, jobs: Sequence[Job], stops: Callable[[Report], bool] | None = None
    ) -> Iterator[Report]:
        waiting = [_Running(job) for job in jobs]
        while waiting or self._busy:
            while waiting and len(self._busy) < self.n:
                running = waiting.pop(0)
                yield Report(running.job.name, "starting")
                self._begin(running)
            for reference in self._cluster.wait(list(self._busy), _LOOK):
                running = self._busy.pop(reference)
                try:
                    report = self._received(running, reference, stops)
                except Lost:
                    running.n_lost += 1
                    if running.n_lost < PATIENCE:
                        waiting.insert(0, running)
                        continue
                    text = f"{PATIENCE} processes were lost at it"
                    report = Report(running.job.name, "failed", text=text)
                yield report

    def _begin(self, running: "_Running") -> None:
        """Start a process, and hand a run over."""
        running.handle = self._cluster.start(RemoteRun, 1.0)
        running.versions = running.handle.versions.remote()
        running.handle.begin.remote(running.job, files_of(running.job.directory.path))
        self._busy[running.handle.next.remote()] = running

    def _received(
        self, running: "_Running", reference: Any, stops: Callable[[Report], bool] | None
    ) -> Report:
        """Take a report, and the files with the last one."""
        if running.versions is not None:
            check_versions(self._cluster.get(running.versions))
            running.versions = None
        report: Report = self._cluster.get(reference)
        over = report.state in ENDED
        if not over and not (stops is not None and stops(report)):
            self._busy[running.handle.next.remote()] = running
            return report
        put(running.job.directory.path, self._cluster.get(running.handle.stop.remote()))
        self._cluster.end(running.handle)
        return report if over else report.ended(finished=running.job.directory.finished)


class _Running:
    """A run, and where it is."""

    def __init__(self, job: Job) -> None:
        self.job, self.n_lost = job, 0
        self.handle: Any = None
        self.versions: Any = None


def put(path: Path, files: dict[str, bytes]) -> None:
    """
    Write the files of a run, so that it can go on or count as finished whenever this ends.

    Parameters
    ----------
    path : Path
        Directory of the run.
    files : dict of bytes
        What it is to hold, by path in it.
    """
    directory = RunDirectory(path)
    # a checkpoint counts on the rows of the logs, and a summary on all of it
    late = [file.name for file in (directory.checkpoint, directory.best, directory.summary)]
    for name in sorted(files, key=lambda name: late.index(name) if name in late else -1):
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, files[name])
