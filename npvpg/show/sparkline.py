"""Numbers as a line of text."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

_BLOCKS = "▁▂▃▄▅▆▇█"


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
