"""How good a policy is: played as it samples, and played greedily."""

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from npvpg.experiment import checkpoint, config_file, environments
from npvpg.experiment.build import build
from npvpg.experiment.directory import RunDirectory
from npvpg.experiment.statistics import bootstrap_interval
from npvpg.policy import Policy
from npvpg.rollout import play_episodes
from npvpg.streams import Purpose
from npvpg.vector import SeededVectorEnv
from npvpg.vpg import TrainState


def evaluate_state(
    env: VectorEnv, policy: Policy, state: TrainState, *, episodes: int, seed: int
) -> dict[str, dict[str, float]]:
    """
    Play episodes with the policy of a state; nothing in the state changes.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with autoreset disabled.
    policy : Policy
        Policy of the run.
    state : TrainState
        Parameters, and the statistics that normalise the observations, which stay as they are.
    episodes : int
        Number of episodes of either kind.
    seed : int
        Seed; its streams are apart from those of training.

    Returns
    -------
    dict
        Under "sampled" and "greedy": mean and std of the return [reward], the bounds low and high
        of a 95 % bootstrap interval of the mean, and the number of episodes.

    Raises
    ------
    ValueError
        If `episodes` is smaller than 1, or the environment returns what it must not.
    """
    driver = SeededVectorEnv(env, seed, Purpose.EVALUATION_EPISODE)
    result = {}
    for name in ("sampled", "greedy"):
        returns, _ = play_episodes(
            driver,
            policy,
            state.theta,
            n_episodes=episodes,
            observe=state.observe,
            greedy=name == "greedy",
        )
        low, high = bootstrap_interval(returns, seed=seed)
        result[name] = {
            "mean": float(np.mean(returns)),
            "std": float(np.std(returns)),
            "low": low,
            "high": high,
            "episodes": episodes,
        }
    return result


def evaluate(run_dir: Path, *, episodes: int, seed: int) -> dict[str, Any]:
    """
    Evaluate the last checkpoint of a run.

    Parameters
    ----------
    run_dir : Path
        Directory of the run.
    episodes : int
        Number of episodes of either kind.
    seed : int
        Seed.

    Returns
    -------
    dict
        As `evaluate_state` gives it.

    Raises
    ------
    ValueError
        If the directory holds no run, or its checkpoint cannot be read.
    """
    directory = RunDirectory(run_dir)
    if not directory.config.is_file():
        raise ValueError(f"{run_dir} holds no run: it has no {directory.config.name}")
    config = config_file.complete(config_file.read(directory.config), directory.config)
    arrays, _ = checkpoint.load(directory.checkpoint)
    state = TrainState.from_arrays(arrays)
    env = environments.make(
        config.env, config.envs, asynchronous=config.async_envs, backend=config.backend
    )
    try:
        policy = build(config, env).policy
        return evaluate_state(env, policy, state, episodes=episodes, seed=seed)
    finally:
        env.close()
