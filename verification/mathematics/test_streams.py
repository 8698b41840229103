"""G4: a stream belongs to a number, wherever and beside whomever it is used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any
from unittest import mock

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import example, given, settings
from hypothesis import strategies as st

import npvpg.envs  # noqa: F401 (registers the compiled environments)
from npvpg.batch import Batch
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.kernels import pcg64
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, play_episodes, whole_episodes
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require

SEED, N_STEPS, N_EPISODES = 7, 60, 2
POLICY = Policy(MLP((4, 8, 2)), Categorical(2))
THETA = POLICY.init(np.random.default_rng(0))
GAUSSIAN = Policy(MLP((3, 8, 1)), DiagonalGaussian(1))
CHILD_SEEDS, CHILD_STATES = pcg64.child_seeds, pcg64.child_states


def _env(name: str, n: int) -> VectorEnv[Any, Any, Any]:
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
    if name.startswith("npvpg/"):
        return gym.make_vec(name, n)
    return gym.make_vec(name, n, vectorization_mode="sync", vector_kwargs=kwargs)


@contextmanager
def _numbered(numbers: Sequence[int]) -> Iterator[None]:
    """
    Give sub-environment i the streams of another number.

    A compiled rollout takes the numbers for itself, so where they are others it must be stepped.
    """
    table = np.array(numbers)
    as_they_are = table.tolist() == list(range(len(table)))

    def seeds(entropy: Any, purpose: int, rows: Any, episode: Any, bits: int) -> Any:
        return CHILD_SEEDS(entropy, purpose, table[rows], episode, bits)

    def states(entropy: Any, purpose: int, iteration: int, n: int) -> Any:
        return CHILD_STATES(entropy, purpose, iteration, int(table.max()) + 1)[table]

    with (
        mock.patch.object(pcg64, "child_seeds", seeds),
        mock.patch.object(pcg64, "child_states", states),
        nullcontext() if as_they_are else mock.patch.object(Actor, "compiles", new=False),
    ):
        yield


def _play(name: str, numbers: Sequence[int], collector: str) -> list[Batch]:
    """Two batches, the second from where the first stopped."""
    env = _env(name, len(numbers))
    policy = POLICY if "CartPole" in name else GAUSSIAN
    theta = policy.init(np.random.default_rng(0))
    batches = []
    with _numbered(numbers):
        driver, position = SeededVectorEnv(env, SEED), Position.initial(len(numbers))
        for k in range(2):
            if collector == "fixed horizon":
                rollout = fixed_horizon(
                    driver, Actor(policy, theta), position, n_steps=N_STEPS, iteration=k
                )
            else:
                rollout = whole_episodes(
                    driver, Actor(policy, theta), position, n_episodes=N_EPISODES, iteration=k
                )
            batches.append(rollout.batch)
            position = rollout.position
    env.close()
    return batches


@cache
def _four(name: str, collector: str) -> list[Batch]:
    return _play(name, range(4), collector)


def _parts(batch: Batch, n_envs: int, collector: str) -> list[list[int]]:
    """Numbers of the trajectories of every sub-environment."""
    if collector == "fixed horizon":
        owner = batch.start[:-1] // N_STEPS
        return [np.flatnonzero(owner == i).tolist() for i in range(n_envs)]
    return np.arange(batch.n_trajectories).reshape(n_envs, -1).tolist()


def _compare(have: Batch, want: Batch, trajectories: list[int], told: str) -> None:
    """Compare a batch with some trajectories of another one."""
    rows = np.concatenate([np.arange(*want.start[k : k + 2]) for k in trajectories])
    require(have.lengths.tolist() == want.lengths[trajectories].tolist(), told)
    require(np.array_equal(have.act, want.act[rows]), told)
    require(np.array_equal(have.rew, want.rew[rows]), told)
    require(np.array_equal(have.terminated, want.terminated[trajectories]), told)
    observe(float(np.abs(have.obs - want.obs[rows]).max()), 1e-12, told)
    observe(float(np.abs(have.last_obs - want.last_obs[trajectories]).max()), 1e-12, told)


@claim("G4")
@pytest.mark.parametrize(
    ("name", "collector"),
    [
        ("CartPole-v1", "fixed horizon"),
        ("CartPole-v1", "whole episodes"),
        ("npvpg/CartPole-v1", "fixed horizon"),
        ("npvpg/CartPole-v1", "whole episodes"),
        ("Pendulum-v1", "fixed horizon"),
        ("npvpg/Pendulum-v1", "fixed horizon"),
    ],
)
@settings(max_examples=8)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
@example([2, 0, 3, 1])
@example([3, 1])
@example([3])
def test_numbers_may_be_permuted(name, collector, numbers):
    """Permuted, some of them, or one alone: each number plays what it played among four."""
    whole = _four(name, collector)
    for k, (have, want) in enumerate(zip(_play(name, numbers, collector), whole, strict=True)):
        parts = _parts(want, 4, collector)
        order = [trajectory for i in numbers for trajectory in parts[i]]
        _compare(have, want, order, f"{name} {collector} {numbers} batch {k}")
    # control: the numbers play different episodes
    first = whole[0].obs[whole[0].start[[part[0] for part in _parts(whole[0], 4, collector)]]]
    require(len(np.unique(first, axis=0)) == 4)


@claim("G4")
def test_an_evaluation_moves_no_stream():
    batches = []
    for evaluates in (False, True):
        env = _env("CartPole-v1", 2)
        driver, position = SeededVectorEnv(env, SEED), Position.initial(2)
        rollout = fixed_horizon(driver, Actor(POLICY, THETA), position, n_steps=30, iteration=0)
        if evaluates:
            other = _env("CartPole-v1", 3)
            judge = SeededVectorEnv(other, SEED, Purpose.EVALUATION_EPISODE)
            for greedy in (False, True):
                play_episodes(judge, Actor(POLICY, THETA, by_mode=greedy), n_episodes=4)
            other.close()
        rollout = fixed_horizon(
            driver, Actor(POLICY, THETA), rollout.position, n_steps=30, iteration=1
        )
        batches.append(rollout.batch)
        env.close()
    for field in ("obs", "act", "rew", "start", "last_obs", "terminated"):
        require(np.array_equal(*(getattr(b, field) for b in batches)), field)


@claim("G4")
def test_an_evaluation_has_noise_of_its_own():
    """In the very same episodes it takes other actions than the training."""
    env = _env("CartPole-v1", 2)
    driver = SeededVectorEnv(env, SEED)
    used: list[set[Any]] = []

    def noting(*key: Any) -> Any:
        rows = CHILD_STATES(*key)
        used[-1].update(map(tuple, rows.tolist()))
        return rows

    with mock.patch.object(pcg64, "child_states", noting):
        used.append(set())
        for iteration in range(3):
            whole_episodes(
                driver, Actor(POLICY, THETA), Position.initial(2), n_episodes=1, iteration=iteration
            )
        used.append(set())
        play_episodes(driver, Actor(POLICY, THETA), n_episodes=4)
    env.close()
    require(len(used[0]) == 6)
    require(not used[0] & used[1], f"{used[1]}")


class Noting(VectorEnv[Any, Any, Any]):
    """Writes down the seeds it is given, and does nothing."""

    def __init__(self) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs = 4
        self.single_observation_space = gym.spaces.Box(0, 1, (1,), np.float64)
        self.single_action_space = gym.spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, 4)
        self.action_space = batch_space(self.single_action_space, 4)
        self.seeds: list[int] = []

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Note the seeds."""
        self.seeds += seed
        return np.zeros((4, 1)), {}


@claim("G4")
def test_no_seed_comes_twice():
    """Runs 0 to 50, four sub-environments, three episodes, training and evaluation."""
    env, everywhere = Noting(), np.ones(4, bool)
    for seed in range(51):
        for purpose in (Purpose.EPISODE, Purpose.EVALUATION_EPISODE):
            driver = SeededVectorEnv(env, seed, purpose)
            for episode in range(3):
                driver.reset(everywhere, np.full(4, episode))
    n = 51 * 2 * 4 * 3
    require(len(env.seeds) == n)
    require(len(set(env.seeds)) == n)
    firsts = {
        generator(seed, purpose, iteration, i).random()
        for seed in range(51)
        for purpose in (Purpose.ACTION, Purpose.EVALUATION_ACTION)
        for iteration in range(3)
        for i in range(4)
    }
    require(len(firsts) == n)


@claim("G4")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_play_what_the_loop_plays(context):
    """A forked worker has a copy of every generator; its numbers are its own all the same."""
    makers = [lambda: gym.make("CartPole-v1")] * 2
    batches = []
    for env in (
        SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED),
        AsyncVectorEnv(makers, context=context, autoreset_mode=AutoresetMode.DISABLED),
    ):
        driver = SeededVectorEnv(env, SEED)
        batches.append(
            fixed_horizon(
                driver, Actor(POLICY, THETA), Position.initial(2), n_steps=40, iteration=0
            ).batch
        )
        env.close()
    for field in ("obs", "act", "rew", "start", "last_obs", "terminated"):
        require(np.array_equal(*(getattr(b, field) for b in batches)), field)
    require(not np.array_equal(batches[1].obs[:8], batches[1].obs[40:48]), "first eight")
