"""Learning curves: return against environment steps, a line and a band a group of seeds."""

import io
import math
from collections.abc import Sequence
from csv import writer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from npvpg.recent import RECENT, rolling_mean
from npvpg.runs import alike
from npvpg.runs.alike import Alike
from npvpg.runs.files import write_atomically
from npvpg.runs.series import X_LABELS, Y_LABELS, Against, series
from npvpg.show import pictures
from npvpg.show.lines import Run, decorate, draw_group, draw_together

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 2000  # dots beyond which a drawing holds a picture of them in place of each


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
    groups, more = alike.group([series(each, y, x) for each in curves])
    notes += more
    env = environment(groups)
    groups = alike.labelled(groups, labels)
    figure = pictures.figure(8, 4.5, dpi=150)
    axes = figure.add_subplot()
    notes += draw(axes, groups, y, x)
    if title is None:
        title = env
    if title:
        axes.set_title(title)
    pictures.legend_below(figure, 3 if len(groups) > 1 else 4)
    pictures.save(figure, picture)
    if csv is not None:
        _write(csv, groups, RECENT if y == "return" else 1)
    return notes


def environment(groups: Sequence[Alike]) -> str | None:
    """
    Name the environment that groups have in common.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.

    Returns
    -------
    str or None
        The environment; None if no configuration names one.

    Raises
    ------
    ValueError
        If they are of several.
    """
    envs = sorted({each.env for each in groups if each.env is not None})
    if len(envs) > 1:
        raise ValueError(f"runs must be of one environment, got {', '.join(envs)}")
    return envs[0] if envs else None


def draw(
    axes: "Axes", groups: Sequence[Alike], y: str = "return", x: Against = "steps"
) -> list[str]:
    """
    Draw groups of runs, as `curve` does.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    groups : sequence of Alike
        The groups, whose curves are what is to be drawn: `npvpg.runs.series`.
    y, x : str
        What they are, for the labels.

    Returns
    -------
    list of str
        What is missing, and why: a line each.
    """
    notes: list[str] = []
    window = RECENT if y == "return" else 1
    for number, each in enumerate(groups):
        data = [(one.step, one.ret) for one in each.curves if len(one.step)]
        drawn = pictures.style(number)
        if each.estimator is not None:
            drawn = pictures.OF_ESTIMATOR.get(each.estimator, drawn)
        if len(groups) > 1:
            count = f"{len(data)} run{'s' * (len(data) != 1)}"
            draw_group(axes, data, drawn, f"{each.label}, {count}", window)
        elif len(data) == 1:
            _draw_run(axes, *data[0], window)
        elif data:
            _draw_seeds(axes, data, each.label, window)
        notes += _missing(each)
    axes.set_ylabel(_ylabel(groups) if y == "return" else Y_LABELS.get(y, y))
    decorate(axes, environment(groups) if y == "return" else None, None)
    axes.set_xlabel(X_LABELS[x])
    if not any(len(one.step) for each in groups for one in each.curves):
        axes.text(0.5, 0.5, "no episode has ended yet", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
    return notes


def _write(path: Path, groups: Sequence[Alike], window: int) -> None:
    """Write the lines of every run."""
    text = io.StringIO()
    rows = writer(text, lineterminator="\n")
    rows.writerow(("group", "run", "x", "y"))
    for each in groups:
        for one in each.curves:
            line = zip(one.step.tolist(), rolling_mean(one.ret, window).tolist(), strict=True)
            rows.writerows((each.label, one.path, at, value) for at, value in line)
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
    axes.plot(step, ret, markersize=4, alpha=alpha, rasterized=len(ret) > _MANY, **episode)
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
