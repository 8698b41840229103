from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from npvpg.envs import COMPILED
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv


def cartpole(n: int = 3, **kwargs: Any) -> SeededVectorEnv:
    assert "CartPole-v1" in COMPILED  # its import registers the environment
    return SeededVectorEnv(gym.make_vec("npvpg/CartPole-v1", n, **kwargs), seed=0)


def start(env: SeededVectorEnv) -> NDArray[np.float64]:
    return env.reset(np.ones(env.n_envs, bool), np.zeros(env.n_envs, np.int64))


def test_nothing_returned_changes_when_the_environment_reuses_its_buffers() -> None:
    env = cartpole(copy=False)
    first = start(env)
    kept = first.copy()
    act = np.zeros(3, np.int64)
    step = env.step(act)
    assert not step[2].any()
    frozen = [x.copy() for x in step]
    after = step
    while not after[2].any():  # until a pole has fallen, so that every array has changed
        after = env.step(act)
    assert np.array_equal(first, kept)
    assert all(np.array_equal(a, b) for a, b in zip(step, frozen, strict=True))
    assert not np.array_equal(after[0], step[0])


def test_episodes_follow_from_seed_and_number_alone() -> None:
    one, many = start(cartpole(1)), start(cartpole(3))
    assert np.array_equal(one[0], many[0])
    assert len(np.unique(many, axis=0)) == 3
    env = cartpole(3)
    first = start(env)
    later = env.reset(np.array([True, False, False]), np.array([1, 0, 0]))
    assert not np.array_equal(later[0], first[0])
    assert np.array_equal(later[1:], first[1:])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_other_autoreset_modes_are_refused(mode: AutoresetMode) -> None:
    env: VectorEnv[Any, Any, Any] = gym.make_vec(
        "CartPole-v1", 2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    for refused in (env, gym.make_vec("npvpg/CartPole-v1", 2, autoreset_mode=mode)):
        with pytest.raises(ValueError, match=r"env must have autoreset disabled, got .*; build it"):
            SeededVectorEnv(refused, seed=0)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        SeededVectorEnv(gym.make_vec("npvpg/CartPole-v1", 2), seed=-1)


def test_streams_of_noise_are_those_of_the_run() -> None:
    env = cartpole(3)
    for iteration in (5, 6):
        for i, rng in enumerate(env.streams.generators(Purpose.ACTION, iteration)):
            want = generator(0, Purpose.ACTION, iteration, i)
            assert np.array_equal(rng.random(3), want.random(3))
            assert np.array_equal(rng.standard_normal(7), want.standard_normal(7))
