"""
E8 at the traps: other modes of autoreset, shifted actions, nested limits, greedy play.

Each is a case of its own, all of them listed: there is nothing to draw.
"""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from npvpg.distributions import Categorical
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, play_episodes, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, require
from verification.mathematics.scripted import Scripted

POLICY = Policy(MLP((1, 2)), Categorical(2))
THETA = np.zeros(POLICY.size)


class Endless(gym.Env[NDArray[np.float64], np.int64]):
    """Shows the time and never ends by itself."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin at time 0."""
        self.t = 0
        return np.zeros(1), {}

    def step(self, action: np.int64) -> Any:
        """Count."""
        self.t += 1
        return np.full(1, float(self.t)), 1.0, False, False, {}


@claim("E8")
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, None])
def test_other_modes_of_autoreset_are_refused(mode):
    """They insert steps that no action took, or hide the last observation."""
    env = SyncVectorEnv([Endless] * 2, autoreset_mode=AutoresetMode.DISABLED)
    env.metadata = {"autoreset_mode": mode}
    try:
        SeededVectorEnv(env, 0)
        told = ""
    except ValueError as error:
        told = str(error)
    require(f"autoreset disabled, got {mode}; build it by" in told, f"{mode} {told}")
    env.metadata = {}  # an environment that does not say
    with pytest.raises(ValueError, match="autoreset disabled, got None"):
        SeededVectorEnv(env, 0)


@claim("E8")
@pytest.mark.parametrize("start", [-3, 0, 7])
def test_actions_count_from_the_start_of_the_space(start):
    """The environment gets index + start; the batch keeps the index, which is scored."""
    env = Scripted([[3, 2]] * 2, [["terminated"]] * 2, gym.spaces.Discrete(2, start=start))
    driver = SeededVectorEnv(env, 0)
    batch = fixed_horizon(
        driver, Actor(POLICY, THETA), Position.initial(2), n_steps=8, iteration=0
    ).batch
    sent = np.array([row[1] for log in env.log for row in log])
    require(np.array_equal(sent, batch.act + start))
    require(set(batch.act.tolist()) == {0, 1})


@claim("E8")
@pytest.mark.parametrize("limits", [(3, 5), (5, 3)])
@pytest.mark.parametrize("n_steps", [None, 6, 7])
def test_nested_limits(limits, n_steps):
    """Whichever limit comes first cuts, and nothing is taken for a death or for a limit."""
    inner, outer = limits
    make = [lambda: TimeLimit(TimeLimit(Endless(), inner), outer)] * 2
    driver = SeededVectorEnv(SyncVectorEnv(make, autoreset_mode=AutoresetMode.DISABLED), 0)
    if n_steps is None:
        batch = whole_episodes(
            driver, Actor(POLICY, THETA), Position.initial(2), n_episodes=2, iteration=0
        ).batch
        lengths = [3, 3] * 2
    else:
        batch = fixed_horizon(
            driver, Actor(POLICY, THETA), Position.initial(2), n_steps=n_steps, iteration=0
        ).batch
        lengths = [3, 3, *[1] * (n_steps - 6)] * 2
    require(batch.lengths.tolist() == lengths)
    require(not batch.terminated.any())
    require(batch.last_obs[:, 0].tolist() == lengths)


@claim("E8")
@pytest.mark.parametrize("greedy", [False, True])
def test_greedy_play_takes_the_mode(greedy):
    """Greedy, one action only; sampled, both. The same policy, and no exploration left over."""
    env = Scripted([[3, 2]] * 2, [["terminated"]] * 2, gym.spaces.Discrete(2))
    theta = np.array([0.0, 0.0, 0.1, -0.1])
    play_episodes(SeededVectorEnv(env, 0), Actor(POLICY, theta, by_mode=greedy), n_episodes=8)
    sent = {row[1] for log in env.log for row in log}
    require(sent == ({0.0} if greedy else {0.0, 1.0}), f"{sent}")
