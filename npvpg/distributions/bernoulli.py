r"""
Bernoulli distributions of independent bits, from logits.

.. math:: \log\pi(a) = -\sum_i \operatorname{softplus}\bigl((1 - 2a_i)\, z_i\bigr), \qquad
   \operatorname{softplus}(x) = \log(1 + e^x)

The probability of a bit to be 1 is :math:`p_i = 1/(1 + e^{-z_i})`.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.distributions.base import Distribution


def softplus(x: NDArray[Any]) -> NDArray[Any]:
    r"""
    Logarithm of one plus an exponential.

    .. math:: \log(1 + e^x) = \max(x, 0) + \log(1 + e^{-|x|})

    Parameters
    ----------
    x : ndarray
        Finite numbers; compared by their real part.

    Returns
    -------
    ndarray
        The same shape, never overflowing.

    Examples
    --------
    >>> softplus(np.array([-1000.0, 0.0, 10.0]))
    array([ 0.        ,  0.69314718, 10.0000454 ])
    """
    negative = x.real < 0
    return np.asarray(np.where(negative, 0, x) + np.log1p(np.exp(np.where(negative, x, -x))))


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    r"""
    Logistic function, the derivative of `softplus`.

    .. math:: \frac1{1 + e^{-x}}

    Parameters
    ----------
    x : ndarray
        Finite numbers; compared by their real part.

    Returns
    -------
    ndarray
        The same shape, in [0, 1].

    Notes
    -----
    The exponential is taken of :math:`-|x|`, so that it never overflows and small values keep all
    their digits.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    negative = x.real < 0
    small = np.exp(np.where(negative, x, -x))
    return np.asarray(np.where(negative, small, 1) / (1 + small))


@final
@dataclass(frozen=True)
class Bernoulli(Distribution):
    """
    Independent bits; the parameters are one logit a bit, H = D.

    Parameters
    ----------
    n : int
        Number of bits, D.

    Raises
    ------
    ValueError
        If `n` is smaller than 1.

    Examples
    --------
    >>> bits = Bernoulli(2)
    >>> bits.log_prob(np.zeros((1, 2)), [[0, 1]])
    array([-1.38629436])
    """

    n: int

    def __post_init__(self) -> None:
        checks.at_least(1, n=self.n)

    def __str__(self) -> str:
        return f"Bernoulli of {self.n}"

    @property
    @override
    def event_shape(self) -> tuple[int, ...]:
        return (self.n,)

    @property
    @override
    def n_params(self) -> int:
        return self.n

    @override
    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw uniformly from [0, 1)."""
        return rng.random((n, self.n))

    @override
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        r"""
        Turn uniform noise into bits: :math:`a_i = [u_i < p_i]`.

        Notes
        -----
        The comparison is strict and in float64: a bit of probability 0 is never 1, and one of
        probability 1 never 0, whatever the noise.
        """
        self._check(params, noise=noise)
        return np.asarray(noise < sigmoid(params.astype(np.float64)), dtype=params.dtype)

    @override
    def mode(self, params: NDArray[Any]) -> NDArray[Any]:
        """Most probable bits; 0 where both are equally probable."""
        self._check(params)
        return np.asarray(params > 0, dtype=params.dtype)

    @override
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Log-probability.

        .. math:: \log\pi(a) = -\sum_i \operatorname{softplus}\bigl((1 - 2a_i)\, z_i\bigr)
        """
        one = self._ones(params, act)
        return np.asarray(-softplus(np.where(one, -params, params)).sum(axis=1))

    @override
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Derivative of the log-probability.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_i} = a_i - p_i

        Notes
        -----
        Where the bit is 1, :math:`1 - p_i` is formed as the probability of a 0, which keeps its
        digits near certainty.
        """
        one = self._ones(params, act)
        return np.where(one, sigmoid(-params), -sigmoid(params))

    @override
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = -\sum_i \bigl(p_i\log p_i + (1-p_i)\log(1-p_i)\bigr)
        """
        self._check(params)
        terms = sigmoid(params) * softplus(-params) + sigmoid(-params) * softplus(params)
        return np.asarray(terms.sum(axis=1))

    @override
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Derivative of the entropy.

        .. math:: \frac{\partial H}{\partial z_i} = -z_i\, p_i (1 - p_i)
        """
        self._check(params)
        return np.asarray(-params * sigmoid(params) * sigmoid(-params))

    @override
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence.

        .. math::
           D(p\|q) = \sum_i \Bigl(p_i\log\frac{p_i}{q_i} + (1-p_i)\log\frac{1-p_i}{1-q_i}\Bigr)
        """
        self._check(params)
        checks.shape(params.shape, other_params=other_params)
        # in float64 at least: between neighbours the terms nearly cancel
        z_p = params.astype(np.result_type(params, np.float64))
        z_q = other_params.astype(np.result_type(other_params, np.float64))
        ones = sigmoid(z_p) * (softplus(-z_q) - softplus(-z_p))
        zeros = sigmoid(-z_p) * (softplus(z_q) - softplus(z_p))
        return np.asarray((ones + zeros).sum(axis=1))

    @override
    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Fisher information times a direction: it is diagonal.

        .. math:: (M v)_i = p_i (1 - p_i)\, v_i
        """
        self._check(params)
        checks.shape(params.shape, d_params=d_params)
        return np.asarray(sigmoid(params) * sigmoid(-params) * d_params)

    def _ones(self, params: NDArray[Any], act: ArrayLike) -> NDArray[np.bool_]:
        """Tell the bits that are 1, and refuse what is no bit."""
        act = self._actions(params, act)
        one = np.asarray(act == 1)
        bad = ~(one | (act == 0))
        if bad.any():
            raise ValueError(f"act must hold bits 0 and 1, got {act[bad][0]}")
        return one
