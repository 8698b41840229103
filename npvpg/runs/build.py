"""From the names and numbers of a configuration to the objects that the algorithm is made of."""

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    Product,
    SquashedGaussian,
)
from npvpg.estimators import GAE, Estimator, named
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam, Linear
from npvpg.policy import Policy
from npvpg.runs.config import Config
from npvpg.value import MLPValue, Value, ZeroValue
from npvpg.vpg import VPG, FixedHorizon, WholeEpisodes
from npvpg.world.spaces import leaves
from npvpg.world.squash import SquashAction, half_width


class Parts(NamedTuple):
    """
    What `npvpg.vpg.train` takes apart from the environment and the seed.

    Attributes
    ----------
    policy : Policy
        The policy.
    value : Value
        The value function: zero for the estimators that have none.
    vpg : VPG
        The algorithm.
    """

    policy: Policy
    value: Value
    vpg: VPG


def build(config: Config, env: VectorEnv) -> Parts:
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
    Parts
        Policy, value function and algorithm.

    Raises
    ------
    ValueError
        If actions are to be squashed and `env` does not do that, or to be taken greedily at times
        and are not one Discrete.
    """
    n_obs = spaces.flatdim(env.single_observation_space)
    law = distribution(config, env)
    if config.greedy and not isinstance(env.single_action_space, spaces.Discrete):
        raise ValueError(
            f"greedy must be 0 unless actions are one Discrete, got {config.greedy} for {law}"
        )
    n_out = law.n_params - (len(law.scale_columns) if config.sigma == "free" else 0)
    network = MLP((n_obs, *config.hidden, n_out), config.activation)
    policy = Policy(network, law, config.init_log_sigma)
    weight = estimator(config)
    value: Value = ZeroValue()
    if weight.uses_value:
        value = MLPValue(MLP((n_obs, *config.hidden, 1), config.activation))
    return Parts(policy, value, _algorithm(config, weight))


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
    return named(config.estimator, gamma=config.gamma, lam=config.lam, n=config.n)


def distribution(config: Config, env: VectorEnv) -> Distribution:
    """
    Choose the distribution of actions that fits an environment.

    Parameters
    ----------
    config : Config
        The configuration.
    env : gymnasium.vector.VectorEnv
        The environment; one whose actions are to be squashed is a `SquashAction`.

    Returns
    -------
    Distribution
        Categorical for Discrete, Gaussian for Box, Bernoulli for MultiBinary; for MultiDiscrete,
        Tuple and Dict the product of those of its numbers and parts.

    Raises
    ------
    ValueError
        If actions are to be squashed and `env` does not do that.
    """
    if isinstance(env, SquashAction) != (config.action_bound == "tanh"):
        raise ValueError(
            f"env must be a SquashAction if, and only if, action_bound is tanh, got {env}"
        )
    space = env.bounded_action_space if isinstance(env, SquashAction) else env.single_action_space
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
    normal = DiagonalGaussian(dim)
    if config.action_bound == "tanh" and isinstance(space, spaces.Box):
        return [SquashedGaussian(normal, half_width=tuple(half_width(space).ravel().tolist()))]
    return [normal]


def _algorithm(config: Config, weight: Estimator) -> VPG:
    """Describe the algorithm; what a configuration writes as 0 for "none" becomes None."""
    decayed = 0.0 if config.lr_decay == "linear" else 1.0
    adam_or_sgd = Adam() if config.optimizer == "adam" else SGD()
    returned = config.value_target == "return"
    return VPG(
        estimator=weight,
        collector=(
            WholeEpisodes(config.episodes)
            if config.whole_episodes
            else FixedHorizon(config.horizon)
        ),
        policy_lr=Linear(config.policy_lr, config.policy_lr * decayed),
        value_lr=Linear(config.value_lr, config.value_lr * decayed),
        policy_optimizer=adam_or_sgd,
        value_optimizer=adam_or_sgd,
        value_target=None if returned else GAE(config.gamma, config.lam),
        value_steps=config.value_steps,
        value_minibatch=config.value_minibatch or None,
        entropy_weight=config.entropy_weight,
        standardize=config.standardize,
        per_step=config.per_step,
        discount_weights=config.discount_weights,
        max_grad_norm=config.max_grad_norm or None,
        normalize_obs=config.normalize_obs,
        normalize_rewards=config.normalize_rewards,
        reward_scale=config.reward_scale,
        greedy=Linear(0.0, config.greedy) if config.greedy else None,
    )
