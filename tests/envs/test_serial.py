"""The serial vector environment does what Gymnasium's own does."""

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from npvpg.envs.serial import SerialVectorEnv


class Mixed(gymnasium.Env[Any, Any]):
    """Observations and actions of several parts."""

    observation_space = spaces.Dict({"a": spaces.Box(-9, 9, (2,)), "b": spaces.Discrete(5)})
    action_space = spaces.Tuple((spaces.Discrete(3), spaces.Box(-1, 1, (1,))))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.t = int(self.np_random.integers(3))
        return self._obs(), {"t": self.t}

    def step(self, action: Any) -> Any:
        self.t += 1 + int(action[0])
        rew = float(action[1][0])
        return self._obs(), rew, self.t > 6, self.t == 5, {"t": self.t}

    def _obs(self) -> Any:
        return {"a": np.array([self.t, -self.t], np.float32), "b": self.t % 5}


def equal(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, dict):
        return all(equal(ours[key], theirs[key]) for key in theirs)
    return bool(np.array_equal(ours, theirs)) and ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "make",
    [
        partial(gymnasium.make, "CartPole-v1"),
        partial(gymnasium.make, "Pendulum-v1", max_episode_steps=20),
        partial(gymnasium.make, "FrozenLake-v1"),
        Mixed,
    ],
)
def test_steps_and_resets_are_those_of_gymnasium(make: Any) -> None:
    n = 3
    ours = SerialVectorEnv(make, n)
    theirs = SyncVectorEnv([make] * n, autoreset_mode=AutoresetMode.DISABLED)
    assert ours.metadata == theirs.metadata
    for name in ("observation_space", "action_space", "single_observation_space", "num_envs"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert equal(ours.reset(seed=5)[0], theirs.reset(seed=5)[0])
    theirs.action_space.seed(0)
    n_ended = 0
    for _ in range(60):
        act = theirs.action_space.sample()
        got, want = ours.step(act), theirs.step(act)
        assert all(equal(a, b) for a, b in zip(got[:4], want[:4], strict=True))
        assert got[4] == {}
        ended = want[2] | want[3]
        n_ended += int(ended.sum())
        if ended.any():
            seeds: list[int | None] = [None, 7, 8]
            masks = ({"reset_mask": ended.copy()} for _ in range(2))
            a, b = (env.reset(seed=seeds, options=next(masks))[0] for env in (ours, theirs))
            assert equal(a, b)
    assert n_ended > 5
    ours.close()
    theirs.close()


def test_options_are_handed_on_and_kept_as_they_were() -> None:
    heard = []

    class Listening(Mixed):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            heard.append((seed, options))
            return super().reset(seed=seed)

    envs = SerialVectorEnv(Listening, 2)
    options = {"reset_mask": np.array([False, True]), "level": 3}
    envs.reset()
    envs.reset(seed=[1, 2], options=options)
    assert heard == [(None, None), (None, None), (2, {"level": 3})]
    assert set(options) == {"reset_mask", "level"}


@pytest.mark.parametrize("obs", [np.zeros(3), 0.0, np.zeros((2, 1))])
def test_an_observation_of_another_shape_is_not_spread(obs: Any) -> None:
    class Wrong(gymnasium.Env[Any, Any]):
        observation_space = spaces.Box(-1, 1, (2,))
        action_space = spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return obs, {}

    envs = SerialVectorEnv(Wrong, 1)
    with pytest.raises(ValueError, match=r"observation must have shape \(2,\), got "):
        envs.reset()


def test_closing_closes_every_environment() -> None:
    closed = []

    class Closing(Mixed):
        def close(self) -> None:
            closed.append(self)

    envs = SerialVectorEnv(Closing, 3)
    envs.close()
    assert closed == envs.envs
