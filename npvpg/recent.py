"""The last 100 episodes: what a run is judged by, said once."""

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

RECENT = 100
"""Episodes over which returns are averaged: Gymnasium's reward thresholds are meant for so many."""


def rolling_mean(ret: NDArray[np.float64], window: int = RECENT) -> NDArray[np.float64]:
    r"""
    Mean of the last entries up to each one.

    .. math:: m_i = \frac{1}{\min(i + 1, w)} \sum_{j=\max(0,\, i-w+1)}^{i} x_j

    Parameters
    ----------
    ret : ndarray of float64, shape (E,)
        Entries :math:`x_i`, such as the returns of episodes in the order they ended [reward].
    window : int
        How many entries a mean covers at most, :math:`w`.

    Returns
    -------
    ndarray of float64, shape (E,)
        Means :math:`m_i` [reward].

    Raises
    ------
    ValueError
        If `window` is not positive.

    Notes
    -----
    Each window is summed afresh. The difference of two running sums would be faster and would
    carry the rounding errors of the whole run.

    Examples
    --------
    >>> rolling_mean(np.array([1.0, 3.0, 5.0]), window=2)
    array([1., 2., 4.])
    """
    checks.at_least(1, window=window)
    ret = np.asarray(ret, dtype=np.float64)
    head = min(window - 1, len(ret))
    start = np.cumsum(ret[:head]) / np.arange(1, head + 1)
    if len(ret) < window:
        return start
    full = np.lib.stride_tricks.sliding_window_view(ret, window).mean(axis=1)
    return np.concatenate([start, full])


def solved(mean: float | None, n_episodes: int, threshold: float | None) -> bool:
    """
    Say whether the mean of the last episodes is high enough.

    Parameters
    ----------
    mean : float or None
        Mean return of the last `RECENT` episodes; None before the first [reward].
    n_episodes : int
        Episodes that have ended so far.
    threshold : float or None
        Return at which the environment counts as solved; None if it never does [reward].

    Returns
    -------
    bool
        Whether it is; never before `RECENT` episodes have ended.

    Examples
    --------
    >>> solved(475.0, 100, 475.0), solved(475.0, 99, 475.0)
    (True, False)
    """
    if mean is None or threshold is None or n_episodes < RECENT:
        return False
    return mean >= threshold
