"""What a run has left, as far as it can be read: one that was cut short or damaged among others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.recent import RECENT
from npvpg.runs import config_file
from npvpg.runs.alike import Alike, Curve
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import COUNTED, read_metrics
from npvpg.runs.selection import read_evaluations
from npvpg.runs.series import series

FILMS = (".mp4", ".gif")


@dataclass(frozen=True)
class Record:
    """
    What a run has left.

    Parameters
    ----------
    curve : Curve
        Its episodes.
    config : Config or None
        Its configuration, if that is whole.
    steps : int or None
        Environment steps that it has come to, if anything says so.
    metrics : tuple of str
        Columns of its metrics that hold anything.
    evaluations : mapping of str to ndarray
        Columns of its `evaluations.csv`; nothing if there is none.
    summary : mapping of str to object
        Its `summary.json`; nothing if there is none.
    film : Path or None
        A film of its policy.
    """

    curve: Curve
    config: Config | None
    steps: int | None
    metrics: tuple[str, ...]
    evaluations: Mapping[str, NDArray[np.float64]]
    summary: Mapping[str, Any]
    film: Path | None

    @property
    def score(self) -> float | None:
        """Mean return of the last 100 episodes [reward]."""
        ret = self.curve.ret[-RECENT:]
        return float(ret.mean()) if len(ret) and np.isfinite(ret).all() else None

    @property
    def warnings(self) -> list[str]:
        """What it warned of."""
        found = self.summary.get("warnings", [])
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

    @property
    def versions(self) -> dict[str, str]:
        """What it was made with."""
        found = self.summary.get("versions", {})
        known = found.items() if isinstance(found, Mapping) else ()
        return {str(name): str(version) for name, version in known}


def read(curve: Curve) -> tuple[Record, list[str]]:
    """
    Read what a run has left.

    Parameters
    ----------
    curve : Curve
        Its episodes.

    Returns
    -------
    record : Record
        What can be read.
    notes : list of str
        What cannot, and why: a line each.
    """
    directory, notes = RunDirectory(curve.path), []
    summary: Any = {}
    columns: Mapping[str, NDArray[np.float64]] = {}
    evaluations: Mapping[str, NDArray[np.float64]] = {}
    config = None
    try:
        values = config_file.typed(curve.settings)
        config = config_file.complete(values, directory.config)
    except ValueError as error:
        notes.append(f"{curve.path}: its configuration is not whole: {error}")
    try:
        columns = read_metrics(directory.metrics)
    except ValueError as error:
        notes.append(str(error))
    if directory.evaluations.exists():
        try:
            evaluations = read_evaluations(directory.evaluations)
        except ValueError as error:
            notes.append(str(error))
    if not curve.ended:
        notes.append(f"{curve.path} is not finished: it has no {directory.summary.name}")
    else:
        try:
            summary = json.loads(directory.summary.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            notes.append(f"{directory.summary} cannot be read: {error}")
    if not isinstance(summary, Mapping):
        notes.append(f"{directory.summary} is no summary of a run")
        summary = {}
    held = (name for name in columns if np.isfinite(columns[name]).any())
    metrics = tuple(name for name in held if name not in COUNTED)
    ends = [float(x[-1]) for x in (columns.get("steps", curve.step), curve.step) if len(x)]
    steps = number(summary, "steps") or number({"last": ends[0] if ends else None}, "last")
    done = None if steps is None else int(steps)
    record = Record(curve, config, done, metrics, evaluations, summary, _film(directory))
    return record, notes


def number(table: Any, *names: str) -> float | None:
    """
    Look a number up in a table of tables that may be damaged.

    Parameters
    ----------
    table : object
        The table, as JSON has it.
    *names : str
        The way to the number.

    Returns
    -------
    float or None
        The number, if it is there and one.

    Examples
    --------
    >>> number({"a": {"b": 1}}, "a", "b"), number({"a": [1]}, "a", "b")
    (1.0, None)
    """
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    if isinstance(table, bool) or not isinstance(table, int | float) or not np.isfinite(table):
        return None
    return float(table)


def of_metric(groups: Sequence[Alike], y: str) -> list[Alike]:
    """
    Put a column of the metrics in the place of the returns of groups.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.
    y : str
        The column.

    Returns
    -------
    list of Alike
        The groups; a run without it has no points.
    """
    found = []
    for each in groups:
        curves = []
        for one in each.curves:
            try:
                curves.append(series(one, y))
            except ValueError:  # this run has no such column, or none that can be read
                curves.append(replace(one, step=one.step[:0], ret=one.ret[:0]))
        found.append(replace(each, curves=tuple(curves)))
    return found


def _film(directory: RunDirectory) -> Path | None:
    """Choose a film: one that was asked for, or the last of the training."""
    asked = [directory.path / f"watch{suffix}" for suffix in FILMS]
    made = sorted(path for path in directory.videos.glob("*") if path.suffix in FILMS)
    return next((path for path in (*asked, *reversed(made)) if path.is_file()), None)
