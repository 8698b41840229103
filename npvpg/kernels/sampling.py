"""Draws from a distribution, given the noise."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def _categorical(logits: NDArray[Any], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    r"""
    Invert the cumulative distribution of the softmax of every row.

    The action is the first :math:`a` with
    :math:`u \sum_b e^{z_b} < \sum_{b \le a} e^{z_b}`.

    Parameters
    ----------
    logits : ndarray of float32 or float64, shape (S, A)
        Unnormalised log-probabilities :math:`z`.
    uniform : ndarray of float64, shape (S,)
        Noise :math:`u` in [0, 1).

    Returns
    -------
    ndarray of int64, shape (S,)
        Actions 0 ... A - 1, never one of probability 0.

    Notes
    -----
    The noise is scaled by the sum as it was rounded, and :math:`u \le 1 - 2^{-53}`, so the
    scaled noise is below the last partial sum and the index in range. The comparison is strict,
    so an action whose partial sum did not grow is never chosen, not even at :math:`u = 0`.
    Sums are in float64 whatever the type of `logits`.

    Examples
    --------
    >>> categorical(np.log(np.array([[0.25, 0.75], [0.25, 0.75]])), np.array([0.2, 0.3]))
    array([0, 1])
    """
    n_rows, n_actions = logits.shape
    act = np.empty(n_rows, dtype=np.int64)
    partial = np.empty(n_actions)
    for i in range(n_rows):
        top = logits[i, 0]
        for a in range(1, n_actions):
            top = max(top, logits[i, a])
        total = 0.0
        for a in range(n_actions):
            total += np.exp(np.float64(logits[i, a]) - np.float64(top))
            partial[a] = total
        threshold = uniform[i] * total
        choice = 0
        while partial[choice] <= threshold and choice < n_actions - 1:
            choice += 1
        act[i] = choice
    return act


categorical = njit(cache=True)(_categorical)
