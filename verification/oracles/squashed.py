r"""
Reference for a Gaussian squashed by tanh: 50 digits for its density, integrals for the rest.

The density lives on an open interval and may rise without bound towards its ends, so integrals
over it run over :math:`u = 1 - |a|/h`, the distance to the nearer end, on panels whose ends are
in geometric progression: there :math:`x = \tfrac12(\log(2-u) - \log u)` keeps all its digits.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import integrate

DIGITS = 50
N_PANELS, RATIO, N_NODES = 640, float(np.exp(-0.25)), 16  # down to u = 3e-70, x = 80


def log_prob_digits(
    x: Sequence[float], mu: Sequence[float], log_sigma: Sequence[float], half_width: Sequence[float]
) -> tuple[float, float]:
    """
    Log-density of ``half_width * tanh(x)``, x normal, with 50 digits, then rounded.

    Parameters
    ----------
    x, mu, log_sigma, half_width : sequence of float
        One number for each dimension.

    Returns
    -------
    log_prob : float
        The log-density.
    magnitude : float
        Sum of the absolute terms: rounding scales with it.
    """
    with mpmath.workdps(DIGITS):
        total, magnitude = mpmath.mpf(0), mpmath.mpf(0)
        for numbers in zip(x, mu, log_sigma, half_width, strict=True):
            x_, m, s, h = (mpmath.mpf(float(number)) for number in numbers)
            z = (x_ - m) / mpmath.exp(s)
            constant = mpmath.log(2 * mpmath.pi) / 2
            slope = mpmath.log(h * mpmath.sech(x_) ** 2)
            total += -z * z / 2 - s - constant - slope
            magnitude += z * z * (1 + abs(s)) + abs(s) + constant + abs(mpmath.log(h)) + 2 * abs(x_)
        return float(total), float(magnitude)


def box_integral(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]], half_width: float
) -> float:
    """
    Integrate a function over the interval of a squashed action, ends included.

    Parameters
    ----------
    f : callable
        Takes what an action was before it was squashed, shape (M,); gives the integrand there.
    half_width : float
        Half the length of the interval.

    Returns
    -------
    float
        The integral over the action.
    """
    edge = RATIO ** np.arange(N_PANELS + 1)
    node, weight = np.polynomial.legendre.leggauss(N_NODES)
    half = (edge[:-1] - edge[1:]) / 2
    u = (edge[1:] + half)[:, np.newaxis] + half[:, np.newaxis] * node
    x = (0.5 * (np.log(2 - u) - np.log(u))).ravel()
    weights = (half[:, np.newaxis] * weight).ravel()
    return half_width * float(weights @ (f(x) + f(-x)))


def entropy(mu: float, sigma: float, half_width: float) -> float:
    """
    Entropy of one squashed normal: minus the expected log-density, by adaptive quadrature.

    Parameters
    ----------
    mu, sigma, half_width : float
        Mean and standard deviation before squashing, and half the length of the interval.

    Returns
    -------
    float
        Entropy [nat].
    """

    def integrand(noise: float) -> float:
        x = mu + sigma * noise
        log_cosh = abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2)
        log_normal = -(noise**2) / 2 - math.log(2 * math.pi) / 2
        log_density = log_normal - math.log(sigma * half_width) + 2 * log_cosh
        return -math.exp(log_normal) * log_density

    # the integrand bends where x = 0
    bend = float(np.clip(-mu / sigma, -12, 12))
    ends = sorted({-12.0, -4.0, bend, 4.0, 12.0})
    pieces = (
        integrate.quad(integrand, *piece, epsabs=1e-13, epsrel=1e-13, limit=200)[0]
        for piece in pairwise(ends)
    )
    return float(sum(pieces))
