"""Groups of runs compared by where they end: how often one is better, and who reaches what."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from npvpg.recent import RECENT
from npvpg.runs import alike
from npvpg.runs.alike import Alike
from npvpg.runs.comparison import (
    improvement_interval,
    performance_profile,
    probability_of_improvement,
)
from npvpg.show import pictures

_POINTS = 200  # thresholds of a profile


def scores(group: Alike) -> list[float]:
    """
    Give the score of every run of a group.

    Parameters
    ----------
    group : Alike
        The group.

    Returns
    -------
    list of float
        Mean return of the last 100 episodes of each run that has any [reward].
    """
    return [float(one.ret[-RECENT:].mean()) for one in group.curves if len(one.ret)]


def compared(runs: Sequence[Path], labels: Sequence[str] = ()) -> list[str]:
    """
    Say how probable it is that a run of one group ends better than one of another.

    Parameters
    ----------
    runs : sequence of Path
        Directories of runs.
    labels : sequence of str
        Labels of the groups, in the order in which their first runs are named.

    Returns
    -------
    list of str
        A line for every pair of groups with at least two runs each.

    Raises
    ------
    ValueError
        If no run can be read.
    """
    lines = []
    for (one, x), (two, y) in combinations(_scored(runs, labels), 2):
        if min(len(x), len(y)) > 1:
            low, high = improvement_interval(x, y, seed=0)
            lines.append(
                f"{one} ends better than {two} with probability "
                f"{probability_of_improvement(x, y):.2f}, 95% interval {low:.2f} to {high:.2f}, "
                f"{len(x)} and {len(y)} runs"
            )
    return lines


def profile(picture: Path, runs: Sequence[Path], labels: Sequence[str] = ()) -> None:
    """
    Draw the share of the runs of each group that end above a return.

    Parameters
    ----------
    picture : Path
        The picture to write, atomically: PNG, PDF or SVG, as its suffix says.
    runs : sequence of Path
        Directories of runs.
    labels : sequence of str
        Labels of the groups, in the order in which their first runs are named.

    Raises
    ------
    ValueError
        If no run can be read, or none has finished an episode.
    """
    groups = [(label, x) for label, x in _scored(runs, labels) if x]
    if not groups:
        raise ValueError("runs must have finished at least 1 episode, got none")
    ends = [score for _, x in groups for score in x]
    margin = 0.05 * (max(ends) - min(ends) or 1.0)
    grid = np.linspace(min(ends) - margin, max(ends) + margin, _POINTS)
    figure = pictures.figure(8, 4.5, dpi=150)
    axes = figure.add_subplot()
    for number, (label, x) in enumerate(groups):
        share = performance_profile(x, grid)
        style = pictures.style(number)._replace(marker="")
        axes.plot(grid, share, **style.line(label=f"{label or 'all'}, {len(x)} runs"))
    axes.set_xlabel(f"return, mean of the last {RECENT} episodes [reward]")
    axes.set_ylabel("share of the runs that end above it")
    pictures.plain(axes)
    pictures.legend_below(figure, 3)
    pictures.save(figure, picture)


def _scored(runs: Sequence[Path], labels: Sequence[str]) -> list[tuple[str, list[float]]]:
    """Give the label and the scores of every group."""
    groups, _ = alike.group(alike.read(runs)[0])
    if labels and len(labels) != len(groups):
        raise ValueError(f"label must name each of {len(groups)} groups once, got {len(labels)}")
    return [
        (labels[number] if labels else each.label, scores(each))
        for number, each in enumerate(groups)
    ]
