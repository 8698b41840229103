"""Every episode of a small process, end to end, with its probability."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.lab.exact.process import Process

LIMIT = 1_000_000
"""Most steps that are listed: their scores take P numbers each."""


class Episodes(NamedTuple):
    """
    All episodes of positive probability, laid end to end.

    Parameters
    ----------
    state, time, act : ndarray of int64, shape (N,)
        State, time and action of every step.
    rew : ndarray of float64, shape (N,)
        Reward of every step [reward].
    start : ndarray of int64, shape (K + 1,)
        Offsets of the episodes [steps].
    last_state, last_time : ndarray of int64, shape (K,)
        Where and when each episode stopped.
    terminated : ndarray of bool, shape (K,)
        Whether it entered the absorbing state.
    probability : ndarray of float64, shape (K,)
        Probability of each episode; they sum to 1.
    """

    state: NDArray[np.int64]
    time: NDArray[np.int64]
    act: NDArray[np.int64]
    rew: NDArray[np.float64]
    start: NDArray[np.int64]
    last_state: NDArray[np.int64]
    last_time: NDArray[np.int64]
    terminated: NDArray[np.bool_]
    probability: NDArray[np.float64]


def episodes(process: Process, pi: NDArray[np.float64]) -> Episodes:
    r"""
    List every episode of positive probability.

    .. math:: \Pr(\tau) = d_0(s_0) \prod_{t<T} \pi(a_t\mid s_t)\,P(s_{t+1}\mid s_t, a_t)

    Parameters
    ----------
    process : Process
        Process.
    pi : ndarray of float64, shape (S, A)
        Probability of every action in every state.

    Returns
    -------
    Episodes
        The episodes, the shorter first.

    Raises
    ------
    ValueError
        If `pi` has another shape, or the episodes have more than a million steps.

    Notes
    -----
    Breadth first: all beginnings of t steps are lengthened at once, and those that end are put
    aside. There are O((S A)^H) of them.
    """
    n, m = process.n_states, process.n_actions
    checks.shape((n, m), pi=pi)
    ended: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    n_listed = 0
    states = np.flatnonzero(process.initial)[:, np.newaxis]
    actions = np.zeros((len(states), 0), np.int64)
    chance = process.initial[states[:, 0]]
    for t in range(1, process.horizon + 1):
        here = states[:, -1]
        ways = chance[:, np.newaxis, np.newaxis] * pi[here, :, np.newaxis]
        ways = ways * process.transition[here]
        before, act, after = np.nonzero(ways)
        if n_listed + t * len(before) > LIMIT:
            raise ValueError(f"episodes must have at most {LIMIT} steps in all, got more")
        chance = ways[before, act, after]
        states = np.column_stack([states[before], after])
        actions = np.column_stack([actions[before], act])
        over = (after == n) | (t == process.horizon)
        ended.append((states[over], actions[over], chance[over]))
        n_listed += t * int(over.sum())
        states, actions, chance = states[~over], actions[~over], chance[~over]
    return _end_to_end(process, ended)


def _end_to_end(
    process: Process,
    groups: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]],
) -> Episodes:
    """Flatten groups of episodes, each of one length."""
    n_each = [len(chance) for _, _, chance in groups]
    length = np.repeat(np.arange(1, len(groups) + 1), n_each)
    state, act, after = (
        np.concatenate([np.ravel(x) for x in parts])
        for parts in (
            [states[:, :-1] for states, _, _ in groups],
            [actions for _, actions, _ in groups],
            [states[:, 1:] for states, _, _ in groups],
        )
    )
    start = np.concatenate([[0], np.cumsum(length)])
    last = after[start[1:] - 1]
    return Episodes(
        state=state,
        time=np.arange(len(state)) - np.repeat(start[:-1], length),
        act=act,
        rew=process.reward[state, act, after],
        start=start,
        last_state=last,
        last_time=length,
        terminated=last == process.n_states,
        probability=np.concatenate([chance for _, _, chance in groups]),
    )
