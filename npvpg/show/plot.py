"""Learning curves: return against environment steps, a line and a band a group of seeds."""

import io
import math
from collections.abc import Sequence
from csv import writer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from npvpg.recent import RECENT, rolling_mean
from npvpg.runs import alike
from npvpg.runs.alike import Alike
from npvpg.runs.files import write_atomically
from npvpg.runs.series import X_LABELS, Y_LABELS, Against, series
from npvpg.runs.statistics import iqm, iqm_band
from npvpg.show import pictures
from npvpg.show.pictures import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 200  # places along the steps at which the seeds are averaged
_RESAMPLES = 1000  # of the band: its ends move by less than the width of the line that they bound

Run = tuple[NDArray[Any], NDArray[np.float64]]


def curve(
    picture: Path,
    runs: Sequence[Path],
    *,
    title: str | None = None,
    labels: Sequence[str] = (),
    y: str = "return",
    x: Against = "steps",
    csv: Path | None = None,
) -> list[str]:
    """
    Draw the return of runs on one environment, or a metric, against steps, time or episodes.

    Runs are averaged that differ in nothing but the seed. One run: every episode as a faint dot
    and the mean of the last 100 episodes as a line. Several runs: that mean of every run as a
    faint line, the interquartile mean over the runs as a strong one, and a band: its 95 %
    bootstrap interval, at each step on its own. Both end where the first run ends, for beyond it
    they would mean something else. Several such groups: a line and a band each, labelled by what
    sets them apart. A dashed line shows the reward threshold of an environment that has one.

    Parameters
    ----------
    picture : Path
        The picture to write, atomically: PNG, PDF or SVG, as its suffix says.
    runs : sequence of Path
        Run directories. Each holds `episodes.csv` and `config.toml`.
    title : str, optional
        Title of the picture; the name of the environment if not given.
    labels : sequence of str
        Labels of the groups, in the order in which their first runs are named.
    y : str
        "return", or a column of `metrics.csv`, which is drawn as it is, with no mean over episodes.
    x : {"steps", "time", "episodes"}
        What it is drawn against.
    csv : Path, optional
        File for the lines of every run, as they are drawn: group, run, x, y.

    Returns
    -------
    list of str
        What is missing in the picture, and why: a line each.

    Raises
    ------
    ValueError
        If no run is given or can be read, the runs are of several environments, or the labels are
        not one a group.
    OSError
        If the picture cannot be written.
    """
    curves, notes = alike.read(runs)
    curves = [series(each, y, x) for each in curves]
    window = RECENT if y == "return" else 1
    groups, more = alike.group(curves)
    notes += more
    envs = sorted({each.env for each in groups if each.env is not None})
    if len(envs) > 1:
        raise ValueError(f"runs must be of one environment, got {', '.join(envs)}")
    if labels and len(labels) != len(groups):
        raise ValueError(f"label must name each of {len(groups)} groups once, got {len(labels)}")
    figure = pictures.figure(8, 4.5, dpi=150)
    axes = figure.add_subplot()
    for number, each in enumerate(groups):
        data = [(one.step, one.ret) for one in each.curves if len(one.step)]
        drawn = pictures.style(number)
        if each.estimator is not None:
            drawn = pictures.OF_ESTIMATOR.get(each.estimator, drawn)
        label = labels[number] if labels else each.label
        if len(groups) > 1:
            count = f"{len(data)} run{'s' * (len(data) != 1)}"
            draw_group(axes, data, drawn, f"{label}, {count}", window)
        elif len(data) == 1:
            _draw_run(axes, *data[0], window)
        elif data:
            _draw_seeds(axes, data, label, window)
        notes += _missing(each)
    axes.set_ylabel(_ylabel(groups) if y == "return" else Y_LABELS.get(y, y))
    env = envs[0] if envs else None
    decorate(axes, env if y == "return" else None, env if title is None else title)
    axes.set_xlabel(X_LABELS[x])
    if not any(len(one.step) for one in curves):
        axes.text(0.5, 0.5, "no episode has ended yet", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
    pictures.legend_below(figure, 3 if len(groups) > 1 else 4)
    pictures.save(figure, picture)
    if csv is not None:
        _write(csv, groups, labels, window)
    return notes


def _write(path: Path, groups: Sequence[Alike], labels: Sequence[str], window: int) -> None:
    """Write the lines of every run."""
    text = io.StringIO()
    rows = writer(text, lineterminator="\n")
    rows.writerow(("group", "run", "x", "y"))
    for number, each in enumerate(groups):
        label = labels[number] if labels else each.label
        for one in each.curves:
            line = zip(one.step.tolist(), rolling_mean(one.ret, window).tolist(), strict=True)
            rows.writerows((label, one.path, at, value) for at, value in line)
    write_atomically(path, text.getvalue().encode())


def _ylabel(groups: Sequence[Alike]) -> str:
    """Say what is drawn: episodes of a single run, means of many."""
    if len(groups) == len(groups[0].curves) == 1:
        return "return of an episode [reward]"
    return f"return, mean of {RECENT} episodes [reward]"


def _missing(runs: Alike) -> list[str]:
    """Say which runs are not in the picture, and which one ends the mean before the others end."""
    notes = [f"{one.path}: no episode has ended" for one in runs.curves if not len(one.step)]
    begun = [one for one in runs.curves if len(one.step)]
    if len(begun) > 1:
        first = min(begun, key=lambda one: int(one.step[-1]))
        if not first.ended and first.step[-1] < max(one.step[-1] for one in begun):
            step = int(first.step[-1])
            notes.append(f"{first.path} is not finished: the mean ends with it, at step {step:,}")
    return notes


def _draw_run(axes: "Axes", step: NDArray[Any], ret: NDArray[np.float64], window: int) -> None:
    """Draw one run: its episodes and their rolling mean, or its numbers as they are."""
    if window == 1:
        axes.plot(step, ret, color=pictures.STYLES[1].color)
        return
    dots, line = pictures.STYLES[5], pictures.STYLES[1]
    # Thousands of dots lie over each other: the more there are, the fainter each.
    alpha = float(np.clip(20 / math.sqrt(max(len(ret), 1)), 0.15, 0.6))
    episode = dots._replace(marker=".").point(markeredgewidth=0)
    axes.plot(step, ret, markersize=4, alpha=alpha, **episode)
    axes.plot([], [], alpha=0.8, label="one episode", **episode)
    label = f"mean of the last {RECENT} episodes, which lags behind a rise"
    axes.plot(step, rolling_mean(ret), color=line.color, label=label)


def _draw_seeds(axes: "Axes", data: Sequence[Run], label: str, window: int) -> None:
    """Draw the runs of one group: each one's rolling mean, and all together."""
    for number, (step, ret) in enumerate(data):
        one = "one run" if number == 0 else None
        color = pictures.STYLES[0].color
        axes.plot(
            step, rolling_mean(ret, window), color=color, linewidth=0.8, alpha=0.35, label=one
        )
    name = label or f"interquartile mean of {len(data)} runs"
    style = pictures.STYLES[1]._replace(dashes="-", marker="")
    draw_together(axes, data, style, name, "its 95 % band", window)


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

    threshold = _reward_threshold(env)
    if threshold is not None:
        label = f"solved: {threshold:g}"
        axes.axhline(threshold, color="0.3", linestyle="--", linewidth=1, label=label)
    axes.set_xlim(left=0)
    axes.set_xlabel("environment steps of all sub-environments")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    pictures.plain(axes)
    if title:
        axes.set_title(title)


def _reward_threshold(env: str | None) -> float | None:
    """Look up the mean return at which an environment counts as solved, None if it has none."""
    if env is None:
        return None
    try:
        return gymnasium.spec(env).reward_threshold
    except (gymnasium.error.Error, ImportError):
        return None  # a run may be drawn where its environment is not installed
