r"""
Bernoulli distributions of independent bits, from logits.

.. math:: \log\pi(a) = -\sum_i \operatorname{softplus}\bigl((1 - 2a_i)\, z_i\bigr), \qquad
   \operatorname{softplus}(x) = \log(1 + e^x)

The probability of a bit to be 1 is :math:`p_i = 1/(1 + e^{-z_i})`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks


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


@dataclass(frozen=True)
class Bernoulli:
    """
    Independent bits; the network's output is one logit a bit.

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
    >>> bits.log_prob(np.zeros((1, 2)), np.zeros(0), np.array([[0.0, 1.0]]))
    array([-1.38629436])
    """

    n: int

    def __post_init__(self) -> None:
        checks.at_least(1, n=self.n)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action and of its noise, (D,)."""
        return (self.n,)

    @property
    def n_outputs(self) -> int:
        """Number of network outputs, D."""
        return self.n

    @property
    def n_free(self) -> int:
        """Number of free parameters, 0."""
        return 0

    def init_free(self) -> NDArray[np.float64]:
        """
        Initial free parameters.

        Returns
        -------
        ndarray of float64, shape (0,)
            None at all.
        """
        return np.zeros(0)

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """
        Draw the noise of n samples.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        n : int
            Number of samples.

        Returns
        -------
        ndarray of float64, shape (n, D)
            Uniform on [0, 1).
        """
        return rng.random((n, self.n))

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[Any]:
        r"""
        Turn uniform noise into bits: :math:`a_i = [u_i < p_i]`.

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        noise : ndarray of float64, shape (S, D)
            Noise :math:`u` in [0, 1).

        Returns
        -------
        ndarray, shape (S, D)
            Bits 0 and 1, of the type of `out`.

        Raises
        ------
        ValueError
            If a shape is not as above.

        Notes
        -----
        The comparison is strict and in float64: a bit of probability 0 is never 1, and one of
        probability 1 never 0, whatever the noise.
        """
        checks.shape((-1, self.n), out=out)
        checks.shape(out.shape, noise=noise)
        return np.asarray(noise < sigmoid(out.astype(np.float64)), dtype=out.dtype)

    def mode(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """
        Most probable bits; 0 where both are equally probable.

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        ndarray, shape (S, D)
            Bits 0 and 1, of the type of `out`.
        """
        return np.asarray(out > 0, dtype=out.dtype)

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        """
        Log-probability of bits.

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        act : ndarray, shape (S, D)
            Bits.

        Returns
        -------
        ndarray, shape (S,)
            Log-probabilities.

        Raises
        ------
        ValueError
            If a shape is not as above, or a bit is neither 0 nor 1.
        """
        one = self._ones(out, act)
        return np.asarray(-softplus(np.where(one, -out, out)).sum(axis=1))

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the log-probability with respect to the logits.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_i} = a_i - p_i

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        act : ndarray, shape (S, D)
            Bits.

        Returns
        -------
        d_out : ndarray, shape (S, D)
            Derivative with respect to the logits.
        d_free : ndarray, shape (S, 0)
            Nothing.

        Raises
        ------
        ValueError
            If a shape is not as above, or a bit is neither 0 nor 1.

        Notes
        -----
        Where the bit is 1, :math:`1 - p_i` is formed as the probability of a 0, which keeps its
        digits near certainty.
        """
        one = self._ones(out, act)
        d_out = np.where(one, sigmoid(-out), -sigmoid(out))
        return d_out, np.zeros((len(out), 0), dtype=out.dtype)

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = -\sum_i \bigl(p_i\log p_i + (1-p_i)\log(1-p_i)\bigr)

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        ndarray, shape (S,)
            Entropy [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n), out=out)
        terms = sigmoid(out) * softplus(-out) + sigmoid(-out) * softplus(out)
        return np.asarray(terms.sum(axis=1))

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the entropy with respect to the logits.

        .. math:: \frac{\partial H}{\partial z_i} = -z_i\, p_i (1 - p_i)

        Parameters
        ----------
        out : ndarray, shape (S, D)
            Logits.
        free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        d_out : ndarray, shape (S, D)
            Derivative with respect to the logits.
        d_free : ndarray, shape (S, 0)
            Nothing.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n), out=out)
        d_out = -out * sigmoid(out) * sigmoid(-out)
        return d_out, np.zeros((len(out), 0), dtype=out.dtype)

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        r"""
        Kullback-Leibler divergence from this distribution to another.

        .. math::
           D(p\|q) = \sum_i \Bigl(p_i\log\frac{p_i}{q_i} + (1-p_i)\log\frac{1-p_i}{1-q_i}\Bigr)

        Parameters
        ----------
        out, other_out : ndarray, shape (S, D)
            Logits of p and of q.
        free, other_free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        ndarray, shape (S,)
            Divergence [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n), out=out)
        checks.shape(out.shape, other_out=other_out)
        # in float64 at least: between neighbours the terms nearly cancel
        z_p = out.astype(np.result_type(out, np.float64))
        z_q = other_out.astype(np.result_type(other_out, np.float64))
        ones = sigmoid(z_p) * (softplus(-z_q) - softplus(-z_p))
        zeros = sigmoid(-z_p) * (softplus(z_q) - softplus(z_p))
        return np.asarray((ones + zeros).sum(axis=1))

    def _ones(self, out: NDArray[Any], act: NDArray[Any]) -> NDArray[np.bool_]:
        checks.shape((-1, self.n), out=out)
        checks.shape(out.shape, act=act)
        one = np.asarray(act == 1)
        bad = ~(one | (act == 0))
        if bad.any():
            raise ValueError(f"act must hold bits 0 and 1, got {act[bad][0]}")
        return one
