"""One update, worked by hand: a linear policy and value on an environment that counts."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import Categorical, DiagonalGaussian, GreedyCategorical
from npvpg.estimators import GAE, ActionValue, BaselinedReturn, LeaveOneOut, RewardToGo, TotalReturn
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam, Ascent, Linear
from npvpg.policy import Policy
from npvpg.stages import PolicyStep, ValueFit, Weigh
from npvpg.state import Iteration, TrainState
from npvpg.value import MLPValue, ZeroValue
from npvpg.vpg import VPG, Learner
from npvpg.world.rollout import Episode
from npvpg.world.streams import Purpose, generator
from verification import flat

SEED = 3
COIN = Policy(MLP((1, 2)), Categorical(2))  # parameters: two weights, two biases
LINE = MLPValue(MLP((1, 1)))  # a weight and a bias
FAIR = np.zeros(4)


class Steps(VectorEnv[Any, Any, Any]):
    """
    Episodes of one step in the first sub-environment, of two in the second.

    It shows the steps made, times `size`; the reward of the step is one more than that number.
    """

    def __init__(self, *lengths: int, truncate: bool = False, size: float = 1.0) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.lengths = np.array(lengths or (1, 2))
        self.num_envs = len(self.lengths)
        self.truncate, self.size = truncate, size
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (1,))
        self.single_action_space = gym.spaces.Discrete(2)
        self.t = np.zeros(self.num_envs, int)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.t[options["reset_mask"]] = 0
        return self.t[:, np.newaxis] * self.size, {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.t += 1
        over, none = self.t == self.lengths, np.zeros(self.num_envs, bool)
        terminated, truncated = (none, over) if self.truncate else (over, none)
        return self.t[:, np.newaxis] * self.size, 1.0 * self.t, terminated, truncated, {}


# The batch of one episode each: observations 0 | 0, 1, rewards 1 | 1, 2, so that with gamma 1/2
# the rewards-to-go are 1 | 2, 2.
OBS = np.array([0.0, 0.0, 1.0])
TO_GO = np.array([1.0, 2.0, 2.0])
ONE = Linear(1.0, 1.0)


def algorithm(**changes: Any) -> VPG:
    """Whole episodes, reward-to-go, plain steps of length 1, no value steps."""
    settings: dict[str, Any] = {
        "policy": COIN,
        "value": LINE,
        "estimator": RewardToGo(0.5),
        "collect": WholeEpisodes(1),
        "policy_lr": ONE,
        "value_lr": ONE,
        "optimizer": SGD(),
        "value_steps": 0,
    }
    return flat.vpg(**(settings | changes))


def start(
    vpg: VPG, theta: NDArray[Any] = FAIR, phi: tuple[float, ...] = (0.0, 0.0), n_envs: int = 2
) -> TrainState:
    state = initial_state(vpg, n_envs=n_envs, seed=SEED)
    return state._replace(learner=state.learner._replace(theta=theta, phi=np.array(phi)))


def update(
    vpg: VPG,
    theta: NDArray[Any] = FAIR,
    phi: tuple[float, ...] = (0.0, 0.0),
    env: Steps | None = None,
    n_updates: int = 1,
    n_steps: int = 3000,
) -> Iteration:
    """The last of the first updates."""
    env = env or Steps()
    state = start(vpg, theta, phi, env.num_envs)
    made = iterate(env, vpg, seed=SEED, n_steps=n_steps, state=state)
    for _ in range(n_updates - 1):
        next(made)
    return next(made)


def signs(iteration: int = 0) -> NDArray[np.float64]:
    """+1 where the fair policy takes action 1 and -1 where it takes action 0."""
    noise = [
        COIN.noise(generator(SEED, Purpose.ACTION, iteration, i), n) for i, n in enumerate((1, 2))
    ]
    return np.where(np.concatenate(noise) < 0.5, -1.0, 1.0)


def gradient(
    weight: NDArray[np.float64], obs: NDArray[np.float64] = OBS, iteration: int = 0
) -> NDArray[np.float64]:
    """Weighted score of the fair policy: (-1, 1) / 2 or (1, -1) / 2 for the two logits."""
    half = weight * signs(iteration) / 2
    w, b = (half * obs).sum(), half.sum()
    return np.array([-w, w, -b, b])


WEIGHTS: list[tuple[dict[str, Any], list[float]]] = [
    ({}, [1, 2, 2]),
    ({"estimator": TotalReturn(0.5)}, [1, 2, 2]),
    ({"estimator": TotalReturn(1.0)}, [1, 3, 3]),
    ({"estimator": LeaveOneOut(0.5)}, [-1, 1, 1]),
    ({"per_step": True}, [2 / 3, 4 / 3, 4 / 3]),
    ({"discount_weights": True}, [1, 2, 1]),
    ({"estimator": RewardToGo(0.25), "discount_weights": True}, [1, 1.5, 0.5]),
    ({"reward_scale": 3.0}, [3, 6, 6]),
    ({"standardize": True}, [-np.sqrt(2), np.sqrt(0.5), np.sqrt(0.5)]),
    ({"normalize_rewards": True}, (TO_GO / np.sqrt(2 / 9)).tolist()),
    ({"normalize_rewards": True, "reward_scale": 5.0}, (TO_GO / np.sqrt(2 / 9)).tolist()),
    # V = 1/2 everywhere
    ({"estimator": BaselinedReturn(0.5)}, [0.5, 1.5, 1.5]),
    ({"estimator": GAE(0.5, 0.0)}, [0.5, 0.75, 1.5]),
]


@pytest.mark.parametrize(("changes", "weights"), WEIGHTS)
def test_the_policy_step_by_hand(changes: dict[str, Any], weights: list[float]) -> None:
    iteration = update(algorithm(**changes), phi=(0.0, 0.5))
    want = gradient(np.array(weights)) / 2  # two trajectories
    np.testing.assert_allclose(iteration.state.learner.theta, want, atol=1e-7)
    assert iteration.diagnostics["grad_norm"] == pytest.approx(np.sqrt((want**2).sum()))
    assert np.array_equal(iteration.state.learner.phi, [0, 0.5])


def test_a_truncated_episode_is_bootstrapped_and_a_terminated_one_is_not() -> None:
    # V(s) = 8 s: 0 | 0, 8 on the way, 8 | 16 where the episodes stop.
    vpg = algorithm(estimator=BaselinedReturn(0.5))
    cut = update(vpg, phi=(8.0, 0.0), env=Steps(truncate=True))
    psi = np.array([1 + 4, 1 + 1 + 4, 2 + 8 - 8])
    np.testing.assert_allclose(cut.state.learner.theta, gradient(psi) / 2, rtol=1e-12, atol=1e-15)
    ended = update(vpg, phi=(8.0, 0.0))
    psi = np.array([1, 1 + 1, 2 - 8])
    np.testing.assert_allclose(ended.state.learner.theta, gradient(psi) / 2, rtol=1e-12, atol=1e-15)


def test_the_gradient_is_cut_to_length_but_reported_whole() -> None:
    free = update(algorithm())
    cut = update(algorithm(max_grad_norm=0.01))
    assert cut.diagnostics["grad_norm"] == free.diagnostics["grad_norm"] > 0.01
    np.testing.assert_allclose(
        cut.state.learner.theta, free.state.learner.theta * 0.01 / free.diagnostics["grad_norm"]
    )


@pytest.mark.parametrize(("per_step", "count"), [(False, 2), (True, 3)])
def test_the_entropy_is_climbed_too(per_step: bool, count: int) -> None:
    theta = np.array([0.0, 0.0, 0.0, np.log(3)])  # probabilities 1/4 and 3/4
    plain, bonus = (
        update(algorithm(entropy_weight=w, per_step=per_step), theta).state.learner.theta
        for w in (0, 0.5)
    )
    # dH / d logit = -p (log p + H): equal and opposite
    h = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    slope = -0.75 * (np.log(0.75) + h)
    want = 0.5 / count * slope * np.array([-1, 1, -3, 3])  # one observation is 1, three steps
    np.testing.assert_allclose(bonus - plain, want, rtol=1e-9)
    assert want[3] < 0  # away from the more probable action


def value_gradient(
    phi: NDArray[np.float64], rows: NDArray[np.int64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    error = phi[0] * OBS[rows] + phi[1] - target[rows]
    return np.array([(error * OBS[rows]).mean(), error.mean()])


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("size", [None, 1, 2, 3, 99])
@pytest.mark.parametrize("bound", [None, 0.5])
def test_the_value_steps_by_hand(n: int, size: int | None, bound: float | None) -> None:
    vpg = algorithm(
        value_steps=n,
        value_minibatch=size or 0,
        value_lr=Linear(0.25, 0.25),
        max_grad_norm=bound or 0.0,
    )
    rng = generator(SEED, Purpose.MINIBATCH, 0)
    phi = np.array([1.0, -1.0])
    for _ in range(n):
        order = np.arange(3) if size is None or size >= 3 else rng.permutation(3)
        for begin in range(0, 3, size or 3):
            slope = value_gradient(phi, order[begin : begin + (size or 3)], TO_GO)
            length = np.sqrt((slope**2).sum())
            if bound is not None and length > bound:
                slope *= bound / length
            phi = phi - 0.25 * slope
    have = update(vpg, phi=(1.0, -1.0)).state.learner
    np.testing.assert_allclose(have.phi, phi, rtol=1e-12)
    assert have.value_optimizer.n_made == n * (-(-3 // size) if size else 1)
    assert have.policy_optimizer.n_made == 1


def test_a_minibatch_of_all_rows_is_the_batch_in_its_order() -> None:
    common = {
        "collect": WholeEpisodes(3),
        "value_steps": 9,
        "value_lr": Linear(0.01, 0.01),
        "estimator": RewardToGo(0.9),
    }
    made = [
        update(algorithm(value_minibatch=size or 0, **common), phi=(1.1, -0.3), env=Steps(5, 8))
        for size in (None, 39, 40)
    ]
    assert made[0].steps == 39
    first, *others = (one.state.learner.phi.tolist() for one in made)
    assert others == [first, first]  # to the last bit


def test_minibatches_are_dealt_anew_with_every_iteration() -> None:
    vpg = algorithm(value_steps=1, value_minibatch=1, value_lr=Linear(0.25, 0.25))
    phi = np.array([1.0, -1.0])
    orders = []
    for k in range(4):
        order = generator(SEED, Purpose.MINIBATCH, k).permutation(3)
        orders.append(tuple(order))
        for row in order:
            phi = phi - 0.25 * value_gradient(phi, np.array([row]), TO_GO)
    have = update(vpg, phi=(1.0, -1.0), n_updates=4).state.learner.phi
    np.testing.assert_allclose(have, phi, rtol=1e-12)
    assert len(set(orders)) > 1


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        # V = 1/2; by default the target is the reward-to-go, whatever the estimator
        ({"estimator": GAE(0.5, 0.0)}, [1, 2, 2]),
        ({"value_target": GAE(0.5, 0.0)}, [1, 1.25, 2]),
        ({"estimator": RewardToGo(1.0)}, [1, 3, 2]),
        ({"reward_scale": 2.0}, [2, 4, 4]),
        ({"standardize": True}, [1, 2, 2]),
    ],
)
def test_the_target_of_the_value(changes: dict[str, Any], target: list[float]) -> None:
    iteration = update(algorithm(value_steps=1, **changes), phi=(0.0, 0.5))
    want = np.array([0.0, 0.5]) - value_gradient(
        np.array([0.0, 0.5]), np.arange(3), np.array(target)
    )
    np.testing.assert_allclose(iteration.state.learner.phi, want, rtol=1e-12)
    error = np.array(target) - 0.5
    assert iteration.diagnostics["value_loss"] == pytest.approx((error**2).mean() / 2)
    assert iteration.diagnostics["explained_variance"] == pytest.approx(
        0
    )  # a constant explains nothing


def test_what_is_reported() -> None:
    iteration = update(algorithm(), phi=(1.0, 1.0))  # V is 1, 1, 2 where the target is 1, 2, 2
    assert iteration.diagnostics["value_loss"] == pytest.approx((0 + 1 + 0) / 3 / 2)
    assert iteration.diagnostics["explained_variance"] == pytest.approx(1 - (2 / 9) / (2 / 9))
    assert iteration.diagnostics["entropy"] == pytest.approx(np.log(2))
    theta = iteration.state.learner.theta
    logits = OBS[:, np.newaxis] * theta[:2] + theta[2:]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert iteration.diagnostics["kl"] == pytest.approx((np.log(0.5) - log_p).mean())
    assert iteration.diagnostics["kl"] > 0
    assert iteration.episodes == (Episode(2, 1.0, 1), Episode(3, 3.0, 2))
    assert (iteration.mean_return, iteration.mean_length) == (2.0, 1.5)
    assert (iteration.iteration, iteration.steps) == (1, 3)
    assert 0 < iteration.seconds < 60


def test_a_value_with_hidden_layers_is_asked_for_its_output() -> None:
    deep = MLPValue(MLP((1, 3, 2, 1)))
    phi = np.random.default_rng(0).standard_normal(deep.size)
    iteration = update(algorithm(value=deep, value_steps=2), phi=tuple(phi.tolist()))
    error = TO_GO - deep.at(phi, OBS[:, np.newaxis]).values
    assert iteration.diagnostics["value_loss"] == pytest.approx((error**2).mean() / 2)
    for _ in range(2):
        phi = phi - deep.at(phi, OBS[:, np.newaxis]).gradient(TO_GO)
    np.testing.assert_allclose(iteration.state.learner.phi, phi, rtol=1e-12)


def test_variance_that_is_explained() -> None:
    # V = 1.5 + s / 2 explains some: errors -1/2, 1/2, 0 against targets 1, 2, 2
    iteration = update(algorithm(), phi=(0.5, 1.5))
    assert iteration.diagnostics["explained_variance"] == pytest.approx(1 - (1 / 6) / (2 / 9))
    constant = update(algorithm(), phi=(0.5, 1.5), env=Steps(1, 1))
    assert constant.diagnostics["explained_variance"] == 0


def test_time_is_counted_from_the_beginning() -> None:
    first, second = (update(algorithm(), n_updates=n) for n in (1, 40))
    assert 0 < first.seconds < second.seconds


def test_before_the_first_episode_ends_there_is_no_mean() -> None:
    vpg = algorithm(collect=FixedHorizon(1))
    iteration = update(vpg, env=Steps(9, 9))
    assert iteration.episodes == ()
    assert iteration.mean_return is None
    assert iteration.mean_length is None
    assert iteration.state.recent.shape == (0, 2)


def test_the_mean_is_over_the_last_hundred_episodes() -> None:
    vpg = algorithm()
    old = np.column_stack([np.arange(100.0), np.arange(100.0)])
    state = start(vpg)._replace(recent=old)
    iteration = next(iterate(Steps(), vpg, seed=SEED, n_steps=9, state=state))
    assert iteration.state.recent.tolist() == [*old[2:].tolist(), [1, 1], [3, 2]]
    assert iteration.mean_return == (99 * 50 - 1 + 1 + 3) / 100
    assert iteration.mean_length == (99 * 50 - 1 + 1 + 2) / 100


def test_counts_go_on_from_update_to_update() -> None:
    iteration = update(algorithm(), n_updates=3)
    assert (iteration.iteration, iteration.steps) == (3, 9)
    assert [episode.step for episode in iteration.episodes] == [8, 9]
    assert iteration.state.position.episode.tolist() == [3, 3]
    assert len(iteration.state.recent) == 6


def test_each_iteration_has_noise_of_its_own() -> None:
    small = algorithm(policy_lr=Linear(1e-9, 1e-9))  # the policy stays fair
    state = update(small, n_updates=1).state
    second = next(iterate(Steps(), small, seed=SEED, n_steps=99, state=state)).state
    want = 1e-9 * gradient(TO_GO, iteration=1) / 2
    np.testing.assert_allclose(second.learner.theta - state.learner.theta, want, atol=1e-15)


def test_step_sizes_follow_the_share_of_the_budget() -> None:
    vpg = algorithm(policy_lr=Linear(1.0, 0.0), value_lr=Linear(0.5, 0.0), value_steps=1)
    state = start(vpg)
    made = list(iterate(Steps(), vpg, seed=SEED, n_steps=12, state=state))
    assert [m.diagnostics["policy_lr"] for m in made] == [
        1,
        0.75,
        0.5,
        0.25,
    ]  # at the beginning of each batch
    phi = np.zeros(2)
    for lr in (0.5, 0.375, 0.25, 0.125):
        phi = phi - lr * value_gradient(phi, np.arange(3), TO_GO)
    np.testing.assert_allclose(made[-1].state.learner.phi, phi, rtol=1e-12)
    before = made[2].state
    np.testing.assert_allclose(
        made[3].state.learner.theta - before.learner.theta,
        0.25 * update_of(before, algorithm()),
        rtol=1e-9,
    )


def update_of(state: TrainState, vpg: VPG) -> NDArray[np.float64]:
    """The gradient that a step of length 1 from this state makes."""
    after = next(iterate(Steps(), vpg, seed=SEED, n_steps=99, state=state)).state
    return np.asarray(after.learner.theta - state.learner.theta)


@pytest.mark.parametrize(("n_steps", "n_updates"), [(1, 1), (3, 1), (4, 2), (9, 3), (10, 4)])
def test_no_update_begins_beyond_the_budget(n_steps: int, n_updates: int) -> None:
    vpg = algorithm()
    made = list(iterate(Steps(), vpg, seed=SEED, n_steps=n_steps))
    assert [m.iteration for m in made] == list(range(1, n_updates + 1))
    assert not list(iterate(Steps(), vpg, seed=SEED, n_steps=n_steps, state=made[-1].state))


def test_observations_are_normalised_by_what_was_seen_before() -> None:
    vpg = algorithm(normalize_obs=True)
    first = update(vpg)
    np.testing.assert_allclose(
        first.state.learner.theta, gradient(TO_GO) / 2, rtol=1e-12
    )  # as they are
    moments = first.state.obs_moments
    assert (moments.n_rows, moments.mean.tolist()) == (3, [pytest.approx(1 / 3)])
    assert moments.var == pytest.approx(2 / 9)
    fair = first.state._replace(learner=first.state.learner._replace(theta=FAIR))
    second = next(iterate(Steps(), vpg, seed=SEED, n_steps=99, state=fair))
    seen = (OBS - 1 / 3) / np.sqrt(2 / 9 + 1e-8)
    want = gradient(TO_GO, seen, iteration=1) / 2
    np.testing.assert_allclose(second.state.learner.theta, want, rtol=1e-9, atol=1e-12)
    assert second.state.obs_moments.n_rows == 6
    np.testing.assert_allclose(fair.observe(OBS[:, np.newaxis])[:, 0], seen, rtol=1e-12)
    plain = update(algorithm()).state
    assert plain.obs_moments.n_rows == plain.learner.return_moments.n_rows == 0


def test_rewards_are_scaled_by_what_was_seen_up_to_now() -> None:
    # Returns count from the last reward backwards, without the value of what was cut.
    vpg = algorithm(normalize_rewards=True, estimator=BaselinedReturn(0.5), reward_scale=2.0)
    state = update(vpg, phi=(8.0, 0.0), env=Steps(truncate=True), n_updates=2).state
    assert state.learner.return_moments.n_rows == 6
    assert state.learner.return_moments.mean == pytest.approx(2 * 5 / 3)
    assert state.learner.return_moments.var == pytest.approx(4 * 2 / 9)


def test_a_fixed_horizon() -> None:
    vpg = algorithm(collect=FixedHorizon(3))
    iteration = update(vpg, env=Steps(2, 2))
    assert iteration.steps == 6
    assert iteration.state.position.length.tolist() == [1, 1]
    assert len(iteration.episodes) == 2


def test_a_run_goes_on_where_it_stopped() -> None:
    vpg = algorithm(collect=FixedHorizon(3), value_steps=1, value_lr=Linear(0.1, 0.1))
    whole = list(iterate(Steps(2, 5), vpg, seed=SEED, n_steps=30))
    state = TrainState.from_arrays(whole[1].state.to_arrays(), Learner)
    rest = list(iterate(Steps(2, 5), vpg, seed=SEED, n_steps=30, state=state))
    assert len(whole) == 5
    assert [m.iteration for m in rest] == [3, 4, 5]
    assert np.array_equal(rest[-1].state.learner.theta, whole[-1].state.learner.theta)
    assert [m.episodes for m in rest] == [m.episodes for m in whole[2:]]


def test_no_value_function() -> None:
    vpg = algorithm(value=ZeroValue(), value_steps=5)
    made = next(iterate(Steps(), vpg, seed=SEED, n_steps=9, state=start(vpg, phi=())))
    assert made.state.learner.phi.shape == (0,)
    assert made.state.learner.value_optimizer.n_made == 0
    assert made.diagnostics["value_loss"] == pytest.approx((TO_GO**2).mean() / 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_parameters_have_the_type_asked_for(dtype: type[Any]) -> None:
    vpg = algorithm(optimizer=Adam(), value_steps=1)
    made = list(iterate(Steps(), vpg, seed=SEED, n_steps=6, dtype=dtype))
    state = made[-1].state.learner
    arrays = [state.theta, state.phi]
    arrays += [x for s in (state.policy_optimizer, state.value_optimizer) for x in s[:2]]
    assert {x.dtype for x in arrays} == {np.dtype(dtype)}


def test_the_first_state() -> None:
    vpg = algorithm(optimizer=Adam())
    state = initial_state(vpg, n_envs=2, seed=SEED)
    assert np.array_equal(state.learner.theta, COIN.init(generator(SEED, Purpose.POLICY_INIT)))
    assert np.array_equal(state.learner.phi, LINE.init(generator(SEED, Purpose.VALUE_INIT)))
    assert state.learner.policy_optimizer.first.shape == (4,)
    assert state.learner.value_optimizer.first.shape == (2,)
    assert (state.iteration, state.steps) == (0, 0)
    assert (state.obs_moments.n_rows, state.obs_moments.mean.shape) == (0, (1,))
    assert (state.learner.return_moments.n_rows, state.learner.return_moments.mean.shape) == (
        0,
        (1,),
    )
    assert state.position.episode.tolist() == [0, 0]
    assert state.recent.shape == (0, 2)
    begun = next(iterate(Steps(), vpg, seed=SEED, n_steps=1))
    same = next(iterate(Steps(), vpg, seed=SEED, n_steps=1, state=state))
    assert np.array_equal(begun.state.learner.theta, same.state.learner.theta)


def test_a_state_is_made_of_named_arrays() -> None:
    state = update(algorithm(collect=FixedHorizon(1), normalize_obs=True)).state
    arrays = state.to_arrays()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    nested = {"learner", "obs_moments", "position"}
    assert {name.partition(".")[0] for name in arrays} == set(TrainState._fields)
    assert {name.partition(".")[0] for name in arrays if "." in name} == nested
    again = TrainState.from_arrays(arrays, Learner)
    assert type(again.iteration) is type(again.learner.policy_optimizer.n_made) is int
    assert type(again.steps) is type(again.obs_moments.n_rows) is int
    rebuilt = again.to_arrays()
    assert rebuilt.keys() == arrays.keys()
    assert all(np.array_equal(rebuilt[name], arrays[name]) for name in arrays)
    for name in ("learner.theta", "position.history"):
        lost = {key: value for key, value in arrays.items() if key != name}
        with pytest.raises(ValueError, match=rf"^arrays must hold {name}, got \['iteration', "):
            TrainState.from_arrays(lost, Learner)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value_steps": -1}, "value_steps must be at least 0, got -1"),
        ({"entropy_weight": -0.1}, "entropy_weight must be at least 0 and finite, got -0.1"),
        ({"value_minibatch": -1}, "value_minibatch must be at least 0, got -1"),
        ({"max_grad_norm": -0.5}, "max_grad_norm must be at least 0 and finite, got -0.5"),
        ({"reward_scale": 0.0}, "reward_scale must be positive and finite, got 0.0"),
        (
            {"estimator": TotalReturn(0.5), "discount_weights": True},
            "discount_weights must be off with total-return: it is discounted from the start "
            "already",
        ),
        (
            {"estimator": LeaveOneOut(0.5), "collect": FixedHorizon(2)},
            "estimator must not be leave-one-out with a fixed horizon",
        ),
        (
            {"discount_weights": True, "collect": FixedHorizon(2)},
            "discount_weights must have whole episodes, to count t from their start",
        ),
        (
            {"value_target": RewardToGo(0.5)},
            r"value_target must be an advantage, got RewardToGo\(gamma=0.5\)",
        ),
        (
            {"value_target": ActionValue(GAE(0.5, 0.5))},  # to which V would be added twice
            r"value_target must be an advantage, got ActionValue\(advantage=GAE\(gamma=0.5, "
            r"lam=0.5\)\)",
        ),
        (
            {"greedy": ONE},
            r"greedy must stay below 1, got Linear\(start=1.0, stop=1.0\)",
        ),
    ],
)
def test_what_excludes_each_other_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        algorithm(**changes)


@pytest.mark.parametrize("n", [0, -1])
def test_a_batch_is_at_least_one(n: int) -> None:
    with pytest.raises(ValueError, match=f"^n_steps must be at least 1, got {n}$"):
        FixedHorizon(n)
    with pytest.raises(ValueError, match=f"^n_episodes must be at least 1, got {n}$"):
        WholeEpisodes(n)
    assert (FixedHorizon(1).n_steps, WholeEpisodes(1).n_episodes) == (1, 1)
    with pytest.raises(ValueError, match=f"^n_steps must be at least 1, got {n}$"):
        next(iterate(Steps(), algorithm(), seed=SEED, n_steps=n))


def test_edges_that_are_allowed() -> None:
    vpg = algorithm(value_steps=0, entropy_weight=0.0, value_minibatch=1, value_target=GAE(1, 1))
    assert vpg.value_fit.value_minibatch == 1
    defaults = VPG(COIN, LINE, WholeEpisodes(1), Weigh(RewardToGo(0.5)), PolicyStep(Ascent(ONE)))
    assert defaults.value_fit == ValueFit(Ascent(Linear(1e-3, 1e-3)), None, 10, 0)
    assert defaults.policy_step == PolicyStep(Ascent(ONE, Adam(), 0.0), 0.0, None)
    assert defaults.weigh == Weigh(RewardToGo(0.5), False, False, False, 1.0, False)
    assert defaults.collect == WholeEpisodes(1, normalize_obs=False)


def test_a_horizon_needs_a_value() -> None:
    message = "^value must not be ZeroValue with a fixed horizon: the tail needs a value$"
    with pytest.raises(ValueError, match=message):
        algorithm(collect=FixedHorizon(2), value=ZeroValue())


def test_greed_needs_one_categorical_action() -> None:
    greedy = Linear(0.0, 0.5)
    box = Policy(MLP((1, 1)), DiagonalGaussian(1))
    with pytest.raises(
        ValueError, match=r"^greedy must be 0 unless actions are one Discrete, got Gaussian of 1$"
    ):
        algorithm(policy=box, greedy=greedy)
    plain, vpg = algorithm(), algorithm(greedy=greedy)
    learner = start(vpg).learner
    assert plain.acting(learner, 0.5) == (COIN, learner.theta)
    assert vpg.acting(learner, 0.0) == (COIN, learner.theta)
    policy, _ = vpg.acting(learner, 0.5)
    assert policy.distribution == GreedyCategorical(Categorical(2), probability=0.25)


def test_a_state_of_other_sub_environments_is_refused() -> None:
    vpg = algorithm()
    message = "^state must be one of 3 sub-environments, as env is, got 2$"
    with pytest.raises(ValueError, match=message):
        next(iterate(Steps(1, 1, 1), vpg, seed=SEED, n_steps=9, state=start(vpg)))


@pytest.mark.filterwarnings("ignore:.*overflow.*:RuntimeWarning", "ignore:.*invalid.*")
def test_a_gradient_that_is_not_finite_stops_the_update() -> None:
    far = Steps(size=1e17)
    with pytest.raises(ValueError, match=r"^gradient must be finite, got -?inf at index 0$"):
        update(algorithm(reward_scale=1e300), env=far)
    with pytest.raises(ValueError, match=r"^value_gradient must be finite, got -?inf at index 0$"):
        update(algorithm(reward_scale=1e300, standardize=True, value_steps=1), env=far)
