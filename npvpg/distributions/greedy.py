r"""
Categorical distribution that takes its most probable action more often than its logits say.

.. math:: \pi(a) = (1 - \varepsilon)\, p_a + \varepsilon\,[a = a^*], \qquad
   a^* = \arg\max_b z_b

with :math:`p` the softmax of the logits :math:`z`. What acts is this mixture, so its score is the
one that goes into the gradient; the score of :math:`p` would be that of another policy.
"""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.distributions.categorical import Categorical, _times_log, log_softmax


def log_mixture(logits: NDArray[Any], greedy: float) -> NDArray[Any]:
    r"""
    Log-probabilities of the mixture of a softmax and its mode.

    .. math:: \log\pi(a) = \log\bigl((1-\varepsilon)\, p_a + \varepsilon\,[a = a^*]\bigr)

    Parameters
    ----------
    logits : ndarray, shape (S, A)
        Unnormalised log-probabilities :math:`z`; finite.
    greedy : float
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
    mixed = log_p + math.log1p(-greedy)
    at_mode = np.arange(len(logits)), logits.real.argmax(axis=1)
    mixed[at_mode] = np.log(greedy + (1 - greedy) * np.exp(log_p[at_mode]))
    return mixed


@dataclass(frozen=True)
class GreedyCategorical(Categorical):
    r"""
    One of n actions: with probability `greedy` the mode, otherwise a draw from the softmax.

    Parameters
    ----------
    n : int
        Number of actions, A.
    greedy : float
        Probability :math:`\varepsilon` of taking the mode, in [0, 1).

    Raises
    ------
    ValueError
        If `n` is smaller than 1, or `greedy` lies outside [0, 1).

    Notes
    -----
    Parameters are the same for every `greedy`, so a schedule is a sequence of such distributions:
    train with one, go on from the state with the next. As it nears 1 the score vanishes, for the
    mode does not change with the logits but at a tie: what never explores has no score to learn
    from, and 1 itself is refused.

    There is no such distribution of continuous actions. With probability :math:`\varepsilon` on
    the single point :math:`\mu(s)` it has no density, hence no score. Its gradient has two terms,
    :math:`(1-\varepsilon)\,E[\nabla\log p(a)\,Q(s,a)]` and
    :math:`\varepsilon\,\nabla_\theta\mu\,\nabla_a Q(s,\mu)`. To score the actions that were drawn,
    and weigh the others by 0, gives the first alone; the second is no score-function gradient, as
    it needs the derivative of Q in the action. To score the modes as if they had been drawn gives
    neither.

    Examples
    --------
    >>> law = GreedyCategorical(2, greedy=0.5)
    >>> np.exp(law.log_prob(np.log(np.array([[0.25, 0.75]])), np.zeros(0), np.array([1])))
    array([0.875])
    """

    _: KW_ONLY
    greedy: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.greedy < 1:
            raise ValueError(f"greedy must lie in [0, 1), got {self.greedy}")

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """
        Turn uniform noise into actions of the mixture, one number for each.

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
        return super().sample(self._mixed(out.astype(np.float64)), free, noise)

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        """
        Log-probability of actions under the mixture.

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
        return np.asarray(self._mixed(out)[np.arange(len(act)), act])

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the log-probability of the mixture with respect to the logits.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_b}
           = \frac{(1-\varepsilon)\, p_a}{\pi(a)}\,\bigl([a = b] - p_b\bigr)

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

        Notes
        -----
        The factor is the probability that the action was drawn, given that it was taken: 1 for
        every action but the mode.
        """
        d_out, d_free = super().score(out, free, act)
        taken = np.arange(len(act)), act
        drawn = np.exp(log_softmax(out)[taken] + math.log1p(-self.greedy) - self._mixed(out)[taken])
        return d_out * drawn[:, np.newaxis], d_free

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy of the mixture.

        .. math:: H = -\sum_a \pi(a)\log\pi(a)

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
        return super().entropy(self._mixed(out), free)

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the entropy of the mixture with respect to the logits.

        .. math:: \frac{\partial H}{\partial z_b}
           = -(1-\varepsilon)\, p_b \Bigl(\log\pi(b) - \sum_a p_a\log\pi(a)\Bigr)

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
        p = np.exp(log_softmax(out))
        weighed = _times_log(p, self._mixed(out))
        d_out = -(1 - self.greedy) * (weighed - p * weighed.sum(axis=1, keepdims=True))
        return d_out, np.zeros((len(out), 0), dtype=out.dtype)

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        r"""
        Kullback-Leibler divergence from this mixture to another.

        .. math:: D(\pi\|\pi') = \sum_a \pi(a) \bigl(\log\pi(a) - \log\pi'(a)\bigr)

        Parameters
        ----------
        out, other_out : ndarray, shape (S, A)
            Logits of the two.
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
        ours = self._mixed(out.astype(np.result_type(out, np.float64)))
        theirs = self._mixed(other_out.astype(np.result_type(other_out, np.float64)))
        return super().kl(ours, free, theirs, other_free)

    def _mixed(self, out: NDArray[Any]) -> NDArray[Any]:
        return log_mixture(out, self.greedy)
