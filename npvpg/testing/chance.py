r"""
Tests of what is random, with a bound on false alarms that holds for every sample size.

A test has two stages: a screen at :math:`10^{-4}`, and only if it alarms a confirmation on 16
times as many fresh numbers at :math:`10^{-7}`; both must alarm. A count is held to the binomial
law itself, a distribution function to Dvoretzky's, Kiefer's and Wolfowitz's inequality, a mean to
Bernstein's, none to the central limit theorem. Numbers come from fixed seeds, so a check says the
same in every run.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.testing.search import need

N_SCREEN = 4000
STAGES = ((N_SCREEN, 1e-4), (16 * N_SCREEN, 1e-7))
CLIP = 30.0
KURTOSIS = 100.0

Pair = tuple[float, float]


def two_stages(pairs: Callable[[int, int, float], Iterable[Pair]]) -> list[Pair]:
    """
    Screen, and confirm on fresh numbers if the screen alarms.

    Parameters
    ----------
    pairs : callable
        Takes the stage (0 or 1, to seed with), the sample size and the level; returns errors,
        each with what is allowed.

    Returns
    -------
    list of (float, float)
        Error and allowed of the stage that decided.
    """
    seen: list[Pair] = []
    for stage, (n, alpha) in enumerate(STAGES):
        seen = list(pairs(stage, n, alpha))
        if all(error <= allowed for error, allowed in seen):
            break
    return seen


def counts(count: NDArray[Any], n: int, p: NDArray[np.float64], alpha: float) -> list[Pair]:
    """
    Compare counts with the binomial law.

    Parameters
    ----------
    count : ndarray of int, shape (A,)
        How often each outcome came.
    n : int
        Number of draws.
    p : ndarray of float64, shape (A,)
        Probabilities.
    alpha : float
        Probability of a false alarm, for each outcome.

    Returns
    -------
    list of (float, float)
        Deviation of each frequency from its probability, and half a count more than the largest
        whose tail probability is not below `alpha` / 2.
    """
    binomial = need("scipy.stats").binom
    p = np.clip(p, 0.0, 1.0)
    low, high = binomial.ppf(alpha / 2, n, p), binomial.isf(alpha / 2, n, p)
    inside = np.where(count / n >= p, high / n - p, p - low / n) + 0.5 / n
    return [(abs(float(e)), float(a)) for e, a in zip(count / n - p, inside, strict=True)]


def distances(ranks: NDArray[np.float64], alpha: float) -> Pair:
    """
    Compare a sample with a law, by its distribution function at the sample.

    Parameters
    ----------
    ranks : ndarray of float64, shape (n,)
        Distribution function of the law at every draw: uniform in [0, 1] if the law is right.
    alpha : float
        Probability of a false alarm.

    Returns
    -------
    (float, float)
        Largest distance of the two distribution functions, and the distance allowed.
    """
    n, ranks = len(ranks), np.sort(ranks)
    above = float((np.arange(1, n + 1) / n - ranks).max())
    below = float((ranks - np.arange(n) / n).max())
    return max(above, below), math.sqrt(math.log(2 / alpha) / (2 * n))


def mean_is_zero(
    x: NDArray[np.float64], spread: NDArray[np.float64], alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""
    Compare a mean with 0, of terms that are not bounded.

    Parameters
    ----------
    x : ndarray of float64, shape (n, C)
        Terms, C coordinates.
    spread : ndarray of float64, shape (n, C)
        Terms of another sample, which their size is taken from.
    alpha : float
        Probability of a false alarm, for each coordinate.

    Returns
    -------
    error, allowed : ndarray of float64, shape (C,)
        Mean of the clipped terms, and what is allowed.

    Notes
    -----
    With :math:`v = E x^2`, taken as 1.5 times what the other sample says, terms are clipped at
    :math:`M = 30 \sqrt v`. Bernstein's inequality bounds the mean of the clipped terms by
    :math:`\sqrt{2 v L / n} + 4 M L / (3 n)`, :math:`L = \ln(2/\alpha)`; clipping moves it by
    :math:`27 E x^4 / (256 M^3)` at most. Fourth moments are taken to be at most
    :math:`100 v^2`: those of a Gaussian's score are :math:`15 v^2`.
    """
    n, level = len(x), math.log(2 / alpha)
    v = 1.5 * (spread**2).mean(axis=0) + np.finfo(float).tiny
    clip = CLIP * np.sqrt(v)
    mean = np.clip(x, -clip, clip).mean(axis=0)
    cut = 27 * KURTOSIS * v**2 / (256 * clip**3)
    rounding = 1e-12 * np.abs(x).max(axis=0, initial=1.0)
    return mean, np.sqrt(2 * v * level / n) + 4 * clip * level / (3 * n) + cut + rounding


def bounded_means_agree(x: NDArray[np.float64], y: NDArray[np.float64], alpha: float) -> Pair:
    r"""
    Compare the means of two samples of numbers in [0, 1].

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        The samples.
    alpha : float
        Probability of a false alarm.

    Returns
    -------
    (float, float)
        Difference of the means, and what is allowed.

    Notes
    -----
    The empirical Bernstein bound of Maurer and Pontil, COLT 2009, theorem 4: each mean is off by
    :math:`\sqrt{2 s^2 L / n} + 7 L / (3 (n - 1))`, :math:`L = \ln(8/\alpha)`: two sides of two
    means share the probability.
    """
    n, level = len(x), math.log(8 / alpha)
    spread = sum(math.sqrt(2 * float(z.var(ddof=1)) * level / n) for z in (x, y))
    return abs(float(x.mean() - y.mean())), spread + 2 * 7 * level / (3 * (n - 1))


def bounded_mean_is(x: NDArray[np.float64], mean: float, alpha: float) -> Pair:
    """
    Compare the mean of numbers in [0, 1] with what it should be.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        The sample.
    mean : float
        Their expectation.
    alpha : float
        Probability of a false alarm.

    Returns
    -------
    (float, float)
        Difference, and what is allowed, as in `bounded_means_agree`.
    """
    n, level = len(x), math.log(4 / alpha)
    allowed = math.sqrt(2 * float(x.var(ddof=1)) * level / n) + 7 * level / (3 * (n - 1))
    return abs(float(x.mean()) - mean), allowed
