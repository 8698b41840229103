"""An environment that counts: what a collector must hand over can be written down."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.normalize import RunningMoments
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Episode, Position, fixed_horizon, play_episodes, whole_episodes
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv


class Counter(VectorEnv[Any, Any, Any]):
    """
    Sub-environment i has episodes of `lengths[i]` steps, terminated and truncated by turns.

    It shows 10 i + t after t steps. The reward of the step is 1 + t, and 100 more for action 1.
    """

    def __init__(self, *lengths: int, box: bool = False) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.lengths = np.array(lengths)
        self.num_envs = len(lengths)
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (1,))
        self.single_action_space = gym.spaces.Box(-9, 9, (2,)) if box else gym.spaces.Discrete(2)
        self.t = np.zeros(self.num_envs, int)
        self.begun = np.zeros(self.num_envs, int)

    def _show(self) -> Any:
        return (10.0 * np.arange(self.num_envs) + self.t)[:, np.newaxis]

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        mask = options["reset_mask"]
        self.t[mask] = 0
        self.begun[mask] += 1
        return self._show(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        rew = 1.0 + self.t
        if isinstance(self.single_action_space, gym.spaces.Discrete):
            rew += 100 * actions
        self.t += 1
        over = self.t == self.lengths
        odd = self.begun % 2 == 1
        return self._show(), rew, over & odd, over & ~odd, {}


def counter(*lengths: int, box: bool = False, seed: int = 0) -> SeededVectorEnv:
    return SeededVectorEnv(Counter(*lengths, box=box), seed)


COIN = Policy(MLP((1, 2)), Categorical(2))
ALWAYS_0, ALWAYS_1, FAIR = (np.array([0.0, 0, 0, b]) for b in (-1e3, 1e3, 0.0))
GAUSS = Policy(MLP((1, 2)), DiagonalGaussian(2))


def test_the_position_before_the_first_episode() -> None:
    position = Position.initial(3)
    assert position.episode.tolist() == position.length.tolist() == [0, 0, 0]
    assert position.ret.tolist() == [0, 0, 0]
    assert position.obs.shape == position.history.shape == (3, 0)
    assert position.episode.dtype == position.length.dtype == np.int64
    assert position.ret.dtype == np.float64


def test_a_fixed_horizon_by_hand() -> None:
    rollout = fixed_horizon(
        counter(2, 4), Actor(COIN, ALWAYS_0), Position.initial(2), n_steps=5, iteration=0
    )
    batch = rollout.batch
    assert batch.obs[:, 0].tolist() == [0, 1, 0, 1, 0, 10, 11, 12, 13, 10]
    assert np.array_equal(rollout.raw_obs, batch.obs)
    assert batch.act.tolist() == [0] * 10
    assert batch.rew.tolist() == [1, 2, 1, 2, 1, 1, 2, 3, 4, 1]
    assert batch.start.tolist() == [0, 2, 4, 5, 9, 10]
    assert batch.last_obs[:, 0].tolist() == [2, 2, 1, 14, 11]
    assert batch.terminated.tolist() == [True, False, False, True, False]
    # all sub-environments step together, so the second step of the first is the fourth of all
    assert rollout.episodes == (Episode(4, 3.0, 2), Episode(8, 3.0, 2), Episode(8, 10.0, 4))
    position = rollout.position
    assert position.episode.tolist() == [2, 1]
    assert position.length.tolist() == [1, 1]
    assert position.ret.tolist() == [1, 1]
    assert position.obs[:, 0].tolist() == [1, 11]
    assert position.history.tolist() == [[0], [0]]


def test_episodes_that_end_together_are_listed_by_sub_environment() -> None:
    env = counter(*[1, 2] * 30)
    rollout = fixed_horizon(
        env, Actor(COIN, ALWAYS_0), Position.initial(60), n_steps=2, iteration=0
    )
    assert [e.length for e in rollout.episodes] == [1] * 30 + [1, 2] * 30
    assert [e.step for e in rollout.episodes] == [60] * 30 + [120] * 60


def test_the_next_batch_goes_on_where_the_last_one_stopped() -> None:
    env, position = counter(2, 4), Position.initial(2)
    first = fixed_horizon(env, Actor(COIN, ALWAYS_0), position, n_steps=1, iteration=0)
    second = fixed_horizon(
        env, Actor(COIN, ALWAYS_1), first.position, n_steps=2, iteration=1, steps_before=2
    )
    assert second.batch.obs[:, 0].tolist() == [1, 0, 11, 12]
    assert second.batch.start.tolist() == [0, 1, 2, 4]
    assert second.batch.last_obs[:, 0].tolist() == [2, 1, 13]
    assert second.batch.terminated.tolist() == [True, False, False]
    assert second.episodes == (Episode(4, 1 + 102, 2),)  # its first step is of the batch before
    assert second.position.length.tolist() == [1, 3]
    assert second.position.ret.tolist() == [101, 1 + 102 + 103]
    assert second.position.history.tolist() == [[0, 1, 1], [0, 1, 1]]
    third = fixed_horizon(
        env, Actor(COIN, ALWAYS_0), second.position, n_steps=1, iteration=2, steps_before=6
    )
    assert third.episodes == (Episode(8, 101 + 2, 2), Episode(8, 1 + 102 + 103 + 4, 4))
    assert third.position.length.tolist() == [0, 0]
    assert third.position.history.shape == (2, 0)
    assert third.position.obs[:, 0].tolist() == [0, 10]


def test_an_episode_that_ends_with_the_horizon_is_not_cut_again() -> None:
    rollout = fixed_horizon(
        counter(2), Actor(COIN, ALWAYS_0), Position.initial(1), n_steps=2, iteration=0
    )
    assert rollout.batch.start.tolist() == [0, 2]
    assert rollout.batch.terminated.tolist() == [True]
    assert rollout.batch.last_obs[:, 0].tolist() == [2]  # its own end, not the next beginning
    assert rollout.position.obs[:, 0].tolist() == [0]
    assert rollout.position.episode.tolist() == [1]


def test_one_step() -> None:
    rollout = fixed_horizon(
        counter(9), Actor(COIN, ALWAYS_1), Position.initial(1), n_steps=1, iteration=0
    )
    assert rollout.batch.rew.tolist() == [101]
    assert rollout.batch.start.tolist() == [0, 1]
    assert rollout.episodes == ()


def test_whole_episodes_by_hand() -> None:
    before = Position.initial(2)._replace(episode=np.array([4, 7]))
    rollout = whole_episodes(
        counter(1, 3), Actor(COIN, ALWAYS_0), before, n_episodes=2, iteration=0, steps_before=100
    )
    batch = rollout.batch
    assert batch.obs[:, 0].tolist() == [0, 0, 10, 11, 12, 10, 11, 12]
    assert batch.rew.tolist() == [1, 1, 1, 2, 3, 1, 2, 3]
    assert batch.start.tolist() == [0, 1, 2, 5, 8]
    assert batch.last_obs[:, 0].tolist() == [1, 1, 13, 13]
    assert batch.terminated.tolist() == [True, False, True, False]
    # 2 steps each while both play, 1 when the first is through
    assert rollout.episodes == (
        Episode(102, 1.0, 1),
        Episode(104, 1.0, 1),
        Episode(105, 6.0, 3),
        Episode(108, 6.0, 3),
    )
    assert rollout.position.episode.tolist() == [6, 9]
    assert rollout.position.obs.size == rollout.position.history.size == 0


def test_whole_episodes_longer_than_a_block_of_noise() -> None:
    rollout = whole_episodes(
        counter(300, 2), Actor(COIN, ALWAYS_0), Position.initial(2), n_episodes=1, iteration=0
    )
    assert rollout.batch.start.tolist() == [0, 300, 302]
    assert rollout.batch.obs[:300, 0].tolist() == list(range(300))
    assert rollout.episodes == (Episode(4, 3.0, 2), Episode(302, 300 * 301 / 2, 300))


@pytest.mark.parametrize("iteration", [0, 3])
def test_the_noise_comes_from_the_stream_of_the_sub_environment(iteration: int) -> None:
    env, position = counter(200, 200, seed=5), Position.initial(2)
    horizon = fixed_horizon(env, Actor(COIN, FAIR), position, n_steps=150, iteration=iteration)
    whole = whole_episodes(env, Actor(COIN, FAIR), position, n_episodes=1, iteration=iteration)
    for i in range(2):
        noise = COIN.noise(generator(5, Purpose.ACTION, iteration, i), 200)
        want = (noise >= 0.5).astype(int).tolist()
        assert horizon.batch.act[150 * i :][:150].tolist() == want[:150]
        assert whole.batch.act[200 * i :][:200].tolist() == want


def test_the_most_probable_action_or_a_sample() -> None:
    theta = np.array([0.0, 0, 0, 1e-9])  # hardly prefers action 1
    position = Position.initial(1)
    sampled, greedy = (
        whole_episodes(
            counter(50), Actor(COIN, theta, by_mode=choice), position, n_episodes=1, iteration=0
        ).batch.act
        for choice in (False, True)
    )
    assert set(sampled.tolist()) == {0, 1}
    assert set(greedy.tolist()) == {1}
    assert play_episodes(counter(3), Actor(COIN, theta, by_mode=True), n_episodes=1)[
        0
    ].tolist() == [306]
    returns, _ = play_episodes(counter(50), Actor(COIN, theta), n_episodes=1)
    assert returns[0] < 50 * 51 / 2 + 50 * 100


@pytest.mark.parametrize(
    ("n_episodes", "returns", "lengths"),
    [
        (1, [3], [2]),
        (2, [3, 10], [2, 4]),
        (3, [3, 3, 10], [2, 2, 4]),
        (4, [3, 3, 10, 10], [2, 2, 4, 4]),
    ],
)
def test_episodes_to_judge_by(n_episodes: int, returns: list[int], lengths: list[int]) -> None:
    have = play_episodes(counter(2, 4), Actor(COIN, ALWAYS_0), n_episodes=n_episodes)
    assert have[0].tolist() == returns
    assert have[1].tolist() == lengths


def test_judging_has_noise_of_its_own() -> None:
    returns, _ = play_episodes(counter(20, seed=5), Actor(COIN, FAIR), n_episodes=5)
    noise = COIN.noise(generator(5, Purpose.EVALUATION_ACTION, 0, 0), 100).reshape(5, 20)
    assert returns.tolist() == (20 * 21 / 2 + 100 * (noise >= 0.5).sum(axis=1)).tolist()


def test_the_policy_sees_normalised_observations() -> None:
    position = Position.initial(2)
    moments = RunningMoments(1, np.array([20.0]), np.array([4.0]))
    theta = np.array([0.0, -1e3, 0, 500])  # action 1 below 1/2 of what the policy sees
    for rollout in (
        fixed_horizon(counter(3, 3), Actor(COIN, theta, moments), position, n_steps=3, iteration=0),
        whole_episodes(
            counter(3, 3), Actor(COIN, theta, moments), position, n_episodes=1, iteration=0
        ),
    ):
        assert rollout.raw_obs[:, 0].tolist() == [0, 1, 2, 10, 11, 12]
        want = [-10, -9.5, -9, -5, -4.5, -4]
        np.testing.assert_allclose(rollout.batch.obs[:, 0], want, rtol=1e-8)
        np.testing.assert_allclose(rollout.batch.last_obs[:, 0], [-8.5, -3.5], rtol=1e-8)
        assert rollout.batch.act.tolist() == [1] * 6
    unseen = fixed_horizon(
        counter(3), Actor(COIN, theta), Position.initial(1), n_steps=3, iteration=0
    )
    assert unseen.batch.act.tolist() == [1, 0, 0]
    judged = play_episodes(counter(3), Actor(COIN, theta, moments), n_episodes=1)
    assert judged[0].tolist() == [306]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_policy_sees_the_type_of_its_parameters(dtype: type[Any]) -> None:
    rollout = fixed_horizon(
        counter(2), Actor(COIN, FAIR.astype(dtype)), Position.initial(1), n_steps=3, iteration=0
    )
    assert rollout.batch.obs.dtype == rollout.batch.last_obs.dtype == dtype
    assert rollout.raw_obs.dtype == rollout.batch.rew.dtype == np.float64
    assert rollout.position.obs.dtype == np.float64


def test_vectors_of_actions() -> None:
    position = Position.initial(2)
    theta = np.array([0.0, 0, 1, 2, -20, -20])  # means 1 and 2, hardly any noise
    env = counter(9, 9, box=True)
    first = fixed_horizon(env, Actor(GAUSS, theta), position, n_steps=2, iteration=0)
    second = fixed_horizon(env, Actor(GAUSS, theta), first.position, n_steps=2, iteration=1)
    assert second.batch.act.shape == (4, 2)
    assert second.position.history.shape == (2, 4, 2)
    assert np.abs(second.position.history - [1, 2]).max() < 1e-6
    # the noise is that of the stream, and no step or component has another's
    for i in range(2):
        noise = GAUSS.noise(generator(0, Purpose.ACTION, 1, i), 2)
        want = GAUSS.at(theta, np.zeros((2, 1))).sample(noise)
        np.testing.assert_allclose(second.batch.act[2 * i :][:2], want, rtol=1e-12)
        assert np.array_equal(second.position.history[i, 2:], second.batch.act[2 * i :][:2])


def test_nothing_is_written_to() -> None:
    env = counter(2, 4)
    position = fixed_horizon(
        env, Actor(COIN, ALWAYS_0), Position.initial(2), n_steps=1, iteration=0
    ).position
    arrays: Any = position[:-2]  # without the length of the seeds and what no environment told
    for array in (*arrays, ALWAYS_0):
        array.flags.writeable = False
    kept = [array.copy() for array in arrays]
    fixed_horizon(env, Actor(COIN, ALWAYS_0), position, n_steps=3, iteration=1)
    whole_episodes(env, Actor(COIN, ALWAYS_0), position, n_episodes=1, iteration=1)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, kept, strict=True))


def test_the_history_is_a_copy() -> None:
    position = fixed_horizon(
        counter(9), Actor(COIN, ALWAYS_0), Position.initial(1), n_steps=3, iteration=0
    ).position
    assert position.history.base is None  # a view would keep the actions of the whole batch


@pytest.mark.parametrize("n", [0, -1])
def test_at_least_one(n: int) -> None:
    env, position = counter(2), Position.initial(1)
    with pytest.raises(ValueError, match=f"^n_steps must be at least 1, got {n}$"):
        fixed_horizon(env, Actor(COIN, FAIR), position, n_steps=n, iteration=0)
    with pytest.raises(ValueError, match=f"^n_episodes must be at least 1, got {n}$"):
        whole_episodes(env, Actor(COIN, FAIR), position, n_episodes=n, iteration=0)
    for several in (env, counter(2, 4)):
        with pytest.raises(ValueError, match=f"^n_episodes must be at least 1, got {n}$"):
            play_episodes(several, Actor(COIN, FAIR), n_episodes=n)
