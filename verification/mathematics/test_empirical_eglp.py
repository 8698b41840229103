"""C9: EGLP by Monte Carlo, of policies, parameters and observations that Hypothesis draws."""

import math
import zlib
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe
from verification.mathematics.strategies import TAME, Net, nets
from verification.oracles.distributions import log_softmax
from verification.oracles.statistics import two_stage

N_ENVS, LENGTH, N_STEPS = 100, 20, 4000
N_EXAMPLES = 20  # in every profile: each is a statistic of the budget
KINDS = ("categorical", "Gaussian, free sigma", "Gaussian, sigma by the network")
COLLECTORS = ("fixed horizon", "whole episodes")


class Still(VectorEnv[Any, Any, Any]):
    """An environment that shows one observation for ever; episodes of 20 steps."""

    def __init__(self, obs: Any, actions: gym.Space[Any]) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs = N_ENVS
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, obs.shape, np.float64)
        self.single_action_space = actions
        self.observation_space = batch_space(self.single_observation_space, N_ENVS)
        self.action_space = batch_space(actions, N_ENVS)
        self.obs = np.repeat(obs[np.newaxis], N_ENVS, axis=0)
        self.t = np.zeros(N_ENVS, int)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Begin episodes where the mask says so."""
        self.t[options["reset_mask"]] = 0
        return self.obs.copy(), {}

    def step(self, actions: Any) -> Any:
        """Let a step pass."""
        self.t += 1
        none = np.zeros(N_ENVS, bool)
        return self.obs.copy(), np.zeros(N_ENVS), none, self.t == LENGTH, {}


def _policy(net: Net, kind: str) -> Policy:
    """Give a policy of `net.n_out` actions, or of as many components."""
    if kind == "categorical":
        return Policy(net.network(), Categorical(net.n_out))
    outputs = net.n_out if kind == "Gaussian, free sigma" else 2 * net.n_out
    return Policy(net.network(outputs), DiagonalGaussian(net.n_out))


def _scores(collector, policy, theta, obs, n, seed, change):
    """Collect n steps, and score them: the actions, and the parameters, as `change` has them."""
    law = policy.distribution
    discrete = isinstance(law, Categorical)
    space = gym.spaces.Discrete(law.n) if discrete else gym.spaces.Box(-0.5, 0.5, law.event_shape)
    driver, position = SeededVectorEnv(Still(obs, space), seed), Position.initial(N_ENVS)
    actor = Actor(policy, theta)
    if collector == "fixed horizon":
        rollout = fixed_horizon(driver, actor, position, n_steps=n // N_ENVS, iteration=0)
    else:
        n_episodes = n // (N_ENVS * LENGTH)
        rollout = whole_episodes(driver, actor, position, n_episodes=n_episodes, iteration=0)
    batch = rollout.batch
    assert batch.n_steps == n
    at, act = change(theta, batch.act)
    return policy.at(at, batch.obs).score(act)


def _known(policy, theta, obs):
    """Variance and tail of every coordinate of a score, without a sample: v and c, (P,)."""
    law = policy.distribution
    if isinstance(law, Categorical):
        each = policy.at(theta, np.repeat(obs[np.newaxis], law.n, 0)).score(np.arange(law.n))
        p = np.exp(log_softmax(policy.at(theta, obs[np.newaxis]).params[0]))
        return p @ each**2, 2 * np.abs(each).max(axis=0) / 3
    # the score is b z + k (z^2 - 1) in every component: three points of it tell b and k
    mu, log_sigma = np.split(policy.at(theta, obs[np.newaxis]).params[0], 2)
    points = np.concatenate([np.zeros((1, law.dim)), np.eye(law.dim), -np.eye(law.dim)])
    act = mu + np.exp(log_sigma) * points
    middle, *sides = policy.at(theta, np.repeat(obs[np.newaxis], len(act), 0)).score(act)
    up, down = np.split(np.array(sides), 2)
    b, k = (up - down) / 2, (up + down) / 2 - middle
    return (b**2 + 2 * k**2).sum(axis=0), 2 * np.abs(k).max(axis=0)


def _unchanged(theta, act):
    return theta, act


def _excess(net, kind, collector, change=_unchanged):
    """Worst mean score over what is allowed, in two stages."""
    rng = net.rng(90)
    policy = _policy(net, kind)
    theta, obs = net.theta(rng, policy.size), net.obs(rng)[0]
    v, c = _known(policy, theta, obs)
    key = zlib.crc32(f"empirical EGLP {net} {kind} {collector}".encode())

    def excess(stage: int, n: int, alpha: float) -> float:
        seed = int(np.random.SeedSequence([key, stage]).generate_state(1)[0])
        score = _scores(collector, policy, theta, obs, n, seed, change)
        level = math.log(2 * policy.size / alpha)
        # a score that cannot vary must be 0 to rounding
        rounding = 1e-12 * (np.sqrt(v) + float(np.sqrt(v).max()) + 1e-300)
        allowed = np.sqrt(2 * v * level / n) + c * level / n + rounding
        return float((np.abs(score.mean(axis=0)) / allowed).max())

    return two_stage(excess, N_STEPS)


@claim(
    name="C9",
    title="EGLP by Monte Carlo, of drawn networks and observations",
    statement=r"\Bigl|\frac1N\sum_{i=1}^N \nabla_\theta\log\pi_\theta(a_i|s)\Bigr|"
    r" \le \sqrt{2vL/N} + cL/N, \qquad L = \ln(2P/\alpha)",
    words="scores of collected actions average to zero, whatever the network and the observation",
    assumptions="log sigma inside its clamp; a run alarms falsely less than once in 1e9",
    source="Spinning Up, part 3, EGLP lemma; Boucheron, Lugosi and Massart 2013, section 2.4",
    method=f"Monte Carlo of {N_STEPS} steps by the collectors' own noise, confirmed by 16 times as"
    f" many; {N_EXAMPLES} examples of false alarm 1e-11 each, seeded by what was drawn; variance v"
    " and tail c are exact: a score is bounded, or quadratic in a normal",
    tolerance=1.0,
    tolerance_reason="mean score over the mean allowed at the level of the stage",
    about=(
        "npvpg.policy.PolicyAt.score",
        "npvpg.policy.PolicyAt.sample",
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.rollout.whole_episodes",
        "npvpg.world.actor.Actor",
    ),
)
@settings(max_examples=N_EXAMPLES)
@given(
    nets(**TAME, n_rows=st.just(1), n_out=st.integers(1, 3)),
    st.sampled_from(KINDS),
    st.sampled_from(COLLECTORS),
)
@example(Net(hidden=(4, 4), n_out=3), KINDS[0], COLLECTORS[0])
@example(Net(hidden=(4, 4), n_out=2), KINDS[1], COLLECTORS[1])
@example(Net(hidden=(8, 8, 8), n_out=2, activation="relu"), KINDS[2], COLLECTORS[0])
def test_collected_scores_average_to_zero(net, kind, collector):
    seen = _excess(net, kind, collector)
    told = f"{kind}, {collector}, {seen.stages} stages"
    observe(seen.excess, 1.0, lambda: f"{told}: {net}")


def _stale(theta, act):
    """Score by other parameters than those that acted."""
    moved = theta.copy()
    moved[-1] += 0.5
    return moved, act


def _clipped(theta, act):
    """Score what the environment was sent."""
    return theta, np.clip(act, -0.5, 0.5)


def _off_by_one(theta, act):
    """Score the action after the one that was taken."""
    return theta, (act + 1) % 3


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (KINDS[0], _stale),
        (KINDS[0], _off_by_one),
        (KINDS[1], _stale),
        (KINDS[1], _clipped),
        (KINDS[2], _clipped),
    ],
)
def test_scores_that_are_not_of_what_was_done_are_seen(kind, change, collector):
    """Negative controls: both stages alarm."""
    seen = _excess(Net(hidden=(4,), n_out=3, n_rows=1), kind, collector, change)
    assert (seen.stages, seen.excess > 1) == (2, True)
