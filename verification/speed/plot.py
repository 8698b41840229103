"""Return against wall time, of everybody."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from npvpg.show import pictures
from verification.speed.contestants import GOAL


def wall_time(path: Path, curves: Mapping[str, list[dict[str, Any]]]) -> None:
    """
    Draw the training of every seed: from its own start, and from the start of the process.

    Parameters
    ----------
    path : Path
        Picture to write.
    curves : mapping of str to list of dict
        Runs by contestant, with "curve", rows (seconds, steps, mean return), and the seconds of
        import and set-up that came before.
    """
    figure = pictures.figure(10, 4.8, dpi=120)
    alone, whole = figure.subplots(1, 2, sharey=True)
    for index, (name, runs) in enumerate(curves.items()):
        for number, run in enumerate(runs):
            points = np.array(run["curve"], dtype=float).reshape(-1, 3)
            before = run["import_seconds"] + run["setup_seconds"]
            style = pictures.style(index).line(alpha=0.6, linewidth=1)
            label = name if number == 0 else None
            alone.plot(points[:, 0], points[:, 2], **style, label=label)
            whole.plot(points[:, 0] + before, points[:, 2], **style)
    for axes, title in ((alone, "training alone"), (whole, "from the start of the process")):
        axes.axhline(GOAL, color="0.4", linewidth=0.8, linestyle="--")
        axes.set(xscale="log", title=title, xlabel="wall time [s]")
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))  # closer ones collide
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    alone.set_ylabel("mean return of the last 100 episodes")
    legend = figure.legend(loc="outside lower center", ncols=3, frameon=False)
    for line in legend.get_lines():
        line.set(alpha=1, linewidth=2)
    figure.suptitle("CartPole-v1, one core, a line a seed")
    pictures.save(figure, path)
