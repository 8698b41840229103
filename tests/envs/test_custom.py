from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary
from numba import njit
from numpy.typing import NDArray

from npvpg.envs import CompiledEnv


def start(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[Any]) -> None:
    """A point on a line, somewhere in [-1, 1)."""
    state[0] = 2 * noise[0] - 1
    obs[0] = state[0]


def walk(state: NDArray[np.float64], action: int, obs: NDArray[Any]) -> tuple[float, bool]:
    """Left or right, out at 2."""
    state[0] += 0.5 * action
    obs[0] = state[0]
    return -abs(state[0]), abs(state[0]) > 2


def drift(
    state: NDArray[np.float64],
    action: NDArray[Any],
    obs: NDArray[Any],
    noise: NDArray[np.float64],
) -> tuple[float, bool]:
    """Driven by a force and by chance."""
    state[0] += action[0] + noise[0] - noise[1]
    obs[0] = state[0]
    return noise[0], False


LINE = Box(-np.inf, np.inf, (1,), dtype=np.float32)
WALK = CompiledEnv(
    start,
    walk,
    observation_space=LINE,
    action_space=Discrete(3, start=-1),
    state_size=1,
    max_episode_steps=10,
    n_reset_noise=1,
)
DRIFT = CompiledEnv(
    njit(start),
    njit(drift),
    observation_space=Box(-np.inf, np.inf, (1,), dtype=np.float64),
    action_space=Box(-1, 1, (1,)),
    state_size=1,
    max_episode_steps=-1,
    n_reset_noise=1,
    n_step_noise=2,
)


def test_an_episode_by_hand() -> None:
    envs = WALK(2)
    obs, _ = envs.reset(seed=[3, 4])
    places = np.array([2 * np.random.default_rng(seed).random() - 1 for seed in (3, 4)])
    ages = np.zeros(2, dtype=np.int64)
    assert np.array_equal(obs[:, 0], places.astype(np.float32))
    for t in range(1, 31):
        act = np.array([1, 0])
        obs, rew, terminated, truncated, _ = envs.step(act)
        places, ages = places + 0.5 * act, ages + 1
        assert np.array_equal(obs[:, 0], places.astype(np.float32))
        assert np.array_equal(rew, -np.abs(places))
        assert np.array_equal(terminated, np.abs(places) > 2)
        assert np.array_equal(truncated, ages == 10)
        over = terminated | truncated
        if over.any():
            envs.reset(seed=[t, t], options={"reset_mask": over})
            places[over], ages[over] = 2 * np.random.default_rng(t).random() - 1, 0


def test_a_step_may_use_chance() -> None:
    envs = DRIFT(2)
    obs, _ = envs.reset(seed=[8, 9])
    assert obs.dtype == np.float64
    oracles = [np.random.default_rng(seed) for seed in (8, 9)]
    places = np.array([2 * oracle.random() - 1 for oracle in oracles])
    assert np.array_equal(obs[:, 0], places)
    for _ in range(50):
        obs, rew, *_ = envs.step(np.full((2, 1), 0.25))
        noise = np.array([oracle.random(2) for oracle in oracles])
        places = places + (0.25 + noise[:, 0] - noise[:, 1])
        assert np.allclose(obs[:, 0], places, rtol=0, atol=1e-12)
        assert np.array_equal(rew, noise[:, 0])


def test_chance_is_part_of_the_state() -> None:
    one, other = DRIFT(3), DRIFT(3)
    one.reset(seed=1)
    other.reset(seed=2)
    one.step(np.zeros((3, 1)))
    other.set_state(one.get_state())
    for _ in range(5):
        assert np.array_equal(one.step(np.zeros((3, 1)))[0], other.step(np.zeros((3, 1)))[0])


def test_neighbours_do_not_matter() -> None:
    """Sub-environment i alone plays the same episode as among others."""
    many, alone = DRIFT(3), DRIFT(1)
    many.reset(seed=[5, 6, 7])
    alone.reset(seed=[6])
    for _ in range(5):
        assert np.array_equal(many.step(np.zeros((3, 1)))[0][1], alone.step(np.zeros((1, 1)))[0][0])


def test_registered_with_gymnasium() -> None:
    gymnasium.register(
        "npvpg-test/Walk-v0",
        vector_entry_point=WALK,  # type: ignore[arg-type]
        max_episode_steps=4,
    )
    try:
        envs = gymnasium.make_vec("npvpg-test/Walk-v0", num_envs=3)
    finally:
        del gymnasium.registry["npvpg-test/Walk-v0"]
    envs.reset(seed=0)
    for t in range(1, 5):
        assert envs.step(np.zeros(3, dtype=np.int64))[3].tolist() == [t == 4] * 3


def test_actions_start_where_the_space_starts() -> None:
    envs = WALK(2)
    envs.reset(seed=0)
    envs.step([-1, 1])
    for bad in (-2, 2):
        with pytest.raises(ValueError, match=f"got {bad} for sub-environment 1"):
            envs.step([0, bad])


def test_noise_counts_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="n_reset_noise must be at least 0, got -1"):
        CompiledEnv(
            start,
            walk,
            observation_space=LINE,
            action_space=Discrete(2),
            state_size=1,
            max_episode_steps=10,
            n_reset_noise=-1,
        )


@pytest.mark.parametrize(
    ("observation_space", "action_space", "message"),
    [
        (Box(0, 1, (2, 2)), Discrete(2), r"observation_space must be a Box \(O,\), got Box"),
        (Discrete(3), Discrete(2), r"observation_space must be a Box \(O,\), got Discrete"),
        (LINE, Box(0, 1, (2, 2)), r"action_space must be Discrete or a Box \(D,\), got Box"),
        (LINE, MultiBinary(2), r"action_space must be Discrete or a Box \(D,\), got MultiBinary"),
    ],
)
def test_other_spaces_are_refused(observation_space: Any, action_space: Any, message: str) -> None:
    description = CompiledEnv(
        start,
        walk,
        observation_space=observation_space,
        action_space=action_space,
        state_size=1,
        max_episode_steps=10,
    )
    with pytest.raises(ValueError, match=message):
        description(2)


def test_rendering_is_not_offered() -> None:
    with pytest.raises(NotImplementedError):
        WALK(1).render()
