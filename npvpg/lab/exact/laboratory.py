"""Exact bias, variance and mean squared error of the gradient that an estimator makes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.estimators import Estimator, LeaveOneOut
from npvpg.kernels import returns
from npvpg.lab.exact.episodes import Episodes, episodes
from npvpg.lab.exact.process import Process, Solution, gradient, solve
from npvpg.mlp import MLP
from npvpg.policy import Policy

FloatArray = NDArray[np.float64]


def tabular(process: Process) -> Policy:
    """
    Softmax policy with a logit for every state and action, as a policy of the library.

    Parameters
    ----------
    process : Process
        Process to act in.

    Returns
    -------
    Policy
        An affine network on the one-hot state; its bias is shared by all states.

    Examples
    --------
    >>> process = Process(np.ones((1, 2, 2)) / 2, np.zeros((1, 2, 2)), np.ones(1), 3, 0.9)
    >>> tabular(process).size
    4
    """
    n, m = process.n_states, process.n_actions
    return Policy(MLP((n, m)), Categorical(m))


@dataclass(frozen=True)
class Moments:
    r"""
    Mean and covariance of a gradient estimate, beside what it estimates.

    Parameters
    ----------
    mean : ndarray of float64, shape (P,)
        Expected estimate.
    covariance : ndarray of float64, shape (P, P)
        Covariance of the estimate.
    truth : ndarray of float64, shape (P,)
        Gradient of the objective.
    """

    mean: FloatArray
    covariance: FloatArray
    truth: FloatArray

    @property
    def bias(self) -> FloatArray:
        r"""What the estimate is off by on average, :math:`E\hat g - \nabla J`, shape (P,)."""
        return self.mean - self.truth

    @property
    def variance(self) -> float:
        r"""Total variance, :math:`\mathrm{tr\,Cov}(\hat g)`."""
        return float(np.trace(self.covariance))

    @property
    def mse(self) -> float:
        r"""Mean squared error, :math:`E\lVert\hat g - \nabla J\rVert^2`."""
        return float(self.bias @ self.bias) + self.variance


@dataclass(frozen=True)
class Laboratory:
    """
    A process and a policy in it, of which everything is known.

    Parameters
    ----------
    process : Process
        Process.
    theta : ndarray of float64, shape (P,)
        Parameters of the `tabular` policy.

    Raises
    ------
    ValueError
        If `theta` has another shape.

    Examples
    --------
    >>> from npvpg.estimators import TotalReturn
    >>> reward = np.array([[[1.0, 1.0], [0.0, 0.0]]])  # action 0 earns 1, and both end it
    >>> process = Process(np.array([[[0.0, 1.0], [0.0, 1.0]]]), reward, np.ones(1), 1, 1.0)
    >>> coin = Laboratory(process, np.zeros(4))
    >>> coin.gradient
    array([ 0.25, -0.25,  0.25, -0.25])
    >>> coin.moments(TotalReturn(1.0), n_trajectories=10).variance
    0.025
    """

    process: Process
    theta: FloatArray

    def __post_init__(self) -> None:
        checks.shape((self.policy.size,), theta=self.theta)

    @cached_property
    def policy(self) -> Policy:
        """The policy, `tabular`."""
        return tabular(self.process)

    @cached_property
    def pi(self) -> FloatArray:
        """Probability of every action in every state, shape (S, A)."""
        obs, act = self._every_action()
        logp = self.policy.at(self.theta, obs).log_prob(act)
        return np.asarray(np.exp(logp).reshape(self.process.n_states, -1))

    @cached_property
    def solution(self) -> Solution:
        """J, V, Q and A."""
        return solve(self.process, self.pi)

    @cached_property
    def gradient(self) -> FloatArray:
        """Gradient of J, shape (P,)."""
        return gradient(self.process, self.pi, self.score_table)

    @cached_property
    def score_table(self) -> FloatArray:
        """Score of every action in every state, shape (S, A, P)."""
        obs, act = self._every_action()
        return self.policy.at(self.theta, obs).score(act).reshape(*self.pi.shape, -1)

    @cached_property
    def episodes(self) -> Episodes:
        """Every episode with its probability."""
        return episodes(self.process, self.pi)

    @cached_property
    def batch(self) -> Batch:
        """Every episode once, as the library's estimators see them."""
        flat, n = self.episodes, self.process.n_states
        shown = np.vstack([np.eye(n), np.zeros(n)])  # the absorbing state shows nothing
        obs, last_obs = shown[flat.state], shown[flat.last_state]
        return Batch(obs, flat.act, flat.rew, flat.start, last_obs, flat.terminated)

    @cached_property
    def score(self) -> FloatArray:
        """Score of every step of every episode, shape (N, P)."""
        return self.policy.at(self.theta, self.batch.obs).score(self.batch.act)

    def wrong_value(self, error: float, rng: np.random.Generator) -> FloatArray:
        r"""
        A value function that is wrong by a given amount.

        .. math:: \hat V_t(s) = V_t(s) + \epsilon\,\operatorname{std}(V)\,\xi_t(s), \qquad
                  \xi_t(s) \sim \mathcal N(0, 1)

        Parameters
        ----------
        error : float
            Size of the error :math:`\epsilon` in standard deviations of V over states and times.
        rng : numpy.random.Generator
            Source of :math:`\xi`.

        Returns
        -------
        ndarray of float64, shape (H + 1, S + 1)
            Values; right in the absorbing state and at the horizon, where they are given [reward].

        Raises
        ------
        ValueError
            If `error` is negative.
        """
        checks.at_least(0, error=error)
        value = self.solution.V.copy()
        inner = value[:-1, :-1]
        inner += error * inner.std() * rng.standard_normal(inner.shape)
        return value

    def moments(
        self,
        estimator: Estimator,
        value: FloatArray | None = None,
        *,
        n_trajectories: int = 1,
        exact_discount: bool = True,
    ) -> Moments:
        r"""
        Mean and covariance of the gradient that an estimator makes of a batch of episodes.

        With :math:`\hat g(\tau)` the estimate that one episode gives,

        .. math:: E\hat g = \sum_\tau \Pr(\tau)\,\hat g(\tau), \qquad
                  \mathrm{Cov}\,\hat g = \frac1K \sum_\tau \Pr(\tau)
                  \bigl(\hat g(\tau) - E\hat g\bigr)\bigl(\hat g(\tau) - E\hat g\bigr)^\top

        Parameters
        ----------
        estimator : Estimator
            What weighs the steps. Its discount may differ from that of the objective.
        value : ndarray of float64, shape (H + 1, S + 1), optional
            Value function it is given; the exact one if not given [reward]. What it says of the
            absorbing state is not read: an episode that terminated is worth 0 there.
        n_trajectories : int
            Episodes in a batch, K.
        exact_discount : bool
            Weigh step t by :math:`\gamma^t` of the objective, which makes the gradient exact;
            without it the estimate is the usual "semi-gradient". What is discounted from the
            start already never gets it.

        Returns
        -------
        Moments
            Mean, covariance, and the gradient of the objective.

        Raises
        ------
        ValueError
            If `value` has another shape; if `n_trajectories` is smaller than 1, or than 2 where
            trajectories are compared; if they are compared in another way than
            `npvpg.estimators.LeaveOneOut` does.

        Notes
        -----
        The episodes of a batch are independent, hence 1 / K. With
        `npvpg.estimators.LeaveOneOut` they meet. Its estimate is the sample covariance of the
        summed score and the return, whose covariance is, with :math:`x_i` and :math:`y` the
        centred summed score and return,

        .. math:: \frac1K \Bigl( E[x_i x_j y^2] - E[x_i y]\,E[x_j y]
                  + \frac{E[x_i x_j]\,E[y^2] + E[x_i y]\,E[x_j y]}{K-1} \Bigr).

        References
        ----------
        .. [1] A. Stuart and J. K. Ord, "Kendall's Advanced Theory of Statistics", volume 1,
           6th ed., 1994, chapter 13: sampling cumulants of k-statistics.
        """
        checks.at_least(1, n_trajectories=n_trajectories)
        chance = self.episodes.probability
        psi = self._weights(estimator, value)
        if estimator.compares_trajectories:
            checks.at_least(2, n_trajectories=n_trajectories)
            known = self._weights(LeaveOneOut(estimator.gamma), value)
            if not np.abs(psi - known).max() <= 1e-9 * np.abs(known).max():
                raise ValueError(f"estimator must compare as LeaveOneOut does, got {estimator}")
            return self._leave_one_out(estimator.gamma, n_trajectories)
        if exact_discount and not estimator.from_start:
            psi = psi * returns.discount_weights(self.episodes.start, self.process.gamma)
        start = self.episodes.start[:-1]
        each = np.add.reduceat(psi[:, np.newaxis] * self.score, start, axis=0)
        mean = chance @ each
        centred = each - mean
        covariance = (centred.T * chance) @ centred / n_trajectories
        return Moments(mean, covariance, self.gradient)

    def _weights(self, estimator: Estimator, value: FloatArray | None) -> FloatArray:
        """Weight of every step of every episode, shape (N,)."""
        flat, V = self.episodes, self.solution.V if value is None else value
        checks.shape(self.solution.V.shape, value=V)
        val = V[flat.time, flat.state]
        last_val = np.where(flat.terminated, 0.0, V[flat.last_time, flat.last_state])
        return estimator(flat.rew, val, last_val, flat.start)

    def _leave_one_out(self, gamma: float, n_trajectories: int) -> Moments:
        """Moments of the sample covariance of summed score and return, in closed form."""
        flat, chance = self.episodes, self.episodes.probability
        x = np.add.reduceat(self.score, flat.start[:-1], axis=0)
        y = returns.total_return(flat.rew, flat.start, gamma)[flat.start[:-1]]
        x, y = x - chance @ x, y - chance @ y
        xy, xx = (chance * y) @ x, (x.T * chance) @ x
        crossed = np.outer(xy, xy)
        spread = xx * float(chance @ y**2) + crossed
        fourth = (x.T * (chance * y**2)) @ x
        covariance = (fourth - crossed + spread / (n_trajectories - 1)) / n_trajectories
        return Moments(xy, covariance, self.gradient)

    def _every_action(self) -> tuple[FloatArray, NDArray[np.int64]]:
        """Every state, each with every action."""
        n, m = self.process.n_states, self.process.n_actions
        return np.repeat(np.eye(n), m, axis=0), np.tile(np.arange(m), n)
