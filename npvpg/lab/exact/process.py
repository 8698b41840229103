r"""
A finite Markov decision process of limited time, and what induction over time says of it.

An episode begins in a state drawn from ``initial``. It terminates when it enters the absorbing
state, which is the last one, and is cut after ``horizon`` steps, where its state is worth
``final``. Values depend on time because time is limited: the objective is

.. math:: J = E \Bigl[ \sum_{t<T} \gamma^t r(s_t, a_t, s_{t+1}) + \gamma^T v(s_T) \Bigr],

with :math:`v` = ``final`` where the episode was cut and 0 where it terminated.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Process:
    """
    A process of S states, A actions and at most H steps.

    Parameters
    ----------
    transition : ndarray of float64, shape (S, A, S + 1)
        Probability of every next state; index S is the absorbing state.
    reward : ndarray of float64, shape (S, A, S + 1)
        Reward of the transition [reward].
    initial : ndarray of float64, shape (S,)
        Probability of every first state.
    horizon : int
        Steps after which an episode is cut, H.
    gamma : float
        Discount of the objective in [0, 1] [per step].
    final : ndarray of float64, shape (S,), optional
        What a state is worth where the horizon cuts an episode; 0 if not given [reward].

    Raises
    ------
    ValueError
        If the shapes disagree, an entry is not finite, a row of probabilities is negative or does
        not sum to 1, `horizon` is smaller than 1 or `gamma` lies outside [0, 1].
    """

    transition: FloatArray
    reward: FloatArray
    initial: FloatArray
    horizon: int
    gamma: float
    final: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        checks.shape((-1, -1, -1), transition=self.transition)
        n, m = self.transition.shape[:2]
        if self.final.size == 0:
            object.__setattr__(self, "final", np.zeros(n))
        checks.shape((n, m, n + 1), transition=self.transition, reward=self.reward)
        checks.shape((n,), initial=self.initial, final=self.final)
        checks.finite(reward=self.reward, final=self.final)
        for name in ("transition", "initial"):
            rows = getattr(self, name)
            if not (rows >= 0).all() or not np.allclose(rows.sum(axis=-1), 1, rtol=0, atol=1e-12):
                raise ValueError(f"{name} must hold probabilities that sum to 1, got {rows}")
        checks.at_least(1, horizon=self.horizon)
        checks.unit_interval(gamma=self.gamma)

    @property
    def n_states(self) -> int:
        """Number of states S, the absorbing one left out."""
        return len(self.transition)

    @property
    def n_actions(self) -> int:
        """Number of actions, A."""
        return int(self.transition.shape[1])


class Solution(NamedTuple):
    """
    What backward induction gives.

    Parameters
    ----------
    J : float
        Objective [reward].
    V : ndarray of float64, shape (H + 1, S + 1)
        Value of every state at every time; 0 in the absorbing state [reward].
    Q : ndarray of float64, shape (H, S, A)
        Value of every action [reward].
    A : ndarray of float64, shape (H, S, A)
        Advantage of every action [reward].
    """

    J: float
    V: FloatArray
    Q: FloatArray
    A: FloatArray


def solve(process: Process, pi: FloatArray) -> Solution:
    r"""
    Objective, values and advantages of a policy, by backward induction.

    .. math:: Q_t(s,a) = \sum_{s'} P(s'\mid s,a)\bigl(r(s,a,s') + \gamma V_{t+1}(s')\bigr), \qquad
              V_t(s) = \sum_a \pi(a\mid s) Q_t(s,a), \qquad A_t = Q_t - V_t

    Parameters
    ----------
    process : Process
        Process.
    pi : ndarray of float64, shape (S, A)
        Probability of every action in every state.

    Returns
    -------
    Solution
        J, V, Q and A.

    Raises
    ------
    ValueError
        If `pi` has another shape.

    Notes
    -----
    Equations (3.14) and (4.4) of [1]_ with a value for each time; O(H S^2 A).

    References
    ----------
    .. [1] R. S. Sutton and A. G. Barto, "Reinforcement Learning: An Introduction", 2nd ed.,
       MIT Press, 2018.
    """
    n, m, horizon = process.n_states, process.n_actions, process.horizon
    checks.shape((n, m), pi=pi)
    V, Q = np.zeros((horizon + 1, n + 1)), np.zeros((horizon, n, m))
    V[horizon, :n] = process.final
    expected = np.einsum("san,san->sa", process.transition, process.reward)
    for t in range(horizon - 1, -1, -1):
        Q[t] = expected + process.gamma * (process.transition @ V[t + 1])
        V[t, :n] = np.einsum("sa,sa->s", pi, Q[t])
    return Solution(float(process.initial @ V[0, :n]), V, Q, Q - V[:horizon, :n, np.newaxis])


def occupancy(process: Process, pi: FloatArray) -> FloatArray:
    r"""
    Probability of being in a state at a time, by forward induction.

    .. math:: d_{t+1}(s') = \sum_{s,a} d_t(s)\,\pi(a\mid s)\,P(s'\mid s,a)

    Parameters
    ----------
    process : Process
        Process.
    pi : ndarray of float64, shape (S, A)
        Probability of every action in every state.

    Returns
    -------
    ndarray of float64, shape (H, S)
        Probabilities; what is missing from 1 has terminated.

    Raises
    ------
    ValueError
        If `pi` has another shape.
    """
    n = process.n_states
    checks.shape((n, process.n_actions), pi=pi)
    d = np.zeros((process.horizon, n))
    d[0] = process.initial
    step = np.einsum("sa,san->sn", pi, process.transition)[:, :n]
    for t in range(process.horizon - 1):
        d[t + 1] = d[t] @ step
    return d


def gradient(process: Process, pi: FloatArray, score: FloatArray) -> FloatArray:
    r"""
    Gradient of the objective, by the policy gradient theorem.

    .. math:: \nabla J = \sum_t \gamma^t \sum_s d_t(s) \sum_a \pi(a\mid s)\,
              \nabla\log\pi(a\mid s)\,Q_t(s,a)

    Parameters
    ----------
    process : Process
        Process.
    pi : ndarray of float64, shape (S, A)
        Probability of every action in every state.
    score : ndarray of float64, shape (S, A, P)
        Score of every action in every state.

    Returns
    -------
    ndarray of float64, shape (P,)
        Gradient; the way up.

    Raises
    ------
    ValueError
        If a shape is not as above.

    References
    ----------
    .. [1] R. S. Sutton, D. McAllester, S. Singh and Y. Mansour, "Policy Gradient Methods for
       Reinforcement Learning with Function Approximation", NIPS 1999, theorem 1.
    """
    checks.shape((process.n_states, process.n_actions, -1), score=score)
    d, Q = occupancy(process, pi), solve(process, pi).Q
    power = process.gamma ** np.arange(process.horizon)
    weight = np.einsum("t,ts,tsa->sa", power, d, Q) * pi
    return np.asarray(np.einsum("sa,sap->p", weight, score))


def random_process(
    rng: np.random.Generator, n_states: int, n_actions: int, horizon: int, gamma: float
) -> Process:
    """
    Draw a process in which every transition is possible and few are likely.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the draw.
    n_states, n_actions, horizon : int
        Sizes S, A and H; the absorbing state comes on top.
    gamma : float
        Discount in [0, 1] [per step].

    Returns
    -------
    Process
        Probabilities from a symmetric Dirichlet law of parameter 0.4 (next state) and 1 (first
        state); rewards standard normal.

    Raises
    ------
    ValueError
        If a size is smaller than 1 or `gamma` lies outside [0, 1].
    """
    checks.at_least(1, n_states=n_states)
    checks.at_least(1, n_actions=n_actions)
    shape = (n_states, n_actions, n_states + 1)
    transition = rng.dirichlet(np.full(n_states + 1, 0.4), size=shape[:2])
    initial = rng.dirichlet(np.ones(n_states))
    return Process(transition, rng.standard_normal(shape), initial, horizon, gamma)
