"""B1 and B2: is the forward pass itself right? Densities, entropies and divergences."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN, Categorical, DiagonalGaussian
from npvpg.distributions.softmax import log_softmax
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import distributions as reference


@claim(
    name="B1",
    title="Log-probabilities",
    statement=r"\log\pi(a) = z_a - \log\sum_b e^{z_b},\quad"
    r"\log\pi(a) = -\tfrac12(D\log 2\pi + \sum_i[(a_i-\mu_i)^2/\sigma_i^2 + 2\log\sigma_i])",
    words="log-probabilities equal 50 digits and scipy, sum to one, and ignore a shift of logits",
    assumptions="finite parameters; logits up to 1e308, log sigma in its clamp",
    source="definitions",
    method="mpmath and scipy",
    tolerance=1e-13,
    tolerance_reason="relative to the terms, and to what a - mu cancels before it is divided",
    about=(
        "npvpg.distributions.softmax.log_softmax",
        "npvpg.distributions.categorical.Categorical.log_prob",
        "npvpg.distributions.gaussian.DiagonalGaussian.log_prob",
        "npvpg.distributions.bernoulli.softplus",
        "npvpg.distributions.bernoulli.sigmoid",
        "npvpg.distributions.bernoulli.Bernoulli.log_prob",
        "npvpg.policy.PolicyAt.log_prob",
    ),
)
@given(st.integers(1, 7), st.sampled_from([0.0, 1.0, 50.0, 1e4]), st.floats(-1e4, 1e4), SEED)
@example(1, 1.0, 0.0, 0)
@example(7, 0.0, 1e4, 0)
def test_categorical_log_prob(n, scale, shift, seed):
    rng = np.random.default_rng([20, seed])
    logits = scale * rng.standard_normal((3, n))
    have = np.stack([Categorical(n).log_prob(logits, np.full(3, a)) for a in range(n)], 1)
    for row, log_p in zip(logits, have, strict=True):
        want = np.array(reference.log_softmax_digits(row))
        observe(float((np.abs(log_p - want) / (1 + np.abs(want))).max()), 1e-13)
    observe(float(np.abs(have - reference.log_softmax(logits)).max()), 1e-13 * (1 + 4 * scale))
    observe(float(np.abs(np.exp(have).sum(axis=1) - 1).max()), 1e-13)
    moved = log_softmax(logits + shift)
    observe(float(np.abs(moved - have).max()), 8 * UNIT * (abs(shift) + 1 + 5 * scale))


@claim("B1")
@pytest.mark.parametrize(
    "logits",
    [[1e308, -1e308], [1e308, 1e308], [-1e308, -1e308], [1e308], [0.0, -1e4, 0.0], [0.0, -745.0]],
)
def test_extreme_logits(logits):
    n = len(logits)
    log_p = Categorical(n).log_prob(np.array([logits] * n), np.arange(n))
    want = reference.log_softmax_digits(logits)
    for have, exact in zip(log_p, want, strict=True):
        # a spread beyond the largest float is -inf on both sides
        error = 0.0 if have == exact else abs(have - exact) / (1 + abs(exact))
        observe(float(error), 1e-13, f"{logits}")
    observe(abs(float(np.exp(log_p).sum()) - 1), 1e-15)


@claim("B1")
@given(st.integers(1, 4), st.floats(LOG_SIGMA_MIN, LOG_SIGMA_MAX), st.floats(-40, 40), SEED)
@example(4, LOG_SIGMA_MIN, 40.0, 0)
@example(1, LOG_SIGMA_MAX, 0.0, 0)
def test_gaussian_log_prob(dim, log_sigma, z, seed):
    rng = np.random.default_rng([21, seed])
    law = DiagonalGaussian(dim)
    mu = rng.standard_normal(dim)
    spread = np.clip(log_sigma + rng.standard_normal(dim), LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    act = mu + np.exp(spread) * z * rng.uniform(-1, 1, dim)
    params = np.concatenate([mu, spread])[np.newaxis]
    have = law.log_prob(params, act[np.newaxis])[0]
    want, size = reference.normal_log_prob_digits(act, mu, spread)
    observe(abs(float(have) - want), 1e-13 * size)
    scipy_says = float(reference.normal_log_prob(act, mu, np.exp(spread)))
    observe(abs(float(have) - scipy_says), 1e-12 * size)


@claim("B1")
@pytest.mark.parametrize("log_sigma", [-103.0, -110.0, -745.0, -1e4, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigma_is_clamped_before_it_underflows(log_sigma, dtype):
    law = DiagonalGaussian(1)
    clamped = min(max(log_sigma, LOG_SIGMA_MIN), LOG_SIGMA_MAX)
    have = law.log_prob(np.array([[0.0, log_sigma]], dtype), np.zeros((1, 1), dtype))
    want, size = reference.normal_log_prob_digits([0.0], [0.0], [clamped])
    observe(abs(float(have[0]) - want), 10 * float(np.finfo(dtype).eps) * size)


@claim(
    name="B2",
    title="Entropy and divergence",
    statement=r"H = -\sum p\log p,\quad D(p\|q) = \sum p\log(p/q) \ge 0",
    words="entropies and divergences equal their sums and integrals; D is 0 for equals only",
    assumptions="finite parameters",
    source="definitions",
    method="enumeration; Gauss-Hermite nodes, exact as the integrands are quadratic",
    tolerance=1e-13,
    tolerance_reason="relative to the terms that are added",
    about=(
        "npvpg.distributions.softmax.double",
        "npvpg.distributions.softmax.times_log",
        "npvpg.distributions.softmax.divergence",
        "npvpg.distributions.categorical.Categorical.entropy",
        "npvpg.distributions.categorical.Categorical.kl",
        "npvpg.distributions.gaussian.DiagonalGaussian.entropy",
        "npvpg.distributions.gaussian.DiagonalGaussian.kl",
        "npvpg.distributions.bernoulli.Bernoulli.entropy",
        "npvpg.distributions.bernoulli.Bernoulli.kl",
        "npvpg.policy.PolicyAt.entropy",
        "npvpg.policy.PolicyAt.kl",
    ),
)
@given(st.integers(1, 7), st.sampled_from([0.0, 1.0, 8.0, 1e4]), SEED)
@example(1, 1.0, 0)
@example(3, 1e4, 0)  # probabilities of exactly 0
def test_categorical_entropy_and_kl(n, scale, seed):
    rng = np.random.default_rng([22, seed])
    policy = Policy(MLP((1, n)), Categorical(n))
    z, other = scale * rng.standard_normal((2, n))
    theta, theta_other = np.concatenate([0 * z, z]), np.concatenate([0 * z, other])
    obs = np.ones((1, 1))
    p, q = np.array(reference.softmax_digits(z)), np.array(reference.softmax_digits(other))
    pi, other_pi = policy.at(theta, obs), policy.at(theta_other, obs)
    observe(abs(float(pi.entropy()[0] - reference.entropy(p))), 1e-13 * (1 + n))
    log_q = np.array(reference.log_softmax_digits(other))
    log_p = np.array(reference.log_softmax_digits(z))
    terms = np.where(p > 0, p * (log_p - log_q), 0.0)
    have = float(pi.kl(other_pi)[0])
    size = 1 + float(np.abs(p * log_p).sum() + np.abs(p * log_q).sum())
    observe(abs(have - float(terms.sum())), 1e-13 * size)
    observe(max(0.0, -have), 1e-13 * size)
    observe(abs(float(pi.kl(pi)[0])), 0)
    if n > 1 and 0 < scale <= 8:
        assert have > 1e-12  # two draws differ
    assert q.sum() == pytest.approx(1)


@claim("B2")
@given(st.integers(1, 3), st.floats(-10, 1), SEED)
@example(3, 0.0, 0)
def test_gaussian_entropy_and_kl(dim, level, seed):
    rng = np.random.default_rng([23, seed])
    law = DiagonalGaussian(dim)
    mu, log_sigma = rng.standard_normal((1, dim)), level + 0.3 * rng.standard_normal((1, dim))
    other_log = level + 0.3 * rng.standard_normal((1, dim))
    other_mu = mu + np.exp(level) * rng.standard_normal((1, dim))
    p = np.concatenate([mu, log_sigma], axis=1)
    q = np.concatenate([other_mu, other_log], axis=1)
    sigma, other_sigma = np.exp(log_sigma[0]), np.exp(other_log[0])
    have = float(law.entropy(p)[0])
    # quadrature puts the nodes at mu + sigma x, which rounds by u |mu| / sigma
    size = (1 + abs(level)) * dim + float((np.abs(mu[0]) / sigma).max()) * 1e-1
    observe(abs(have - reference.normal_entropy(mu[0], sigma)), 1e-13 * size)
    have = float(law.kl(p, q)[0])
    want = reference.normal_kl(mu[0], sigma, other_mu[0], other_sigma)
    observe(abs(have - want), 1e-13 * size * (20 + 2 * have))
    observe(max(0.0, -have), 0)
    observe(abs(float(law.kl(p, p)[0])), 0)
    single = DiagonalGaussian(1)
    parts = sum(float(single.kl(p[:, i::dim], q[:, i::dim])[0]) for i in range(dim))
    observe(abs(parts - have), 1e-14 * (1 + have))


@claim("B2")
@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_divergence_of_neighbours_keeps_its_digits(gap):
    # D = gap^2 + O(gap^3) in log sigma, and gap^2 / 2 in the mean
    law, params = DiagonalGaussian(1), np.zeros((1, 2))
    have = float(law.kl(params, params + np.array([0, gap]))[0])
    observe(abs(have / gap**2 - 1), 2 * gap + 1e-15 / gap)
    have = float(law.kl(params, params + np.array([gap, 0]))[0])
    observe(abs(have / (gap**2 / 2) - 1), 1e-15)
