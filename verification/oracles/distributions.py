"""
Reference densities, entropies and divergences from scipy and, in the tails, from mpmath.

Closed forms are not repeated here: entropies and divergences are expectations, formed by adding
over all actions or by quadrature, so a wrong constant cannot hide in both places.
"""

from collections.abc import Sequence

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from verification.oracles.quadrature import hermite

DIGITS = 50


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Log-probabilities of a softmax by scipy.

    Parameters
    ----------
    logits : ndarray of float64, shape (..., A)
        Unnormalised log-probabilities.

    Returns
    -------
    ndarray of float64, shape (..., A)
        Log-probabilities.
    """
    return np.asarray(logits - special.logsumexp(logits, axis=-1, keepdims=True))


def log_softmax_digits(logits: Sequence[float]) -> list[float]:
    """
    Log-probabilities of one softmax with 50 digits, then rounded.

    Parameters
    ----------
    logits : sequence of float
        Unnormalised log-probabilities.

    Returns
    -------
    list of float
        Log-probabilities.
    """
    with mpmath.workdps(DIGITS):
        z = [mpmath.mpf(float(x)) for x in logits]
        # the shift changes nothing in exact arithmetic; exponents of 1e308 need it even here
        top = max(z)
        total = mpmath.log(mpmath.fsum(mpmath.exp(x - top) for x in z))
        return [float(x - top - total) for x in z]


def softmax_digits(logits: Sequence[float]) -> list[float]:
    """
    Probabilities of one softmax with 50 digits, then rounded.

    Parameters
    ----------
    logits : sequence of float
        Unnormalised log-probabilities.

    Returns
    -------
    list of float
        Probabilities.
    """
    with mpmath.workdps(DIGITS):
        z = [mpmath.mpf(float(x)) for x in logits]
        top = max(z)
        e = [mpmath.exp(x - top) for x in z]
        total = mpmath.fsum(e)
        return [float(x / total) for x in e]


def entropy(prob: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Entropy of probabilities, by adding over all actions.

    Parameters
    ----------
    prob : ndarray of float64, shape (..., A)
        Probabilities.

    Returns
    -------
    ndarray of float64, shape (...)
        Entropy [nat].
    """
    return np.asarray(special.entr(prob).sum(axis=-1))


def kl(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Kullback-Leibler divergence, by adding over all actions.

    Parameters
    ----------
    p, q : ndarray of float64, shape (..., A)
        Probabilities.

    Returns
    -------
    ndarray of float64, shape (...)
        Divergence from p to q [nat].
    """
    return np.asarray(special.rel_entr(p, q).sum(axis=-1))


def normal_log_prob(
    act: NDArray[np.float64], mu: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Log-density of independent normals, by scipy.

    Parameters
    ----------
    act, mu, sigma : ndarray of float64, shape (..., D)
        Where, mean, and standard deviation.

    Returns
    -------
    ndarray of float64, shape (...)
        Log-densities, added over the dimensions.
    """
    return np.asarray(stats.norm.logpdf(act, loc=mu, scale=sigma).sum(axis=-1))


def normal_log_prob_digits(
    act: Sequence[float], mu: Sequence[float], log_sigma: Sequence[float]
) -> tuple[float, float]:
    """
    Log-density of independent normals with 50 digits, then rounded.

    Parameters
    ----------
    act, mu, log_sigma : sequence of float
        One number for each dimension.

    Returns
    -------
    log_prob : float
        The log-density.
    magnitude : float
        Sum of the absolute terms, including what `act - mu` cancels: rounding scales with it.
    """
    with mpmath.workdps(DIGITS):
        total, magnitude = mpmath.mpf(0), mpmath.mpf(0)
        for a, m, s in zip(act, mu, log_sigma, strict=True):
            a_, m_, s_ = (mpmath.mpf(float(x)) for x in (a, m, s))
            z = (a_ - m_) / mpmath.exp(s_)
            constant = mpmath.log(2 * mpmath.pi) / 2
            total += -z * z / 2 - s_ - constant
            magnitude += z * z * (1 + abs(s_)) + abs(s_) + constant
        return float(total), float(magnitude)


def normal_entropy(mu: NDArray[np.float64], sigma: NDArray[np.float64], n_nodes: int = 3) -> float:
    """
    Entropy of independent normals as the expectation of minus the log-density.

    Parameters
    ----------
    mu, sigma : ndarray of float64, shape (D,)
        Mean and standard deviation.
    n_nodes : int
        Nodes in each dimension; the integrand is quadratic, so 2 are exact.

    Returns
    -------
    float
        Entropy [nat].
    """
    nodes, weights = hermite(n_nodes, mu.size)
    return -float(weights @ normal_log_prob(mu + sigma * nodes, mu, sigma))


def normal_kl(
    mu: NDArray[np.float64],
    sigma: NDArray[np.float64],
    other_mu: NDArray[np.float64],
    other_sigma: NDArray[np.float64],
    n_nodes: int = 3,
) -> float:
    """
    Divergence between independent normals as the expectation of the log-ratio.

    Parameters
    ----------
    mu, sigma : ndarray of float64, shape (D,)
        Mean and standard deviation of the first.
    other_mu, other_sigma : ndarray of float64, shape (D,)
        Mean and standard deviation of the second.
    n_nodes : int
        Nodes in each dimension; the integrand is quadratic, so 2 are exact.

    Returns
    -------
    float
        Divergence [nat].
    """
    nodes, weights = hermite(n_nodes, mu.size)
    act = mu + sigma * nodes
    ratio = normal_log_prob(act, mu, sigma) - normal_log_prob(act, other_mu, other_sigma)
    return float(weights @ ratio)
