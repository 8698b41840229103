"""C1 to C4: the expected score is zero, and its second moment is Fisher's information."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.lab import Lab, random_laboratory
from verification.mathematics.strategies import SEED, TAME, UNIT, Net, nets
from verification.oracles.derivatives import complex_step
from verification.oracles.quadrature import hermite

ONE_STATE = {"n_rows": st.just(1), "weight": st.just(None)}


@claim(
    name="C1",
    title="Expected grad-log-prob of a categorical policy (EGLP)",
    statement=r"\sum_a \pi_\theta(a|s)\,\nabla_\theta\log\pi_\theta(a|s) = 0",
    words="averaged over its own actions, the score of a categorical policy vanishes",
    assumptions="finite logits",
    source="Spinning Up, part 3, EGLP lemma",
    method="exact sum over the actions",
    tolerance=1e-13,
    tolerance_reason="relative to the largest score of an action: 1 - p cancels near certainty",
    about=("npvpg.policy.PolicyAt.score", "npvpg.policy.PolicyAt.weighted_score"),
)
@given(nets(**ONE_STATE, n_out=st.integers(1, 7)))
@example(Net(n_out=1))
@example(Net(n_out=4, scale=30.0))  # near certainty
@example(Net(n_out=7, scale=1e-8))
def test_eglp_categorical(net):
    rng, n = net.rng(30), net.n_out
    policy = Policy(net.network(), Categorical(n))
    theta = net.theta(rng, policy.size)
    # two states in one batch: neither may see the other
    obs = np.repeat(np.concatenate([net.obs(rng)[:1], net.obs(rng)[:1]]), n, axis=0)
    act = np.tile(np.arange(n), 2)
    p = np.exp(policy.at(theta, obs).log_prob(act))
    score = policy.at(theta, obs).score(act)
    allowed = 1e-13 * max(float(np.abs(score).max()), 1e-300)
    for state in (slice(0, n), slice(n, 2 * n)):
        mean = p[state] @ score[state]
        observe(float(np.abs(mean).max()), allowed, lambda: f"{net}")
    have = policy.at(theta, obs).weighted_score(act, p)
    observe(float(np.abs(have).max()), 10 * allowed, lambda: f"weighted {net}")


@claim(
    name="C2",
    title="Expected grad-log-prob of a Gaussian policy (EGLP)",
    statement=r"E_{a\sim\pi_\theta}[\nabla_\theta\log\pi_\theta(a|s)] = 0",
    words="averaged over its own actions, the score of a Gaussian policy vanishes",
    assumptions="log sigma inside its clamp; the action is scored as it was sampled",
    source="Spinning Up, part 3, EGLP lemma",
    method="Gauss-Hermite nodes, two of them exact: the score is quadratic in the action",
    tolerance=1e-13,
    tolerance_reason="relative to the root of the trace of the information, and to mu / sigma^2",
    about=("npvpg.policy.PolicyAt.score", "npvpg.policy.PolicyAt.sample"),
)
@given(
    nets(**ONE_STATE, **TAME, n_out=st.integers(1, 3)), st.booleans(), st.sampled_from([2, 3, 5])
)
@example(Net(n_out=3), True, 2)
def test_eglp_gaussian(net, state, n_nodes):
    mean, size = _mean_score(net, state, n_nodes)
    observe(mean, 1e-13 * size, lambda: f"{net}")


def _mean_score(net, state, n_nodes):
    """Largest entry of the expected score, and the size of what adds up to it."""
    rng = net.rng(31)
    law = DiagonalGaussian(net.n_out)
    policy = Policy(net.network((1 + state) * net.n_out), law)
    theta = net.theta(rng, policy.size)
    noise, weight = hermite(n_nodes, net.n_out)
    pi = policy.at(theta, np.repeat(net.obs(rng)[:1], len(noise), axis=0))
    score = pi.score(pi.sample(noise))
    root_trace = float(np.sqrt(weight @ (score**2).sum(axis=1)))
    # a = mu + sigma x rounds by u |mu|, which the score divides by sigma squared
    mu, log_sigma, _ = law.split(pi.params)
    lost = float((np.abs(mu) * np.exp(-2 * log_sigma)).max())
    return float(np.abs(weight @ score).max()), root_trace + lost


def test_one_node_is_not_enough() -> None:
    """Negative control: the score is quadratic, and one node sees the mean alone."""
    mean, _ = _mean_score(Net(n_out=1), False, 1)
    assert mean > 0.1


@claim("C2")
@pytest.mark.parametrize("c", [0.0, 1.0, 2.0])
def test_scoring_the_clipped_action_is_biased_as_predicted(c):
    """The score of min(a, mu + c sigma) has mean -phi(c) + c (1 - Phi(c)) over sigma."""
    law, mu, log_sigma = DiagonalGaussian(1), 0.3, -0.5
    sigma = np.exp(log_sigma)

    def density_times_score(x):
        act = np.array([[mu + sigma * min(x, c)]])
        score = law.score(np.array([[mu, log_sigma]]), act)
        return score[0, 0] * scipy.stats.norm.pdf(x)

    halves = [(-np.inf, c), (c, np.inf)]
    have = sum(scipy.integrate.quad(density_times_score, *half)[0] for half in halves)
    want = (c * scipy.stats.norm.sf(c) - scipy.stats.norm.pdf(c)) / sigma
    observe(abs(have - want), 1e-8)
    assert abs(have) > 1e-3


@claim(
    name="C3",
    title="Fisher identity",
    statement=r"E[g g^\top] = -E[\nabla^2_\theta\log\pi_\theta]",
    words="the score's second moment is minus the expected Hessian: gradient and density agree",
    assumptions="finite logits; log sigma inside its clamp",
    source="classical; Amari 1998",
    method="enumeration or three nodes; Hessian by complex step of the hand-written score",
    tolerance=1e-12,
    tolerance_reason="relative to the largest entry of the Hessians; and what a - mu cancels",
    about=("npvpg.policy.PolicyAt.score", "npvpg.policy.PolicyAt.log_prob"),
)
@given(nets(**ONE_STATE, **TAME, n_out=st.integers(1, 4), activation=st.just("tanh")))
@example(Net(hidden=(3,), n_out=4))
def test_fisher_categorical(net):
    rng, n = net.rng(32), net.n_out
    policy = Policy(net.network(), Categorical(n))
    theta = net.theta(rng, policy.size)
    obs, act = np.repeat(net.obs(rng)[:1], n, axis=0), np.arange(n)
    _check_fisher(net, policy, theta, obs, act, np.exp(policy.at(theta, obs).log_prob(act)))


@claim("C3")
@given(
    nets(**ONE_STATE, **TAME, hidden=st.sampled_from([(), (3,), (3, 3)]), n_out=st.integers(1, 2)),
    st.booleans(),
)
@example(Net(hidden=(3,), n_out=2), True)
@example(Net(hidden=(3,), n_out=2), False)
@example(Net(hidden=(3, 3), n_obs=4, n_out=1, activation="relu", seed=1721), True)  # small sigma
def test_fisher_gaussian(net, state):
    rng = net.rng(33)
    policy = Policy(net.network((1 + state) * net.n_out), DiagonalGaussian(net.n_out))
    theta = net.theta(rng, policy.size)
    noise, weight = hermite(3, net.n_out)
    obs = np.repeat(net.obs(rng)[:1], len(noise), axis=0)
    out = policy.network.forward(theta[: policy.network.size], obs[:1])[0]
    log_sigma = out[net.n_out :] if state else theta[policy.network.size :]
    cancelled = 16 * UNIT * float(np.abs(out[: net.n_out] / np.exp(log_sigma)).max())
    act = policy.at(theta, obs).sample(noise)
    _check_fisher(net, policy, theta, obs, act, weight, 1e-12 + cancelled)


def _check_fisher(net, policy, theta, obs, act, weight, relative=1e-12):
    score = policy.at(theta, obs).score(act)
    moment = (weight[:, np.newaxis] * score).T @ score
    hessian = complex_step(lambda t: policy.at(t, obs).score(act), theta)
    error = np.abs(moment + np.tensordot(weight, hessian, (0, 0))).max()
    observe(float(error), relative * (1 + float(np.abs(hessian).max())), lambda: f"{net}")


@claim("C3")
@given(st.integers(1, 3), st.floats(-3, 1.5), SEED)
def test_fisher_information_of_the_gaussian_in_closed_form(dim, level, seed):
    rng = np.random.default_rng([34, seed])
    law, mu = DiagonalGaussian(dim), rng.standard_normal((1, dim))
    log_sigma = level + 0.1 * rng.standard_normal(dim)
    noise, weight = hermite(3, dim)
    params = np.concatenate([mu[0], log_sigma])[np.newaxis].repeat(len(noise), axis=0)
    score = law.score(params, law.sample(params, noise))
    moment = (weight[:, np.newaxis] * score).T @ score
    want = np.diag(np.concatenate([np.exp(-2 * log_sigma), np.full(dim, 2.0)]))
    lost = 1 + float(np.abs(mu).max()) * np.exp(-level)
    observe(float(np.abs(moment - want).max()), 1e-12 * float(want.max()) * lost)


@claim(
    name="C4",
    title="EGLP given the past",
    statement=r"E\bigl[\nabla_\theta\log\pi_\theta(a_t|s_t)\, f(s_0,a_0,r_0,\dots,s_t)\bigr] = 0",
    words="at every time, no function of what came before the action correlates with its score",
    assumptions="f does not see the action or what follows from it",
    source="Spinning Up, extra_pg_proof1: why past rewards, and baselines, may go",
    method="enumeration of every trajectory, a random f of every history",
    tolerance=1e-13,
    tolerance_reason="relative to the expected size of the terms",
    about=("npvpg.policy.PolicyAt.weighted_score", "npvpg.gradient.policy_gradient"),
)
@given(SEED, st.integers(1, 3), st.integers(2, 3), st.integers(1, 3))
@example(0, 2, 3, 3)
def test_the_past_does_not_correlate_with_the_score(seed, n_states, n_actions, horizon):
    rng = np.random.default_rng([35, seed])
    lab = random_laboratory(rng, n_states, n_actions, horizon)
    f = _of_history(lab, rng, present=False)
    for t in range(horizon):
        psi = np.where(lab.flat.time == t, f, 0.0)
        size = float(lab.flat.step_probability @ np.abs(psi))
        observe(float(np.abs(lab.expect(psi, None)).max()), 1e-13 * max(size, 1.0), f"{seed=}")


def test_what_sees_the_action_correlates_with_its_score() -> None:
    """Negative controls: f of the action, and a baseline fitted to the very same episode."""
    rng = np.random.default_rng(36)
    lab = random_laboratory(rng, 2, 2, 3)
    peeking = _of_history(lab, rng, present=True)
    assert np.abs(lab.expect(peeking, None)).max() > 1e-3
    own = np.add.reduceat(lab.flat.rew, lab.flat.start[:-1])
    fitted = np.repeat(own, np.diff(lab.flat.start))
    assert np.abs(lab.expect(fitted, None)).max() > 1e-3


def _of_history(lab: Lab, rng: np.random.Generator, *, present: bool) -> np.ndarray:
    """Draw a number for every history before an action, or up to and with it."""
    numbers: dict[tuple[object, ...], float] = {}
    out = np.empty(lab.batch.n_steps)
    for begin, end in zip(lab.flat.start[:-1], lab.flat.start[1:], strict=True):
        for row in range(begin, end):
            states = tuple(lab.flat.state[begin : row + 1])
            history = (states, tuple(lab.flat.act[begin : row + present]))
            out[row] = numbers.setdefault(history, rng.standard_normal())
    return out
