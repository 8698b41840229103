"""X1 to X4: the exact laboratory of the library against oracles that share nothing with it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npvpg.batch import Batch
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
from npvpg.gradient import policy_gradient
from npvpg.lab.exact import Laboratory, Process, occupancy, random_process, tabular
from verification.claims import claim, observe, require
from verification.oracles import mdp as exact
from verification.oracles import returns as textbook
from verification.oracles.enumeration import Trajectory, ensemble, trajectories
from verification.oracles.moments import batch_moments, episode_gradients, moments

SEED = st.integers(0, 2**32 - 1)
GAMMA = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def largest(x: Any) -> float:
    """Give the largest absolute entry."""
    return float(np.abs(x).max())


def both(
    rng: np.random.Generator, n_states: int, n_actions: int, horizon: int, gamma: float
) -> tuple[Laboratory, exact.MDP, np.ndarray]:
    """One process twice, for the library and for the oracle, and the oracle's policy."""
    mdp = exact.random_mdp(rng, n_states, n_actions, horizon, gamma, final=True)
    theta = rng.standard_normal(n_states * n_actions + n_actions)
    process = Process(mdp.transition, mdp.reward, mdp.initial, horizon, gamma, mdp.final)
    return Laboratory(process, theta), mdp, table(mdp, theta)


def table(mdp: exact.MDP, theta: Any) -> Any:
    """Probabilities of the tabular policy; theta may be complex."""
    n, m = mdp.n_states, mdp.n_actions
    return exact.softmax(theta[: n * m].reshape(n, m) + theta[n * m :])


@claim(
    name="X1",
    title="The library solves a finite process as the oracle does",
    statement=r"\nabla J = \sum_t\gamma^t\sum_s d_t(s)\sum_a\pi(a|s)\,\nabla\log\pi(a|s)\,Q_t(s,a),"
    r"\qquad J = \sum_s d_0(s)\,V_0(s)",
    words="J, V, Q, A and the gradient of J by the theorem equal induction and its complex step",
    assumptions="finite states, actions and time; a softmax policy",
    source="Sutton, McAllester, Singh and Mansour 1999, theorem 1; Sutton and Barto 2018, (3.14)",
    method="backward induction of another hand; the gradient by complex step through it",
    tolerance=1e-12,
    tolerance_reason="relative to the values; sums of some hundred terms",
    about=(
        "npvpg.lab.exact.process.solve",
        "npvpg.lab.exact.process.occupancy",
        "npvpg.lab.exact.process.gradient",
        "npvpg.lab.exact.laboratory.tabular",
        "npvpg.lab.exact.laboratory.Laboratory",
    ),
)
@given(SEED, GAMMA, st.integers(1, 5), st.integers(1, 4), st.integers(1, 12))
@example(0, 0.9, 3, 2, 7)
def test_solution(seed, gamma, n_states, n_actions, horizon):
    rng = np.random.default_rng([91, seed])
    lab, mdp, pi = both(rng, n_states, n_actions, horizon, gamma)
    solved = exact.solve(mdp, pi)
    size = 1 + largest(solved.V)
    observe(largest(lab.pi - pi), 1e-14, f"{seed=}")
    for have, want in zip(lab.solution, solved, strict=True):
        observe(largest(have - want), 1e-13 * size, f"{seed=}")
    truth = exact.gradient(mdp, lambda x: table(mdp, x), lab.theta)
    observe(largest(lab.gradient - truth), 1e-12 * size * horizon, f"{seed=}")


@claim(
    name="X2",
    title="Every episode, once, with its probability",
    statement=r"\Pr(\tau) = d_0(s_0)\prod_t \pi(a_t|s_t)\,P(s_{t+1}|s_t,a_t),"
    r"\qquad \sum_\tau\Pr(\tau) = 1",
    words="the episodes listed breadth first are those that recursion finds, equally probable",
    assumptions="transitions may be impossible; episodes terminate or are cut at the horizon",
    source="Spinning Up, part 1: the probability of a trajectory",
    method="recursive enumeration; occupancies as marginals",
    tolerance=1e-13,
    tolerance_reason="products of at most ten factors; sums of some thousand probabilities",
    about=(
        "npvpg.lab.exact.episodes.episodes",
        "npvpg.lab.exact.process.occupancy",
        "npvpg.lab.exact.process.random_process",
        "npvpg.lab.exact.laboratory.Laboratory",
    ),
)
@given(SEED, st.integers(1, 3), st.integers(1, 2), st.integers(1, 4))
@example(0, 2, 2, 4)
def test_episodes(seed, n_states, n_actions, horizon):
    rng = np.random.default_rng([92, seed])
    process = random_process(rng, n_states, n_actions, horizon, 0.9)
    transition = process.transition * (rng.random(process.transition.shape) < 0.7)
    transition[..., -1] = 1 - transition[..., :-1].sum(axis=-1)
    process = Process(transition, process.reward, process.initial, horizon, 0.9)
    lab = Laboratory(process, rng.standard_normal(tabular(process).size))
    mdp = exact.MDP(transition, process.reward, process.initial, horizon, 0.9)
    flat = lab.episodes
    want = {
        (e.states, e.actions, e.rewards, e.terminated): e.probability
        for e in trajectories(mdp, lab.pi)
    }
    seen = 0
    for k, (a, b) in enumerate(zip(flat.start, flat.start[1:], strict=False)):
        assert list(flat.time[a:b]) == list(range(flat.last_time[k]))
        key = (
            (*flat.state[a:b].tolist(), int(flat.last_state[k])),
            tuple(flat.act[a:b].tolist()),
            tuple(flat.rew[a:b].tolist()),
            bool(flat.terminated[k]),
        )
        observe(abs(float(flat.probability[k]) - want.get(key, np.nan)), 1e-15, f"{key}")
        seen += 1
    require(seen == len(want), f"{seen} episodes of {len(want)}")
    observe(abs(float(flat.probability.sum()) - 1), 1e-13)
    marginal = np.zeros((horizon, n_states))
    weight = np.repeat(flat.probability, np.diff(flat.start))
    np.add.at(marginal, (flat.time, flat.state), weight)
    observe(largest(occupancy(process, lab.pi) - marginal), 1e-13, f"{seed=}")


def weigher(kind: str, gamma: float, objective: float, V: np.ndarray) -> Any:
    """Weights of one episode as the textbook sums them, with gamma^t of the objective."""

    def weigh(episode: Trajectory) -> list[float]:
        T = len(episode.actions)
        values = [V[t, s] for t, s in enumerate(episode.states[:-1])]
        tail = 0.0 if episode.terminated else V[T, episode.states[-1]]
        rew = list(episode.rewards)
        psi = {
            "R": lambda: textbook.total_return(rew, gamma),
            "to go": lambda: textbook.reward_to_go(rew, tail, gamma),
            "baseline": lambda: [
                g - v for g, v in zip(textbook.reward_to_go(rew, tail, gamma), values, strict=True)
            ],
            "td": lambda: textbook.td_residual(rew, values, tail, gamma),
            "2-step": lambda: textbook.n_step(rew, values, tail, gamma, 2),
            "gae": lambda: textbook.gae(rew, values, tail, gamma, 0.6),
            "q": lambda: [
                a + v
                for a, v in zip(textbook.gae(rew, values, tail, gamma, 0.6), values, strict=True)
            ],
        }[kind]()
        return psi if kind == "R" else [objective**t * x for t, x in enumerate(psi)]

    return weigh


@claim(
    name="X3",
    title="Bias and covariance of one episode's gradient are what enumeration gives",
    statement=r"E\lVert\hat g-\nabla J\rVert^2 = \lVert E\hat g-\nabla J\rVert^2"
    r" + \mathrm{tr\,Cov}(\hat g)",
    words="mean, covariance, bias and mean squared error of every weight equal plain sums",
    assumptions="the discount of the weight may differ from the objective's; values may be wrong",
    source="Schulman et al. 2016, section 3; Greensmith, Bartlett and Baxter 2004",
    method="textbook weights and hand-written scores, summed over recursive enumeration",
    tolerance=1e-12,
    tolerance_reason="relative to the second moment; sums of some hundred terms",
    about=(
        "npvpg.lab.exact.laboratory.Laboratory.moments",
        "npvpg.lab.exact.laboratory.Laboratory.wrong_value",
        "npvpg.lab.exact.laboratory.Moments",
    ),
)
@given(SEED, st.sampled_from([0.5, 0.9, 1.0]), st.sampled_from([0.8, 1.0]), st.integers(0, 6))
@example(0, 0.5, 1.0, 4)
def test_moments(seed, gamma, objective, which):
    rng = np.random.default_rng([93, seed])
    lab, mdp, pi = both(rng, 2, 2, 3, objective)
    error = float(seed % 3)
    value = lab.wrong_value(error, np.random.default_rng([seed, 1]))
    right = exact.solve(mdp, pi).V
    spread = np.random.default_rng([seed, 1]).standard_normal((3, 2)) * right[:-1, :-1].std()
    observe(largest(value[:-1, :-1] - right[:-1, :-1] - error * spread), 1e-12 * largest(right))
    observe(largest(value[-1] - right[-1]) + largest(value[:, -1]), 0)
    kinds: dict[str, Estimator] = {
        "R": TotalReturn(gamma),
        "to go": RewardToGo(gamma),
        "baseline": BaselinedReturn(gamma),
        "td": TDResidual(gamma),
        "2-step": NStep(gamma, 2),
        "gae": GAE(gamma, 0.6),
        "q": ActionValue(GAE(gamma, 0.6)),
    }
    kind = list(kinds)[which]
    chances, each = episode_gradients(mdp, pi, weigher(kind, gamma, objective, value))
    mean, covariance = moments(chances, each)
    value[:, -1] = 7  # what is said of the absorbing state must not be read
    have = lab.moments(kinds[kind], value)
    truth = exact.gradient(mdp, lambda x: table(mdp, x), lab.theta)
    size = 1 + float(np.dot(chances, [g @ g for g in each]))
    observe(largest(have.mean - mean), 1e-12 * size, f"{kind} {seed=}")
    observe(largest(have.covariance - covariance), 1e-12 * size, f"{kind} {seed=}")
    observe(largest(have.bias - (mean - truth)), 1e-12 * size, f"{kind} {seed=}")
    squares = [(g - truth) @ (g - truth) for g in each]
    observe(abs(have.mse - float(np.dot(chances, squares))), 1e-12 * size, f"{kind} {seed=}")
    plain = lab.moments(kinds[kind], value, exact_discount=False)
    _, each = episode_gradients(mdp, pi, weigher(kind, gamma, 1.0, value))
    observe(largest(plain.mean - moments(chances, each)[0]), 1e-12 * size, f"{kind} {seed=}")


@claim(
    name="X4",
    title="The moments of a batch are those of every batch there is",
    statement=r"\mathrm{Cov}(\hat g_K) = \tfrac1K\,\mathrm{Cov}(\hat g_1); \qquad"
    r"\mathrm{Cov}(\hat g^{LOO}_K)_{ij} = \tfrac1K\Bigl(E[x_ix_jy^2] - E[x_iy]E[x_jy]"
    r" + \tfrac{E[x_ix_j]E[y^2]+E[x_iy]E[x_jy]}{K-1}\Bigr)",
    words="gradients of all batches of 2 and 3 have the mean and covariance that one tells",
    assumptions="independent episodes; leave-one-out couples them, and is a sample covariance",
    source="Kool, van Hoof and Welling 2019; Stuart and Ord 1994, chapter 13",
    method="the library's gradient of every batch, weighed by its probability",
    tolerance=1e-12,
    tolerance_reason="relative to the second moment; sums of some thousand terms",
    about=("npvpg.lab.exact.laboratory.Laboratory.moments", "npvpg.estimators.LeaveOneOut"),
)
@pytest.mark.parametrize("kind", [LeaveOneOut, TotalReturn, BaselinedReturn])
@settings(max_examples=8)
@given(st.sampled_from([(2, 1, 2, 2), (2, 2, 2, 1), (3, 1, 2, 1)]), GAMMA, SEED)
@example((2, 2, 2, 2), 0.9, 94)
@example((3, 1, 2, 2), 0.9, 94)
def test_batches(kind, sizes, gamma, seed):
    n, n_states, n_actions, horizon = sizes
    rng = np.random.default_rng([94, n, seed])
    lab, mdp, pi = both(rng, n_states, n_actions, horizon, gamma)
    flat = ensemble(mdp, pi)
    shown = np.vstack([np.eye(n_states), np.zeros(n_states)])
    V = exact.solve(mdp, pi).V
    estimator = kind(gamma)
    discount = gamma if kind is BaselinedReturn else None

    def estimate(chosen: tuple[int, ...]) -> np.ndarray:
        rows = np.concatenate([np.arange(flat.start[k], flat.start[k + 1]) for k in chosen])
        pick = list(chosen)
        batch = Batch(
            shown[flat.state[rows]],
            flat.act[rows],
            flat.rew[rows],
            np.concatenate([[0], np.cumsum(flat.last_time[pick])]),
            shown[flat.last_state[pick]],
            flat.terminated[pick],
        )
        val = V[flat.time[rows], flat.state[rows]]
        last_val = V[flat.last_time[pick], flat.last_state[pick]]
        psi = estimator(batch.rew, val, last_val, batch.start)
        return policy_gradient(lab.policy.at(lab.theta, batch.obs), batch, psi, discount=discount)

    mean, covariance = batch_moments(flat.probability.tolist(), n, estimate)
    have = lab.moments(estimator, n_trajectories=n)
    size = 1 + float(np.trace(covariance))
    observe(largest(have.mean - mean), 1e-12 * size, f"{kind.__name__} {n=}")
    observe(largest(have.covariance - covariance), 1e-12 * size, f"{kind.__name__} {n=}")
