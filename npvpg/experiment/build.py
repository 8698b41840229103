"""From the names and numbers of a configuration to the objects that the algorithm is made of."""

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from npvpg.distributions import Categorical, DiagonalGaussian, Distribution
from npvpg.estimators import (
    GAE,
    ActionValue,
    BaselinedReturn,
    Estimator,
    NStep,
    RewardToGo,
    TDResidual,
    TotalReturn,
)
from npvpg.experiment.config import Config
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam, Linear
from npvpg.policy import Policy
from npvpg.value import MLPValue, Value, ZeroValue
from npvpg.vpg import VPG, FixedHorizon, WholeEpisodes


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
    """
    n_obs = int(np.prod(env.single_observation_space.shape or (1,)))
    law = _distribution(config, env.single_action_space)
    policy = Policy(MLP((n_obs, *config.hidden, law.n_outputs), config.activation), law)
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
    gamma, lam = config.gamma, config.lam
    named: dict[str, Estimator] = {
        "total-return": TotalReturn(gamma),
        "reward-to-go": RewardToGo(gamma),
        "baseline": BaselinedReturn(gamma),
        "td": TDResidual(gamma),
        "n-step": NStep(gamma, config.n),
        "gae": GAE(gamma, lam),
        "advantage": GAE(gamma, lam),
        "q": ActionValue(GAE(gamma, lam)),
    }
    return named[config.estimator]


def _distribution(config: Config, actions: spaces.Space[Any]) -> Distribution:
    """Choose the law of the actions: categorical for Discrete, Gaussian for Box."""
    if isinstance(actions, spaces.Discrete):
        return Categorical(int(actions.n))
    dim = int(np.prod(actions.shape or (1,)))
    return DiagonalGaussian(dim, config.sigma == "state", config.init_log_sigma)


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
    )
