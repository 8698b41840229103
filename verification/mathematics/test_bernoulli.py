"""B1, B2, B6: bits have the probabilities, the entropy and the sampler that they claim."""

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Bernoulli
from npvpg.distributions.bernoulli import sigmoid, softplus
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED, UNIT
from verification.mathematics.test_samplers import CountingGenerator
from verification.oracles import distributions as reference

N_STRATA = 20_000
EXTREME = [-1e308, -1e4, -745.0, -40.0, -1e-300, 0.0, 1e-9, 1.0, 40.0, 745.0, 1e4, 1e308]


def probabilities(logit):
    """Probabilities of 0 and 1, and their logarithms, as a softmax of (0, z) with 50 digits."""
    return reference.softmax_digits([0, logit]), reference.log_softmax_digits([0, logit])


@claim("B1")
@given(st.integers(1, 4), st.sampled_from([0.0, 1.0, 50.0, 1e4]), SEED)
@example(4, 1.0, 0)
def test_log_prob(n, scale, seed):
    rng = np.random.default_rng([130, seed])
    z, act = scale * rng.standard_normal((3, n)), rng.integers(2, size=(3, n)).astype(float)
    have = Bernoulli(n).log_prob(z, act)
    for row in range(3):
        terms = [probabilities(z[row, i])[1][int(act[row, i])] for i in range(n)]
        size = 1 + sum(map(abs, terms))
        observe(abs(float(have[row]) - sum(terms)) / size, 1e-13)


@claim("B1")
@pytest.mark.parametrize("logit", EXTREME)
def test_extreme_logits(logit):
    z = np.array([[logit], [logit]])
    have = Bernoulli(1).log_prob(z, np.array([[0.0], [1.0]]))
    _, want = probabilities(logit)
    for log_p, exact in zip(have, want, strict=True):
        observe(float(abs(log_p - exact) / (1e-300 + abs(exact))), 1e-13, f"{logit}")
    with mpmath.workdps(50):
        exact = float(1 / (1 + mpmath.exp(-mpmath.mpf(logit))))
    # below the smallest float both are 0
    observe(abs(float(sigmoid(z)[0, 0]) - exact) / (exact + 1e-300), 1e-13, f"{logit}")
    observe(abs(float(softplus(z)[0, 0]) + want[0]) / (1e-300 + abs(want[0])), 1e-13, f"{logit}")


@claim("B2")
@given(st.integers(1, 4), st.sampled_from([0.0, 1.0, 8.0, 1e4]), SEED)
@example(3, 1e4, 0)  # probabilities of exactly 0
def test_entropy_and_kl(n, scale, seed):
    rng = np.random.default_rng([131, seed])
    law, (z, other) = Bernoulli(n), scale * rng.standard_normal((2, 1, n))
    p = np.array([probabilities(x)[0] for x in z[0]])
    log_p = np.array([probabilities(x)[1] for x in z[0]])
    log_q = np.array([probabilities(x)[1] for x in other[0]])
    want = float(reference.entropy(p).sum())
    observe(abs(float(law.entropy(z)[0]) - want), 1e-13 * (1 + n))
    want = float(np.where(p > 0, p * (log_p - log_q), 0.0).sum())
    have = float(law.kl(z, other)[0])
    size = 1 + float(np.abs(p * log_p).sum() + np.abs(p * log_q).sum())
    observe(abs(have - want), 1e-13 * size)
    observe(max(0.0, -have), 1e-13 * size)
    observe(abs(float(law.kl(z, z)[0])), 0)


@claim("B2")
@pytest.mark.parametrize("logit", EXTREME)
def test_extreme_entropy(logit):
    law, z = Bernoulli(1), np.array([[logit]])
    p, log_p = probabilities(logit)
    want = -sum(a * b for a, b in zip(p, log_p, strict=True) if a > 0)
    observe(abs(float(law.entropy(z)[0]) - want), 1e-13, f"{logit}")
    observe(abs(float(law.kl(z, z)[0])), 0, f"{logit}")
    slope = float(law.entropy_score(z)[0, 0])
    observe(abs(slope + p[0] * p[1] * (logit if p[0] * p[1] else 0)), 1e-13, f"{logit}")


@claim(
    name="B6",
    title="The sampler of bits has exactly the law p",
    statement=r"u_i \sim U[0,1) \Rightarrow P(a_i = 1) = p_i",
    words="stratified noise gives frequencies within 2/M of p; no bit of probability 0",
    assumptions="noise in [0, 1)",
    source="inverse of the cumulative distribution",
    method="stratified noise, its corners, and a generator that counts what is drawn",
    tolerance=1e-4,
    tolerance_reason="2/M, M = 20000 strata",
    about=(
        "npvpg.distributions.bernoulli.Bernoulli.sample",
        "npvpg.distributions.bernoulli.Bernoulli.noise",
        "npvpg.distributions.bernoulli.Bernoulli.mode",
    ),
)
@given(st.sampled_from([np.float32, np.float64]), SEED)
@example(np.float32, 1)
def test_sampler(dtype, seed):
    rng = np.random.default_rng([132, seed])
    law = Bernoulli(5)
    z = (3 * rng.standard_normal((1, 5))).astype(dtype)
    z[0, :2] = -1e9, 1e9  # certain either way
    p = np.array([probabilities(x)[0][1] for x in z[0]])
    # every bit has its strata in an order of its own
    u = rng.permuted(np.tile((np.arange(N_STRATA) + 0.5) / N_STRATA, (5, 1)), axis=1).T
    act = law.sample(np.repeat(z, N_STRATA, 0), u)
    assert act.dtype == dtype
    observe(float(np.abs(act.mean(axis=0, dtype=np.float64) - p).max()), 2 / N_STRATA)
    # a bit is a matter of its own noise alone
    near = np.abs(u - p) < 4 * UNIT
    observe(float((((u < p) != (act == 1)) & ~near).sum()), 0)
    for side in (-8 * UNIT, 8 * UNIT):  # beside the bound, whatever the type of the logits
        beside = law.sample(z, np.clip(p + side, 0, 1 - UNIT)[np.newaxis])
        observe(float(np.abs(beside[0, 2:] - (side < 0)).max()), 0)
    corners = np.repeat(np.array([[0.0], [1 - UNIT], [1 - 2.0**-30]]), 5, axis=1)
    act = law.sample(np.repeat(z, 3, 0), corners)
    observe(float(np.abs(act[:, 0]).max() + np.abs(act[:, 1] - 1).max()), 0)
    observe(float(np.abs(law.mode(z)[0] - (p > 0.5)).max()), 0)


@claim("B6")
@pytest.mark.parametrize("n", [1, 3])
def test_one_uniform_for_each_bit(n):
    rng = CountingGenerator()
    noise = Bernoulli(n).noise(rng, 7)
    observe(abs(rng.uniforms - 7 * n) + rng.normals, 0)
    require(len(set(noise.ravel())) == 7 * n and noise.min() >= 0 and noise.max() < 1)
