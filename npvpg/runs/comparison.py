r"""
Two groups of runs compared, as [1]_ does: how often one is better, and who reaches what.

References
----------
.. [1] R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville and M. G. Bellemare, "Deep Reinforcement
   Learning at the Edge of the Statistical Precipice", NeurIPS 2021, arXiv:2108.13264.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg import checks


def probability_of_improvement(x: ArrayLike, y: ArrayLike) -> float:
    r"""
    Probability that a run of the first group beats one of the second, a tie counting half.

    .. math:: P(X > Y) = \frac1{mn} \sum_{i=1}^m \sum_{j=1}^n
              \bigl([x_i > y_j] + \tfrac12 [x_i = y_j]\bigr)

    Parameters
    ----------
    x : array_like of float, shape (m,)
        Scores of the first group, such as final returns [reward].
    y : array_like of float, shape (n,)
        Scores of the second.

    Returns
    -------
    float
        From 0 to 1: the U statistic of Mann and Whitney by the number of pairs.

    Raises
    ------
    ValueError
        If a group is empty, or a score is not finite.

    Examples
    --------
    >>> probability_of_improvement([3, 5], [1, 5])
    0.625
    """
    first, second = _scores(x), _scores(y)
    return float(_beats(first, second).mean())


def improvement_interval(
    x: ArrayLike, y: ArrayLike, *, level: float = 0.95, n_resamples: int = 10_000, seed: int
) -> tuple[float, float]:
    """
    Percentile-bootstrap interval of `probability_of_improvement`, each group redrawn on its own.

    Parameters
    ----------
    x, y : array_like of float, shape (m,) and (n,)
        Scores of the groups, at least two each.
    level : float
        Probability with which such intervals cover the true one, in (0, 1).
    n_resamples : int
        Number of redrawn samples.
    seed : int
        Seed of the redrawing: the same seed gives the same interval.

    Returns
    -------
    low, high : float
        Ends of the interval.

    Raises
    ------
    ValueError
        If a group has fewer than two scores, one is not finite, or a number is out of its range.
    """
    first, second = _scores(x), _scores(y)
    checks.at_least(2, n_scores=min(len(first), len(second)))
    checks.at_least(1, n_resamples=n_resamples)
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    rng, beats = np.random.default_rng(seed), _beats(first, second)
    rows = rng.integers(0, len(first), (n_resamples, len(first)))
    columns = rng.integers(0, len(second), (n_resamples, len(second)))
    # how often each score was drawn; the mean over pairs is then bilinear
    drawn = [
        np.stack([np.bincount(each, minlength=size) for each in index]) / size
        for index, size in ((rows, len(first)), (columns, len(second)))
    ]
    means = np.einsum("bi,ij,bj->b", drawn[0], beats, drawn[1])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def performance_profile(scores: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    r"""
    Share of the runs whose score exceeds each threshold.

    .. math:: F(\tau) = \frac1n \sum_{i=1}^n [x_i > \tau]

    Parameters
    ----------
    scores : array_like of float, shape (n,)
        Scores of the runs [reward].
    thresholds : array_like of float, shape (T,)
        Thresholds [reward].

    Returns
    -------
    ndarray of float64, shape (T,)
        Shares, falling from 1 to 0 as the threshold rises.

    Raises
    ------
    ValueError
        If there is no score, or one is not finite.

    Examples
    --------
    >>> performance_profile([1, 2, 2, 5], [0, 2, 5])
    array([1.  , 0.25, 0.  ])
    """
    above = _scores(scores)[:, None] > np.asarray(thresholds, np.float64)
    return np.asarray(above.mean(axis=0))


def _beats(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare every pair, shape (m, n): 1, or a half, or 0."""
    beats, ties = first[:, None] > second, first[:, None] == second
    return np.asarray(beats + 0.5 * ties, np.float64)


def _scores(x: ArrayLike) -> NDArray[np.float64]:
    """Check the scores of a group."""
    scores = np.asarray(x, np.float64)
    checks.shape((-1,), scores=scores)
    checks.at_least(1, n_scores=len(scores))
    checks.finite(scores=scores)
    return scores
