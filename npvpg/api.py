"""What a script or a notebook needs beside the parts: make, train, load, evaluate."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg import checks
from npvpg.jobs import run as one_run
from npvpg.loaded import Loaded, load
from npvpg.policy import Policy
from npvpg.runs import environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.config_file import configure
from npvpg.runs.directory import RunDirectory, default_directory
from npvpg.runs.evaluation import Score
from npvpg.runs.evaluation import evaluate as evaluate_run
from npvpg.show.screen import Screen
from npvpg.value import Value
from npvpg.vpg import VPG


class Made(NamedTuple):
    """
    An environment and what is to be trained on it.

    Attributes
    ----------
    env : gymnasium.vector.VectorEnv
        The environment; close it when done.
    policy : Policy
        A policy for its spaces.
    value : Value
        A value function for its observations.
    algorithm : VPG
        Policy, value function and how they learn: what `npvpg.iterate` takes.
    config : Config
        All settings.
    """

    env: VectorEnv[Any, Any, Any]
    policy: Policy
    value: Value
    algorithm: VPG
    config: Config


def make(env: str, **settings: Any) -> Made:
    """
    Make an environment, and policy, value function and algorithm for it.

    Parameters
    ----------
    env : str
        Identifier of the environment; its preset gives the settings that are not named.
    **settings : object
        Fields of `npvpg.Config`, or ``algorithm``, as the flags of `npvpg train`.

    Returns
    -------
    Made
        Environment, policy, value function, algorithm and configuration.

    Raises
    ------
    ValueError
        If a setting is unknown or out of range, or the environment cannot be used.

    Examples
    --------
    >>> import npvpg
    >>> made = npvpg.make("CartPole-v1", hidden=(16,), envs=4)
    >>> update = next(npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=1000))
    >>> update.steps, made.policy.size
    (256, 114)
    >>> made.env.close()
    """
    config = configure(env, **settings)
    vector = environments.make_for(config)
    algorithm = build(config, vector)
    return Made(vector, algorithm.policy, algorithm.value, algorithm, config)


class Trained(NamedTuple):
    """
    What a training left.

    Attributes
    ----------
    policy : Loaded
        The policy, to act with.
    path : Path
        Directory of the run.
    summary : dict
        As in its `summary.json`: steps, seconds, mean return, evaluation.
    """

    policy: Loaded
    path: Path
    summary: dict[str, Any]


def train(
    env: str,
    *,
    out: str | Path | None = None,
    quiet: bool = False,
    jsonl: bool = False,
    tensorboard: bool = False,
    **settings: Any,
) -> Trained:
    """
    Train, as `npvpg train` does: the same words mean the same run.

    Parameters
    ----------
    env : str
        Identifier of the environment; its preset gives the settings that are not named.
    out : str or Path, optional
        Directory of the run; ``runs/ENV-seedS-TIME`` if not given.
    quiet : bool
        Show nothing; by default the progress is shown as the command shows it.
    jsonl, tensorboard : bool
        Write metrics.jsonl, or event files of TensorBoard, beside the logs.
    **settings : object
        Fields of `npvpg.Config`, or ``algorithm``, as the flags of the command.

    Returns
    -------
    Trained
        The policy, the directory and the summary.

    Raises
    ------
    ValueError
        If a setting is unknown or out of range, the environment cannot be used or breaks its
        rules, or `out` holds a run already.

    Examples
    --------
    >>> import gymnasium, npvpg
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     short = {"steps": 2048, "evaluation_episodes": 0, "quiet": True}
    ...     policy, path, summary = npvpg.train("CartPole-v1", out=folder + "/run", **short)
    >>> obs, _ = gymnasium.make("CartPole-v1").reset(seed=0)
    >>> policy(obs, greedy=True) in (0, 1), summary["steps"]
    (True, 2048)
    """
    config = configure(env, **settings)
    directory = default_directory(config, datetime.now())
    if out is not None:
        directory = RunDirectory(Path(out))
    also = ("jsonl",) * jsonl + ("tensorboard",) * tensorboard
    summary = one_run.train(config, directory, also=also, screen=Screen(quiet=quiet))
    return Trained(load(directory.path), directory.path, summary)


def evaluate(
    run: str | Path, *, episodes: int = 100, seed: int = 0, best: bool = False
) -> dict[str, Score]:
    """
    Play with the policy of a run, as `npvpg evaluate` does.

    Parameters
    ----------
    run : str or Path
        Directory of the run.
    episodes : int
        Episodes of either kind, at least 1.
    seed : int
        Seed, at least 0; its streams are apart from those of the training.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.

    Returns
    -------
    dict of Score
        Under "sampled" and "greedy": mean, standard deviation and interval of the return.

    Raises
    ------
    ValueError
        If the directory holds no run, or its checkpoint or environment cannot be used.
    """
    checks.at_least(1, episodes=episodes)
    checks.at_least(0, seed=seed)
    return evaluate_run(Path(run), episodes=episodes, seed=seed, best=best)


class Flat(NamedTuple):
    """
    Steps of several sub-environments, laid end to end.

    Attributes
    ----------
    rew, val : ndarray of float64, shape (S,)
        Rewards and values, sub-environment after sub-environment [reward].
    last_val : ndarray of float64, shape (K,)
        Value of what each trajectory stopped in, 0 where it terminated [reward].
    start : ndarray of int64, shape (K + 1,)
        Trajectory k is ``start[k]:start[k + 1]`` [steps].
    """

    rew: NDArray[np.float64]
    val: NDArray[np.float64]
    last_val: NDArray[np.float64]
    start: NDArray[np.int64]


def trajectories(
    rew: NDArray[Any],
    val: NDArray[Any],
    next_val: NDArray[Any],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
) -> Flat:
    """
    Lay a rectangle of steps out as estimators take them.

    Parameters
    ----------
    rew : ndarray, shape (T, N)
        Rewards, time along axis 0, as PyTorch and Stable-Baselines3 keep them [reward].
    val : ndarray, shape (T, N)
        Values of the observations acted in [reward].
    next_val : ndarray, shape (T, N)
        Values of the observations that followed, the true last ones where an episode ended; only
        those of truncated and of last steps are read [reward].
    terminated, truncated : ndarray of bool, shape (T, N)
        Whether the step ended its episode for good, or cut it.

    Returns
    -------
    Flat
        What ``estimator(*flat)`` takes; ``psi.reshape(N, T).T`` is a rectangle again.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> from npvpg import RewardToGo, trajectories
    >>> rew, none = np.ones((3, 1)), np.zeros((3, 1), bool)
    >>> ended = np.array([[False], [True], [False]])
    >>> flat = trajectories(rew, 0 * rew, 8 * rew, ended, none)
    >>> flat.start, flat.last_val, RewardToGo(0.5)(*flat)
    (array([0, 2, 3]), array([0., 8.]), array([1.5, 1. , 5. ]))
    """
    rew = np.asarray(rew)
    checks.shape((-1, -1), rew=rew)
    checks.shape(rew.shape, val=val, next_val=next_val, terminated=terminated, truncated=truncated)
    stops = np.asarray(terminated, bool) | np.asarray(truncated, bool)
    stops[-1] = True
    at = np.flatnonzero(stops.T)
    one_after_another = (np.asarray(x).T.ravel() for x in (rew, val, next_val, terminated))
    flat_rew, flat_val, after, for_good = one_after_another
    return Flat(
        flat_rew.astype(np.float64),
        flat_val.astype(np.float64),
        np.where(for_good[at], 0.0, after[at]).astype(np.float64),
        np.concatenate([[0], at + 1]).astype(np.int64),
    )
