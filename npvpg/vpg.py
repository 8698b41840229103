r"""
Vanilla policy gradient: collect, estimate, one policy step, some value steps, again.

.. math::
   \theta_{k+1} = \theta_k + \alpha\,\hat g_k, \qquad
   \phi_{k+1} = \arg\min_\phi \frac{1}{|D_k|}\sum_{\tau\in D_k}\sum_t
       \bigl(V_\phi(s_t) - \hat R_t\bigr)^2

There is no loss of the policy to report. What is reported is the return, the entropy, the
divergence between successive policies, the length of the gradient and how much of the variance of
the returns the value function explained.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import DTypeLike, NDArray

from npvpg import checks
from npvpg.estimators import BaselinedReturn, Estimator, standardize
from npvpg.gradient import policy_gradient
from npvpg.kernels import returns
from npvpg.normalize import RunningMoments
from npvpg.optimizers import Adam, Linear, Optimizer, clip_by_global_norm
from npvpg.policy import Policy
from npvpg.recent import RECENT
from npvpg.state import Iteration, TrainState
from npvpg.value import Value
from npvpg.world.rollout import Position, Rollout, fixed_horizon, whole_episodes
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv


@dataclass(frozen=True)
class FixedHorizon:
    """
    Collect a fixed number of steps per sub-environment.

    Parameters
    ----------
    n_steps : int
        Number of steps, at least 1.

    Raises
    ------
    ValueError
        If `n_steps` is smaller than 1.
    """

    n_steps: int

    def __post_init__(self) -> None:
        checks.at_least(1, n_steps=self.n_steps)


@dataclass(frozen=True)
class WholeEpisodes:
    """
    Collect a fixed number of whole episodes per sub-environment.

    Parameters
    ----------
    n_episodes : int
        Number of episodes, at least 1.

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1.
    """

    n_episodes: int

    def __post_init__(self) -> None:
        checks.at_least(1, n_episodes=self.n_episodes)


@dataclass(frozen=True)
class VPG:
    """
    Description of the algorithm.

    Parameters
    ----------
    estimator : Estimator
        Weight of the score.
    collector : FixedHorizon or WholeEpisodes
        What makes a batch.
    policy_lr, value_lr : Linear
        Step sizes over the run.
    policy_optimizer, value_optimizer : Optimizer
        How to step.
    value_target : Estimator, optional
        An advantage; the target of the value function is that plus V. By default the
        bootstrapped return, `npvpg.estimators.BaselinedReturn`; with
        `npvpg.estimators.GAE` the lambda-return.
    value_steps : int
        Passes of the value function over the batch.
    value_minibatch : int, optional
        Steps of a minibatch; by default a pass is one step on the whole batch.
    entropy_weight : float
        Weight of the mean entropy, added to the objective [reward per nat].
    standardize : bool
        Shift and scale the weights of a batch to mean 0 and standard deviation 1: a heuristic
        that makes the step size independent of the scale of rewards.
    per_step : bool
        Divide the gradient by the number of steps in place of trajectories.
    discount_weights : bool
        Weight step t by gamma to the power t: the exact gradient of the discounted objective.
    max_grad_norm : float, optional
        Bound on the length of either gradient.
    normalize_obs : bool
        Show the policy observations with running mean 0 and variance 1.
    normalize_rewards : bool
        Divide rewards by the running standard deviation of the reward-to-go.
    reward_scale : float
        Constant factor of the rewards that the estimator sees.
    greedy : Linear, optional
        Probability of taking the mode in place of a draw, over the run, in [0, 1); for a
        `npvpg.distributions.Categorical` policy only. By default actions are drawn.

    Raises
    ------
    ValueError
        If a number is out of range or two choices exclude each other.
    """

    estimator: Estimator
    collector: FixedHorizon | WholeEpisodes
    policy_lr: Linear
    value_lr: Linear
    policy_optimizer: Optimizer = field(default_factory=Adam)
    value_optimizer: Optimizer = field(default_factory=Adam)
    value_target: Estimator | None = None
    value_steps: int = 10
    value_minibatch: int | None = None
    entropy_weight: float = 0.0
    standardize: bool = False
    per_step: bool = False
    discount_weights: bool = False
    max_grad_norm: float | None = None
    normalize_obs: bool = False
    normalize_rewards: bool = False
    reward_scale: float = 1.0
    greedy: Linear | None = None

    def __post_init__(self) -> None:
        checks.at_least(0, value_steps=self.value_steps, entropy_weight=self.entropy_weight)
        checks.at_least(1, value_minibatch=self.value_minibatch)
        checks.positive(max_grad_norm=self.max_grad_norm, reward_scale=self.reward_scale)
        whole = isinstance(self.collector, WholeEpisodes)
        if self.estimator.needs_whole_episodes and not whole:
            raise ValueError(f"estimator must not be {self.estimator.name} with a fixed horizon")
        if self.estimator.from_start and self.discount_weights:
            raise ValueError(
                f"discount_weights must be off with {self.estimator.name}: it is discounted from "
                "the start already"
            )
        if self.discount_weights and not whole:
            raise ValueError(
                "discount_weights must have whole episodes, to count t from their start"
            )
        if self.value_target is not None and not self.value_target.is_advantage:
            raise ValueError(f"value_target must be an advantage, got {self.value_target}")
        if self.greedy is not None and max(self.greedy.start, self.greedy.stop) >= 1:
            raise ValueError(f"greedy must stay below 1, got {self.greedy}")


def initial_state(
    policy: Policy,
    value: Value,
    vpg: VPG,
    *,
    n_envs: int,
    seed: int,
    dtype: DTypeLike = np.float64,
) -> TrainState:
    """
    State before the first update.

    Parameters
    ----------
    policy : Policy
        Policy to train.
    value : Value
        Value function to train.
    vpg : VPG
        The algorithm.
    n_envs : int
        Number of sub-environments.
    seed : int
        Seed of the run, at least 0.
    dtype : dtype
        Type of all parameters.

    Returns
    -------
    TrainState
        Drawn parameters and empty statistics.
    """
    theta = policy.init(generator(seed, Purpose.POLICY_INIT), dtype)
    phi = value.init(generator(seed, Purpose.VALUE_INIT), dtype)
    return TrainState(
        0,
        0,
        theta,
        phi,
        vpg.policy_optimizer.init(theta),
        vpg.value_optimizer.init(phi),
        RunningMoments.empty(policy.network.sizes[0]),
        RunningMoments.empty(1),
        Position.initial(n_envs),
        np.zeros((0, 2)),
    )


def behaviour(policy: Policy, vpg: VPG, fraction: float) -> Policy:
    r"""
    Policy that acts, and whose score is taken, at a point of the run.

    .. math:: \pi(a \mid s) = (1 - \varepsilon)\, \pi_\theta(a \mid s) + \varepsilon\,[a = a^*(s)],
       \qquad \varepsilon = \varepsilon_0 + x\,(\varepsilon_1 - \varepsilon_0)

    Parameters
    ----------
    policy : Policy
        Policy to train.
    vpg : VPG
        The algorithm; `VPG.greedy` is the schedule.
    fraction : float
        Steps taken, by steps of the whole run: x.

    Returns
    -------
    Policy
        The policy itself if nothing is taken greedily, or the mixture with the same parameters.

    Raises
    ------
    ValueError
        If there is a schedule and the policy is not categorical: with its mode taken at times, a
        continuous action has no density, see `npvpg.distributions.GreedyCategorical`.
    """
    if vpg.greedy is None:
        return policy
    probability = vpg.greedy(fraction)
    law = policy.distribution.with_mode(probability)
    return replace(policy, distribution=law) if probability else policy


def train(
    env: VectorEnv[Any, Any, Any],
    policy: Policy,
    value: Value,
    vpg: VPG,
    *,
    seed: int,
    n_steps: int,
    dtype: DTypeLike = np.float64,
    state: TrainState | None = None,
) -> Iterator[Iteration]:
    """
    Train a policy; one `Iteration` per update.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with autoreset disabled.
    policy : Policy
        Policy to train.
    value : Value
        Value function to train.
    vpg : VPG
        The algorithm.
    seed : int
        Seed of the run, at least 0: everything random follows from it.
    n_steps : int
        Environment steps after which no further update begins.
    dtype : dtype
        Type of all parameters.
    state : TrainState, optional
        State to go on from; the run then continues as if it had never stopped.

    Yields
    ------
    Iteration
        What the update did, and the state after it.

    Raises
    ------
    ValueError
        If the environment, or a choice, cannot be used; if the environment returns what is not
        finite or the gradient is not; if `state` cannot be returned to.

    References
    ----------
    .. [1] J. Achiam, "Spinning Up in Deep Reinforcement Learning", 2018, algorithm
       "Vanilla Policy Gradient".
    """
    checks.at_least(1, n_steps=n_steps)
    if value.is_zero and isinstance(vpg.collector, FixedHorizon):
        raise ValueError("value must not be ZeroValue with a fixed horizon: the tail needs a value")
    began = time.perf_counter()
    driver = SeededVectorEnv(env, seed)
    if state is None:
        state = initial_state(policy, value, vpg, n_envs=driver.n_envs, seed=seed, dtype=dtype)
    n_envs = len(state.position.episode)
    if n_envs != driver.n_envs:
        raise ValueError(
            f"state must be one of {driver.n_envs} sub-environments, as env is, got {n_envs}"
        )
    if state.position.obs.size:
        position = state.position
        driver.replay(position.episode, position.length, position.history, position.obs)
    while state.steps < n_steps:
        acting = behaviour(policy, vpg, state.steps / n_steps)
        rollout = _collect(driver, acting, vpg, state)
        iteration = _update(rollout, acting, value, vpg, state, seed, n_steps, began)
        state = iteration.state
        yield iteration


def _collect(driver: SeededVectorEnv, policy: Policy, vpg: VPG, state: TrainState) -> Rollout:
    common: dict[str, Any] = {
        "iteration": state.iteration,
        "moments": state.obs_moments if vpg.normalize_obs else None,
        "steps_before": state.steps,
    }
    arguments = (driver, policy, state.theta, state.position)
    if isinstance(vpg.collector, FixedHorizon):
        return fixed_horizon(*arguments, n_steps=vpg.collector.n_steps, **common)
    return whole_episodes(*arguments, n_episodes=vpg.collector.n_episodes, **common)


def _update(
    rollout: Rollout,
    policy: Policy,
    value: Value,
    vpg: VPG,
    state: TrainState,
    seed: int,
    n_steps: int,
    began: float,
) -> Iteration:
    """One policy step and the value steps, all from one batch."""
    batch = rollout.batch
    lr_at = state.steps / n_steps  # below 1: beyond the budget no update begins

    rew, return_moments = _scaled_rewards(rollout, vpg, state.return_moments)
    v = value.at(state.phi, batch.obs)
    val = v.values
    last_val = np.where(batch.terminated, 0, value.at(state.phi, batch.last_obs).values)
    psi = vpg.estimator(rew, val, last_val, batch.start)
    if vpg.standardize:
        psi = standardize(psi)

    pi = policy.at(state.theta, batch.obs)
    grad = policy_gradient(
        pi,
        batch,
        psi,
        per_step=vpg.per_step,
        discount=vpg.estimator.gamma if vpg.discount_weights else None,
    )
    if vpg.entropy_weight:
        count = batch.n_steps if vpg.per_step else batch.n_trajectories
        weight = np.full(batch.n_steps, vpg.entropy_weight / count)
        grad = grad + pi.weighted_entropy_score(weight)
    checks.finite(gradient=grad)
    clipped, grad_norm = clip_by_global_norm(grad, vpg.max_grad_norm)
    policy_lr = vpg.policy_lr(lr_at)
    theta, policy_state = vpg.policy_optimizer.step(
        state.theta, clipped, state.policy_optimizer, policy_lr
    )

    advantage = vpg.value_target or BaselinedReturn(vpg.estimator.gamma)
    target = advantage(rew, val, last_val, batch.start) + val
    phi, value_state = state.phi, state.value_optimizer
    n_passes = 0 if value.is_zero else vpg.value_steps
    for rows in _minibatches(batch.n_steps, vpg.value_minibatch, n_passes, seed, state.iteration):
        if phi is not state.phi or not isinstance(rows, slice):
            v = value.at(phi, batch.obs[rows])
        value_grad = v.gradient(target[rows])
        checks.finite(value_gradient=value_grad)
        if vpg.max_grad_norm is not None:
            value_grad, _ = clip_by_global_norm(value_grad, vpg.max_grad_norm)
        phi, value_state = vpg.value_optimizer.step(
            phi, value_grad, value_state, -vpg.value_lr(lr_at)
        )

    finished = np.array([(e.ret, e.length) for e in rollout.episodes]).reshape(-1, 2)
    recent = np.concatenate([state.recent, finished])[-RECENT:]
    new_state = TrainState(
        state.iteration + 1,
        state.steps + batch.n_steps,
        theta,
        phi,
        policy_state,
        value_state,
        state.obs_moments.update(rollout.raw_obs) if vpg.normalize_obs else state.obs_moments,
        return_moments,
        rollout.position,
        recent,
    )
    error = target - val
    spread = float(np.var(target))
    return Iteration(
        state=new_state,
        episodes=rollout.episodes,
        mean_return=float(recent[:, 0].mean()) if len(recent) else None,
        mean_length=float(recent[:, 1].mean()) if len(recent) else None,
        entropy=float(pi.entropy().mean()),
        kl=float(pi.kl(policy.at(theta, batch.obs)).mean()),
        grad_norm=grad_norm,
        explained_variance=1 - float(np.var(error)) / spread if spread > 0 else 0.0,
        value_loss=0.5 * float(np.mean(error * error)),
        policy_lr=policy_lr,
        seconds=time.perf_counter() - began,
    )


def _scaled_rewards(
    rollout: Rollout, vpg: VPG, moments: RunningMoments
) -> tuple[NDArray[np.float64], RunningMoments]:
    """Rewards as the estimator sees them, and the statistics they were scaled by."""
    batch = rollout.batch
    rew = batch.rew * vpg.reward_scale
    if not vpg.normalize_rewards:
        return rew, moments
    nothing = np.zeros(batch.n_trajectories)
    to_go = returns.discounted_sum(rew, nothing, batch.start, vpg.estimator.gamma)
    moments = moments.update(to_go[:, np.newaxis])
    return rew * moments.inverse_std[0], moments


def _minibatches(
    n_rows: int, size: int | None, n_passes: int, seed: int, iteration: int
) -> Iterator[slice | NDArray[np.int64]]:
    """In every pass all rows at once, or a random partition of them."""
    if size is None or size >= n_rows:
        yield from [slice(None)] * n_passes
        return
    rng = generator(seed, Purpose.MINIBATCH, iteration)
    for _ in range(n_passes):
        order = rng.permutation(n_rows)
        for begin in range(0, n_rows, size):
            yield order[begin : begin + size]
