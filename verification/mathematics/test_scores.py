"""B and C: distributions are what they claim, and the expected score is zero."""

import numpy as np
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.oracles import distributions as reference
from verification.oracles.derivatives import complex_step
from verification.oracles.quadrature import hermite

SEED = st.integers(0, 2**32 - 1)
NONE = np.zeros(0)


@claim(
    name="B1",
    title="Log-probabilities",
    statement=r"\log\pi(a) = z_a - \log\sum_b e^{z_b},\quad"
    r"\log\pi(a) = -\tfrac12(D\log 2\pi + \sum_i[(a_i-\mu_i)^2/\sigma_i^2 + 2\log\sigma_i])",
    words="log-probabilities equal scipy's and sum to one, for logits up to 1e308",
    assumptions="finite parameters",
    source="definitions",
    method="scipy",
    tolerance=1e-13,
    tolerance_reason="relative to 1 + |log p|: a few roundings",
    about=(
        "npvpg.distributions.categorical.log_softmax",
        "npvpg.distributions.categorical.Categorical.log_prob",
        "npvpg.distributions.gaussian.DiagonalGaussian.log_prob",
        "npvpg.policy.Policy.log_prob",
    ),
)
@given(st.integers(1, 7), st.sampled_from([1.0, 50.0, 1e4]), SEED)
def test_log_prob(n, scale, seed):
    rng = np.random.default_rng([21, seed])
    logits = scale * rng.standard_normal((1, n))
    act = np.arange(n)
    have = Categorical(n).log_prob(np.repeat(logits, n, axis=0), NONE, act)
    want = reference.log_softmax(logits)[0]
    observe(float((np.abs(have - want) / (1 + np.abs(want))).max()), 1e-13)
    observe(abs(float(np.exp(have).sum()) - 1), 1e-13)
    mu, log_sigma = rng.standard_normal((1, n)), rng.uniform(-20, 2, n)
    a = mu + np.exp(log_sigma) * rng.uniform(-40, 40, n)
    density = DiagonalGaussian(n).log_prob(mu, log_sigma, a)[0]
    terms = scipy.stats.norm.logpdf(a[0], mu[0], np.exp(log_sigma))
    # (a - mu) / sigma keeps as many digits as a has beyond mu
    z = np.abs((a - mu)[0] / np.exp(log_sigma))
    lost = (z * np.abs(a[0]) / np.exp(log_sigma)).sum() * 1e-3
    observe(abs(float(density - terms.sum())), 1e-13 * (1 + np.abs(terms).sum() + lost))


@claim("B1")
def test_extreme_logits() -> None:
    for logits in ([1e308, -1e308], [1e308, 1e308], [0.0, 0.0]):
        log_p = Categorical(2).log_prob(np.array([logits] * 2), NONE, np.array([0, 1]))
        observe(abs(float(np.exp(log_p).sum()) - 1), 1e-15)


@claim(
    name="B2",
    title="Entropy and divergence",
    statement=r"H = -\sum p\log p,\quad D(p\|q) = \sum p\log(p/q) \ge 0",
    words="entropies and divergences equal their sums and integrals",
    assumptions="finite parameters",
    source="definitions",
    method="enumeration and Gauss-Hermite nodes",
    tolerance=1e-12,
    tolerance_reason="relative to the sum of the terms",
    about=(
        "npvpg.distributions.categorical.Categorical.entropy",
        "npvpg.distributions.categorical.Categorical.kl",
        "npvpg.distributions.gaussian.DiagonalGaussian.entropy",
        "npvpg.distributions.gaussian.DiagonalGaussian.kl",
        "npvpg.policy.Policy.entropy",
        "npvpg.policy.Policy.kl",
    ),
)
@given(st.integers(1, 4), SEED)
def test_entropy_and_kl(n, seed):
    rng = np.random.default_rng([22, seed])
    z, other = rng.standard_normal((2, 1, n))
    law = Categorical(n)
    p, q = np.exp(reference.log_softmax(z)), np.exp(reference.log_softmax(other))
    observe(abs(float(law.entropy(z, NONE)[0] - reference.entropy(p)[0])), 1e-12)
    observe(abs(float(law.kl(z, NONE, other, NONE)[0] - reference.kl(p, q)[0])), 1e-12)
    observe(abs(float(law.kl(z, NONE, z, NONE)[0])), 1e-15)
    normal = DiagonalGaussian(n)
    log_sigma, other_log = rng.uniform(-1, 1, (2, n))
    noise, weight = hermite(3, n)
    a = z + np.exp(log_sigma) * noise
    rows = len(a)
    log_p = normal.log_prob(np.repeat(z, rows, 0), log_sigma, a)
    log_q = normal.log_prob(np.repeat(other, rows, 0), other_log, a)
    size = 1 + float(np.abs(weight * log_p).sum() + np.abs(weight * log_q).sum())
    observe(abs(float(normal.entropy(z, log_sigma)[0] + weight @ log_p)), 1e-12 * size)
    have = float(normal.kl(z, log_sigma, other, other_log)[0])
    observe(abs(have - float(weight @ (log_p - log_q))), 1e-12 * size)


@claim(
    name="B3",
    title="The categorical sampler has exactly the law p",
    statement=r"u \sim U[0,1) \Rightarrow P(a) = p_a",
    words="stratified noise gives frequencies within 2/M of p; no action of probability 0",
    assumptions="noise below 1",
    source="inverse of the cumulative distribution",
    method="stratified noise and its corners",
    tolerance=1e-4,
    tolerance_reason="2/M, M = 20000 strata: two strata may straddle the bounds of an action",
    about=(
        "npvpg.kernels.sampling.categorical",
        "npvpg.distributions.categorical.Categorical.sample",
        "npvpg.policy.Policy.act",
    ),
)
@given(st.integers(1, 20), st.sampled_from([np.float32, np.float64]), SEED)
@example(5, np.float32, 1)
def test_categorical_sampler(n, dtype, seed):
    rng = np.random.default_rng([23, seed])
    logits = (3 * rng.standard_normal(n)).astype(dtype)
    logits[rng.integers(n)] = 0
    if n > 2:
        logits[[0, -1]] = -1e9  # probability 0, first and last
    m = 20_000
    noise = (np.arange(m) + 0.5) / m
    act = Categorical(n).sample(np.repeat(logits[np.newaxis], m, 0), NONE, noise)
    p = np.exp(reference.log_softmax(logits[np.newaxis].astype(np.float64)))[0]
    observe(float(np.abs(np.bincount(act, minlength=n) / m - p).max()), 2 / m)
    corners = np.array([0.0, 1 - 2.0**-53])
    chosen = Categorical(n).sample(np.repeat(logits[np.newaxis], 2, 0), NONE, corners)
    observe(float((p[chosen] <= 0).sum()), 0)


@claim(
    name="B4",
    title="The Gaussian sampler",
    statement=r"a = \mu + \sigma\epsilon",
    words="weighted Gauss-Hermite samples have mean mu and variance sigma squared",
    assumptions="none",
    source="definition",
    method="Gauss-Hermite nodes",
    tolerance=1e-13,
    tolerance_reason="relative to 1 + mu^2 + sigma^2",
    about=("npvpg.distributions.gaussian.DiagonalGaussian.sample", "npvpg.policy.Policy.act"),
)
@given(st.integers(1, 3), SEED)
def test_gaussian_sampler(dim, seed):
    rng = np.random.default_rng([24, seed])
    mu, log_sigma = rng.standard_normal((1, dim)), rng.uniform(-2, 1, dim)
    noise, weight = hermite(3, dim)
    act = DiagonalGaussian(dim).sample(np.repeat(mu, len(noise), 0), log_sigma, noise)
    var = np.exp(2 * log_sigma)
    size = 1 + float((mu**2).max() + var.max())
    observe(float(np.abs(weight @ act - mu[0]).max()), 1e-13 * size)
    centred = act - mu
    cov = (weight[:, np.newaxis] * centred).T @ centred
    observe(float(np.abs(cov - np.diag(var)).max()), 1e-13 * size)


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
    about=("npvpg.policy.Policy.score",),
)
@given(st.integers(1, 6), st.sampled_from([0.1, 1.0, 3.0]), SEED)
def test_eglp_categorical(n, scale, seed):
    rng = np.random.default_rng([31, seed])
    policy = Policy(MLP((2, 4, n)), Categorical(n))
    theta = scale * rng.standard_normal(policy.size)
    obs = np.repeat(rng.standard_normal((1, 2)), n, axis=0)
    act = np.arange(n)
    p = np.exp(policy.log_prob(theta, obs, act))
    score = policy.score(theta, obs, act)
    observe(float(np.abs(p @ score).max()), 1e-13 * (float(np.abs(score).max()) + 1e-300))


@claim(
    name="C2",
    title="Expected grad-log-prob of a Gaussian policy (EGLP)",
    statement=r"E_{a\sim\pi_\theta}[\nabla_\theta\log\pi_\theta(a|s)] = 0",
    words="averaged over its own actions, the score of a Gaussian policy vanishes",
    assumptions="log sigma inside its clamp; the action is scored as it was sampled",
    source="Spinning Up, part 3, EGLP lemma",
    method="Gauss-Hermite nodes: the score is quadratic in the action",
    tolerance=1e-12,
    tolerance_reason="relative to the sum of the weighted terms",
    about=("npvpg.policy.Policy.score", "npvpg.policy.Policy.act"),
)
@given(st.integers(1, 3), st.booleans(), SEED)
def test_eglp_gaussian(dim, state, seed):
    value, size = _gaussian_mean_score(dim, state, seed, nodes=2)
    observe(value, 1e-12 * size)


def _gaussian_mean_score(dim, state, seed, nodes, clip=np.inf):
    rng = np.random.default_rng([32, seed])
    law = DiagonalGaussian(dim, state)
    policy = Policy(MLP((2, 4, law.n_outputs)), law)
    theta = 0.5 * rng.standard_normal(policy.size)
    noise, weight = hermite(nodes, dim)
    obs = np.repeat(rng.standard_normal((1, 2)), len(noise), axis=0)
    act = policy.act(theta, obs, noise)
    act = np.minimum(act, policy.mode(theta, obs) + clip)
    terms = weight[:, np.newaxis] * policy.score(theta, obs, act)
    return float(np.abs(terms.sum(axis=0)).max()), float(np.abs(terms).sum())


def test_one_node_and_the_clipped_action_do_not_vanish() -> None:
    """Negative controls: too few nodes, and an action scored after clipping."""
    assert _gaussian_mean_score(1, False, 0, nodes=1)[0] > 0.1
    assert _gaussian_mean_score(1, False, 0, nodes=20, clip=0.0)[0] > 0.1


@claim(
    name="C3",
    title="Fisher identity",
    statement=r"E[g g^\top] = -E[\nabla^2_\theta\log\pi_\theta]",
    words="the score's second moment is minus the expected Hessian",
    assumptions="categorical policy, finite logits",
    source="classical; Amari 1998",
    method="enumeration; Hessian by complex step of the hand-written score",
    tolerance=1e-12,
    tolerance_reason="relative to the largest entry",
    about=("npvpg.policy.Policy.score", "npvpg.policy.Policy.log_prob"),
)
@given(st.integers(2, 4), SEED)
def test_fisher_identity(n, seed):
    rng = np.random.default_rng([33, seed])
    policy = Policy(MLP((2, 3, n)), Categorical(n))
    theta = rng.standard_normal(policy.size)
    obs, act = np.repeat(rng.standard_normal((1, 2)), n, axis=0), np.arange(n)
    p = np.exp(policy.log_prob(theta, obs, act))
    score = policy.score(theta, obs, act)
    moment = (p[:, np.newaxis] * score).T @ score
    hessian = complex_step(lambda t: policy.score(t, obs, act), theta)
    observe(
        float(np.abs(moment + np.tensordot(p, hessian, (0, 0))).max()),
        1e-12 * (1 + float(np.abs(hessian).max())),
    )
