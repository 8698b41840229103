"""npvpg itself, measured from outside: the presets, through its public functions."""

import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from npvpg.loop import iterate
from npvpg.policy import Policy
from npvpg.runs import config_file, environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.state import Iteration
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon
from npvpg.world.vector import SeededVectorEnv
from verification.speed.peers.protocol import Judge, repeat, serve


def _prepare(env: str, changes: Mapping[str, Any]) -> tuple[Config, VectorEnv]:
    named = dict(changes)
    config = config_file.configure(env, named.pop("algorithm", None), **named)
    return config, environments.make_for(config)


def _iterations(config: Config, made: VectorEnv, n_steps: int) -> Iterator[Iteration]:
    return iterate(made, build(config, made), seed=config.seed, n_steps=n_steps, dtype=config.dtype)


def train(
    env: str,
    seed: int,
    changes: Mapping[str, Any],
    goal: float | None = None,
    max_seconds: float = 60.0,
    at_least: int = 1,
) -> dict[str, Any]:
    """
    Train until the task is solved, the time is over or the steps are used up.

    Parameters
    ----------
    env : str
        Environment, whose preset is taken.
    seed : int
        Seed.
    changes : mapping
        Fields of the configuration that differ from the preset; ``algorithm`` names one of the
        texts, as the flag does.
    goal : float or None
        Return at which training stops.
    max_seconds : float
        Time after which it stops [s].
    at_least : int
        Updates to make however long they take.

    Returns
    -------
    dict
        As `verification.speed.peers.protocol.Judge.result`. One update comes before the clock is
        started, which loads the kernels, or compiles them: it counts as set-up.
    """
    changes = {**changes, "seed": seed}
    began = time.perf_counter()
    config, made = _prepare(env, changes)
    next(_iterations(config, made, 1))
    made.close()
    setup = time.perf_counter() - began
    config, made = _prepare(env, changes)
    judge = Judge(goal, max_seconds)
    for update in _iterations(config, made, config.steps):
        returns = [episode.ret for episode in update.episodes]
        if judge.stops(update.steps, returns) and update.iteration >= at_least:
            break
    made.close()
    return judge.result(setup)


@cache
def _trained(env: str, updates: int, hidden: tuple[int, ...]) -> tuple[Policy, Any]:
    """A policy, and its parameters after some updates of the preset but for the network."""
    config, made = _prepare(env, {"hidden": hidden})
    policy = build(config, made).policy
    theta = policy.init(np.random.default_rng(0), config.dtype)
    if updates:
        for update in _iterations(config, made, config.steps):
            theta = update.state.learner.theta
            if update.iteration == updates:
                break
    made.close()
    return policy, theta


def rollout(
    env: str, n_envs: int, n_steps: int, updates: int, hidden: list[int], seconds: float
) -> dict[str, Any]:
    """
    Collect and do nothing else.

    Parameters
    ----------
    env : str
        Environment, whose preset is taken.
    n_envs, n_steps : int
        Sub-environments, and steps in each of them per call.
    updates : int
        Updates that the policy has had.
    hidden : list of int
        Widths of its hidden layers.
    seconds : float
        Time to fill [s].

    Returns
    -------
    dict
        Steps over all sub-environments, and seconds.
    """
    policy, theta = _trained(env, updates, tuple(hidden))
    _, made = _prepare(env, {"envs": n_envs})
    driver, position, count = SeededVectorEnv(made, 0), Position.initial(n_envs), 0
    actor = Actor(policy, theta)

    def collect() -> None:
        nonlocal position, count
        batch = fixed_horizon(driver, actor, position, n_steps=n_steps, iteration=count)
        position = batch.position
        count += 1

    n, taken = repeat(collect, seconds)
    made.close()
    return {"steps": n * n_steps * n_envs, "seconds": taken}


if __name__ == "__main__":
    serve(lambda: {"train": train, "rollout": rollout}, ("numpy", "numba", "gymnasium", "mujoco"))
