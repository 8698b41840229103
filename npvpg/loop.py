"""The loop: collect a batch, let the algorithm learn from it, say what happened, again."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import DTypeLike

from npvpg import checks
from npvpg.algorithm import Algorithm, Turn
from npvpg.normalize import RunningMoments
from npvpg.recent import RECENT
from npvpg.state import Iteration, TrainState
from npvpg.world.actor import Actor
from npvpg.world.engine import Engine
from npvpg.world.rollout import Position, Rollout
from npvpg.world.split import Crew, Split
from npvpg.world.vector import SeededVectorEnv


def initial_state(
    algorithm: Algorithm[Any], *, n_envs: int, seed: int, dtype: DTypeLike = np.float64
) -> TrainState:
    """
    State before the first update.

    Parameters
    ----------
    algorithm : Algorithm
        The algorithm.
    n_envs : int
        Number of sub-environments.
    seed : int
        Seed of the run, at least 0.
    dtype : dtype
        Type of all parameters.

    Returns
    -------
    TrainState
        Drawn parameters and empty statistics.
    """
    return TrainState(
        iteration=0,
        steps=0,
        learner=algorithm.init(seed, dtype),
        obs_moments=RunningMoments.empty(algorithm.n_obs),
        position=Position.initial(n_envs),
        recent=np.zeros((0, 2)),
    )


def iterate(
    env: VectorEnv[Any, Any, Any],
    algorithm: Algorithm[Any],
    *,
    seed: int,
    n_steps: int,
    dtype: DTypeLike = np.float64,
    state: TrainState | None = None,
    crew: Crew | None = None,
) -> Iterator[Iteration]:
    """
    Train; one `Iteration` per update.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with autoreset disabled.
    algorithm : Algorithm
        What learns.
    seed : int
        Seed of the run, at least 0: everything random follows from it.
    n_steps : int
        Environment steps after which no further update begins.
    dtype : dtype
        Type of all parameters.
    state : TrainState, optional
        State to go on from; the run then continues as if it had never stopped.
    crew : Crew, optional
        Workers that step the sub-environments in place of `env`, among which these are shared out.
        No number depends on it.

    Yields
    ------
    Iteration
        What the update did, and the state after it.

    Raises
    ------
    ValueError
        If the environment cannot be used or returns what is not finite; if the gradient is not
        finite; if `state` cannot be returned to.

    References
    ----------
    .. [1] J. Achiam, "Spinning Up in Deep Reinforcement Learning", 2018, algorithm
       "Vanilla Policy Gradient".
    """
    checks.at_least(1, n_steps=n_steps)
    began = time.perf_counter()
    if state is None:
        state = initial_state(algorithm, n_envs=env.num_envs, seed=seed, dtype=dtype)
    bits, repeat = state.position.seed_bits, algorithm.collect.repeat
    driver = SeededVectorEnv(env, seed, seed_bits=bits, repeat=repeat)
    engine: Engine = driver
    if crew is not None:
        engine = Split(crew, env.num_envs, seed=seed, seed_bits=bits, repeat=repeat)
    _return_to(engine, state.position)
    while state.steps < n_steps:
        turn = Turn(seed, state.iteration, state.steps / n_steps)
        policy, theta = algorithm.acting(state.learner, turn.fraction)
        moments = state.obs_moments if algorithm.collect.normalize_obs else None
        rollout = algorithm.collect(
            engine,
            Actor(policy, theta, moments),
            state.position,
            iteration=state.iteration,
            steps_before=state.steps,
        )
        learner, diagnostics = algorithm.update(rollout.batch, state.learner, turn)
        clipped = driver.clipped(rollout.batch.act)
        if clipped is not None:
            diagnostics = {**diagnostics, "clipped": clipped}
        state = _next(state, rollout, learner, moments)
        yield Iteration(state, rollout.episodes, diagnostics, time.perf_counter() - began)


def _return_to(engine: Engine, position: Position) -> None:
    """Bring the sub-environments to where a run stopped."""
    n_envs = len(position.episode)
    if n_envs != engine.n_envs:
        raise ValueError(
            f"state must be one of {engine.n_envs} sub-environments, as env is, got {n_envs}"
        )
    engine.return_to(position)


def _next(
    state: TrainState, rollout: Rollout, learner: Any, moments: RunningMoments | None
) -> TrainState:
    """Count what the batch brought."""
    finished = np.array([(e.ret, e.length) for e in rollout.episodes]).reshape(-1, 2)
    return TrainState(
        iteration=state.iteration + 1,
        steps=state.steps + rollout.batch.n_steps,
        learner=learner,
        obs_moments=moments.update(rollout.raw_obs) if moments else state.obs_moments,
        position=rollout.position,
        recent=np.concatenate([state.recent, finished])[-RECENT:],
    )
