r"""
Tests of random wiring whose false alarms are bounded for every sample size.

No bound here rests on the central limit theorem, which fails just where a suite needs it: a z-test
at :math:`10^{-9}` rejects a correct sampler of a rare action far too often. The bound of a mean is
Bernstein's, of a distribution function Dvoretzky-Kiefer-Wolfowitz's, of a count the binomial
itself, of a sum of squared normals chi-square.

A test runs in two stages: a screen at :math:`10^{-4}` and, only if it alarms, a confirmation on
fresh numbers, 16 times as many, at :math:`10^{-7}`. Both must alarm: together
:math:`10^{-11}` for each statistic.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SCREEN_ALPHA = 1e-4
CONFIRM_ALPHA = 1e-7
CONFIRM_FACTOR = 16


def bernstein(n: int, variance: float, bound: float, alpha: float) -> float:
    r"""
    Give the deviation that a mean of n independent terms exceeds with probability alpha at most.

    .. math:: \sqrt{2 \sigma^2 L / n} + 2 M L / (3 n), \qquad L = \ln(2 / \alpha)

    Parameters
    ----------
    n : int
        Number of terms.
    variance : float
        Variance of a term.
    bound : float
        Largest absolute deviation M of a term from its mean.
    alpha : float
        Probability of a false alarm, both sides together.

    Returns
    -------
    float
        The deviation.
    """
    L = math.log(2 / alpha)
    return math.sqrt(2 * variance * L / n) + 2 * bound * L / (3 * n)


def dkw(n: int, alpha: float) -> float:
    """Give the distance of an empirical distribution function exceeded with probability alpha."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def binomial_tail(count: int, n: int, p: float) -> float:
    """Give the two-sided probability of a count as far out as this, by doubling the smaller."""
    law = stats.binom(n, p)
    return min(1.0, 2 * min(float(law.cdf(count)), float(law.sf(count - 1))))


def normal_tail(z: float) -> float:
    """Give the two-sided probability of a standard normal as far out as this."""
    return 2 * float(stats.norm.sf(abs(z)))


def chi_square_tail(x: float, df: int) -> float:
    """Give the two-sided probability of a chi-square as far out as this, by doubling."""
    law = stats.chi2(df)
    return min(1.0, 2 * min(float(law.cdf(x)), float(law.sf(x))))


class MeanTest(NamedTuple):
    """
    Coordinates whose means, variances and bounds are known.

    Parameters
    ----------
    mean, variance, bound : ndarray of float64, shape (C,)
        Of one term of each coordinate; `bound` is the largest absolute deviation from the mean.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    bound: NDArray[np.float64]

    def allowed(self, n: int, alpha: float) -> NDArray[np.float64]:
        """Give the deviation of each coordinate allowed at level alpha each, shape (C,)."""
        pairs = zip(self.variance, self.bound, strict=True)
        return np.array([bernstein(n, float(v), float(m), alpha) for v, m in pairs])

    def excess(self, terms: NDArray[np.float64], alpha: float) -> float:
        """Give the worst deviation over what is allowed: an alarm if it is above 1."""
        deviation = np.abs(terms.mean(axis=0) - self.mean)
        allowed = self.allowed(len(terms), alpha)
        # a coordinate that cannot vary must be right to rounding
        allowed = np.maximum(allowed, 1e-12 * (1 + np.abs(self.mean)))
        return float(np.max(deviation / allowed))

    def detectable(self, n: int) -> NDArray[np.float64]:
        """
        Give the bias of each coordinate that two stages see with probability .99, shape (C,).

        Both stages must alarm; each misses with .005 at most, by the same bound.
        """
        screen = self.allowed(n, SCREEN_ALPHA) + self.allowed(n, 0.01)
        many = n * CONFIRM_FACTOR
        confirm = self.allowed(many, CONFIRM_ALPHA) + self.allowed(many, 0.01)
        return np.maximum(screen, confirm)


class Verdict(NamedTuple):
    """
    Outcome of a two-stage test.

    Parameters
    ----------
    excess : float
        Worst deviation over allowed in the stage that decided; at most 1 if all is well.
    stages : int
        1 if the screen was content, 2 otherwise.
    """

    excess: float
    stages: int


def two_stage(excess: Callable[[int, int, float], float], n: int) -> Verdict:
    """
    Screen, and confirm on fresh numbers if the screen alarms.

    Parameters
    ----------
    excess : callable
        Takes the stage (0 or 1, to seed fresh numbers with), the sample size and alpha; returns
        the worst deviation over the allowed one.
    n : int
        Sample size of the screen.

    Returns
    -------
    Verdict
        How far out the deciding stage was, and how many stages ran.
    """
    first = excess(0, n, SCREEN_ALPHA)
    if first <= 1:
        return Verdict(first, 1)
    return Verdict(excess(1, n * CONFIRM_FACTOR, CONFIRM_ALPHA), 2)


def tail_excess(p_value: float, alpha: float) -> float:
    """Turn a tail probability into a number that is above 1 just when it is below alpha."""
    return math.log(max(p_value, 5e-324)) / math.log(alpha)
