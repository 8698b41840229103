import dataclasses
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    Product,
    SquashedGaussian,
)
from npvpg.estimators import (
    GAE,
    ActionValue,
    BaselinedReturn,
    Estimator,
    LeaveOneOut,
    NStep,
    RewardToGo,
    TDResidual,
    TotalReturn,
)
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam, Linear
from npvpg.runs import environments
from npvpg.runs.build import build, estimator
from npvpg.runs.config import Config
from npvpg.value import MLPValue, ZeroValue
from npvpg.vpg import VPG
from npvpg.world.squash import ScaleAction, SquashAction, scales
from verification import flat

PLAIN = Config(
    "CartPole-v1",
    gamma=0.9,
    lam=0.8,
    n=3,
    hidden=(8, 4),
    horizon=16,
    policy_lr=0.5,
    value_lr=0.25,
    lr_decay="linear",
    value_steps=7,
    value_target="return",
    standardize=False,
    normalize_obs=False,
)
SETTINGS: dict[str, Any] = {
    "estimator": GAE(0.9, 0.8),
    "collect": FixedHorizon(16),
    "policy_lr": Linear(0.5, 0.0),
    "value_lr": Linear(0.25, 0.0),
    "value_steps": 7,
}


@pytest.fixture(scope="module")
def cartpole() -> Iterator[gymnasium.vector.VectorEnv[Any, Any, Any]]:
    env = environments.make("CartPole-v1", 2)
    yield env
    env.close()


@pytest.mark.parametrize(
    ("name", "due"),
    [
        ("total-return", TotalReturn(0.9)),
        ("leave-one-out", LeaveOneOut(0.9)),
        ("reward-to-go", RewardToGo(0.9)),
        ("baseline", BaselinedReturn(0.9)),
        ("td", TDResidual(0.9)),
        ("n-step", NStep(0.9, 3)),
        ("gae", GAE(0.9, 0.8)),
        ("advantage", GAE(0.9, 0.8)),
        ("q", ActionValue(GAE(0.9, 0.8))),
    ],
)
def test_every_name_is_an_estimator(name: Any, due: Estimator, cartpole: Any) -> None:
    config = dataclasses.replace(PLAIN, estimator=name)
    assert estimator(config) == due
    algorithm = build(config, cartpole)
    if due.uses_value:
        assert algorithm.value == MLPValue(MLP((4, 8, 4, 1), "tanh"))
        assert algorithm.collect == FixedHorizon(16)
    else:
        assert algorithm.value == ZeroValue()
        assert algorithm.collect == WholeEpisodes(1)


@pytest.mark.parametrize(
    ("config", "algorithm"),
    [
        ({}, {}),
        ({"horizon": 0, "episodes": 3}, {"collect": WholeEpisodes(3)}),
        (
            {"lr_decay": "constant"},
            {"policy_lr": Linear(0.5, 0.5), "value_lr": Linear(0.25, 0.25)},
        ),
        ({"optimizer": "sgd"}, {"optimizer": SGD()}),
        ({"optimizer": "adam"}, {"optimizer": Adam()}),
        ({"value_target": "lambda"}, {"value_target": GAE(0.9, 0.8)}),
        ({"value_minibatch": 5}, {"value_minibatch": 5}),
        ({"entropy_weight": 0.1}, {"entropy_weight": 0.1}),
        ({"standardize": True}, {"standardize": True}),
        ({"per_step": True}, {"per_step": True}),
        (
            {"discount_weights": True, "horizon": 0},
            {"discount_weights": True, "collect": WholeEpisodes(1)},
        ),
        ({"max_grad_norm": 0.5}, {"max_grad_norm": 0.5}),
        ({"normalize_obs": True}, {"normalize_obs": True}),
        ({"normalize_rewards": True}, {"normalize_rewards": True}),
        ({"reward_scale": 0.1}, {"reward_scale": 0.1}),
        ({"greedy": 0.5}, {"greedy": Linear(0.0, 0.5)}),
    ],
)
def test_every_setting_reaches_the_algorithm(
    config: dict[str, Any], algorithm: dict[str, Any], cartpole: Any
) -> None:
    built = build(dataclasses.replace(PLAIN, **config), cartpole)
    assert built == flat.vpg(built.policy, built.value, **(SETTINGS | algorithm))


def test_discrete_actions_make_a_categorical_policy(cartpole: Any) -> None:
    policy = build(dataclasses.replace(PLAIN, activation="relu"), cartpole).policy
    assert policy.network == MLP((4, 8, 4, 2), "relu")
    assert policy.distribution == Categorical(2)


class Flat(gymnasium.Env[Any, Any]):
    """Observations in a matrix, two numbers as an action unless told."""

    observation_space = spaces.Box(-1, 1, (3, 4))

    def __init__(self, actions: spaces.Space[Any]) -> None:
        self.action_space = actions


BOX = spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, 6.0]), dtype=np.float64)


def build_for(actions: spaces.Space[Any], **settings: Any) -> VPG:
    env: gymnasium.vector.VectorEnv[Any, Any, Any] = gymnasium.vector.SyncVectorEnv(
        [lambda: Flat(actions)], autoreset_mode=AutoresetMode.DISABLED
    )
    bound = settings.get("action_bound", "scale")
    if bound == "tanh":
        env = SquashAction(env)
    elif bound == "scale" and scales(actions):
        env = ScaleAction(env)
    return build(dataclasses.replace(PLAIN, **settings), env)


def gaussian(**settings: Any) -> VPG:
    return build_for(BOX, **settings)


TWO, NORMAL = Categorical(2), DiagonalGaussian(2)
SQUASHED = SquashedGaussian(DiagonalGaussian(2), half_width=(1.0, 3.0))


@pytest.mark.parametrize(
    ("actions", "bound", "law", "words"),
    [
        (spaces.Discrete(2, start=7), "clip", TWO, "categorical of 2"),
        (
            spaces.MultiDiscrete([2, 2, 3]),
            "clip",
            Product((TWO, TWO, Categorical(3))),
            "product of 2 x categorical of 2, categorical of 3",
        ),
        (spaces.MultiBinary((2, 3)), "clip", Bernoulli(6), "Bernoulli of 6"),
        (BOX, "clip", NORMAL, "Gaussian of 2 (free sigma)"),
        (
            BOX,
            "scale",
            DiagonalGaussian(2, (1.0, 3.0)),
            "Gaussian of 2 in units of its Box (free sigma)",
        ),
        (spaces.Box(-1, 1, (2,)), "scale", NORMAL, "Gaussian of 2 (free sigma)"),
        (BOX, "tanh", SQUASHED, "Gaussian of 2, squashed by tanh (free sigma)"),
        (
            spaces.Tuple([spaces.Discrete(2), spaces.Dict({"b": BOX, "a": spaces.MultiBinary(1)})]),
            "clip",
            Product((TWO, Bernoulli(1), NORMAL)),
            "product of categorical of 2, Bernoulli of 1, Gaussian of 2 (free sigma)",
        ),
        (
            spaces.Tuple([spaces.MultiDiscrete([2]), BOX]),
            "tanh",
            Product((TWO, SQUASHED)),
            "product of categorical of 2, Gaussian of 2, squashed by tanh (free sigma)",
        ),
    ],
)
def test_every_space_of_actions_has_its_distribution(
    actions: spaces.Space[Any], bound: str, law: Distribution, words: str
) -> None:
    policy = build_for(actions, action_bound=bound).policy
    assert policy.distribution == law
    assert policy.network.sizes == (12, 8, 4, law.n_params - len(law.scale_columns))
    assert str(policy) == words


def test_greed_is_for_one_discrete_action() -> None:
    assert build_for(spaces.Discrete(2), greedy=0.5).policy.distribution == TWO
    for actions in (BOX, spaces.MultiDiscrete([2, 2])):
        with pytest.raises(ValueError, match="greedy must be 0 unless actions are one Discrete"):
            build_for(actions, greedy=0.5)


def test_bound_and_environment_must_agree() -> None:
    env = gymnasium.vector.SyncVectorEnv([lambda: Flat(BOX)])
    squashed, scaled = SquashAction(env), ScaleAction(env)
    for bound, given, kind in (
        ("clip", squashed, "SquashAction"),
        ("scale", squashed, "SquashAction"),
        ("tanh", env, "SquashAction"),
        ("clip", scaled, "ScaleAction"),
        ("scale", env, "ScaleAction"),
    ):
        config = dataclasses.replace(PLAIN, action_bound=bound)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"env must be a {kind} if, and only if"):
            build(config, given)


def test_a_box_of_actions_makes_a_gaussian_policy_of_either_kind() -> None:
    free = gaussian(init_log_sigma=-0.5, action_bound="clip").policy
    assert free.network == MLP((12, 8, 4, 2), "tanh")
    assert (free.distribution, free.init_log_sigma) == (NORMAL, -0.5)
    state = gaussian(sigma="state", action_bound="clip").policy
    assert state.network == MLP((12, 8, 4, 4), "tanh")
    assert state.distribution == NORMAL
    assert str(state) == "Gaussian of 2 (sigma by the network)"


def test_no_hidden_layer_is_a_linear_policy(cartpole: Any) -> None:
    policy = build(dataclasses.replace(PLAIN, hidden=()), cartpole).policy
    assert policy.network.sizes == (4, 2)
    assert policy.init(np.random.default_rng(0)).shape == (10,)
