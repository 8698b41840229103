r"""
What repeated measurements say, and how far to trust it.

Times are skewed to the right and now and then disturbed, so the centre is the median and the
spread is from the smallest to the largest. A ratio is one of medians. Its interval is the middle
95 % of the ratios of medians of samples redrawn, on each side for itself, with replacement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Sample:
    """
    Repeated measurements of one thing.

    Parameters
    ----------
    values : tuple of float
        Measurements that came to their end.
    cut : tuple of float
        Where those that did not were stopped: each is known to be larger.

    Raises
    ------
    ValueError
        If there is no measurement.
    """

    values: tuple[float, ...]
    cut: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.values and not self.cut:
            raise ValueError("values must hold at least 1 measurement, got 0")

    @property
    def median(self) -> float:
        """Median; infinite if it is one of those that were stopped."""
        return float(np.median([*self.values, *(np.inf for _ in self.cut)]))

    @property
    def low(self) -> float:
        """Smallest measurement; infinite if all were stopped."""
        return min(self.values, default=np.inf)

    @property
    def high(self) -> float:
        """Largest measurement; infinite if one was stopped."""
        return np.inf if self.cut else max(self.values)


@dataclass(frozen=True)
class Ratio:
    """
    How many times one sample is another.

    Parameters
    ----------
    value : float
        Ratio of the medians.
    low, high : float
        Interval.
    at_least : bool
        Whether measurements that were stopped make it a lower bound.
    """

    value: float
    low: float
    high: float
    at_least: bool = False


def ratio(numerator: Sample, denominator: Sample, seed: int = 0) -> Ratio | None:
    """
    Compare two samples.

    Parameters
    ----------
    numerator, denominator : Sample
        The samples. What was stopped counts as long as it ran.
    seed : int
        Seed of the redrawing.

    Returns
    -------
    Ratio or None
        Ratio of the medians; None if measurements of the denominator were stopped, as it would be
        a bound on neither side.
    """
    if denominator.cut:
        return None
    rng = np.random.default_rng(seed)
    top = _medians((*numerator.values, *numerator.cut), rng)
    bottom = _medians(denominator.values, rng)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(top / bottom, [tail, 1 - tail])
    value = np.median([*numerator.values, *numerator.cut]) / np.median(denominator.values)
    return Ratio(float(value), float(low), float(high), bool(numerator.cut))


def _medians(values: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Medians of redrawn samples."""
    drawn = rng.integers(0, len(values), (N_RESAMPLES, len(values)))
    return np.asarray(np.median(np.array(values)[drawn], axis=1))
