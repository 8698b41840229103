"""A whole rollout in one call, of an environment that counts."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numba import typeof
from numpy.typing import NDArray

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.envs import COMPILED
from npvpg.kernels import pcg64, play
from npvpg.mlp import MLP
from npvpg.normalize import RunningMoments
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.player import Player
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv

LIMITS = np.array([2, 3])  # lengths of the episodes of the two sub-environments


def step(
    sent: NDArray[Any],
    state: NDArray[Any],
    steps: NDArray[Any],
    limit: int,
    obs: NDArray[Any],
    rew: NDArray[Any],
    ends: NDArray[Any],
    rng: NDArray[Any],
) -> int:
    """Count; the first sub-environment terminates, the other is truncated."""
    assert rng.shape == (2, 4)
    steps += 1
    rew[:] = 10 * steps + sent.reshape(2, -1)[:, 0]
    obs[:, 0] = steps
    ends[0] = [steps[0] == LIMITS[0], False]
    ends[1] = [False, steps[1] == LIMITS[1]]
    return -1


def reset(noise: NDArray[Any], rows: NDArray[Any], state: Any, steps: Any, obs: Any) -> None:
    steps[rows] = 0
    state[rows] = noise
    obs[rows, 0] = 0


class World:
    """Two sub-environments at their beginning; discrete actions count from 5."""

    def __init__(self, n_steps: int, *, theta: tuple[float, ...] = (0.0, 0.0, -999.0, 999.0)):
        self.state, self.steps = np.full((2, 1), -1.0), np.zeros(2, np.int64)
        rng = np.zeros((2, 4), np.uint64)
        ends = np.zeros((2, 2), bool)
        obs, rew = np.zeros((2, 1), np.float32), np.zeros(2)
        self.env = (self.state, self.steps, 99, obs, rew, ends, rng)
        self.entropy = np.array([7, 0, 0, 0], np.uint64)
        units = np.zeros(1), np.ones(1)
        bounds = np.array([5]), np.array([6]), *units, np.zeros(2, np.int64)
        self.bounds: tuple[NDArray[Any], ...] = bounds
        self.theta, self.sizes, self.relu = np.array(theta), np.array([1, 2]), False
        self.moments = np.zeros(1), np.ones(1), np.inf
        self.noise = np.full((n_steps, 2), 0.5)
        self.episode, self.finished = np.array([3, 8]), np.zeros(2, np.int64)
        self.record: tuple[NDArray[Any], ...] = (
            np.full((2, n_steps, 1), -1.0),
            np.full((2, n_steps), -1, np.int64),
            np.full((2, n_steps), -1.0),
            np.zeros((2, n_steps), bool),
            np.zeros((2, n_steps), bool),
            np.full((2, n_steps, 1), -1.0),
        )

    def play(
        self, *, n_episodes: int = 0, first: int = 0, by_hand: bool = False, begins: int = 0
    ) -> int:
        start = (np.array([2.0]), np.array([3.0]), self.entropy, 2, 31, 1, begins, by_hand)
        n_network = 4 if self.sizes.size == 2 else self.theta.size
        policy: Any = (self.theta, self.sizes, self.relu, n_network)
        arguments: Any = (self.env, start, self.bounds, policy, self.moments, self.noise)
        counts = (self.episode, self.finished, n_episodes, first, self.record)
        every: Any = (step, reset, *arguments, *counts)
        return play._play(*every)


def test_a_record_by_hand() -> None:
    world = World(5)
    assert world.play() == 5
    obs, act, rew, terminated, done, next_obs = world.record
    assert obs[:, :, 0].tolist() == [[0, 1, 0, 1, 0], [0, 1, 2, 0, 1]]
    assert act.tolist() == [[1] * 5] * 2
    assert rew.tolist() == [[16, 26, 16, 26, 16], [16, 26, 36, 16, 26]]  # action 1 is sent as 6
    assert terminated.astype(int).tolist() == [[0, 1, 0, 1, 0], [0] * 5]
    assert done.astype(int).tolist() == [[0, 1, 0, 1, 0], [0, 0, 1, 0, 0]]
    assert next_obs[0, [1, 3], 0].tolist() == [2, 2]
    assert next_obs[1, 2, 0] == 3
    assert world.episode.tolist() == [5, 9]
    assert world.finished.tolist() == [2, 1]


@pytest.mark.parametrize("begins", [0, 4])
def test_an_episode_starts_from_the_seed_of_its_number(begins: int) -> None:
    world = World(5)
    world.play(begins=begins)
    for i, episode in enumerate([5, 9]):
        rows, rng = np.array([0]), np.zeros((1, 4), np.uint64)
        pcg64.seed(
            rng,
            rows,
            pcg64.child_seeds(world.entropy, 2, np.array([begins + i]), np.array([episode]), 31),
        )
        drawn = pcg64.uniform(rng, rows, np.array([2.0]), np.array([3.0]))
        assert world.state[i].tolist() == drawn[0].tolist()
        assert 2 <= world.state[i, 0] < 3


@pytest.mark.parametrize(("n_episodes", "taken", "finished"), [(1, 3, [1, 1]), (2, 6, [3, 2])])
def test_it_stops_when_all_have_had_their_episodes(
    n_episodes: int, taken: int, finished: list[int]
) -> None:
    world = World(9)
    assert world.play(n_episodes=n_episodes) == taken
    assert world.finished.tolist() == finished
    assert world.steps[1] == 3  # what ended last is not reset
    assert (world.record[2][:, taken:] == -1).all()


def test_it_returns_for_every_reset_by_hand() -> None:
    world = World(9)
    assert world.play(by_hand=True) == 2
    assert world.steps.tolist() == [2, 2]
    assert world.episode.tolist() == [4, 8]


def test_it_goes_on_in_a_later_column() -> None:
    world = World(5)
    world.noise = world.noise[2:]
    assert world.play(first=2) == 3
    assert (world.record[2][:, :2] == -1).all()
    assert world.record[0][:, 2:, 0].tolist() == [[0, 1, 0], [0, 1, 2]]
    assert world.play(first=2, n_episodes=3) == 3  # the second has had its episodes
    world = World(5)
    world.noise = world.noise[1:]
    assert world.play(first=1, n_episodes=1) == 3


def test_the_noise_of_the_step_and_the_sub_environment_is_used() -> None:
    world = World(3, theta=(0.0, 0.0, 0.0, 0.0))
    world.noise = np.array([[0.4, 0.6], [0.6, 0.6], [0.4, 0.4]])
    world.play()
    assert world.record[1].tolist() == [[0, 1, 0], [1, 1, 0]]


def test_the_policy_sees_normalised_and_cut_observations() -> None:
    # logits 0 and 2 x - 1: action 1 where what is seen is above 1/2
    world = World(5, theta=(0.0, 2000.0, 0.0, -1000.0))
    world.moments = np.array([1.0]), np.array([4.0]), 9.0
    world.play()
    assert world.record[1].tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]]
    assert world.record[0][1, :3, 0].tolist() == [0, 1, 2]  # as the environment gave it
    for cut, want in ((1.0, 1), (0.4, 0)):
        world = World(3, theta=(0.0, 2000.0, 0.0, -1000.0))
        world.moments = np.array([1.0]), np.array([4.0]), cut
        world.play()
        assert world.record[1][1, 2] == want
    world = World(1, theta=(0.0, -2000.0, 0.0, -1000.0))
    world.moments = np.array([9.0]), np.array([4.0]), 0.4  # -36 is cut to -0.4
    world.play()
    assert world.record[1].tolist() == [[0], [0]]


def test_a_relu_network_takes_the_positive_part() -> None:
    # logits 0 and max(x - 1, 0) - 1/2: action 1 only where 2 is seen
    world = World(3)
    world.theta = np.array([1.0, -1.0, 0.0, 1000.0, 0.0, -500.0])
    world.sizes, world.relu = np.array([1, 1, 2]), True
    world.play()
    assert world.record[1].tolist() == [[0, 0, 0], [0, 0, 1]]


def test_continuous_actions_are_recorded_whole_and_sent_cut() -> None:
    world = World(2, theta=(0.0, 0.0, 7.0, -7.0, -30.0, 0.0))
    units = np.zeros(2), np.ones(2)
    world.bounds = np.array([-2.0, -2.0]), np.array([3.0, 3.0]), *units, np.zeros((2, 2))
    world.noise = np.ones((2, 2, 2))
    world.record = (*world.record[:1], np.zeros((2, 2, 2)), *world.record[2:])
    world.play()
    # log sigma -30 is clamped to -20, log sigma 0 is 1: means 7 and -7 shifted by sigma
    assert world.record[1][0, 0].tolist() == [7 + np.exp(-20.0), -6]
    assert world.bounds[4].tolist() == [[3, -2]] * 2
    assert world.record[2].tolist() == [[13, 23]] * 2


@pytest.mark.parametrize("kernel", [play.act_discrete, play._act_discrete, play._act])
def test_discrete_actions(kernel: Any) -> None:
    out, act, sent = np.log([[1.0, 3.0], [3.0, 1.0]]), np.zeros(2, np.int64), np.zeros(2, np.int64)
    noise = np.array([0.3, 0.7])
    bounds = np.array([-4]), np.array([-3]), np.zeros(1), np.ones(1), sent
    kernel(out, np.zeros(0), noise, act, bounds)
    assert act.tolist() == [1, 0]
    assert sent.tolist() == [-3, -4]


@pytest.mark.parametrize("kernel", [play.act_continuous, play._act_continuous, play._act])
@pytest.mark.parametrize("free", [True, False])
def test_continuous_actions(kernel: Any, free: bool) -> None:
    mu, log_sigma = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, np.log(2)])
    out = mu if free else np.hstack([mu, np.array([log_sigma, [9.0, -99.0]])])
    act, sent, noise = np.zeros((2, 2)), np.zeros((2, 2)), np.array([[1.0, -1.0], [1.0, 1.0]])
    low, high = np.array([0.0, 1.0]), np.array([1.5, 5.0])
    bounds = low, high, np.zeros(2), np.ones(2), sent
    kernel(out, log_sigma if free else np.zeros(0), noise, act, bounds)
    second = [4, 6] if free else [3 + np.exp(2.0), 4 + np.exp(-20.0)]
    np.testing.assert_allclose(act, [[2, 0], second], rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(sent, [[1.5, 1], [1.5, min(second[1], 5)]], rtol=1e-15)


@pytest.mark.parametrize("n_columns", [0, 2])
def test_compiled_code_chooses_by_the_type(n_columns: int) -> None:
    act = np.zeros((2, n_columns)) if n_columns else np.zeros(2, np.int64)
    out, free = np.zeros((2, 2)), np.zeros(n_columns)
    noise = np.full(act.shape, 0.75)
    low = np.full(act.shape[1:] or 1, -9, act.dtype)
    bounds = low, -low, np.zeros(low.shape), np.ones(low.shape), act.copy()
    call = play._typed_act(*(typeof(x) for x in (out, free, noise, act, bounds)))
    call(out, free, noise, act, bounds)
    assert act.tolist() == ([[0.75, 0.75]] * 2 if n_columns else [1, 1])


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n_episodes", [0, 2])
def test_both_ways_of_stepping_give_the_same_bytes(
    name: str, kind: type[Any], n_episodes: int
) -> None:
    records = []
    for way in ("_play_stepwise", "_play_compiled"):
        inner = gym.make_vec(f"npvpg/{name}", 3, max_episode_steps=20)
        env = SeededVectorEnv(inner, seed=4)
        space = inner.single_action_space
        discrete = isinstance(space, gym.spaces.Discrete)
        law = Categorical(int(space.n)) if discrete else DiagonalGaussian(1)  # type: ignore[attr-defined]
        n_out = law.n_params - len(law.scale_columns)
        policy = Policy(MLP((env.n_obs, 5, n_out)), law)
        theta = policy.init(np.random.default_rng(1), kind)
        theta[policy.network.size :] += kind(0.3)  # sigma is no whole number
        moments = RunningMoments(9, np.full(env.n_obs, 0.1), np.full(env.n_obs, 0.5))
        player = Player(env, Actor(policy, theta, moments), Purpose.ACTION, 6)
        player.begin(np.array([0, 4, 2]))
        noise = player._noise(50)
        arguments: Any = (noise, n_episodes) if way.endswith("wise") else (inner, noise, n_episodes)
        record = getattr(player, way)(*arguments)
        record.next_obs[~record.done] = 0  # not defined
        records.append((*record, player.current, player.episode, player.finished))
    for stepwise, compiled in zip(*records, strict=True):
        assert stepwise.dtype == compiled.dtype
        assert np.array_equal(stepwise, compiled)


@pytest.mark.parametrize("way", ["_play_stepwise", "_play_compiled"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("n_rows", [0, 1, 9])
def test_both_ways_act_as_the_policy_acts(way: str, activation: Any, n_rows: int) -> None:
    env = SeededVectorEnv(gym.make_vec("npvpg/Pendulum-v1", 3, max_episode_steps=20), seed=4)
    policy = Policy(MLP((env.n_obs, 5, 1), activation), DiagonalGaussian(1))
    theta = policy.init(np.random.default_rng(1), np.float32)
    moments = RunningMoments(n_rows, np.full(env.n_obs, 0.1), np.full(env.n_obs, 0.5))
    player = Player(env, Actor(policy, theta, moments), Purpose.ACTION, 6)
    player.begin(np.array([0, 4, 2]))
    noise = player._noise(30)
    arguments: Any = (noise, 0) if way.endswith("wise") else (env.env, noise, 0)
    record = getattr(player, way)(*arguments)
    for t in range(30):
        params = policy.params(theta, player.actor.see(record.obs[:, t]))
        want = policy.distribution.sample(params, noise[t])
        assert record.act[:, t].tobytes() == want.tobytes()


@pytest.mark.parametrize("greedy", [True, False])
def test_play_ends_with_the_last_episode(greedy: bool) -> None:
    env = SeededVectorEnv(gym.make_vec("npvpg/Pendulum-v1", 3, max_episode_steps=20), seed=4)
    policy = Policy(MLP((env.n_obs, 5, 1)), DiagonalGaussian(1))
    theta = policy.init(np.random.default_rng(1))
    player = Player(env, Actor(policy, theta, by_mode=greedy), Purpose.ACTION, 6)
    player.begin(np.zeros(3, np.int64))
    record, through = player.play(50, 1)
    assert through
    assert record.rew.shape == (3, 20)
    for t in range(20):
        mode = policy.distribution.mode(policy.params(theta, record.obs[:, t]))
        assert np.array_equal(record.act[:, t], mode) is greedy
