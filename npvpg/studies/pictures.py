"""What the pictures of all studies have in common."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from npvpg.runs.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def save(figure: "Figure", path: Path) -> None:
    """
    Write a figure as PNG, atomically.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : Path
        The picture.

    Raises
    ------
    OSError
        If the picture cannot be written; what was there stays as it is.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(path, buffer.getvalue())


def plain(axes: "Axes") -> None:
    """
    Give axes a faint grid and no frame.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The axes.
    """
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
