r"""
Mixture of a categorical law with its own mode.

.. math:: \pi(a) = (1 - \varepsilon)\, p_a + \varepsilon\,[a = a^*]
"""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.distributions.base import Distribution
from npvpg.distributions.categorical import Categorical
from npvpg.distributions.softmax import double, log_mixture, log_softmax, times_log


@final
@dataclass(frozen=True)
class GreedyCategorical(Distribution):
    r"""
    A categorical law that takes its most probable action more often than its logits say.

    .. math:: \pi(a) = (1 - \varepsilon)\, p_a + \varepsilon\,[a = a^*], \qquad
       a^* = \arg\max_b z_b

    Parameters
    ----------
    categorical : Categorical
        The law p of a draw.
    probability : float
        Probability :math:`\varepsilon` of taking the mode, in [0, 1).

    Raises
    ------
    ValueError
        If `probability` lies outside [0, 1).

    Notes
    -----
    What acts is the mixture, so its score goes into the gradient, not that of :math:`p`.
    Parameters are the same for every probability, so a schedule is a sequence of such laws:
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
    >>> law = GreedyCategorical(Categorical(2), probability=0.5)
    >>> np.exp(law.log_prob(np.log(np.array([[0.25, 0.75]])), [1]))
    array([0.875])
    """

    categorical: Categorical
    _: KW_ONLY
    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability < 1:
            raise ValueError(f"probability must lie in [0, 1), got {self.probability}")

    def __str__(self) -> str:
        return f"{self.categorical}, the mode with probability {self.probability:g}"

    @property
    @override
    def event_shape(self) -> tuple[int, ...]:
        return self.categorical.event_shape

    @property
    @override
    def n_params(self) -> int:
        return self.categorical.n_params

    @override
    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return self.categorical.noise(rng, n)

    @override
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[np.int64]:
        """Draw from the mixture, by one number for each action."""
        return self.categorical.sample(self._mixed(params.astype(np.float64)), noise)

    @override
    def mode(self, params: NDArray[Any]) -> NDArray[np.int64]:
        return self.categorical.mode(params)

    @override
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Log-probability.

        .. math:: \log\pi(a) = \log\bigl((1-\varepsilon)\, p_a + \varepsilon\,[a = a^*]\bigr)
        """
        taken = self.categorical.taken(params, act)
        return np.asarray(self._mixed(params)[taken])

    @override
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Score of the draw, times the probability that the action taken was drawn.

        .. math:: \frac{\partial\log\pi(a)}{\partial z_b}
           = \frac{(1-\varepsilon)\, p_a}{\pi(a)}\,\bigl([a = b] - p_b\bigr)
        """
        taken = self.categorical.taken(params, act)
        log_drawn = log_softmax(params)[taken] + math.log1p(-self.probability)
        drawn = np.exp(log_drawn - self._mixed(params)[taken])
        return np.asarray(self.categorical.score(params, act) * drawn[:, np.newaxis])

    @override
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = -\sum_a \pi(a)\log\pi(a)
        """
        return self.categorical.entropy(self._mixed(params))

    @override
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Derivative of the entropy of the mixture.

        .. math:: \frac{\partial H}{\partial z_b}
           = -(1-\varepsilon)\, p_b \Bigl(\log\pi(b) - \sum_a p_a\log\pi(a)\Bigr)
        """
        self._check(params)
        p = np.exp(log_softmax(params))
        weighed = times_log(p, self._mixed(params))
        off = weighed - p * weighed.sum(axis=1, keepdims=True)
        return np.asarray(-(1 - self.probability) * off)

    @override
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence.

        .. math:: D(\pi\|\pi') = \sum_a \pi(a) \bigl(\log\pi(a) - \log\pi'(a)\bigr)
        """
        checks.shape(params.shape, other_params=other_params)
        ours, theirs = self._mixed(double(params)), self._mixed(double(other_params))
        return self.categorical.kl(ours, theirs)

    @override
    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Fisher information times a direction.

        .. math:: (M v)_a = w_a u_a - p_a \sum_b w_b u_b, \qquad
           w_a = \frac{(1-\varepsilon)^2 p_a^2}{\pi(a)}, \quad u_a = v_a - \sum_b p_b v_b
        """
        self._check(params)
        checks.shape(params.shape, d_params=d_params)
        log_p = log_softmax(params)
        drawn = np.exp(2 * (log_p + math.log1p(-self.probability)) - self._mixed(params))
        p = np.exp(log_p)
        along = drawn * (d_params - (p * d_params).sum(axis=1, keepdims=True))
        return np.asarray(along - p * along.sum(axis=1, keepdims=True))

    def _mixed(self, params: NDArray[Any]) -> NDArray[Any]:
        self._check(params)
        return log_mixture(params, self.probability)


def with_mode(law: Distribution, probability: float) -> GreedyCategorical:
    """
    Law that takes the mode with a given probability, and otherwise draws.

    Parameters
    ----------
    law : Distribution
        What draws.
    probability : float
        Probability of the mode, in [0, 1).

    Returns
    -------
    GreedyCategorical
        The mixture, of the same parameters.

    Raises
    ------
    ValueError
        If there is no such law, as for continuous actions, which then have no density.
    """
    if not isinstance(law, Categorical):
        raise ValueError(f"greedy must be 0 unless actions are one Discrete, got {law}")
    return GreedyCategorical(law, probability=probability)
