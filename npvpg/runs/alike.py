"""Which runs may be averaged: those whose configurations differ in nothing but the seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.runs import config_file
from npvpg.runs.algorithms import ALGORITHMS
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import read_episodes


@dataclass(frozen=True)
class Curve:
    """
    The episodes of one run.

    Parameters
    ----------
    path : Path
        Directory of the run.
    settings : mapping of str to object
        Its configuration as `config.toml` has it; nothing if that cannot be read.
    step : ndarray, shape (E,)
        Environment steps when each episode ended [steps], or what `npvpg.runs.series` put there.
    ret : ndarray of float64, shape (E,)
        Returns [reward], or what `npvpg.runs.series` put there.
    ended : bool
        Whether the run has come to its end.
    """

    path: Path
    settings: Mapping[str, Any]
    step: NDArray[Any]
    ret: NDArray[np.float64]
    ended: bool


@dataclass(frozen=True)
class Alike:
    """
    Runs that differ in nothing but the seed.

    Parameters
    ----------
    label : str
        What sets them apart from the other runs; nothing if there are no others.
    estimator : str or None
        Their estimator, if it and what belongs to it is all that sets them apart.
    curves : tuple of Curve
        The runs, one a seed.
    """

    label: str
    estimator: str | None
    curves: tuple[Curve, ...]

    @property
    def env(self) -> str | None:
        """Their environment, None if no configuration names it."""
        env = self.curves[0].settings.get("env")
        return env if isinstance(env, str) else None


def read(paths: Sequence[Path]) -> tuple[list[Curve], list[str]]:
    """
    Read the episodes of runs, as far as they are there.

    Parameters
    ----------
    paths : sequence of Path
        Directories of runs; one that is named twice counts once.

    Returns
    -------
    curves : list of Curve
        The runs that can be read.
    notes : list of str
        What was left out, and why: a line each.

    Raises
    ------
    ValueError
        If no run is given, or none can be read.
    """
    if not paths:
        raise ValueError("runs must name at least 1 run directory, got none")
    curves: dict[Path, Curve] = {}
    failed: list[str] = []
    for path in map(Path, paths):
        run = RunDirectory(path)
        try:
            step, ret, _ = read_episodes(run.episodes)
        except ValueError as error:
            failed.append(f"{error}: left out")
            continue
        try:
            settings = config_file.read_table(run.config)
        except ValueError:
            settings = {}
        curves.setdefault(path.resolve(), Curve(path, settings, step, ret, run.summary.is_file()))
    if not curves:
        raise ValueError(failed[0].removesuffix(": left out"))
    return list(curves.values()), failed


def group(curves: Sequence[Curve]) -> tuple[list[Alike], list[str]]:
    """
    Put runs together that differ in nothing but the seed, and say what sets the others apart.

    Parameters
    ----------
    curves : sequence of Curve
        The runs. One without a readable configuration stays alone.

    Returns
    -------
    groups : list of Alike
        The groups, in the order in which they are met.
    notes : list of str
        What was left out, and why: a line each.
    """
    notes: list[str] = []
    groups: list[tuple[Mapping[str, Any], dict[Any, Curve]]] = []
    for curve in curves:
        shared = {name: value for name, value in curve.settings.items() if name != "seed"}
        seed = curve.settings.get("seed")
        place = next((runs for known, runs in groups if shared and known == shared), None)
        if place is None:
            groups.append((shared, {seed: curve}))
        elif seed in place and seed is not None:
            notes.append(f"{curve.path} is the run of {place[seed].path} again: left out")
        else:
            place[len(place) if seed is None else seed] = curve
    found = [Alike("", None, tuple(runs.values())) for _, runs in groups]
    if len(found) == 1:
        return found, notes
    return _told_apart(found, [shared for shared, _ in groups]), notes


def labelled(groups: Sequence[Alike], labels: Sequence[str]) -> list[Alike]:
    """
    Give groups other labels.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.
    labels : sequence of str
        A label each, in their order; nothing leaves them as they are.

    Returns
    -------
    list of Alike
        The groups.

    Raises
    ------
    ValueError
        If there are more or fewer labels.
    """
    if not labels:
        return list(groups)
    if len(labels) != len(groups):
        raise ValueError(f"label must name each of {len(groups)} groups once, got {len(labels)}")
    return [replace(each, label=text) for each, text in zip(groups, labels, strict=True)]


def _told_apart(groups: Sequence[Alike], settings: Sequence[Mapping[str, Any]]) -> list[Alike]:
    """Label every group by the fields in which not all of them agree."""
    fields = dict.fromkeys(name for each in settings for name in each)
    differing = [f for f in fields if any(each.get(f) != settings[0].get(f) for each in settings)]
    names = [_estimator(each) for each in settings]
    belongs = {field for values in ALGORITHMS.values() for field in values}
    if set(differing) <= belongs and None not in names and len(set(names)) == len(names):
        pairs = zip(groups, names, strict=True)
        return [replace(each, label=str(name), estimator=name) for each, name in pairs]
    labels = [
        ", ".join(f"{f}={_text(each[f])}" for f in differing if f in each) for each in settings
    ]
    return [
        replace(each, label=label or str(each.curves[0].path))
        for each, label in zip(groups, labels, strict=True)
    ]


def _estimator(settings: Mapping[str, Any]) -> str | None:
    """Name the estimator, if what belongs to it is as its algorithm has it."""
    for values in ALGORITHMS.values():
        if all(settings.get(name) == value for name, value in values.items()):
            return str(values["estimator"])
    return None


def _text(value: object) -> str:
    """Write a value as it is given on the command line."""
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
