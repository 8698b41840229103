"""One number a seed, and what they say together."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from npvpg.runs.statistics import bootstrap_interval, iqm, iqm_band


class OverSeeds(TypedDict):
    """
    What the numbers of several seeds say together.

    Attributes
    ----------
    seeds : int
        How many seeds.
    iqm, mean : float
        Interquartile mean, and mean.
    iqm_interval, mean_interval : list of float or None
        Ends of the 95 % stratified-bootstrap interval of either; None for a single seed, which
        shows no spread.
    """

    seeds: int
    iqm: float
    iqm_interval: list[float] | None
    mean: float
    mean_interval: list[float] | None


def over_seeds(values: Sequence[float | None]) -> OverSeeds | None:
    """
    Summarise one number a seed.

    Parameters
    ----------
    values : sequence of float or None
        The numbers; None where a seed has none.

    Returns
    -------
    OverSeeds or None
        Interquartile mean and mean with their intervals; None if there is no seed, or one has no
        number: the mean of the others would be that of survivors.

    See Also
    --------
    npvpg.runs.statistics.stratified_bootstrap_interval : What the intervals mean.

    Notes
    -----
    There is one task, so that the stratified bootstrap is the ordinary one over seeds.

    Examples
    --------
    >>> over_seeds([0, 490, 500, 500])["iqm"]
    495.0
    >>> over_seeds([12_000, None])
    """
    known = [value for value in values if value is not None]
    if len(known) < max(len(values), 1):
        return None
    x = np.array(known, dtype=np.float64)
    intervals: tuple[list[float] | None, list[float] | None] = (None, None)
    if len(x) > 1:
        low, high = iqm_band(x[:, None], seed=0)
        intervals = [float(low[0]), float(high[0])], list(bootstrap_interval(x, seed=0))
    return {
        "seeds": len(x),
        "iqm": iqm(x),
        "iqm_interval": intervals[0],
        "mean": float(x.mean()),
        "mean_interval": intervals[1],
    }
