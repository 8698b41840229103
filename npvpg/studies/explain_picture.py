"""The pictures of an update taken apart."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npvpg.show import pictures
from npvpg.studies.explain import Explained

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 2000  # marks beyond which a drawing holds a picture of them in place of each


def draw(path: Path, found: Explained) -> None:
    """
    Draw what every step has in an update, and how it comes about: weight against probability.

    Parameters
    ----------
    path : Path
        The picture to write, atomically.
    found : Explained
        The update.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    figure = pictures.figure(10.0, 4.2)
    over_time, why = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_shares(over_time, found)
    draw_weights(why, found)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    pictures.save(figure, path)


def draw_shares(axes: "Axes", found: Explained) -> None:
    """
    Draw what every step has in an update.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    found : Explained
        The update.
    """
    share, n = 100 * found.parts.share, np.arange(found.batch.n_steps)
    forward = share >= 0
    for chosen, color in (
        (forward, pictures.STYLES[5].color),
        (~forward, pictures.STYLES[1].color),
    ):
        axes.vlines(
            n[chosen], 0, share[chosen], color=color, linewidth=1, rasterized=len(n) > _MANY
        )
    for edge in found.batch.start[1:-1]:
        axes.axvline(edge - 0.5, color="0.85", linewidth=0.8, zorder=0)
    axes.set(
        xlabel="step of the batch; a line where a trajectory begins",
        ylabel="share of the gradient [%]",
    )
    axes.set_title(f"update {found.update}: the shares sum to 100 %", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)


def draw_weights(axes: "Axes", found: Explained) -> None:
    """
    Draw the weight of every step of an update against its log-probability.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    found : Explained
        The update.
    """
    forward = found.parts.share >= 0
    for chosen, style, marker, label in (
        (forward, pictures.STYLES[5], "o", "with the gradient"),
        (~forward, pictures.STYLES[1], "x", "against it"),
    ):
        axes.scatter(
            found.parts.log_prob[chosen],
            found.psi[chosen],
            s=14,
            c=style.color,
            marker=marker,
            alpha=0.6,
            label=label,
            rasterized=len(forward) > _MANY,
        )
    axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.set(xlabel="log-probability of the action", ylabel="weight Φ of the step")
    axes.set_title("what was done, and how it was judged", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
