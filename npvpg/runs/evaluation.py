"""How good a policy is: played as it samples, and played greedily, from the same first states."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg.algorithm import Algorithm
from npvpg.envs.serial import close
from npvpg.policy import Policy
from npvpg.runs import config_file, environments, progress
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.statistics import bootstrap_interval
from npvpg.state import TrainState
from npvpg.vpg import VPG
from npvpg.world.actor import Actor
from npvpg.world.rollout import play_episodes
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv


class Score(TypedDict):
    """
    What some episodes returned.

    Attributes
    ----------
    mean : float
        Mean of the returns [reward].
    std : float
        Their standard deviation, as a population [reward].
    low, high : float or None
        Ends of the 95 % bootstrap interval of the mean [reward]; None for a single episode, which
        shows no spread.
    episodes : int
        How many episodes.
    """

    mean: float
    std: float
    low: float | None
    high: float | None
    episodes: int


def evaluate_state(
    env: VectorEnv,
    algorithm: Algorithm[Any],
    state: TrainState,
    *,
    fraction: float,
    episodes: int,
    seed: int,
) -> dict[str, Score]:
    """
    Play episodes with the policy of a state; nothing in the state changes.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with autoreset disabled.
    algorithm : Algorithm
        The algorithm, which says who acts.
    state : TrainState
        What it has learnt, and the statistics that normalise the observations, which stay as they
        are.
    fraction : float
        Steps taken, by steps of the whole run.
    episodes : int
        Number of episodes of either kind.
    seed : int
        Seed; its streams are apart from those of training.

    Returns
    -------
    dict of Score
        Under "sampled" and "greedy": mean, standard deviation and interval of the return.

    Raises
    ------
    ValueError
        If `episodes` is smaller than 1, or the environment returns what it must not.

    See Also
    --------
    npvpg.runs.statistics.bootstrap_interval : What the interval means.
    """
    played = returns_of(env, algorithm, state, fraction=fraction, episodes=episodes, seed=seed)
    result: dict[str, Score] = {}
    for name, returns in played.items():
        low, high = bootstrap_interval(returns, seed=seed) if episodes > 1 else (None, None)
        result[name] = {
            "mean": float(np.mean(returns)),
            "std": float(np.std(returns)),
            "low": low,
            "high": high,
            "episodes": episodes,
        }
    return result


def returns_of(
    env: VectorEnv,
    algorithm: Algorithm[Any],
    state: TrainState,
    *,
    fraction: float,
    episodes: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """
    Play episodes with the policy of a state, as `evaluate_state` does.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with autoreset disabled.
    algorithm : Algorithm
        The algorithm, which says who acts.
    state : TrainState
        What it has learnt, and the statistics that normalise the observations.
    fraction : float
        Steps taken, by steps of the whole run.
    episodes : int
        Number of episodes of either kind.
    seed : int
        Seed; its streams are apart from those of training.

    Returns
    -------
    dict of ndarray of float64, shape (episodes,)
        Returns under "sampled" and "greedy" [reward].

    Raises
    ------
    ValueError
        If `episodes` is smaller than 1, or the environment returns what it must not.
    """
    driver = SeededVectorEnv(env, seed, Purpose.EVALUATION_EPISODE)
    policy, theta = algorithm.acting(state.learner, fraction)
    played: dict[str, NDArray[np.float64]] = {}
    for name in ("sampled", "greedy"):
        actor = Actor(policy, theta, state.obs_moments, by_mode=name == "greedy")
        played[name], _ = play_episodes(driver, actor, n_episodes=episodes)
    return played


def evaluate(run_dir: Path, *, episodes: int, seed: int, best: bool = False) -> dict[str, Score]:
    """
    Evaluate the last checkpoint of a run, or its best policy.

    Parameters
    ----------
    run_dir : Path
        Directory of the run.
    episodes : int
        Number of episodes of either kind.
    seed : int
        Seed.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.

    Returns
    -------
    dict of Score
        As `evaluate_state` gives it.

    Raises
    ------
    ValueError
        If the directory holds no run, its checkpoint cannot be read or was written with another
        configuration, or the environment cannot be made.
    """
    with trained(run_dir, best=best) as run:
        return evaluate_state(
            run.env,
            run.algorithm,
            run.state,
            fraction=run.fraction,
            episodes=episodes,
            seed=seed,
        )


class Trained(NamedTuple):
    """
    A run as its last checkpoint has it.

    Attributes
    ----------
    config : Config
        Its configuration.
    env : gymnasium.vector.VectorEnv
        Its environment.
    algorithm : VPG
        Policy, value function and how they learn.
    state : TrainState
        Parameters and statistics.
    """

    config: Config
    env: VectorEnv
    algorithm: VPG
    state: TrainState

    @property
    def fraction(self) -> float:
        """Steps taken, by steps of the whole run."""
        return self.state.steps / self.config.steps

    @property
    def acting(self) -> tuple[Policy, NDArray[Any]]:
        """The policy as it acts there, and its parameters."""
        return self.algorithm.acting(self.state.learner, self.fraction)


@contextlib.contextmanager
def trained(run_dir: Path, *, best: bool = False) -> Iterator[Trained]:
    """
    Open a run at its last checkpoint, or that of its best policy.

    Parameters
    ----------
    run_dir : Path
        Directory of the run.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.

    Yields
    ------
    Trained
        The run, whose environment is closed afterwards.

    Raises
    ------
    ValueError
        If the directory holds no run, its checkpoint cannot be read or was written with another
        configuration, or the environment cannot be made.
    """
    directory = RunDirectory(run_dir)
    if not directory.config.is_file():
        raise ValueError(f"{run_dir} holds no run: it has no {directory.config.name}")
    config = config_file.complete(config_file.read(directory.config), directory.config)
    if best and not directory.best.exists():
        raise ValueError(
            f"{directory.best} does not exist: the best policy is kept with --eval-every STEPS"
        )
    env = environments.make_for(config)
    try:
        algorithm = build(config, env)
        state = progress.load(directory, config, algorithm, best=best).state
        if state is None:
            raise ValueError(f"{directory.checkpoint} does not exist: nothing has been trained yet")
        yield Trained(config, env, algorithm, state)
    finally:
        close(env)
