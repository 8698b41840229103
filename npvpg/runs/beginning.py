"""What a run begins with that goes on from the parameters of another."""

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg.loop import initial_state
from npvpg.runs import progress
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.group import GroupDirectory
from npvpg.state import TrainState
from npvpg.vpg import VPG

_SETTINGS = ("hidden", "activation", "normalize_obs")
"""What parameters mean nothing without, though their number may be the same."""

_ARRAYS = {
    "learner.theta": "parameters of the policy",
    "learner.phi": "parameters of the value",
    "obs_moments.mean": "numbers in an observation",
}


def state(config: Config, algorithm: VPG, env: VectorEnv) -> TrainState:
    """
    Give the state in front of the first update of a run with `init_from`.

    Parameters
    ----------
    config : Config
        Its configuration.
    algorithm : VPG
        Policy, value function and how they learn.
    env : gymnasium.vector.VectorEnv
        Its environment.

    Returns
    -------
    TrainState
        Parameters and the statistics that observations and rewards are normalised by, of the last
        checkpoint of the other run; all else as without it.

    Raises
    ------
    ValueError
        If there is no such run, or what it learnt does not fit: all that differs is named.
    """
    path = Path(config.init_from)
    if GroupDirectory(path).exists():
        raise ValueError(f"init_from must be one run, got those of several seeds in {path}")
    source = RunDirectory(path)
    theirs = source.read_config()
    arrays, _ = progress.read(source.checkpoint)
    fresh = initial_state(
        algorithm, n_envs=env.num_envs, seed=config.seed, dtype=np.dtype(config.dtype)
    )
    own = fresh.to_arrays()
    wrong = [
        f"{name} {_text(getattr(theirs, name))} there, {_text(getattr(config, name))} here"
        for name in _SETTINGS
        if getattr(theirs, name) != getattr(config, name)
    ]
    for name, what in _ARRAYS.items():
        there = arrays[name].size if name in arrays else 0
        if there != own[name].size:
            wrong.append(f"{there} {what} there, {own[name].size} here")
    if wrong:
        raise ValueError(f"init_from {path} does not fit: {'; '.join(wrong)}")
    taken: dict[str, NDArray[Any]] = {
        name: arrays[name].astype(own[name].dtype)
        for name in own
        if name in _ARRAYS or name.startswith(("obs_moments.", "learner.return_moments."))
        if name in arrays
    }
    return TrainState.from_arrays(own | taken, algorithm.learner)


def _text(value: object) -> str:
    """Write a setting as it is given on the command line."""
    return " ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
