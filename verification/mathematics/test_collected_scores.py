"""C5: the scores of real batches vanish on average, with the collectors' own noise."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe
from verification.mathematics.strategies import random_seed
from verification.oracles.mdp import softmax
from verification.oracles.statistics import MeanTest, normal_tail, tail_excess, two_stage
from verification.oracles.statistics import chi_square_tail as square_tail

N_ENVS, LENGTH, N_STEPS = 100, 50, 20_000
N_STATES, N_ACTIONS, SIGMA = 3, 3, 0.6
# three numbers a state for its scores, three for its actions, and scores times the sign
THETA = np.array([0.7, -0.4, 0.1, 1.2, 0.3, -0.9, -0.2, 0.5, 0.6, 0.4, -0.3, 0.2])


class Chance(VectorEnv[Any, Any, Any]):
    """
    States and rewards that are drawn and follow from no action; episodes of 50 steps.

    Every episode draws all its noise from a generator of its own seed. Of uniform noise the first
    binary digit gives the reward, -1 or 1, and the others the next state, one of three: the two
    are independent, so the terms of a mean are. Of normal noise the sign gives the reward.
    """

    def __init__(self, actions: gym.Space[Any]) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs = N_ENVS
        self.single_observation_space = gym.spaces.Box(0, 1, (N_STATES,), np.float64)
        self.single_action_space = actions
        self.observation_space = batch_space(self.single_observation_space, N_ENVS)
        self.action_space = batch_space(actions, N_ENVS)
        self.normal = isinstance(actions, gym.spaces.Box)
        self.noise = np.zeros((N_ENVS, LENGTH + 1))
        self.t = np.zeros(N_ENVS, int)

    def _show(self) -> NDArray[np.float64]:
        if self.normal:
            return np.ones((N_ENVS, N_STATES))  # one state: its law is known exactly
        # the first state is drawn as well: it has noise of its own, the last of the row
        u = self.noise[np.arange(N_ENVS), self.t - 1]
        return np.asarray(np.eye(N_STATES)[(N_STATES * (2 * u % 1)).astype(int)])

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Draw the noise of a whole episode where the mask says so."""
        assert options is not None
        for i in np.flatnonzero(options["reset_mask"]):
            rng = np.random.default_rng(seed[i])
            self.noise[i] = (rng.standard_normal if self.normal else rng.random)(LENGTH + 1)
            self.t[i] = 0
        return self._show(), {}

    def step(self, actions: Any) -> Any:
        """Move by the noise alone."""
        noise = self.noise[np.arange(N_ENVS), self.t]
        self.t += 1
        reward = np.where(noise > (0 if self.normal else 0.5), 1.0, -1.0)
        over = self.t == LENGTH
        return self._show(), reward, np.zeros(N_ENVS, bool), over, {}


class Sample(NamedTuple):
    """Steps of a batch, and their scores."""

    obs: NDArray[np.float64]
    act: NDArray[Any]
    sign: NDArray[np.float64]
    score: NDArray[np.float64]


def _collect(collector: str, policy: Policy, theta: Any, n: int, seed: int, at: Any) -> Sample:
    """Collect n steps by theta, and score them at `at`."""
    continuous = isinstance(policy.distribution, DiagonalGaussian)
    actions = gym.spaces.Box(-0.5, 0.5, (1,)) if continuous else gym.spaces.Discrete(N_ACTIONS)
    driver, position = SeededVectorEnv(Chance(actions), seed), Position.initial(N_ENVS)
    if collector == "fixed horizon":
        batch = fixed_horizon(
            driver, Actor(policy, theta), position, n_steps=n // N_ENVS, iteration=0
        ).batch
    else:
        n_episodes = n // (N_ENVS * LENGTH)
        batch = whole_episodes(
            driver, Actor(policy, theta), position, n_episodes=n_episodes, iteration=0
        ).batch
    assert batch.n_steps == n
    return Sample(batch.obs, batch.act, batch.rew, policy.at(at, batch.obs).score(batch.act))


def _discrete_terms(sample: Sample) -> NDArray[np.float64]:
    """Scores, scores times the sign that chance drew, and indicators of (state, action)."""
    pair = sample.obs[:, :, np.newaxis] * np.eye(N_ACTIONS)[sample.act][:, np.newaxis, :]
    signed = sample.sign[:, np.newaxis] * sample.score
    return np.concatenate([sample.score, signed, pair.reshape(len(pair), -1)], axis=1)


def _discrete_law() -> MeanTest:
    """Mean, variance and bound of those terms, by enumeration of states and actions."""
    pi = softmax(THETA[:9].reshape(N_STATES, N_ACTIONS) + THETA[9:])
    score = np.zeros((N_STATES, N_ACTIONS, len(THETA)))
    for s in range(N_STATES):
        score[s, :, 3 * s : 3 * s + 3] = np.eye(N_ACTIONS) - pi[s]
        score[s, :, 9:] = np.eye(N_ACTIONS) - pi[s]
    chance = pi / N_STATES
    square = np.einsum("sa,sap->p", chance, score**2)
    bound = np.abs(score).max(axis=(0, 1))
    p = chance.ravel()
    return MeanTest(
        np.concatenate([np.zeros(2 * len(THETA)), p]),
        np.concatenate([square, square, p * (1 - p)]),
        np.concatenate([bound, bound, np.maximum(p, 1 - p)]),
    )


LAW = _discrete_law()
# the largest over the coordinates, each in units of its standard deviation
DETECTABLE = float((LAW.detectable(N_STEPS) / np.sqrt(LAW.variance)).max())
# two-sided quantiles of 1e-4 and .01; the confirmation, with 16 times as many, sees smaller ones
SEEN_NORMAL = (3.891 + 2.576) / N_STEPS**0.5


def _seed(config: pytest.Config, *key: int) -> int:
    """Seed of a stage: fresh numbers for the confirmation."""
    return int(np.random.SeedSequence([random_seed(config), 50, *key]).generate_state(1)[0])


def _discrete(collector: str, seeds: tuple[int, int], at: NDArray[np.float64]) -> Any:
    policy = Policy(MLP((N_STATES, N_ACTIONS)), Categorical(N_ACTIONS))

    def excess(stage: int, n: int, alpha: float) -> float:
        sample = _collect(collector, policy, THETA, n, seeds[stage], at)
        return LAW.excess(_discrete_terms(sample), alpha)

    return two_stage(excess, N_STEPS)


def _normal(collector: str, seeds: tuple[int, int], at: NDArray[np.float64]) -> Any:
    """Three sums whose laws are exact: of eps and of sign times eps normal, of eps^2 chi-square."""
    policy = Policy(MLP((N_STATES, 1)), DiagonalGaussian(1))
    theta = np.array([0.2, -0.1, 0.3, 0.1, np.log(SIGMA)])

    def excess(stage: int, n: int, alpha: float) -> float:
        sample = _collect(collector, policy, theta, n, seeds[stage], theta + at)
        eps, square = sample.score[:, 3] * SIGMA, sample.score[:, 4] + 1
        tails = (
            normal_tail(float(eps.sum()) / n**0.5),
            normal_tail(float(sample.sign @ eps) / n**0.5),
            square_tail(float(square.sum()), n),
        )
        return max(tail_excess(tail, alpha) for tail in tails)

    return two_stage(excess, N_STEPS)


COLLECTORS = ["fixed horizon", "whole episodes"]


@claim(
    name="C5",
    title="EGLP through the real noise and the real collectors",
    statement=r"\Bigl|\frac1N\sum_{i=1}^N \nabla_\theta\log\pi_\theta(a_i|s_i)\,w_i\Bigr|"
    r" \le \sqrt{2\sigma^2L/N} + 2ML/(3N), \qquad L = \ln(2/\alpha)",
    words="collected scores average to zero, also times what chance drew, and actions have"
    " their law",
    assumptions="states and w drawn by the environment; a run alarms falsely once in 1e9",
    source="Spinning Up, part 3, EGLP lemma; Bernstein's inequality",
    method=f"Monte Carlo of {N_STEPS} steps, confirmed by 16 times as many; 72 statistics of"
    f" false alarm 1e-11 each; a bias of {DETECTABLE:.2f} standard deviations of a term"
    f" ({SEEN_NORMAL:.2f} of the noise of a Gaussian) is seen with probability .99; not drawn by"
    " Hypothesis: the laws of the sums are exact for this process, and C9 draws networks",
    tolerance=1.0,
    tolerance_reason="deviation over the deviation allowed at the level of the stage",
    about=(
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.rollout.whole_episodes",
        "npvpg.policy.PolicyAt.sample",
        "npvpg.policy.Policy.noise",
        "npvpg.policy.PolicyAt.score",
        "npvpg.world.streams.generator",
    ),
)
@pytest.mark.parametrize("collector", COLLECTORS)
def test_collected_scores(collector, pytestconfig):
    at = COLLECTORS.index(collector)
    for number, try_it in enumerate((_discrete, _normal)):
        seeds = (_seed(pytestconfig, at, number, 0), _seed(pytestconfig, at, number, 1))
        seen = try_it(collector, seeds, THETA if number == 0 else np.zeros(5))
        told = f"{collector}, seeds {seeds}, {seen.stages} stages"
        observe(seen.excess, 1.0, f"{told}; detects {DETECTABLE:.3f} sd")


@pytest.mark.parametrize("collector", COLLECTORS)
def test_other_parameters_at_scoring_time_are_seen(collector):
    """Negative control: both stages alarm if the scores are of slightly other parameters."""
    stale = THETA.copy()
    stale[9] += 0.4
    assert _discrete(collector, (1, 2), stale).excess > 1
    assert _discrete(collector, (1, 2), stale).stages == 2
    moved = np.zeros(5)
    moved[3] = 0.1 * SIGMA
    assert _normal(collector, (1, 2), moved).excess > 1


def test_noise_shared_with_the_environment_is_seen():
    """Negative control: the sign of the step, told by the action's own noise, does not average."""
    policy = Policy(MLP((N_STATES, N_ACTIONS)), Categorical(N_ACTIONS))

    def excess(stage: int, n: int, alpha: float) -> float:
        sample = _collect("fixed horizon", policy, THETA, n, 3 + stage, THETA)
        told = np.where(sample.act == 0, 1.0, -1.0)
        shared = np.where(np.arange(n) % LENGTH < LENGTH // 4, told, sample.sign)
        return LAW.excess(_discrete_terms(sample._replace(sign=shared)), alpha)

    seen = two_stage(excess, N_STEPS)
    assert (seen.stages, seen.excess > 1) == (2, True)
