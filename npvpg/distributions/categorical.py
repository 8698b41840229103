r"""
Categorical distribution from logits.

.. math:: \log\pi(a) = z_a - \log\sum_b e^{z_b}

The sum is shifted by the largest logit, so no finite logit overflows.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.distributions.base import Distribution
from npvpg.distributions.softmax import divergence, double, log_softmax, times_log
from npvpg.kernels import sampling


@final
@dataclass(frozen=True)
class Categorical(Distribution):
    """
    One of n actions, 0 ... n - 1; the parameters are the logits.

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
    >>> coin.log_prob(np.zeros((1, 2)), [0])
    array([-0.69314718])
    """

    n: int
    sampler: ClassVar[Literal["categorical"]] = "categorical"

    def __post_init__(self) -> None:
        checks.at_least(1, n=self.n)

    def __str__(self) -> str:
        return f"categorical of {self.n}"

    @property
    @override
    def event_shape(self) -> tuple[int, ...]:
        return ()

    @property
    @override
    def n_params(self) -> int:
        return self.n

    @override
    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw uniformly from [0, 1)."""
        return rng.random(n)

    @override
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[np.int64]:
        """Turn uniform noise into actions by the inverse of the cumulative distribution."""
        self._check(params, noise=noise)
        return np.asarray(sampling.categorical(params, noise))

    @override
    def mode(self, params: NDArray[Any]) -> NDArray[np.int64]:
        """Most probable actions, the first of equals."""
        self._check(params)
        return np.asarray(params.argmax(axis=1))

    @override
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Log-probability.

        .. math:: \log\pi(a) = \log p_a
        """
        return np.asarray(log_softmax(params)[self.taken(params, act)])

    @override
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Derivative of the log-probability.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_b} = [a = b] - p_b
        """
        taken = self.taken(params, act)
        d_params: NDArray[Any] = -np.exp(log_softmax(params))
        d_params[taken] += 1
        return d_params

    @override
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = -\sum_a p_a \log p_a
        """
        self._check(params)
        log_p = log_softmax(params)
        return np.asarray(-times_log(np.exp(log_p), log_p).sum(axis=1))

    @override
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Derivative of the entropy.

        .. math:: \frac{\partial H}{\partial z_a} = -p_a (\log p_a + H)
        """
        self._check(params)
        log_p = log_softmax(params)
        p = np.exp(log_p)
        p_log_p = times_log(p, log_p)
        entropy = -p_log_p.sum(axis=1, keepdims=True)
        return np.asarray(-(p_log_p + p * entropy))

    @override
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence.

        .. math:: D(p \| q) = \sum_a p_a (\log p_a - \log q_a)
        """
        self._check(params)
        checks.shape(params.shape, other_params=other_params)
        return divergence(log_softmax(double(params)), log_softmax(double(other_params)))

    @override
    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Fisher information times a direction.

        .. math:: (M v)_a = p_a \bigl(v_a - \textstyle\sum_b p_b v_b\bigr)
        """
        self._check(params)
        checks.shape(params.shape, d_params=d_params)
        p = np.exp(log_softmax(params))
        return np.asarray(p * (d_params - (p * d_params).sum(axis=1, keepdims=True)))

    def taken(self, params: NDArray[Any], act: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """
        Say where the actions stand in an array of a number for each.

        Parameters
        ----------
        params : ndarray, shape (S, A)
            Logits.
        act : array_like of int, shape (S,)
            Actions.

        Returns
        -------
        rows, columns : ndarray of int, shape (S,)
            Index of each.

        Raises
        ------
        ValueError
            If an action is not one of 0 ... n - 1.
        """
        act = np.asarray(act)
        if act.dtype.kind not in "iuf":
            raise ValueError(f"act must hold whole numbers, got {act.dtype}")
        self._check(params, act=act)
        # An index of -1 would count from the end without a word.
        if act.size and not 0 <= act.min() <= act.max() < self.n:
            raise ValueError(f"act must lie in 0 ... {self.n - 1}, got {act.min()} ... {act.max()}")
        if act.dtype.kind == "f":
            broken = act[act != np.floor(act)]
            if broken.size:
                raise ValueError(f"act must hold whole numbers, got {broken[0]}")
            act = act.astype(np.int64)
        return np.arange(len(act)), act
