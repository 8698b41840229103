"""The compiled environments in loops and wrappers of other libraries."""

from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import (
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
)

import npvpg.envs  # noqa: F401 - registers them


def pair(name: str, mode: AutoresetMode, n: int = 3) -> list[Any]:
    return [
        gymnasium.make_vec(f"npvpg/{name}", n, max_episode_steps=15, autoreset_mode=mode),
        gymnasium.make_vec(name, n, "sync", {"autoreset_mode": mode}, max_episode_steps=15),
    ]


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_normalised_observations_and_rewards(name: str) -> None:
    envs = [
        NormalizeReward(NormalizeObservation(env)) for env in pair(name, AutoresetMode.NEXT_STEP)
    ]
    for env in envs:
        env.reset(seed=2)
    envs[1].action_space.seed(0)
    for _ in range(50):
        act = envs[1].action_space.sample()
        have, want = (env.step(act) for env in envs)
        assert all(np.array_equal(h, w) for h, w in zip(have[:4], want[:4], strict=True))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_statistics_of_episodes(mode: AutoresetMode) -> None:
    envs = [RecordEpisodeStatistics(env) for env in pair("CartPole-v1", mode)]
    for env in envs:
        env.reset(seed=2)
    envs[1].action_space.seed(0)
    n_told = 0
    for _ in range(60):
        act = envs[1].action_space.sample()
        have, want = (env.step(act)[4] for env in envs)
        assert ("episode" in have) == ("episode" in want)
        if "episode" in want:
            n_told += 1
            for key in ("r", "l"):
                assert np.array_equal(have["episode"][key], want["episode"][key])
    assert n_told > 2


def test_statistics_of_episodes_that_are_reset_by_mask() -> None:
    """Gymnasium's own environments take the mask out of the options before the wrapper sees it."""
    envs = RecordEpisodeStatistics(pair("CartPole-v1", AutoresetMode.DISABLED)[0])
    envs.reset(seed=2)
    envs.action_space.seed(0)
    lengths, told = np.zeros(3, int), []
    for _ in range(60):
        *_, terminated, truncated, info = envs.step(envs.action_space.sample())
        lengths += 1
        over = terminated | truncated
        if over.any():
            assert info["episode"]["l"][over].tolist() == lengths[over].tolist()
            told += lengths[over].tolist()
            lengths[over] = 0
            envs.reset(options={"reset_mask": over.copy()})
    assert len(set(told)) > 1


def advantages(env: Any, seed: int, n_steps: int, gamma: float, lam: float) -> Any:
    """A rollout buffer and generalised advantages as single-file PPO scripts fill them."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal(env.single_observation_space.shape)
    obs = np.zeros((n_steps, env.num_envs, *env.single_observation_space.shape))
    rew, done, val = (np.zeros((n_steps, env.num_envs)) for _ in range(3))
    next_obs, _ = env.reset(seed=seed)
    next_done = np.zeros(env.num_envs)
    returns = []
    running = np.zeros(env.num_envs)
    for t in range(n_steps):
        obs[t], done[t], val[t] = next_obs, next_done, next_obs @ weights
        act = (next_obs @ weights > 0).astype(np.int64)
        next_obs, rew[t], terminated, truncated, info = env.step(act)
        next_done = np.logical_or(terminated, truncated)
        running += rew[t]
        returns += running[next_done].tolist()
        running[next_done] = 0
        if "final_obs" in info:
            for last in info["final_obs"][info["_final_obs"]]:
                rew[t] += gamma * float(last @ weights)
    adv, following = np.zeros_like(rew), next_obs @ weights
    last = np.zeros(env.num_envs)
    for t in reversed(range(n_steps)):
        going = 1.0 - (next_done if t == n_steps - 1 else done[t + 1])
        delta = rew[t] + gamma * following * going - val[t]
        adv[t] = last = delta + gamma * lam * going * last
        following = val[t]
    return obs, adv, returns


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_a_single_file_loop(mode: AutoresetMode) -> None:
    have, want = (advantages(env, 3, 80, 0.99, 0.95) for env in pair("CartPole-v1", mode))
    assert np.array_equal(have[0], want[0])
    assert np.array_equal(have[1], want[1])
    assert len(have[2]) > 5
    assert have[2] == want[2]


@pytest.mark.skipif(find_spec("torchrl") is None, reason="torchrl is not installed")
def test_torchrl() -> None:
    from torchrl.envs.libs.gym import GymWrapper  # noqa: PLC0415 - where it is installed

    env = GymWrapper(gymnasium.make_vec("npvpg/CartPole-v1", 3, autoreset_mode="NextStep"))
    rollout = env.rollout(20, break_when_any_done=False)
    assert tuple(rollout.shape) == (3, 20)


@pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="SB3 is not installed")
def test_stable_baselines3() -> None:
    from stable_baselines3 import PPO  # noqa: PLC0415
    from stable_baselines3.common.vec_env import VecEnv  # noqa: PLC0415

    class Adapted(VecEnv):  # type: ignore[misc, unused-ignore]
        """SB3's own interface: it resets in the same step and hands over the last observation."""

        def __init__(self, env: Any) -> None:
            super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
            self.env = env

        def reset(self) -> Any:
            return self.env.reset()[0]

        def step_async(self, actions: Any) -> None:
            self.actions = actions

        def step_wait(self) -> Any:
            obs, rew, terminated, truncated, info = self.env.step(self.actions)
            done = terminated | truncated
            infos: list[dict[str, Any]] = [{} for _ in done]
            for i in np.flatnonzero(done):
                last = info["final_obs"][i]
                infos[i] = {"terminal_observation": last, "TimeLimit.truncated": truncated[i]}
            return obs, rew, done, infos

        def close(self) -> None:
            self.env.close()

        def get_attr(self, attr_name: str, indices: Any = None) -> Any:
            return list(self.env.get_attr(attr_name))

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            self.env.set_attr(attr_name, value)

        def env_method(self, name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
            return list(self.env.call(name, *args, **kwargs))

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * self.num_envs

    env = Adapted(gymnasium.make_vec("npvpg/CartPole-v1", 4, autoreset_mode="SameStep"))
    PPO("MlpPolicy", env, n_steps=16, batch_size=32).learn(128)
