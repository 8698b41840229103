"""C8: a mode that is taken more and more often, drawn and scored as it stands at every update."""

import contextlib
from unittest.mock import patch

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import example, given
from hypothesis import strategies as st

import npvpg.envs  # noqa: F401 - registers the compiled environments
from npvpg.collect import WholeEpisodes
from npvpg.distributions import Categorical
from npvpg.estimators import RewardToGo
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Linear
from npvpg.policy import Policy, PolicyAt
from npvpg.value import ZeroValue
from npvpg.world.streams import Purpose, generator
from verification import flat
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED
from verification.oracles import mdp as exact
from verification.oracles.derivatives import complex_step

BUDGET = 600
SCHEDULES = [Linear(0.0, 0.9), Linear(0.8, 0.2), Linear(0.0, 0.0)]


def _mixture(theta, obs, greedy):
    """Probabilities of a linear policy that takes its mode besides, without the library."""
    logits = obs @ theta[:8].reshape(4, 2) + theta[8:]
    mode = np.eye(2)[logits.real.argmax(axis=1)]
    return (1 - greedy) * exact.softmax(logits) + greedy * mode


def _run(name, greedy, state=None):
    """States before and after every update, and what the policy was asked to score."""
    if name == "CartPole-v1":  # Gymnasium's own
        kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
        env = gym.make_vec(name, 1, vectorization_mode="sync", vector_kwargs=kwargs)
    else:
        env = gym.make_vec(name, 1)
    policy = Policy(MLP((4, 2)), Categorical(2))
    rate = Linear(0.01, 0.01)
    algorithm = flat.vpg(
        policy,
        ZeroValue(),
        RewardToGo(0.9),
        WholeEpisodes(4),
        rate,
        optimizer=SGD(),
        greedy=greedy,
    )
    asked, score = [], PolicyAt.weighted_score

    def keep(self, act, weight):
        theta, obs = self.network.copy(), self.layers[0].copy()
        asked.append((theta, obs, act.copy(), weight.copy()))
        return score(self, act, weight)

    no_halves = patch("npvpg.vpg.half_cosine", return_value=0.0)  # which asks for scores as well
    with no_halves, patch.object(PolicyAt, "weighted_score", keep), contextlib.closing(env):
        made = iterate(env, algorithm, seed=3, n_steps=BUDGET, state=state)
        return [iteration.state for iteration in made], asked


@claim(
    name="C8",
    title="Scheduled greed: every batch is drawn and scored by its own mixture",
    statement=r"a_t \sim \pi_k,\quad \hat g_k = \frac1K\sum_t\Phi_t\,\nabla\log\pi_k(a_t|s_t),"
    r"\quad \pi_k = (1-\varepsilon_k)\,\pi_\theta + \varepsilon_k\,[a = a^*]",
    words="the probability of the mode follows from the steps taken, in the sampler and the score",
    assumptions="one categorical action",
    source="policy gradient theorem, applied to the behaviour",
    method="real training; actions from the streams of noise, scores by complex step",
    tolerance=1e-11,
    tolerance_reason="relative to the sum of the absolute terms",
    about=("npvpg.vpg.VPG.acting", "npvpg.collect.WholeEpisodes", "npvpg.loop.iterate"),
)
@pytest.mark.parametrize("name", ["npvpg/CartPole-v1", "CartPole-v1"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_batch_has_its_own_mixture(name, schedule):
    states, asked = _run(name, schedule)
    assert len(states) == len(asked) > 3
    steps = 0
    for k, (state, (theta, obs, act, weight)) in enumerate(zip(states, asked, strict=True)):
        greedy = schedule.start + (schedule.stop - schedule.start) * steps / BUDGET
        chance = _mixture(theta, obs, greedy)
        u = generator(3, Purpose.ACTION, k, 0).random(len(act))
        observe(float((act != (u >= chance[:, 0])).sum()), 0, f"actions of update {k}")

        def log_prob(t, obs=obs, act=act, greedy=greedy):
            return np.log(_mixture(t, obs, greedy)[np.arange(len(act)), act])

        terms = weight[:, np.newaxis] * complex_step(log_prob, theta)
        size = 1 + float(np.abs(terms).sum())
        error = state.learner.theta - theta - 0.01 * terms.sum(axis=0)
        observe(float(np.abs(error).max()), 1e-11 * size, f"step {k}")
        steps = state.steps


@claim("C8")
def test_a_run_goes_on_with_the_probability_it_had():
    whole, _ = _run("npvpg/CartPole-v1", SCHEDULES[0])
    rest, _ = _run("npvpg/CartPole-v1", SCHEDULES[0], whole[1])
    observe(float(np.abs(whole[-1].learner.theta - rest[-1].learner.theta).max()), 0)
    require(len(rest) == len(whole) - 2)


@claim("C8")
@given(st.floats(0.0, 3.0), st.floats(0.0, 0.99), st.floats(0.0, 0.99), SEED)
@example(0.0, 0.5, 0.9, 152)
@example(0.25, 0.5, 0.9, 152)
@example(1.0, 0.9, 0.5, 152)
@example(3.0, 0.0, 0.9, 152)
def test_the_mixture_at_a_point_of_the_run(fraction, start, stop, seed):
    """At the end, where a policy is evaluated, and beyond it the last value holds."""
    policy = Policy(MLP((4, 2)), Categorical(2))
    rate = Linear(0.1, 0.1)
    algorithm = flat.vpg(
        policy,
        ZeroValue(),
        RewardToGo(0.9),
        WholeEpisodes(1),
        rate,
        greedy=Linear(start, stop),
    )
    rng = np.random.default_rng(seed)
    theta, obs = rng.standard_normal(policy.size), rng.standard_normal((5, 4))
    want = _mixture(theta, obs, start + (stop - start) * min(fraction, 1))
    begun = initial_state(algorithm, n_envs=1, seed=0)
    acting, _ = algorithm.acting(begun.learner, fraction)
    for a in range(2):
        have = np.exp(acting.at(theta, obs).log_prob(np.full(5, a)))
        observe(float(np.abs(have - want[:, a]).max()), 1e-13)


def test_the_score_of_another_update_is_seen() -> None:
    """Negative control: the probability of one update earlier gives another step."""
    states, asked = _run("npvpg/CartPole-v1", SCHEDULES[0])
    theta, obs, act, weight = asked[3]

    def gradient(k):
        greedy, rows = 0.9 * states[k].steps / BUDGET, np.arange(len(act))
        return weight @ complex_step(lambda t: np.log(_mixture(t, obs, greedy)[rows, act]), theta)

    late, true = gradient(1), gradient(2)
    assert np.abs(states[3].learner.theta - theta - 0.01 * true).max() < 1e-12
    assert np.abs(late - true).max() > 1e-3 * np.abs(true).max()
