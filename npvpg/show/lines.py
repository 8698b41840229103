"""The lines of runs in a picture: a group by its middle and band, a threshold, what axes say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from npvpg.recent import RECENT, rolling_mean
from npvpg.runs.statistics import iqm, iqm_band
from npvpg.show import pictures
from npvpg.show.pictures import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 200  # places along the steps at which the seeds are averaged
_RESAMPLES = 1000  # of the band: its ends move by less than the width of the line that they bound

Run = tuple[NDArray[Any], NDArray[np.float64]]


def draw_group(
    axes: "Axes", data: Sequence[Run], style: Style, label: str, window: int = RECENT
) -> None:
    """
    Draw a group among others: one run by its rolling mean, several together.

    Runs that have no step in common are drawn one by one.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    data : sequence of (step, ret)
        Steps at which episodes ended, and their returns, of every run.
    style : Style
        What tells the group apart.
    label : str
        Label of the line.
    window : int
        Points that a rolling mean covers.
    """
    if draw_together(axes, data, style, label, window=window):
        return
    for number, (step, ret) in enumerate(one for one in data if len(one[0])):
        mark = {"marker": style.marker, "markevery": (0.05, 0.125), "markersize": 4}
        text = label if number == 0 else None
        axes.plot(step, rolling_mean(ret, window), **style.line(label=text, **mark))


def draw_together(
    axes: "Axes",
    data: Sequence[Run],
    style: Style,
    label: str,
    band: str | None = None,
    window: int = RECENT,
) -> bool:
    """
    Draw the interquartile mean of several runs' rolling means and its interval.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    data : sequence of (step, ret)
        Steps at which episodes ended, and their returns, of every run.
    style : Style
        What tells line and band apart.
    label : str
        Label of the line.
    band : str, optional
        Label of the band.
    window : int
        Points that a rolling mean covers.

    Returns
    -------
    bool
        False, and nothing is drawn, of fewer than two runs or where they have no step in common.
    """
    lines = [(step, rolling_mean(ret, window)) for step, ret in data if len(step)]
    first = max((step[0] for step, _ in lines), default=0)
    last = min((step[-1] for step, _ in lines), default=0)
    if len(lines) < 2 or first >= last:
        return False
    grid = np.linspace(first, last, _POINTS)
    # The rolling mean holds until the next episode ends.
    values = np.array([mean[np.searchsorted(step, grid, side="right") - 1] for step, mean in lines])
    middle = [iqm(column) for column in values.T]
    mark = {"marker": style.marker, "markevery": (0.05, 0.125), "markersize": 4}
    axes.plot(grid, middle, **style.line(label=label, **mark))
    low, high = iqm_band(values, n_resamples=_RESAMPLES, seed=0)
    axes.fill_between(grid, low, high, color=style.color, alpha=0.2, linewidth=0, label=band)
    return True


def decorate(axes: "Axes", env: str | None, title: str | None) -> None:
    """
    Label the axes and mark the environment's reward threshold.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The axes.
    env : str or None
        The environment, if it is known.
    title : str or None
        Title, if there is to be one.
    """
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 - slow to import

    threshold = reward_threshold(env)
    if threshold is not None:
        label = f"solved: {threshold:g}"
        axes.axhline(threshold, color="0.3", linestyle="--", linewidth=1, label=label)
    axes.set_xlim(left=0)
    axes.set_xlabel("environment steps of all sub-environments")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    pictures.plain(axes)
    if title:
        axes.set_title(title)


def reward_threshold(env: str | None) -> float | None:
    """
    Look up the mean return at which an environment counts as solved.

    Parameters
    ----------
    env : str or None
        The environment, if it is known.

    Returns
    -------
    float or None
        The return [reward]; None if it has none, or is not installed here.
    """
    if env is None:
        return None
    try:
        return gymnasium.spec(env).reward_threshold
    except (gymnasium.error.Error, ImportError):
        return None  # a run may be drawn where its environment is not installed
