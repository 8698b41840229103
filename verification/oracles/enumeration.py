r"""
Every episode of a small Markov decision process, with its probability.

An expectation over episodes is then a finite sum, exact to rounding.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verification.oracles.mdp import MDP, timed


class Trajectory(NamedTuple):
    """
    One possible episode.

    Parameters
    ----------
    states : tuple of int
        T + 1 states, the last of them where the episode stopped.
    actions : tuple of int
        T actions.
    rewards : tuple of float
        T rewards.
    terminated : bool
        Whether it entered the absorbing state.
    dynamics : float
        Probability of the first state and of all transitions, given the actions.
    probability : float
        Probability of the episode under the policy.
    """

    states: tuple[int, ...]
    actions: tuple[int, ...]
    rewards: tuple[float, ...]
    terminated: bool
    dynamics: float
    probability: float


class Ensemble(NamedTuple):
    """
    All episodes end to end, with their probabilities.

    Parameters
    ----------
    state, time, act : ndarray of int64, shape (N,)
        Of every step.
    rew : ndarray of float64, shape (N,)
        Of every step.
    next_state : ndarray of int64, shape (N,)
        The state each step led to.
    start : ndarray of int64, shape (K + 1,)
        Offsets of the episodes.
    last_state, last_time : ndarray of int64, shape (K,)
        Where and when each episode stopped.
    terminated : ndarray of bool, shape (K,)
        Whether it entered the absorbing state.
    probability : ndarray of float64, shape (K,)
        Of each episode; they sum to 1.
    """

    state: NDArray[np.int64]
    time: NDArray[np.int64]
    act: NDArray[np.int64]
    rew: NDArray[np.float64]
    next_state: NDArray[np.int64]
    start: NDArray[np.int64]
    last_state: NDArray[np.int64]
    last_time: NDArray[np.int64]
    terminated: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @property
    def step_probability(self) -> NDArray[np.float64]:
        """Probability of the episode that each step belongs to, shape (N,)."""
        return np.repeat(self.probability, np.diff(self.start))


def trajectories(mdp: MDP, policy: NDArray[np.float64]) -> Iterator[Trajectory]:
    """
    Enumerate every episode of positive probability.

    Parameters
    ----------
    mdp : MDP
        The process.
    policy : ndarray of float64, shape (S, A) or (H, S, A)
        Probabilities.

    Yields
    ------
    Trajectory
        One episode.
    """
    pi = timed(mdp, policy)

    def extend(so_far: Trajectory) -> Iterator[Trajectory]:
        t, s = len(so_far.actions), so_far.states[-1]
        if so_far.terminated or t == mdp.horizon:
            yield so_far
            return
        for a in range(mdp.n_actions):
            for s_next in range(mdp.n_states + 1):
                p = float(mdp.transition[s, a, s_next])
                chance = so_far.probability * float(pi[t, s, a]) * p
                if chance > 0:
                    yield from extend(
                        Trajectory(
                            (*so_far.states, s_next),
                            (*so_far.actions, a),
                            (*so_far.rewards, float(mdp.reward[s, a, s_next])),
                            s_next == mdp.n_states,
                            so_far.dynamics * p,
                            chance,
                        )
                    )

    for s in range(mdp.n_states):
        p = float(mdp.initial[s])
        if p > 0:
            yield from extend(Trajectory((s,), (), (), False, p, p))


def ensemble(mdp: MDP, policy: NDArray[np.float64]) -> Ensemble:
    """
    Lay every episode end to end.

    Parameters
    ----------
    mdp : MDP
        The process.
    policy : ndarray of float64, shape (S, A) or (H, S, A)
        Probabilities.

    Returns
    -------
    Ensemble
        Flat arrays over all steps of all episodes.
    """
    episodes = list(trajectories(mdp, policy))
    length = [len(e.actions) for e in episodes]
    return Ensemble(
        state=np.array([s for e in episodes for s in e.states[:-1]], dtype=np.int64),
        time=np.array([t for n in length for t in range(n)], dtype=np.int64),
        act=np.array([a for e in episodes for a in e.actions], dtype=np.int64),
        rew=np.array([r for e in episodes for r in e.rewards], dtype=np.float64),
        next_state=np.array([s for e in episodes for s in e.states[1:]], dtype=np.int64),
        start=np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        last_state=np.array([e.states[-1] for e in episodes], dtype=np.int64),
        last_time=np.array(length, dtype=np.int64),
        terminated=np.array([e.terminated for e in episodes], dtype=np.bool_),
        probability=np.array([e.probability for e in episodes], dtype=np.float64),
    )
