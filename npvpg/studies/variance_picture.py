"""The picture of gradient variances: every weight with its interval, a column a policy."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npvpg.lab.variance import GradientVariance
from npvpg.runs.algorithms import ALGORITHMS, WEIGHTS
from npvpg.show import pictures
from npvpg.studies.variance import LIMIT, UNRESOLVED, WIDTH, Found, label, relative, total

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Quantity = Callable[[GradientVariance], tuple[float, float]]
TITLES = {"relative": "relative to the mean gradient", "total": "as it is"}
AXES = {"relative": "tr Cov g / |E g|²", "total": "tr Cov g"}


def draw(path: Path, panels: Mapping[str, Found]) -> None:
    """
    Draw variance relative to the squared mean gradient, and as it is, for every weight.

    Parameters
    ----------
    path : Path
        The picture to write, atomically.
    panels : mapping
        What was found, by where: a column each.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    figure = pictures.figure(1.5 + 3.6 * len(panels), 5.6)
    axes = figure.subplots(2, len(panels), sharey=True, squeeze=False)
    for column, (title, found) in zip(axes.T, panels.items(), strict=True):
        panel(column[0], found, relative, f"{title}\n")
        panel(column[1], found, total)
    figure.suptitle("Variance of the gradient of one episode at a fixed policy; 95 % intervals")
    pictures.save(figure, path)


def style(algorithm: str) -> pictures.Style:
    """
    Give the style of an algorithm: that of its estimator, or dots.

    Parameters
    ----------
    algorithm : str
        Its name.

    Returns
    -------
    Style
        The style.
    """
    if algorithm in WEIGHTS:
        return pictures.OF_ESTIMATOR[label(algorithm)]
    number = [name for name in ALGORITHMS if name not in WEIGHTS].index(algorithm)
    return pictures.style(number)._replace(dashes=":")


def panel(axes: "Axes", found: Found, quantity: Quantity, place: str = "") -> None:
    """
    Draw one number a weight, with its interval, on a logarithmic axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    found : mapping of str to GradientVariance
        What was found, by the name of the algorithm.
    quantity : callable
        `total` or `relative`.
    place : str
        What the title begins with.
    """
    kind = quantity.__name__
    ends = []
    for row, (name, of) in enumerate(found.items()):
        value, error = quantity(of)
        if np.isfinite(value) and WIDTH * error < LIMIT:
            ends += list(value * np.exp(np.array([-WIDTH, WIDTH]) * error))
            mark = style(name)
            axes.plot(ends[-2:], [row, row], color=mark.color, linewidth=2, alpha=0.6)
            axes.plot(value, row, **mark.point(markersize=7))
        else:
            at = axes.get_yaxis_transform()  # across the axes, down the rows
            axes.text(0.97, row, UNRESOLVED, transform=at, ha="right", va="center", alpha=0.6)
    if ends:  # whole decades: each has a label then, and needs none between
        decades = np.log10(min(ends)), np.log10(max(ends))
        axes.set_xlim(10 ** np.floor(decades[0]), 10 ** np.ceil(decades[1]))
    axes.set(xscale="log", xlabel=AXES[kind], ylim=(len(found) - 0.5, -0.5))
    axes.set_title(f"{place}variance {TITLES[kind]}", fontsize="medium")
    axes.xaxis.set_minor_formatter("")
    axes.set_yticks(range(len(found)), list(map(label, found)))
    pictures.plain(axes)
