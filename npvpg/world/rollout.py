"""
Collectors: policy and environment to batch.

Two of them, never mixed. `whole_episodes` plays a fixed number of episodes in every
sub-environment; to take the first K that finish would favour short ones. `fixed_horizon` plays a
fixed number of steps and goes on where it stopped; what lies beyond the last step of each
trajectory is left to the value function.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.world.actor import Actor
from npvpg.world.engine import Engine, Played, Record, Task
from npvpg.world.position import Position
from npvpg.world.streams import Purpose

__all__ = ["Episode", "Position", "Rollout", "fixed_horizon", "play_episodes", "whole_episodes"]


class Episode(NamedTuple):
    """
    A finished episode.

    Attributes
    ----------
    step : int
        Environment steps of the run, over all sub-environments, when it ended.
    ret : float
        Undiscounted return, rewards as the environment gave them [reward].
    length : int
        Number of its steps.
    """

    step: int
    ret: float
    length: int


class Rollout(NamedTuple):
    """
    What a collector returns.

    Attributes
    ----------
    batch : Batch
        The trajectories, observations normalised.
    raw_obs : ndarray of float64, shape (S, O)
        Observations as the environment gave them.
    episodes : tuple of Episode
        The episodes that finished, in the order they did.
    position : Position
        Where to go on.
    """

    batch: Batch
    raw_obs: NDArray[np.float64]
    episodes: tuple[Episode, ...]
    position: Position


def fixed_horizon(
    env: Engine,
    actor: Actor,
    position: Position,
    *,
    n_steps: int,
    iteration: int,
    steps_before: int = 0,
) -> Rollout:
    """
    Play a fixed number of steps in every sub-environment, from where it stands.

    Parameters
    ----------
    env : Engine
        What steps the N sub-environments, such as `npvpg.world.vector.SeededVectorEnv`.
    actor : Actor
        What chooses the actions.
    position : Position
        Where the sub-environments stand.
    n_steps : int
        Steps per sub-environment; the batch has N times as many.
    iteration : int
        Key of the stream that the actions' noise comes from.
    steps_before : int
        Environment steps of the run before this batch, for `Episode.step`.

    Returns
    -------
    Rollout
        Batch, finished episodes, and where to go on.

    Raises
    ------
    ValueError
        If `n_steps` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_steps=n_steps)
    played = env.play(actor, position, Task(Purpose.ACTION, iteration, n_steps=n_steps))
    return _cut_at_end(actor, played, position, steps_before)


def whole_episodes(
    env: Engine,
    actor: Actor,
    position: Position,
    *,
    n_episodes: int,
    iteration: int,
    steps_before: int = 0,
    purpose: Purpose = Purpose.ACTION,
) -> Rollout:
    """
    Play a fixed number of whole episodes in every sub-environment.

    A sub-environment that is through plays on until all are, as a vector environment moves all
    together; those steps are neither used nor counted.

    Parameters
    ----------
    env : Engine
        What steps the N sub-environments, such as `npvpg.world.vector.SeededVectorEnv`.
    actor : Actor
        What chooses the actions.
    position : Position
        Numbers of the episodes to begin with.
    n_episodes : int
        Episodes per sub-environment; the batch has N times as many.
    iteration : int
        Key of the stream that the actions' noise comes from.
    steps_before : int
        Environment steps of the run before this batch, for `Episode.step`.
    purpose : Purpose
        Stream of the noise.

    Returns
    -------
    Rollout
        Batch, its episodes, and where to go on.

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_episodes=n_episodes)
    played = env.play(actor, position, Task(purpose, iteration, n_episodes=n_episodes))
    return _cut_at_episodes(actor, played.record, position, steps_before, n_episodes)


def play_episodes(
    env: Engine,
    actor: Actor,
    *,
    n_episodes: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Play episodes to judge a policy by.

    Parameters
    ----------
    env : Engine
        Environment, best with `Purpose.EVALUATION_EPISODE` for its stream.
    actor : Actor
        What chooses the actions.
    n_episodes : int
        Number of episodes, shared out among the sub-environments beforehand.

    Returns
    -------
    returns : ndarray of float64, shape (n_episodes,)
        Undiscounted returns [reward].
    lengths : ndarray of int64, shape (n_episodes,)
        Lengths [steps].

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_episodes=n_episodes)
    batch = whole_episodes(
        env,
        actor,
        Position.initial(env.n_envs),
        n_episodes=-(-n_episodes // env.n_envs),
        iteration=0,
        purpose=Purpose.EVALUATION_ACTION,
    ).batch
    returns = np.add.reduceat(batch.rew, batch.start[:-1])
    return returns[:n_episodes], batch.lengths[:n_episodes]


def _cut_at_end(actor: Actor, played: Played, position: Position, steps_before: int) -> Rollout:
    """Keep every step; the last one ends a trajectory that may go on later."""
    record, current = played.record, played.current
    n_envs, n_steps = record.rew.shape
    alive = ~record.done[:, -1]
    record.next_obs[alive, -1] = current[alive]
    cut = record.done.copy()
    cut[:, -1] = True
    start = _offsets(cut)
    i, t = np.divmod(start[1:] - 1, n_steps)  # where each trajectory ends
    ret = np.add.reduceat(record.rew.ravel(), start[:-1])
    length = np.diff(start)
    begun_before = start[:-1] % n_steps == 0
    ret[begun_before] += position.ret
    length[begun_before] += position.length
    ended = record.done[i, t]
    episodes = _episodes(steps_before + (t + 1) * n_envs, t, ret, length, ended)
    at_end = t == n_steps - 1
    length_now = np.where(ended, 0, length)[at_end]
    ret_now = np.where(ended, 0.0, ret)[at_end]
    history = record.act
    if position.history.shape[1]:
        history = np.concatenate([position.history, history], axis=1)
    history = history[:, history.shape[1] - int(length_now.max()) :].copy()
    bits = position.seed_bits
    following = Position(played.episode, length_now, ret_now, current, history, bits, played.env)
    return _rollout(actor, Record(*map(_flat, record)), start, episodes, following)


def _cut_at_episodes(
    actor: Actor, record: Record, position: Position, steps_before: int, n_episodes: int
) -> Rollout:
    """Keep the first episodes of every sub-environment; each of them is a trajectory."""
    keep = np.asarray(np.cumsum(record.done, axis=1) - record.done < n_episodes)
    kept = Record(*(part[keep] for part in tuple[Any, ...](record)))
    start = _offsets(kept.done)
    t = np.nonzero(record.done & keep)[1]
    step = steps_before + np.cumsum(keep.sum(axis=0))[t]
    ret = np.add.reduceat(kept.rew, start[:-1])
    episodes = _episodes(step, t, ret, np.diff(start), np.ones(len(t), bool))
    following = Position.initial(len(record.rew))._replace(
        episode=position.episode + n_episodes, seed_bits=position.seed_bits
    )
    return _rollout(actor, kept, start, episodes, following)


def _episodes(
    step: NDArray[np.int64],
    t: NDArray[np.int64],
    ret: NDArray[np.float64],
    length: NDArray[np.int64],
    ended: NDArray[np.bool_],
) -> list[Episode]:
    """List the trajectories that ended an episode, in the order they did."""
    order = np.argsort(t, kind="stable")  # at the same time: by sub-environment
    order = order[ended[order]]
    return [
        Episode(*row)
        for row in zip(
            step[order].tolist(), ret[order].tolist(), length[order].tolist(), strict=True
        )
    ]


def _offsets(cut: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Offsets of trajectories that lie end to end, from where each is cut."""
    return np.concatenate([[0], np.flatnonzero(cut) + 1])


def _flat(part: NDArray[Any]) -> NDArray[Any]:
    """One sub-environment after the other; a view."""
    return part.reshape(-1, *part.shape[2:])


def _rollout(
    actor: Actor,
    record: Record,
    start: NDArray[np.int64],
    episodes: list[Episode],
    position: Position,
) -> Rollout:
    """Make a batch of steps that lie end to end."""
    batch = Batch(
        obs=actor.see(record.obs),
        act=record.act,
        rew=record.rew,
        start=start,
        last_obs=actor.see(record.next_obs[start[1:] - 1]),
        terminated=record.terminated[start[1:] - 1],
    )
    return Rollout(batch, record.obs, tuple(episodes), position)
