"""One seed of a preset."""

from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from npvpg.loop import iterate
from npvpg.recent import solved
from npvpg.runs import config_file, environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.evaluation import evaluate_state

GOALS = {
    "CartPole-v1": 475.0,
    "Acrobot-v1": -100.0,
    "Pendulum-v1": -200.0,
    "InvertedPendulum-v5": 950.0,
}


class Result(NamedTuple):
    """
    What one seed came to.

    Attributes
    ----------
    seed : int
        Seed.
    reached : int or None
        Steps at which the mean return of the last 100 training episodes reached the goal.
    final : float
        That mean at the end of the run [reward].
    greedy : float
        Mean greedy return over 20 episodes at the end [reward].
    seconds : float
        Wall-clock time of training.
    """

    seed: int
    reached: int | None
    final: float
    greedy: float
    seconds: float


def one_seed(env_id: str, seed: int, steps: int | None, *, whole: bool) -> Result:
    """
    Train one seed of the preset.

    Parameters
    ----------
    env_id : str
        Environment.
    seed : int
        Seed.
    steps : int or None
        Steps to train for; None for those of the preset.
    whole : bool
        Go on after the goal is reached.

    Returns
    -------
    Result
        What it came to.
    """
    values = {**config_file.preset(env_id), **({} if steps is None else {"steps": steps})}
    config = Config(env_id, **{**values, "seed": seed})
    env = environments.make(
        env_id, config.envs, backend=config.backend, action_bound=config.action_bound
    )
    algorithm = build(config, env)
    goal, reached = GOALS[env_id], None
    with threadpool_limits(1):
        run = iterate(env, algorithm, seed=seed, n_steps=config.steps, dtype=config.dtype)
        for iteration in run:
            mean = iteration.mean_return
            if reached is None and solved(mean, len(iteration.state.recent), goal):
                reached = iteration.steps
                if not whole:
                    break
        played = evaluate_state(
            env,
            algorithm,
            iteration.state,
            fraction=iteration.steps / config.steps,
            episodes=20,
            seed=seed,
        )
    env.close()
    final = np.nan if mean is None else mean
    return Result(seed, reached, final, played["greedy"]["mean"], iteration.seconds)
