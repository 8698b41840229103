"""
What all pictures have in common: how they begin, what tells lines apart, how they are written.

matplotlib is imported as the first figure is made, because importing it takes longer than many a
command. Figures are objects of their own: no global state, no display.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from npvpg.runs.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""What keeps the time out of a file, so that the same numbers give the same bytes."""


class Style(NamedTuple):
    """
    What tells a line apart, for whoever sees fewer colours as well.

    Attributes
    ----------
    color : str
        Colour of Okabe and Ito's palette, grey in place of its yellow, which white swallows.
    dashes : str or tuple
        Line style of matplotlib.
    marker : str
        Marker of matplotlib.
    """

    color: str
    dashes: Any
    marker: str

    def line(self, **changes: Any) -> dict[str, Any]:
        """
        Give the arguments of a line without markers.

        Parameters
        ----------
        **changes : object
            Arguments besides, or in their place.

        Returns
        -------
        dict
            Keyword arguments of `matplotlib.axes.Axes.plot`.
        """
        return {"color": self.color, "linestyle": self.dashes} | changes

    def point(self, **changes: Any) -> dict[str, Any]:
        """
        Give the arguments of a marker without a line.

        Parameters
        ----------
        **changes : object
            Arguments besides, or in their place.

        Returns
        -------
        dict
            Keyword arguments of `matplotlib.axes.Axes.plot`.
        """
        return {"color": self.color, "linestyle": "none", "marker": self.marker} | changes


STYLES = (
    Style("#0072B2", "-", "o"),  # blue
    Style("#D55E00", (0, (5, 1.5)), "s"),  # vermilion
    Style("#009E73", (0, (6, 1.5, 1, 1.5)), "^"),  # bluish green
    Style("#CC79A7", (0, (1.5, 1)), "D"),  # reddish purple
    Style("#E69F00", (0, (4, 1, 1, 1, 1, 1)), "v"),  # orange
    Style("#56B4E9", (0, (8, 2)), "P"),  # sky blue
    Style("#000000", (0, (2, 2)), "X"),
    Style("#999999", "-", "*"),
)
"""Styles in the order in which lines take them."""

OF_ESTIMATOR = {
    name: STYLES[number]
    for number, name in enumerate(
        ("gae", "total-return", "reward-to-go", "n-step", "baseline", "td", "q", "leave-one-out")
    )
}
"""Style of an estimator by its name: the same in every picture."""


def style(number: int) -> Style:
    """
    Give the style of a line of many.

    Parameters
    ----------
    number : int
        Its number, from 0.

    Returns
    -------
    Style
        The style; the ninth is that of the first.
    """
    return STYLES[number % len(STYLES)]


def scale(share: float) -> str:
    """
    Give a colour of a scale on which equal steps look equal, from dark to light.

    Parameters
    ----------
    share : float
        Place on the scale, in [0, 1].

    Returns
    -------
    str
        The colour; of viridis, without the end that white swallows.
    """
    from matplotlib import colormaps, colors  # noqa: PLC0415 - slow to import, see above

    return str(colors.to_hex(colormaps["viridis"](0.9 * share)))


def figure(width: float, height: float, dpi: int = 130) -> "Figure":
    """
    Begin a figure.

    Parameters
    ----------
    width, height : float
        Size [inch].
    dpi : int
        Pixels of a PNG [1 / inch].

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which lays out what is put into it.
    """
    _import_matplotlib()
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, see above

    return Figure(figsize=(width, height), dpi=dpi, layout="constrained")


def _import_matplotlib() -> None:
    """
    Import matplotlib whatever is set in MPLBACKEND.

    A figure is written without a window, and so needs no backend; but where a notebook has set one
    that this process does not have, matplotlib refuses to be imported.
    """
    if "matplotlib" in sys.modules:
        return
    wanted = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib  # noqa: PLC0415 - slow to import, see above
    finally:
        if wanted is not None:
            os.environ["MPLBACKEND"] = wanted
    if wanted:
        with contextlib.suppress(ValueError):  # for whoever shows figures in this process later on
            matplotlib.rcParams["backend"] = wanted


def check_suffix(path: Path) -> None:
    """
    Refuse a picture that could not be written for its name.

    Parameters
    ----------
    path : Path
        The picture.

    Raises
    ------
    ValueError
        If its suffix is not one of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"out must end in .png, .pdf or .svg, got {path}")


def save(figure: "Figure", path: Path) -> None:
    """
    Write a figure, atomically, in the format that its suffix names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : Path
        The picture: PNG, PDF or SVG.

    Raises
    ------
    ValueError
        If its suffix is none of these.
    OSError
        If the picture cannot be written; what was there stays as it is.
    """
    check_suffix(path)
    write_atomically(path, drawn(figure, path.suffix.lower()))


def drawn(figure: "Figure", suffix: str) -> bytes:
    """
    Draw a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    suffix : str
        One of `SUFFIXES`.

    Returns
    -------
    bytes
        What a file of it holds.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import, see above

    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "npvpg"}):
        figure.savefig(buffer, format=suffix[1:], metadata=UNDATED.get(suffix))
    return buffer.getvalue()


@contextlib.contextmanager
def spared(warn: Callable[[str], None]) -> Iterator[None]:
    """
    Go on without a picture that cannot be drawn: what was trained is worth more.

    Parameters
    ----------
    warn : callable
        Takes a line that says why there is none.
    """
    try:
        yield
    except Exception as error:  # whatever it is: a font, a setting, a broken installation
        text = " ".join(str(error).split()) or type(error).__name__
        warn(f"none was drawn: {text}")


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


def legend_below(figure: "Figure", ncols: int = 4, **changes: Any) -> None:
    """
    Put one legend below all axes, where it lies on nothing; what is labelled twice stands once.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    ncols : int
        Most columns.
    **changes : object
        Arguments of `matplotlib.figure.Figure.legend` besides.
    """
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        figure.legend(
            list(found.values()),
            list(found),
            loc="outside lower center",
            ncols=min(ncols, len(found)),
            frameon=False,
            **changes,
        )
