"""Episodes played to be looked at: what is seen, what the policy thinks of it, what it does."""

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg import checks, theirs
from npvpg.envs.serial import close
from npvpg.runs import environments
from npvpg.runs.config import Config
from npvpg.runs.group import GroupDirectory
from npvpg.runs.modules import short
from npvpg.state import TrainState
from npvpg.vpg import VPG
from npvpg.world.actor import Actor
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv

Picture = NDArray[np.uint8]


class Moment(NamedTuple):
    """
    A step of an episode, or its end, at which nothing is done any more.

    Attributes
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
        The environment.
    episode : int
        Number of the episode, from 1.
    step : int
        Steps taken so far.
    ret : float
        Return so far, undiscounted [reward].
    value : float or None
        V(s), in the environment's own reward; None where there is no value function [reward].
    params : ndarray, shape (H,)
        Parameters of the distribution of actions.
    act : ndarray, shape (D,), or None
        The action as the policy gives it; None at the end.
    """

    picture: Picture
    episode: int
    step: int
    ret: float
    value: float | None
    params: NDArray[Any]
    act: NDArray[Any] | None


_DRAWN_IN_MEMORY = {"SDL_VIDEODRIVER": "dummy", "MUJOCO_GL": "egl"}
"""What pygame and MuJoCo read, to draw where there is no display."""


def display() -> bool:
    """
    Say whether there is a display.

    Returns
    -------
    bool
        Whether windows can be expected to open.
    """
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@contextlib.contextmanager
def visible(config: Config) -> Iterator[VectorEnv]:
    """
    Make the environment of a run once more, such that it can be looked at.

    Parameters
    ----------
    config : Config
        The configuration of the run.

    Yields
    ------
    gymnasium.vector.VectorEnv
        One sub-environment that renders; it is closed afterwards.

    Raises
    ------
    ValueError
        If it cannot be made, or cannot render.
    """
    plain = environments.make_for(dataclasses.replace(config, backend="gymnasium"), 1)
    modes = plain.metadata.get("render_modes") or []
    close(plain)
    if "rgb_array" not in modes:
        offered = f"offers {', '.join(modes)} only" if modes else "offers nothing"
        raise ValueError(
            f"environment {short(config.env)} cannot be watched: it must offer rgb_array in "
            f"metadata['render_modes'], and {offered}"
        )
    arguments = {**config.env_arg, "render_mode": "rgb_array"}
    with _in_memory():
        env = environments.make_for(
            dataclasses.replace(config, env_arg=arguments, backend="gymnasium"), 1
        )
        try:
            yield env
        finally:
            close(env)


@contextlib.contextmanager
def _in_memory() -> Iterator[None]:
    """Let environments draw without a display, unless it is said how they are to."""
    names = [] if display() else [name for name in _DRAWN_IN_MEMORY if name not in os.environ]
    os.environ.update({name: _DRAWN_IN_MEMORY[name] for name in names})
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]


def play(
    env: VectorEnv,
    algorithm: VPG,
    state: TrainState,
    *,
    fraction: float,
    seed: int,
    episodes: int = 1,
    greedy: bool = False,
) -> Iterator[Moment]:
    """
    Play episodes, moment by moment; nothing in the state changes.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        One sub-environment that renders, such as `visible` makes.
    algorithm : VPG
        The algorithm, which says who acts.
    state : TrainState
        What it has learnt.
    fraction : float
        Steps taken, by steps of the whole run.
    seed : int
        Seed; its streams are apart from all others.
    episodes : int
        Number of episodes.
    greedy : bool
        Take the most probable action in place of a draw.

    Yields
    ------
    Moment
        One a step, and one for the end of each episode.

    Raises
    ------
    ValueError
        If a number is out of range, or the environment fails or returns what it must not.
    """
    checks.at_least(1, episodes=episodes)
    checks.at_least(0, seed=seed)
    driver = SeededVectorEnv(env, seed, Purpose.WATCHED_EPISODE)
    policy, theta = algorithm.acting(state.learner, fraction)
    weigh = algorithm.weigh
    scale = weigh.reward_scale
    if weigh.normalize_rewards:
        scale *= float(state.learner.return_moments.inverse_std[0])
    actor, law = Actor(policy, theta, state.obs_moments), policy.distribution
    for episode in range(episodes):
        rng = generator(seed, Purpose.WATCHED_ACTION, episode)
        obs = driver.reset(np.ones(1, bool), np.array([episode]))
        step, ret, over = 0, 0.0, False
        while True:
            seen = actor.see(obs)
            params = policy.params(theta, seen)
            value = None
            if not algorithm.value.is_zero:
                value = float(algorithm.value.at(state.learner.phi, seen).values[0]) / scale
            act = law.mode(params) if greedy else law.sample(params, policy.noise(rng, 1))
            moment = Moment(_picture(env), episode + 1, step, ret, value, params[0], None)
            if over:
                yield moment
                break
            yield moment._replace(act=act.ravel())
            obs, rew, terminated, truncated = driver.step(act)
            step, ret = step + 1, ret + float(rew[0])
            over = bool(terminated[0] or truncated[0])


def single(run: Path) -> Path:
    """
    Refuse a directory that holds the runs of several seeds where one is meant.

    Parameters
    ----------
    run : Path
        The directory.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    ValueError
        If it holds several.
    """
    group = GroupDirectory(run)
    if group.exists():
        first = group.run(group.read()[1][0]).path
        raise ValueError(f"{run} holds the runs of several seeds: name one, such as {first}")
    return run


def _picture(env: VectorEnv) -> Picture:
    """Draw the only sub-environment, and refuse what is no picture."""
    try:
        drawn: Any = env.render()
    except (Exception, SystemExit) as failure:
        raise ValueError(f"the environment cannot be drawn: {theirs.told(failure)}") from failure
    if isinstance(drawn, tuple | list) or (isinstance(drawn, np.ndarray) and drawn.ndim == 4):
        drawn = drawn[0] if len(drawn) else None
    picture = np.asarray(drawn)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        got = "None" if drawn is None else f"shape {picture.shape} of {picture.dtype}"
        raise ValueError(f"render() must return an array (height, width, 3) of uint8, got {got}")
    return picture
