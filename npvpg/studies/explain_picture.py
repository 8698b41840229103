"""The picture of an update taken apart."""

from pathlib import Path

import numpy as np

from npvpg.show import pictures
from npvpg.studies.explain import Explained


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
    share, n = 100 * found.parts.share, np.arange(found.batch.n_steps)
    forward = share >= 0
    up, down = pictures.STYLES[5].color, pictures.STYLES[1].color
    over_time.vlines(n[forward], 0, share[forward], color=up, linewidth=1)
    over_time.vlines(n[~forward], 0, share[~forward], color=down, linewidth=1)
    for edge in found.batch.start[1:-1]:
        over_time.axvline(edge - 0.5, color="0.85", linewidth=0.8, zorder=0)
    over_time.set(
        xlabel="step of the batch; a line where a trajectory begins",
        ylabel="share of the gradient [%]",
    )
    over_time.set_title(f"update {found.update}: the shares sum to 100 %", fontsize="medium")
    log_prob = found.parts.log_prob
    for chosen, color, marker, label in (
        (forward, up, "o", "with the gradient"),
        (~forward, down, "x", "against it"),
    ):
        why.scatter(
            log_prob[chosen],
            found.psi[chosen],
            s=14,
            c=color,
            marker=marker,
            alpha=0.6,
            label=label,
        )
    why.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    why.set(xlabel="log-probability of the action", ylabel="weight Φ of the step")
    why.set_title("what was done, and how it was judged", fontsize="medium")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    for axes in (over_time, why):
        axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, path)
