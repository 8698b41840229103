r"""
Statistics of returns: how far a mean over a few episodes or seeds can be trusted.

A bootstrap treats the sample as the population: it draws new samples from it, with replacement,
and looks at how far the statistic moves. The middle 95 % of the redrawn statistics is the
percentile interval. It needs no normal distribution, which returns seldom follow, and it never
reaches beyond what was observed. It is only as good as the sample: from five seeds it is
somewhat too narrow, and it cannot know of a failure that no seed has shown.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg import checks

_BLOCK = 1 << 22  # redrawn entries held at a time: bounds the memory to some tens of megabytes


def bootstrap_interval(
    x: ArrayLike, *, level: float = 0.95, n_resamples: int = 10_000, seed: int
) -> tuple[float, float]:
    r"""
    Percentile-bootstrap confidence interval of the mean.

    With :math:`x^*_{b1}, \dots, x^*_{bn}` drawn from the sample with replacement, the interval is

    .. math:: \left[ q_{(1-c)/2},\; q_{(1+c)/2} \right], \qquad
              \bar x^*_b = \frac{1}{n} \sum_{i=1}^{n} x^*_{bi}, \quad b = 1, \dots, B,

    where :math:`q_p` is the quantile :math:`p` of the redrawn means :math:`\bar x^*_b` and
    :math:`c` the level.

    Parameters
    ----------
    x : array_like of float, shape (n,)
        The sample: independent numbers, such as the returns of evaluation episodes [reward].
    level : float
        Probability :math:`c` with which such intervals cover the true mean, in (0, 1).
    n_resamples : int
        Number of redrawn samples :math:`B`.
    seed : int
        Seed of the redrawing: the same seed gives the same interval.

    Returns
    -------
    low : float
        Lower end [reward].
    high : float
        Upper end [reward].

    Raises
    ------
    ValueError
        If `x` has fewer than two entries, is not one-dimensional or is not finite, or if `level`
        or `n_resamples` is out of its range.

    Notes
    -----
    Chapter 13 of [1]_. Time O(n B).

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall,
       1993.

    Examples
    --------
    >>> low, high = bootstrap_interval([500, 500, 480, 500, 495], seed=0)
    >>> print(low, high)
    487.0 500.0
    """
    x = _sample(x, ndim=1)
    _check(level, n_resamples)
    rng = np.random.default_rng(seed)
    means = np.empty(n_resamples)
    block = max(1, _BLOCK // len(x))
    for first in range(0, n_resamples, block):
        part = means[first : first + block]
        part[:] = x[rng.integers(0, len(x), (len(part), len(x)))].mean(axis=1)
    return _interval(means, level)


def iqm(x: ArrayLike) -> float:
    r"""
    Interquartile mean: the mean of the middle half of all entries.

    With the :math:`n` entries in rising order and :math:`k = \lfloor n / 4 \rfloor`,

    .. math:: \frac{1}{n - 2k} \sum_{i=k+1}^{n-k} x_{(i)}

    Parameters
    ----------
    x : array_like of float, any shape
        The entries, such as scores of shape (runs, tasks); the shape does not matter.

    Returns
    -------
    float
        Interquartile mean, in the unit of `x`.

    Raises
    ------
    ValueError
        If `x` is empty or not finite.

    Notes
    -----
    A single lucky or broken seed moves the mean and cannot move this; the median stands as firm
    but ignores all but one or two seeds, and so varies more. Recommended for reinforcement
    learning by [1]_, section 4.

    References
    ----------
    .. [1] R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville and M. G. Bellemare, "Deep
       Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
       arXiv:2108.13264.

    Examples
    --------
    >>> iqm([0, 490, 500, 500])
    495.0
    """
    x = np.sort(np.asarray(x, dtype=np.float64), axis=None)
    if x.size == 0:
        raise ValueError("x must have at least 1 entry, got 0")
    checks.finite(x=x)
    cut = x.size // 4
    return float(x[cut : x.size - cut].mean())


def stratified_bootstrap_interval(
    scores: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float],
    *,
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int,
) -> tuple[float, float]:
    """
    Percentile-bootstrap confidence interval of a statistic of several runs on several tasks.

    Runs are redrawn with replacement **within each task**, and for each task on its own: which
    tasks there are is part of the question, not of the chance, and run 3 of one task has nothing
    to do with run 3 of another. With one task this is the ordinary bootstrap over seeds.

    Parameters
    ----------
    scores : array_like of float, shape (runs, tasks)
        One score per run and task, brought to a common scale if tasks differ.
    statistic : callable
        Takes redrawn scores of shape (runs, tasks), gives a number: `iqm` or `numpy.mean`.
    level : float
        Probability with which such intervals cover the true statistic, in (0, 1).
    n_resamples : int
        Number of redrawn samples.
    seed : int
        Seed of the redrawing: the same seed gives the same interval.

    Returns
    -------
    low : float
        Lower end, in the unit of the statistic.
    high : float
        Upper end, in the unit of the statistic.

    Raises
    ------
    ValueError
        If `scores` has fewer than two runs or no task, is not two-dimensional or is not finite,
        or if `level` or `n_resamples` is out of its range.

    Notes
    -----
    Section 4 of [1]_. The statistic is called once per redrawn sample.

    References
    ----------
    .. [1] R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville and M. G. Bellemare, "Deep
       Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
       arXiv:2108.13264.

    Examples
    --------
    Two tasks whose runs agree: however the runs are redrawn, the mean is the same.

    >>> stratified_bootstrap_interval([[0, 1], [0, 1], [0, 1]], np.mean, seed=0)
    (0.5, 0.5)
    """
    scores = _sample(scores, ndim=2)
    _check(level, n_resamples)
    rng = np.random.default_rng(seed)
    n_runs, n_tasks = scores.shape
    tasks = np.arange(n_tasks)
    statistics = [
        statistic(scores[rng.integers(0, n_runs, (n_runs, n_tasks)), tasks])
        for _ in range(n_resamples)
    ]
    return _interval(np.array(statistics, dtype=np.float64), level)


def iqm_band(
    curves: ArrayLike, *, level: float = 0.95, n_resamples: int = 10_000, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Percentile-bootstrap interval of the interquartile mean over runs, at every point of a curve.

    Each interval holds for its point alone: a whole curve leaves such a band more often.

    Parameters
    ----------
    curves : array_like of float, shape (runs, points)
        One curve a run, all on the same points. A run is redrawn with its whole curve.
    level : float
        Probability with which such intervals cover the true value at a point, in (0, 1).
    n_resamples : int
        Number of redrawn samples.
    seed : int
        Seed of the redrawing: the same seed gives the same band.

    Returns
    -------
    low, high : ndarray of float64, shape (points,)
        Ends of the intervals, in the unit of `curves`.

    Raises
    ------
    ValueError
        If `curves` has fewer than two runs or no point, is not two-dimensional or is not finite,
        or if `level` or `n_resamples` is out of its range.

    See Also
    --------
    stratified_bootstrap_interval : The same for one point, of any statistic, and slowly.

    Examples
    --------
    >>> low, high = iqm_band([[0, 5], [1, 5], [2, 5], [3, 5]], seed=0)
    >>> print(low, high)
    [0. 5.] [3. 5.]
    """
    curves = _sample(curves, ndim=2)
    _check(level, n_resamples)
    rng = np.random.default_rng(seed)
    n_runs = len(curves)
    cut = n_runs // 4
    middle = np.empty((n_resamples, curves.shape[1]))
    block = max(1, _BLOCK // curves.size)
    for first in range(0, n_resamples, block):
        part = middle[first : first + block]
        redrawn = np.sort(curves[rng.integers(0, n_runs, (len(part), n_runs))], axis=1)
        part[:] = redrawn[:, cut : n_runs - cut].mean(axis=1)
    low, high = np.quantile(middle, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _interval(statistics: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Give the middle part of the redrawn statistics that holds a share `level` of them."""
    low, high = np.quantile(statistics, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _sample(x: ArrayLike, ndim: int) -> NDArray[np.float64]:
    """Check a sample: of two entries at least, because one shows no spread."""
    sample: NDArray[np.float64] = np.asarray(x, dtype=np.float64)
    name = "x" if ndim == 1 else "scores"
    if sample.ndim != ndim or len(sample) < 2 or sample.size == 0:
        kind = "at least 2 numbers" if ndim == 1 else "at least 2 runs (rows) and 1 task (columns)"
        raise ValueError(f"{name} must have {kind}, got shape {sample.shape}")
    checks.finite(**{name: sample})
    return sample


def _check(level: float, n_resamples: int) -> None:
    """Check the two numbers that every bootstrap takes."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    checks.at_least(1, n_resamples=n_resamples)
