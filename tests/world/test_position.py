"""A position says how long the seeds of its episodes are, and old ones go on as they were."""

from typing import Any

import gymnasium
import numpy as np
import pytest

import npvpg.envs  # noqa: F401 (registers the compiled environments)
from npvpg.distributions import Categorical
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.position import Position, replay
from npvpg.world.rollout import fixed_horizon, whole_episodes
from npvpg.world.streams import OLD_SEED_BITS, SEED_BITS
from npvpg.world.vector import SeededVectorEnv

POLICY = Policy(MLP((4, 2)), Categorical(2))
ACTOR = Actor(POLICY, POLICY.init(np.random.default_rng(0)))


def env(bits: int = SEED_BITS) -> SeededVectorEnv:
    return SeededVectorEnv(gymnasium.make_vec("npvpg/CartPole-v1", 2), seed=3, seed_bits=bits)


def position(bits: int) -> Position:
    return Position.initial(2)._replace(seed_bits=bits)


def test_seeds_have_31_bits_unless_a_position_says_nothing() -> None:
    assert (SEED_BITS, OLD_SEED_BITS) == (31, 63)
    assert Position.initial(2).seed_bits == 31
    assert Position(*Position.initial(2)[:5]).seed_bits == 63


@pytest.mark.parametrize("bits", [31, 63])
def test_the_collectors_keep_the_length(bits: int) -> None:
    driver = env(bits)
    moved = fixed_horizon(driver, ACTOR, position(bits), n_steps=30, iteration=0).position
    whole = whole_episodes(driver, ACTOR, position(bits), n_episodes=1, iteration=0).position
    assert moved.seed_bits == whole.seed_bits == bits


def test_both_lengths_begin_other_episodes_and_each_its_own_again() -> None:
    batches: dict[int, Any] = {}
    for bits in (31, 63):
        first = fixed_horizon(env(bits), ACTOR, position(bits), n_steps=40, iteration=0)
        again = env(bits)
        replay(again, first.position)
        here = fixed_horizon(again, ACTOR, first.position, n_steps=40, iteration=1).batch
        straight = env(bits)
        middle = fixed_horizon(straight, ACTOR, position(bits), n_steps=40, iteration=0).position
        there = fixed_horizon(straight, ACTOR, middle, n_steps=40, iteration=1).batch
        assert np.array_equal(here.obs, there.obs)
        batches[bits] = first.batch
    assert not np.array_equal(batches[31].obs[0], batches[63].obs[0])


def test_a_position_of_the_other_length_is_told_apart() -> None:
    first = fixed_horizon(env(63), ACTOR, position(63), n_steps=15, iteration=0).position
    with pytest.raises(ValueError, match="env must follow from its seed to be resumed"):
        replay(env(31), first)
