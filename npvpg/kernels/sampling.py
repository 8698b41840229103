"""Draws from a distribution, given the noise."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit

LOG_SIGMA_MIN: Final = -20.0
LOG_SIGMA_MAX: Final = 2.0


def _draw(logits: NDArray[Any], uniform: float, partial: NDArray[np.float64]) -> int:
    r"""
    Invert the cumulative distribution of a softmax, in float64 whatever the type of `logits`.

    .. math:: P_a = \sum_{b \le a} e^{z_b - \max z}, \qquad
              a = \min\{a : u P_{A-1} < P_a\}

    ``uniform`` is :math:`u` in [0, 1); ``partial`` (A,) float64 is overwritten by :math:`P`.
    """
    top = logits[0]
    for a in range(1, logits.size):
        top = max(top, logits[a])
    total = 0.0
    for a in range(logits.size):
        total += np.exp(np.float64(logits[a]) - np.float64(top))
        partial[a] = total
    threshold = uniform * total
    choice = 0
    while partial[choice] <= threshold and choice < logits.size - 1:
        choice += 1
    return choice


draw = jit(_draw)


def _shift(
    mu: NDArray[Any], log_sigma: NDArray[Any], normal: NDArray[np.float64], act: NDArray[Any]
) -> None:
    r"""Shift and scale one row of noise into `act` (D,): :math:`a = \mu + \sigma\epsilon`."""
    for j in range(mu.size):
        act[j] = mu[j] + np.exp(log_sigma[j]) * act.dtype.type(normal[j])


shift = jit(_shift)


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
    act = np.empty(len(logits), dtype=np.int64)
    partial = np.empty(logits.shape[1])
    for i in range(len(logits)):
        act[i] = draw(logits[i], uniform[i], partial)
    return act


categorical = jit(_categorical)


def _gaussian(
    mu: NDArray[Any], log_sigma: NDArray[Any], normal: NDArray[np.float64]
) -> NDArray[Any]:
    r"""
    Shift and scale standard normal noise: :math:`a = \mu + \sigma\epsilon`.

    Parameters
    ----------
    mu : ndarray of float32 or float64, shape (S, D)
        Mean.
    log_sigma : ndarray of the type of `mu`, shape (S, D) or (1, D)
        Logarithm of the standard deviation, the same for all rows if there is one.
    normal : ndarray of float64, shape (S, D)
        Standard normal noise :math:`\epsilon`.

    Returns
    -------
    ndarray of the type of `mu`, shape (S, D)
        Actions.

    Examples
    --------
    >>> gaussian(np.array([[1.0]]), np.array([[0.0]]), np.array([[-0.5]]))
    array([[0.5]])
    """
    act = np.empty(mu.shape, mu.dtype)
    for i in range(len(mu)):
        shift(mu[i], log_sigma[i % len(log_sigma)], normal[i], act[i])
    return act


gaussian = jit(_gaussian)
