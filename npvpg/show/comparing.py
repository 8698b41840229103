"""Groups of runs compared by where they end: how often one is better, and who reaches what."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npvpg.recent import RECENT
from npvpg.runs.alike import Alike
from npvpg.runs.comparison import (
    improvement_interval,
    performance_profile,
    probability_of_improvement,
)
from npvpg.show import pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def compared(groups: Sequence[Alike]) -> list[str]:
    """
    Say how probable it is that a run of one group ends better than one of another.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.

    Returns
    -------
    list of str
        A line for every pair of groups with at least two runs each.
    """
    lines = []
    scored = [(each.label, scores(each)) for each in groups]
    for (one, x), (two, y) in combinations(scored, 2):
        if min(len(x), len(y)) > 1:
            low, high = improvement_interval(x, y, seed=0)
            lines.append(
                f"{one} ends better than {two} with probability "
                f"{probability_of_improvement(x, y):.2f}, 95% interval {low:.2f} to {high:.2f}, "
                f"{len(x)} and {len(y)} runs"
            )
    return lines


def profile(picture: Path, groups: Sequence[Alike]) -> None:
    """
    Draw the share of the runs of each group that end above a return.

    Parameters
    ----------
    picture : Path
        The picture to write, atomically: PNG, PDF or SVG, as its suffix says.
    groups : sequence of Alike
        The groups.

    Raises
    ------
    ValueError
        If no run has finished an episode.
    """
    figure = pictures.figure(8, 4.5, dpi=150)
    draw_profile(figure.add_subplot(), groups)
    pictures.legend_below(figure, 3)
    pictures.save(figure, picture)


def draw_profile(axes: "Axes", groups: Sequence[Alike]) -> None:
    """
    Draw what `profile` does.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    groups : sequence of Alike
        The groups.

    Raises
    ------
    ValueError
        If no run has finished an episode.
    """
    scored = [(each.label, x) for each in groups if (x := scores(each))]
    if not scored:
        raise ValueError("runs must have finished at least 1 episode, got none")
    ends = [score for _, x in scored for score in x]
    margin = 0.05 * (max(ends) - min(ends) or 1.0)
    grid = np.linspace(min(ends) - margin, max(ends) + margin, _POINTS)
    for number, (label, x) in enumerate(scored):
        share = performance_profile(x, grid)
        style = pictures.style(number)._replace(marker="")
        axes.plot(grid, share, **style.line(label=f"{label or 'all'}, {len(x)} runs"))
    axes.set_xlabel(f"return, mean of the last {RECENT} episodes [reward]")
    axes.set_ylabel("share of the runs that end above it")
    pictures.plain(axes)
