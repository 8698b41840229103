"""Where the numbers of a run go beside its own logs: JSON lines, TensorBoard."""
# ruff: noqa: PLC0415 - an extra, and slow to import

import importlib.util
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import final

from typing_extensions import override

from npvpg.runs.directory import RunDirectory
from npvpg.runs.files import write_atomically
from npvpg.runs.log_file import Cell

NAMES = ("jsonl", "tensorboard")


class Sink(ABC):
    """Takes the rows of `metrics.csv`, one an update."""

    @abstractmethod
    def write(self, row: Mapping[str, Cell]) -> None:
        """
        Take a row.

        Parameters
        ----------
        row : mapping of str to number or None
            Numbers of an update by name; None for what does not exist yet.
        """

    @abstractmethod
    def close(self) -> None:
        """Close what is open."""


@final
class JsonLines(Sink):
    """
    `metrics.jsonl`: an object a line; what does not exist yet, or is no number, is null.

    Parameters
    ----------
    directory : RunDirectory
        The run.
    n_updates : int
        Updates whose lines are kept.
    """

    def __init__(self, directory: RunDirectory, n_updates: int) -> None:
        path = directory.lines
        kept = []
        if path.exists():
            whole = path.read_text(encoding="utf-8").splitlines(keepends=True)
            whole = [line for line in whole if line.endswith("\n")]  # the last may be torn
            kept = [line for line in whole if json.loads(line)["iteration"] <= n_updates]
        write_atomically(path, "".join(kept).encode())
        self._file = path.open("a", encoding="utf-8", newline="")

    @override
    def write(self, row: Mapping[str, Cell]) -> None:
        finite = {
            name: value.item() if hasattr(value, "item") else value
            for name, value in row.items()
            if value is not None and math.isfinite(value)
        }
        self._file.write(json.dumps({name: finite.get(name) for name in row}) + "\n")
        self._file.flush()

    @override
    def close(self) -> None:
        self._file.close()


@final
class TensorBoard(Sink):
    """
    Event files in ``tensorboard/``: a scalar a number, against environment steps.

    Parameters
    ----------
    directory : RunDirectory
        The run.
    steps : int
        Steps up to which what is there already counts.
    """

    def __init__(self, directory: RunDirectory, steps: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(directory.tensorboard))
        if steps:  # what an earlier piece wrote beyond this is about to be written again
            start = SessionLog(status=SessionLog.START)
            self._writer.add_event(Event(wall_time=time.time(), step=steps + 1, session_log=start))

    @override
    def write(self, row: Mapping[str, Cell]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        numbers = {name: value for name, value in row.items() if value is not None}
        steps = int(numbers.pop("steps"))
        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        event = Event(wall_time=time.time(), step=steps, summary=Summary(value=values))
        self._writer.add_event(event)

    @override
    def close(self) -> None:
        self._writer.close()


def check(names: Sequence[str]) -> None:
    """
    Refuse a sink that is not installed, before anything is written.

    Parameters
    ----------
    names : sequence of str
        Those that are asked for, of `NAMES`.

    Raises
    ------
    ValueError
        If there is no such sink, or its package is missing.
    """
    for name in names:
        if name not in NAMES:
            raise ValueError(f"also must be of {', '.join(NAMES)}, got {name}")
    if "tensorboard" in names and importlib.util.find_spec("tensorboard") is None:
        raise ValueError('tensorboard is not installed: pip install "npvpg[tensorboard]"')


def opened(
    directory: RunDirectory, names: Sequence[str], *, n_updates: int, steps: int
) -> list[Sink]:
    """
    Open sinks, those that the run has already among them.

    Parameters
    ----------
    directory : RunDirectory
        The run.
    names : sequence of str
        Those that are asked for, of `NAMES`.
    n_updates, steps : int
        Updates and environment steps up to which what is there is kept.

    Returns
    -------
    list of Sink
        The sinks.

    Raises
    ------
    ValueError
        If a package is missing.
    """
    wanted = set(names)
    wanted |= {"jsonl"} if directory.lines.exists() else set()
    wanted |= {"tensorboard"} if directory.tensorboard.exists() else set()
    check(sorted(wanted))
    sinks: list[Sink] = []
    if "jsonl" in wanted:
        sinks.append(JsonLines(directory, n_updates))
    if "tensorboard" in wanted:
        sinks.append(TensorBoard(directory, steps))
    return sinks
