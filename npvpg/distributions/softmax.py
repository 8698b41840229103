"""From logits to log-probabilities, never through a quotient that overflows."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    r"""
    Log-probabilities of every row of logits.

    .. math:: \log p_a = (z_a - m) - \log\sum_b e^{z_b - m}, \qquad m = \max_b z_b

    Parameters
    ----------
    logits : ndarray, shape (S, A)
        Unnormalised log-probabilities :math:`z`; finite.

    Returns
    -------
    ndarray, shape (S, A)
        Log-probabilities :math:`\log p`.

    Examples
    --------
    >>> log_softmax(np.array([[0.0, 0.0], [1e308, 0.0]]))
    array([[-6.93147181e-001, -6.93147181e-001],
           [ 0.00000000e+000, -1.00000000e+308]])
    """
    z = logits.T.copy()  # one action after the other: sums over few columns are slow
    # A spread beyond the largest float gives -inf, which is the limit of log p.
    with np.errstate(over="ignore"):
        z -= z.real.max(axis=0)
    z -= np.log(np.exp(z).sum(axis=0))
    return z.T


def log_mixture(logits: NDArray[Any], probability: float) -> NDArray[Any]:
    r"""
    Log-probabilities of the mixture of a softmax and its mode.

    .. math:: \log\pi(a) = \log\bigl((1-\varepsilon)\, p_a + \varepsilon\,[a = a^*]\bigr)

    Parameters
    ----------
    logits : ndarray, shape (S, A)
        Unnormalised log-probabilities :math:`z`; finite.
    probability : float
        Probability :math:`\varepsilon` of taking the mode, in [0, 1).

    Returns
    -------
    ndarray, shape (S, A)
        Log-probabilities.

    Examples
    --------
    >>> np.exp(log_mixture(np.log(np.array([[0.25, 0.75]])), 0.5))
    array([[0.125, 0.875]])
    """
    log_p = log_softmax(logits)
    mixed = log_p + math.log1p(-probability)
    at_mode = np.arange(len(logits)), logits.real.argmax(axis=1)
    mixed[at_mode] = np.log(probability + (1 - probability) * np.exp(log_p[at_mode]))
    return mixed


def double(logits: NDArray[Any]) -> NDArray[Any]:
    """
    Take float64 at least: between neighbours the terms of a divergence nearly cancel.

    Parameters
    ----------
    logits : ndarray
        Logits.

    Returns
    -------
    ndarray
        The same, float64 or complex128.
    """
    return logits.astype(np.result_type(logits, np.float64))


def times_log(p: NDArray[Any], log_p: NDArray[Any]) -> NDArray[Any]:
    """
    P log p with its limit 0 where p vanishes: by branch, since 0 times -inf is NaN.

    Parameters
    ----------
    p, log_p : ndarray
        Probabilities and their logarithms.

    Returns
    -------
    ndarray
        The same shape.
    """
    return np.asarray(np.multiply(p, log_p, out=np.zeros_like(p), where=p.real > 0))


def divergence(log_p: NDArray[Any], log_q: NDArray[Any]) -> NDArray[Any]:
    r"""
    Kullback-Leibler divergence of every row.

    .. math:: D(p \| q) = \sum_a p_a (\log p_a - \log q_a)

    Parameters
    ----------
    log_p, log_q : ndarray, shape (S, A)
        Log-probabilities.

    Returns
    -------
    ndarray, shape (S,)
        Divergence [nat]; by branch, as where p vanishes both logarithms may be -inf.
    """
    p, ratio = np.exp(log_p), np.zeros(log_p.shape, np.result_type(log_p, log_q))
    np.subtract(log_p, log_q, out=ratio, where=p.real > 0)
    return np.asarray((p * ratio).sum(axis=1))
