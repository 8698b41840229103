"""From the names and numbers of a configuration to the objects that the algorithm is made of."""

from dataclasses import fields
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from npvpg.collect import Collect, FixedHorizon, WholeEpisodes
from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    Product,
    SquashedGaussian,
)
from npvpg.estimators import GAE, Estimator, GroupRelative, named
from npvpg.mlp import MLP
from npvpg.natural import LineSearch, NaturalStep
from npvpg.optimizers import SGD, Adam, Ascent, Linear
from npvpg.policy import Policy
from npvpg.ppo import ClippedStep
from npvpg.runs.config import FIELDS, Config
from npvpg.stages import PolicyStage, PolicyStep, ValueFit, Weigh
from npvpg.value import MLPValue, Value, ZeroValue
from npvpg.vpg import VPG
from npvpg.world.spaces import leaves
from npvpg.world.squash import (
    BoundAction,
    ScaleAction,
    SquashAction,
    half_width,
    origin_and_unit,
    scales,
)

STEPS: dict[str, type[PolicyStage]] = {
    "gradient": PolicyStep,
    "natural": NaturalStep,
    "trpo": NaturalStep,
    "ppo": ClippedStep,
}
"""What the policy does with a batch, by the name of `Config.update`."""


def build(config: Config, env: VectorEnv) -> VPG:
    """
    Make policy, value function and algorithm.

    Parameters
    ----------
    config : Config
        The configuration.
    env : gymnasium.vector.VectorEnv
        The environment, whose spaces give the networks their first and last size.

    Returns
    -------
    VPG
        Policy, value function and how they learn.

    Raises
    ------
    ValueError
        If actions are to be squashed or scaled and `env` does not do that, or to be taken greedily
        at times and are not one Discrete.
    """
    n_obs = spaces.flatdim(env.single_observation_space)
    law = distribution(config, env)
    n_out = law.n_params - (len(law.scale_columns) if config.sigma == "free" else 0)
    network = MLP((n_obs, *config.hidden, n_out), config.activation)
    policy = Policy(network, law, config.init_log_sigma)
    weight = estimator(config)
    value: Value = ZeroValue()
    if weight.uses_value:
        value = MLPValue(MLP((n_obs, *config.hidden, 1), config.activation))
    return VPG(policy, value, _collect(config), *_stages(config, weight))


def estimator(config: Config) -> Estimator:
    """
    Make the estimator that a configuration names.

    Parameters
    ----------
    config : Config
        The configuration.

    Returns
    -------
    Estimator
        The weight of the score.
    """
    if config.group_baseline != "off":
        return GroupRelative(
            config.gamma, config.episodes, config.group_baseline, config.per_length
        )
    return named(config.estimator, gamma=config.gamma, lam=config.lam, n=config.n)


def distribution(config: Config, env: VectorEnv) -> Distribution:
    """
    Choose the distribution of actions that fits an environment.

    Parameters
    ----------
    config : Config
        The configuration.
    env : gymnasium.vector.VectorEnv
        The environment; one whose actions are to be squashed is a `SquashAction`, and one whose
        actions are scaled a `ScaleAction`.

    Returns
    -------
    Distribution
        Categorical for Discrete, Gaussian for Box, Bernoulli for MultiBinary; for MultiDiscrete,
        Tuple and Dict the product of those of its numbers and parts.

    Raises
    ------
    ValueError
        If actions are to be squashed or scaled and `env` does not do that.
    """
    space = env.bounded_action_space if isinstance(env, BoundAction) else env.single_action_space
    for kind, asked in (
        (SquashAction, config.action_bound == "tanh"),
        (ScaleAction, config.action_bound == "scale" and scales(space)),
    ):
        if isinstance(env, kind) != asked:
            raise ValueError(
                f"env must be a {kind.__name__} if, and only if, action_bound "
                f"({config.action_bound}) asks for it in {space}, got {env}"
            )
    if isinstance(space, spaces.MultiDiscrete | spaces.Tuple | spaces.Dict):
        parts = [_part(config, leaf) for leaf in leaves(space)]
        return Product(tuple(law for part in parts for law in part))
    return _part(config, space)[0]


def _part(config: Config, space: spaces.Space[Any]) -> list[Distribution]:
    """Choose for what is neither Tuple nor Dict: a distribution for each of its factors."""
    if isinstance(space, spaces.Discrete):
        return [Categorical(int(space.n))]
    if isinstance(space, spaces.MultiDiscrete):
        return [Categorical(int(n)) for n in space.nvec.ravel()]
    dim = int(np.prod(space.shape or ()))
    if isinstance(space, spaces.MultiBinary):
        return [Bernoulli(dim)]
    if isinstance(space, spaces.Box) and config.action_bound == "tanh":
        width = tuple(half_width(space).ravel().tolist())
        return [SquashedGaussian(DiagonalGaussian(dim), half_width=width)]
    if isinstance(space, spaces.Box) and config.action_bound == "scale" and scales(space):
        return [DiagonalGaussian(dim, tuple(origin_and_unit(space)[1].ravel().tolist()))]
    return [DiagonalGaussian(dim)]


def _collect(config: Config) -> Collect:
    if config.whole_episodes:
        return WholeEpisodes(config.episodes, config.normalize_obs, config.group_baseline != "off")
    return FixedHorizon(config.horizon, config.normalize_obs)


def _stages(config: Config, weight: Estimator) -> tuple[Weigh, PolicyStage, ValueFit]:
    """Group the settings by stage; what has the same name in both needs no line here."""
    policy_ascent, value_ascent = (
        Ascent(
            Linear(lr, 0.0 if config.lr_decay == "linear" else lr),
            Adam() if config.optimizer == "adam" else SGD(),
            config.max_grad_norm,
        )
        for lr in (config.policy_lr, config.value_lr)
    )
    made = {
        "estimator": weight,
        "max_kl": Linear(config.max_kl, 0.0 if config.lr_decay == "linear" else config.max_kl),
        "search": LineSearch(config.backtracks) if config.update == "trpo" else None,
        "greedy": Linear(0.0, config.greedy) if config.greedy else None,
        "value_target": None if config.value_target == "return" else GAE(config.gamma, config.lam),
    }
    given = {name: getattr(config, name) for name in FIELDS} | made

    step = STEPS[config.update]

    def of(stage: type[Any], **chain: Ascent) -> dict[str, Any]:
        return {f.name: (given | chain)[f.name] for f in fields(stage)}

    return (
        Weigh(**of(Weigh)),
        step(**of(step, ascent=policy_ascent)),
        ValueFit(**of(ValueFit, ascent=value_ascent)),
    )
