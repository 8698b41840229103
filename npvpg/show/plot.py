"""
Learning curves: return against environment steps, as a picture and as a line of text.

matplotlib is imported by the functions that draw, because importing it takes longer than many a
command. Figures are objects of their own: no global state, no display.
"""

import io
import json
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import gymnasium
import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.recent import RECENT, rolling_mean
from npvpg.runs.files import write_atomically
from npvpg.runs.log import read_episodes
from npvpg.runs.statistics import iqm, iqm_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 200  # places along the steps at which the seeds are averaged
_RESAMPLES = 1000  # of the band: its ends move by less than the width of the line that they bound
_BLOCKS = "▁▂▃▄▅▆▇█"

Run = tuple[NDArray[np.int64], NDArray[np.float64]]


def curve(path_png: Path, runs: Sequence[Path], *, title: str | None = None) -> None:
    """
    Draw the return of one run, or of several runs of one environment, against steps.

    One run: every episode as a faint dot and the mean of the last 100 episodes as a line. Several
    runs: that mean of every run as a faint line, the interquartile mean over the runs as a strong
    one, and a band: its 95 % bootstrap interval, at each step on its own. Both end where the first
    run ends, for beyond it they would mean something else. A dashed line shows the reward
    threshold of an environment that has one.

    Parameters
    ----------
    path_png : Path
        The picture to write, atomically.
    runs : sequence of Path
        Run directories. Each holds `episodes.csv` and, for the threshold and the title, the name
        of the environment in `summary.json` or `config.toml`.
    title : str, optional
        Title of the picture; the name of the environment if not given.

    Raises
    ------
    ValueError
        If no run is given, a run has no readable `episodes.csv`, or the runs are of several
        environments.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, see above

    if not runs:
        raise ValueError("runs must name at least 1 run directory, got none")
    env = _common_env(runs)
    data = [read_episodes(Path(run) / "episodes.csv")[:2] for run in runs]
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    if len(data) == 1:
        _draw_run(axes, *data[0])
    else:
        _draw_runs(axes, data)
    decorate(axes, env, env if title is None else title)
    if all(len(step) == 0 for step, _ in data):
        axes.text(0.5, 0.5, "no episode has ended yet", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(path_png, buffer.getvalue())


def sparkline(values: Sequence[float | None] | NDArray[np.float64], width: int = 60) -> str:
    """
    Draw numbers as a line of Unicode blocks, the lowest at the bottom and the highest on top.

    Parameters
    ----------
    values : sequence of float or None
        The numbers, in order; None, NaN and infinity leave a gap.
    width : int
        Most characters to use. More numbers than that are averaged in equal groups.

    Returns
    -------
    str
        One character per number or group; numbers that are all equal lie in the middle.

    Raises
    ------
    ValueError
        If `width` is not positive.

    Examples
    --------
    >>> sparkline([1, 2, 3, 4, 5, 6, 7, 8])
    '▁▂▃▄▅▆▇█'
    >>> sparkline([0, 10, None, 100, 100], width=5)
    '▁▂ ██'
    >>> sparkline(range(1000), width=4)
    '▁▃▆█'
    """
    checks.at_least(1, width=width)
    numbers = np.array([math.nan if value is None else value for value in values], dtype=float)
    numbers[~np.isfinite(numbers)] = math.nan
    groups = np.array_split(numbers, width) if len(numbers) > width else list(numbers[:, None])
    known = [group[~np.isnan(group)] for group in groups]
    heights = np.array([group.mean() if len(group) else math.nan for group in known])
    if np.isnan(heights).all():
        return " " * len(heights)
    low, high = np.nanmin(heights), np.nanmax(heights)
    top = len(_BLOCKS) - 1
    middle = np.where(np.isnan(heights), math.nan, top // 2)
    levels = middle if high == low else np.round((heights - low) / (high - low) * top)
    return "".join(" " if math.isnan(level) else _BLOCKS[int(level)] for level in levels)


def _draw_run(axes: "Axes", step: NDArray[np.int64], ret: NDArray[np.float64]) -> None:
    """Draw one run: its episodes and their rolling mean."""
    axes.set_ylabel("return of an episode [reward]")
    # Thousands of dots lie over each other: the more there are, the fainter each.
    alpha = float(np.clip(20 / math.sqrt(max(len(ret), 1)), 0.1, 0.5))
    axes.plot(step, ret, ".", color="C0", markersize=4, alpha=alpha, markeredgewidth=0)
    axes.plot([], [], ".", color="C0", alpha=0.6, markeredgewidth=0, label="one episode")
    mean = rolling_mean(ret)
    axes.plot(step, mean, color="C1", label=f"mean of the last {RECENT} episodes")


def _draw_runs(axes: "Axes", data: Sequence[Run]) -> None:
    """Draw several runs: each one's rolling mean, their interquartile mean, its interval."""
    axes.set_ylabel(f"return, mean of {RECENT} episodes [reward]")
    lines = [(step, rolling_mean(ret)) for step, ret in data if len(step)]
    for number, (step, mean) in enumerate(lines):
        label = "one run" if number == 0 else None
        axes.plot(step, mean, color="C0", linewidth=0.8, alpha=0.35, label=label)
    draw_together(axes, data, "C1", f"interquartile mean of {len(lines)} runs", "its 95 % band")


def draw_together(
    axes: "Axes", data: Sequence[Run], color: str, label: str, band: str | None = None
) -> None:
    """
    Draw the interquartile mean of several runs' rolling means and its interval.

    Nothing is drawn of fewer than two runs, or where they have no step in common.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    data : sequence of (step, ret)
        Steps at which episodes ended, and their returns, of every run.
    color : str
        Colour of line and band.
    label : str
        Label of the line.
    band : str, optional
        Label of the band.
    """
    lines = [(step, rolling_mean(ret)) for step, ret in data if len(step)]
    if len(lines) < 2:
        return
    first = max(step[0] for step, _ in lines)
    last = min(step[-1] for step, _ in lines)
    if first >= last:
        return
    grid = np.linspace(first, last, _POINTS)
    # The rolling mean holds until the next episode ends.
    values = np.array([mean[np.searchsorted(step, grid, side="right") - 1] for step, mean in lines])
    axes.plot(grid, [iqm(column) for column in values.T], color=color, label=label)
    low, high = iqm_band(values, n_resamples=_RESAMPLES, seed=0)
    axes.fill_between(grid, low, high, color=color, alpha=0.3, linewidth=0, label=band)


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
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 - slow to import, see above

    threshold = _reward_threshold(env)
    if threshold is not None:
        axes.axhline(
            threshold, color="0.3", linestyle="--", linewidth=1, label=f"solved: {threshold:g}"
        )
    axes.set_xlim(left=0)
    axes.set_xlabel("environment steps of all sub-environments")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title)


def _common_env(runs: Sequence[Path]) -> str | None:
    """Find the environment that all runs share, None if no run names one."""
    named = {env for env in map(_env_of, runs) if env is not None}
    if len(named) > 1:
        raise ValueError(f"runs must be of one environment, got {', '.join(sorted(named))}")
    return named.pop() if named else None


def _env_of(run: Path) -> str | None:
    """Read the name of a run's environment, None if it is not to be found."""
    readers = {"summary.json": json.loads, "config.toml": tomllib.loads}
    for name, reader in readers.items():
        try:
            env = reader((Path(run) / name).read_text(encoding="utf-8"))["env"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a run that is still going on has no summary yet
        if isinstance(env, str):
            return env
    return None


def _reward_threshold(env: str | None) -> float | None:
    """Look up the mean return at which an environment counts as solved, None if it has none."""
    if env is None:
        return None
    try:
        return gymnasium.spec(env).reward_threshold
    except (gymnasium.error.Error, ImportError):
        return None  # a run may be drawn where its environment is not installed
