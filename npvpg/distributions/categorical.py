r"""
Categorical distribution from logits.

.. math:: \log\pi(a) = z_a - \log\sum_b e^{z_b}

The sum is shifted by the largest logit, so no finite logit overflows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.kernels import sampling


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


def _times_log(p: NDArray[Any], log_p: NDArray[Any]) -> NDArray[Any]:
    """P log p with its limit 0 where p vanishes: by branch, since 0 times -inf is NaN."""
    return np.asarray(np.multiply(p, log_p, out=np.zeros_like(p), where=p.real > 0))


@dataclass(frozen=True)
class Categorical:
    """
    One of n actions; the network's output is the logits.

    Parameters
    ----------
    n : int
        Number of actions, A.

    Raises
    ------
    ValueError
        If `n` is smaller than 1.

    Examples
    --------
    >>> coin = Categorical(2)
    >>> coin.log_prob(np.zeros((1, 2)), np.zeros(0), np.array([0]))
    array([-0.69314718])
    """

    n: int

    def __post_init__(self) -> None:
        checks.at_least(1, n=self.n)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action and of its noise, ()."""
        return ()

    @property
    def n_outputs(self) -> int:
        """Number of network outputs, A."""
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
        ndarray of float64, shape (n,)
            Uniform on [0, 1).
        """
        return rng.random(n)

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """
        Turn uniform noise into actions, through the inverse of the cumulative distribution.

        Parameters
        ----------
        out : ndarray, shape (S, A)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        noise : ndarray of float64, shape (S,)
            Noise in [0, 1).

        Returns
        -------
        ndarray of int64, shape (S,)
            Actions 0 ... A - 1.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n), out=out)
        checks.shape((len(out),), noise=noise)
        return np.asarray(sampling.categorical(out, noise))

    def mode(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[np.int64]:
        """
        Most probable actions, the first of equals.

        Parameters
        ----------
        out : ndarray, shape (S, A)
            Logits.
        free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        ndarray of int64, shape (S,)
            Actions 0 ... A - 1.
        """
        return np.asarray(out.argmax(axis=1))

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        """
        Log-probability of actions.

        Parameters
        ----------
        out : ndarray, shape (S, A)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        act : ndarray of int64, shape (S,)
            Actions.

        Returns
        -------
        ndarray, shape (S,)
            Log-probabilities.

        Raises
        ------
        ValueError
            If a shape is not as above, or an action is none of 0 ... A - 1.
        """
        self._check(out, act)
        return np.asarray(log_softmax(out)[np.arange(len(act)), act])

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the log-probability with respect to the logits.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_b} = [a = b] - p_b

        Parameters
        ----------
        out : ndarray, shape (S, A)
            Logits.
        free : ndarray, shape (0,)
            Not used.
        act : ndarray of int64, shape (S,)
            Actions.

        Returns
        -------
        d_out : ndarray, shape (S, A)
            Derivative with respect to the logits.
        d_free : ndarray, shape (S, 0)
            Nothing.

        Raises
        ------
        ValueError
            If a shape is not as above, or an action is none of 0 ... A - 1.
        """
        self._check(out, act)
        d_out = -np.exp(log_softmax(out))
        d_out[np.arange(len(act)), act] += 1
        return d_out, np.zeros((len(out), 0), dtype=out.dtype)

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = -\sum_a p_a \log p_a

        Parameters
        ----------
        out : ndarray, shape (S, A)
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
        log_p = log_softmax(out)
        return np.asarray(-_times_log(np.exp(log_p), log_p).sum(axis=1))

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the entropy with respect to the logits.

        .. math:: \frac{\partial H}{\partial z_a} = -p_a (\log p_a + H)

        Parameters
        ----------
        out : ndarray, shape (S, A)
            Logits.
        free : ndarray, shape (0,)
            Not used.

        Returns
        -------
        d_out : ndarray, shape (S, A)
            Derivative with respect to the logits.
        d_free : ndarray, shape (S, 0)
            Nothing.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n), out=out)
        log_p = log_softmax(out)
        p = np.exp(log_p)
        p_log_p = _times_log(p, log_p)
        entropy = -p_log_p.sum(axis=1, keepdims=True)
        return -(p_log_p + p * entropy), np.zeros((len(out), 0), dtype=out.dtype)

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        r"""
        Kullback-Leibler divergence from this distribution to another.

        .. math:: D(p \| q) = \sum_a p_a (\log p_a - \log q_a)

        Parameters
        ----------
        out, other_out : ndarray, shape (S, A)
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
        log_p = log_softmax(out.astype(np.result_type(out, np.float64)))
        log_q = log_softmax(other_out.astype(np.result_type(other_out, np.float64)))
        p = np.exp(log_p)
        # by branch: where p vanishes, both logarithms may be -inf and their difference NaN
        ratio = np.zeros(log_p.shape, np.result_type(log_p, log_q))
        np.subtract(log_p, log_q, out=ratio, where=p.real > 0)
        return np.asarray((p * ratio).sum(axis=1))

    def _check(self, out: NDArray[Any], act: NDArray[Any]) -> None:
        checks.shape((-1, self.n), out=out)
        checks.shape((len(out),), act=act)
        # An index of -1 would count from the end without a word.
        if act.size and not 0 <= act.min() <= act.max() < self.n:
            raise ValueError(f"act must lie in 0 ... {self.n - 1}, got {act.min()} ... {act.max()}")
