"""Environments with one fault each, and the theorem that each breaks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete
from numba import njit
from numpy.typing import NDArray

from npvpg.envs import CompiledEnv

Array = NDArray[Any]


def start(noise: Array, state: Array, obs: Array) -> None:
    state[0] = 2 * noise[0] - 1
    obs[0] = state[0]


def walk(state: Array, action: int, obs: Array) -> tuple[float, bool]:
    """Left or right, out at 2."""
    state[0] += 0.5 * action
    obs[0] = state[0]
    return -abs(state[0]), abs(state[0]) > 2


def blow(state: Array, action: Array, obs: Array, noise: Array) -> tuple[float, bool]:
    """Driven by a force and by chance."""
    state[0] += action[0] + noise[0] - noise[1]
    obs[0] = state[0]
    return noise[0], False


def walk_to_nowhere(state: Array, action: int, obs: Array) -> tuple[float, bool]:
    state[0] += 0.5 * action
    obs[0] = state[0] if state[0] < 1 else np.nan
    return 0.0, False


def walk_for_infinity(state: Array, action: int, obs: Array) -> tuple[float, bool]:
    state[0] += 0.5 * action
    obs[0] = state[0]
    return -np.inf if state[0] > 1 else 0.0, False


def walk_out_of_bounds(state: Array, action: int, obs: Array) -> tuple[float, bool]:
    """The second number of a state of one."""
    obs[0] = state[0]
    return 0.0 * state[1], False


def walk_by_an_old_constant() -> Any:
    """Compiled code keeps the constant it was compiled with, Python reads the new one."""
    push = 0.5

    def pushed(state: Array, action: int, obs: Array) -> tuple[float, bool]:
        state[0] += push * action
        obs[0] = state[0]
        return 0.0, False

    old_constant: Any = njit(pushed)
    old_constant(np.zeros(1), 1, np.zeros(1, np.float32))
    push = 1.0
    return old_constant


WALK = CompiledEnv(
    start,
    walk,
    observation_space=Box(-np.inf, np.inf, (1,)),
    action_space=Discrete(3, start=-1),
    state_size=1,
    max_episode_steps=10,
    n_reset_noise=1,
)
BLOW = CompiledEnv(
    start,
    blow,
    observation_space=Box(-np.inf, np.inf, (1,), np.float64),
    action_space=Box(-1, 1, (1,)),
    state_size=1,
    max_episode_steps=-1,
    n_reset_noise=1,
    n_step_noise=2,
)
NARROW = replace(WALK, observation_space=Box(-1, 1, (1,)))


class Bent:
    """A vector environment that hands everything on but what a subclass bends."""

    def __init__(self, n: int = 1, *, max_episode_steps: int = 10, **more: Any) -> None:
        self.env = WALK(n, max_episode_steps=max_episode_steps, **more)
        self.limit = max_episode_steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        return self.env.reset(seed=seed, options=options)

    def step(self, act: Array) -> Any:
        return self.env.step(act)


class Shared(Bent):
    """Every sub-environment earns what all of them earn on average."""

    def step(self, act: Array) -> Any:
        obs, rew, *rest = super().step(act)
        return (obs, np.full_like(rew, rew.mean()), *rest)


class Unseeded(Bent):
    rng = np.random.default_rng(0)

    def step(self, act: Array) -> Any:
        obs, rew, *rest = super().step(act)
        return (obs, rew + self.rng.random(len(rew)), *rest)


class OneStream(Bent):
    """All sub-environments start from the first one's seed."""

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        return super().reset(seed=seed if seed is None else [seed[0]] * len(seed), options=options)


class Views(Bent):
    def __init__(self, n: int = 1, *, max_episode_steps: int = 10) -> None:
        super().__init__(n, max_episode_steps=max_episode_steps, copy=False)


class NeverRefuses(Bent):
    def step(self, act: Array) -> Any:
        over = self.env.get_state()["steps"] < 0
        if over.any():
            self.env.reset(options={"reset_mask": over})
        return super().step(act)


class ResetsAll(Bent):
    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        return super().reset(seed=seed)


class OneStepLonger(Bent):
    def __init__(self, n: int = 1, *, max_episode_steps: int = 10) -> None:
        super().__init__(n, max_episode_steps=max_episode_steps + (max_episode_steps > 0))


class HiddenClock(Bent):
    """A number that no state holds."""

    steps = 0

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        self.steps = 0 if seed is not None else self.steps
        return super().reset(seed=seed, options=options)

    def step(self, act: Array) -> Any:
        self.steps += 1
        obs, rew, *rest = super().step(act)
        return (obs, rew * self.steps, *rest)


class ForgetsSteps(Bent):
    def set_state(self, arrays: Mapping[str, Array]) -> None:
        self.env.set_state({**arrays, "steps": 0 * arrays["steps"]})


class Planted(NamedTuple):
    make: CompiledEnv | Callable[..., Any]
    theorem: str


PLANTED = (
    Planted(replace(WALK, step=walk_out_of_bounds), "plain"),
    Planted(replace(WALK, step=walk_by_an_old_constant()), "plain"),
    Planted(replace(WALK, step=walk_to_nowhere), "spaces"),
    Planted(replace(WALK, step=walk_for_infinity), "spaces"),
    Planted(NARROW, "spaces"),
    Planted(Views, "copies"),
    Planted(NeverRefuses, "ends"),
    Planted(ResetsAll, "ends"),
    Planted(OneStepLonger, "time limit"),
    Planted(Unseeded, "seeds"),
    Planted(Shared, "independence"),
    Planted(OneStream, "independence"),
    Planted(HiddenClock, "state"),
    Planted(ForgetsSteps, "state"),
)
