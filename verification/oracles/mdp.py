r"""
Finite-horizon Markov decision processes small enough to solve exactly.

An episode starts in a state drawn from ``initial``, and ends when it enters the absorbing state
(it terminates) or after ``horizon`` steps. The objective is

.. math:: J = E \Big[ \sum_{t < T} \gamma^t r(s_t, a_t, s_{t+1}) + \gamma^T v(s_T) \Big],

where :math:`v` is ``final`` at the horizon (0 unless given) and 0 in the absorbing state. Because
time is limited, values depend on it: V, Q and A are indexed by time.

A policy is an array of probabilities, (S, A) or with a time axis (H, S, A). It may be complex, so
the complex step through `solve` gives the gradient of J.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from verification.oracles.derivatives import complex_step


@dataclass(frozen=True)
class MDP:
    """
    A finite-horizon process; the absorbing state is the last one.

    Parameters
    ----------
    transition : ndarray of float64, shape (S, A, S + 1)
        Probabilities of the next state; index S is absorbing.
    reward : ndarray of float64, shape (S, A, S + 1)
        Reward of the transition.
    initial : ndarray of float64, shape (S,)
        Probabilities of the first state.
    horizon : int
        Largest number of steps H.
    gamma : float
        Discount.
    final : ndarray of float64, shape (S,), optional
        What a state is worth when the horizon cuts the episode there; 0 by default.
    """

    transition: NDArray[np.float64]
    reward: NDArray[np.float64]
    initial: NDArray[np.float64]
    horizon: int
    gamma: float
    final: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        """Fill in the default of `final`."""
        if self.final.size == 0:
            object.__setattr__(self, "final", np.zeros(self.n_states))

    @property
    def n_states(self) -> int:
        """Number of states S, the absorbing one left out."""
        return int(self.transition.shape[0])

    @property
    def n_actions(self) -> int:
        """Number of actions A."""
        return int(self.transition.shape[1])


class Solution(NamedTuple):
    """
    What backward induction gives.

    Parameters
    ----------
    J : number
        The objective.
    V : ndarray, shape (H + 1, S + 1)
        Value of a state at a time.
    Q : ndarray, shape (H, S, A)
        Value of an action in a state at a time.
    A : ndarray, shape (H, S, A)
        Advantage Q - V.
    """

    J: Any
    V: NDArray[Any]
    Q: NDArray[Any]
    A: NDArray[Any]


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Give probabilities over the last axis; the shift is real, so complex logits pass."""
    e = np.exp(logits - logits.real.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def random_mdp(
    rng: np.random.Generator,
    n_states: int,
    n_actions: int,
    horizon: int,
    gamma: float,
    *,
    integer_rewards: bool = False,
    final: bool = False,
) -> MDP:
    """
    Draw a process in which every transition is possible, so episodes differ in length.

    Parameters
    ----------
    rng : Generator
        Where the numbers come from.
    n_states, n_actions, horizon : int
        Sizes; the absorbing state comes on top.
    gamma : float
        Discount.
    integer_rewards : bool
        Rewards that are small integers, so that sums are exact in floats.
    final : bool
        Whether states have a worth of their own at the horizon.

    Returns
    -------
    MDP
        The process.
    """
    shape = (n_states, n_actions, n_states + 1)
    transition = rng.dirichlet(np.ones(n_states + 1), size=shape[:2])
    initial = rng.dirichlet(np.ones(n_states))
    reward = rng.standard_normal(shape)
    if integer_rewards:
        reward = rng.integers(-8, 9, shape).astype(np.float64)
    worth = rng.standard_normal(n_states) if final else np.zeros(n_states)
    return MDP(transition, reward, initial, horizon, gamma, worth)


def timed(mdp: MDP, policy: NDArray[Any]) -> NDArray[Any]:
    """Give the policy with a time axis, (H, S, A)."""
    shape = (mdp.horizon, mdp.n_states, mdp.n_actions)
    return np.broadcast_to(policy, shape)


def solve(mdp: MDP, policy: NDArray[Any]) -> Solution:
    r"""
    Solve by backward induction.

    .. math:: Q_t(s,a) = \sum_{s'} P(s'|s,a) (r + \gamma V_{t+1}(s')), \quad
              V_t(s) = \sum_a \pi_t(a|s) Q_t(s,a)

    Parameters
    ----------
    mdp : MDP
        The process.
    policy : ndarray, shape (S, A) or (H, S, A)
        Probabilities, possibly complex.

    Returns
    -------
    Solution
        J, V, Q and A.
    """
    pi = timed(mdp, policy)
    H, S, A = pi.shape
    V = np.zeros((H + 1, S + 1), dtype=pi.dtype)
    Q = np.zeros((H, S, A), dtype=pi.dtype)
    V[H, :S] = mdp.final
    for t in reversed(range(H)):
        Q[t] = np.sum(mdp.transition * (mdp.reward + mdp.gamma * V[t + 1]), axis=-1)
        V[t, :S] = np.sum(pi[t] * Q[t], axis=-1)
    return Solution(np.sum(mdp.initial * V[0, :S]), V, Q, Q - V[:H, :S, None])


def gradient(
    mdp: MDP, policy: Callable[[NDArray[Any]], NDArray[Any]], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Gradient of J with respect to the parameters of the policy, by complex step.

    Parameters
    ----------
    mdp : MDP
        The process.
    policy : callable
        Takes theta, possibly complex, returns probabilities (S, A) or (H, S, A).
    theta : ndarray of float64, shape (P,)
        Parameters.

    Returns
    -------
    ndarray of float64, shape (P,)
        The gradient.
    """
    return complex_step(lambda x: solve(mdp, policy(x)).J, theta)
