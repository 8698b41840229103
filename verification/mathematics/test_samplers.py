"""B3 and B4: samplers have the law they claim, and draw the numbers they need."""

import os

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import distributions as reference
from verification.oracles.quadrature import hermite

# 20000 strata; the plain Python of the kernel is a thousand times slower
N_STRATA = 2_000 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 20_000


@claim(
    name="B3",
    title="The categorical sampler has exactly the law p",
    statement=r"u \sim U[0,1) \Rightarrow P(a) = p_a",
    words="stratified noise gives frequencies within 2/M of p; no action of probability 0",
    assumptions="noise in [0, 1)",
    source="inverse of the cumulative distribution",
    method="stratified noise, its corners, and noise beside every bound between actions",
    tolerance=1e-4,
    tolerance_reason="2/M, M = 20000 strata: two strata may straddle the bounds of an action",
    about=(
        "npvpg.kernels.sampling.categorical",
        "npvpg.kernels.sampling.draw",
        "npvpg.distributions.categorical.Categorical.sample",
        "npvpg.distributions.categorical.Categorical.noise",
        "npvpg.distributions.categorical.Categorical.mode",
        "npvpg.policy.PolicyAt.sample",
        "npvpg.policy.PolicyAt.mode",
        "npvpg.policy.Policy.noise",
    ),
)
@given(st.integers(1, 50), st.sampled_from([np.float32, np.float64]), st.booleans(), SEED)
@example(5, np.float32, True, 1)
@example(1, np.float64, False, 0)
def test_categorical_sampler(n, dtype, vanishing, seed):
    rng = np.random.default_rng([24, seed])
    logits = (3 * rng.standard_normal((1, n))).astype(dtype)
    if vanishing and n > 2:
        logits[0, [0, -1]] = -1e9  # probability 0, first and last
    p = np.array(reference.softmax_digits(logits[0]))

    def sample(u):
        return Categorical(n).sample(np.repeat(logits, len(u), 0), u)

    act = sample((np.arange(N_STRATA) + 0.5) / N_STRATA)
    share = np.bincount(act, minlength=n) / N_STRATA
    observe(float(np.abs(share - p).max()), 2 / N_STRATA)
    corners = sample(np.array([0.0, 1 - UNIT, 1 - 2.0**-30]))
    observe(float((p[corners] <= 0).sum()), 0)
    # just below and just above each bound, the action is the one on that side
    bound, reach = np.cumsum(p), 4 * (n + 2) * UNIT
    for side in (-reach, reach):
        u = bound + side
        inside = (u >= 0) & (u < 1 - reach)
        want = np.searchsorted(bound, u[inside], side="right")
        wrong = sample(u[inside]) != want
        # where two bounds are closer than the reach, either is right
        apart = np.abs(u[inside][:, np.newaxis] - bound).min(axis=1, initial=1) > reach / 2
        observe(float((wrong & apart).sum()), 0)
    mode = Categorical(n).mode(logits)
    observe(float(p.max() - p[mode[0]]), 0)


class CountingGenerator(np.random.Generator):
    """A generator that counts the numbers asked of it."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))
        self.uniforms = self.normals = 0

    def random(self, size=None, *args, **kwargs):
        """Count and draw uniforms."""
        self.uniforms += int(np.prod(size))
        return super().random(size, *args, **kwargs)

    def standard_normal(self, size=None, *args, **kwargs):
        """Count and draw normals."""
        self.normals += int(np.prod(size))
        return super().standard_normal(size, *args, **kwargs)


@claim("B3")
def test_one_uniform_for_each_action() -> None:
    rng = CountingGenerator()
    policy = Policy(MLP((1, 3)), Categorical(3))
    noise = policy.noise(rng, 7)
    observe(abs(rng.uniforms - 7) + rng.normals, 0)
    require(len(set(noise)) == 7 and noise.min() >= 0 and noise.max() < 1)


@claim(
    name="B4",
    title="The Gaussian sampler",
    statement=r"a = \mu + \sigma\epsilon",
    words="weighted Gauss-Hermite samples have mean mu and covariance diag sigma squared",
    assumptions="log sigma inside its clamp",
    source="definition",
    method="Gauss-Hermite nodes; a generator that counts what is drawn",
    tolerance=1e-13,
    tolerance_reason="relative to 1 + mu^2 + sigma^2",
    about=(
        "npvpg.kernels.sampling.gaussian",
        "npvpg.kernels.sampling.shift",
        "npvpg.distributions.gaussian.DiagonalGaussian.sample",
        "npvpg.distributions.gaussian.DiagonalGaussian.noise",
        "npvpg.distributions.gaussian.DiagonalGaussian.mode",
        "npvpg.policy.PolicyAt.sample",
    ),
)
@given(st.integers(1, 3), SEED)
@example(3, 0)
def test_gaussian_sampler(dim, seed):
    rng = np.random.default_rng([25, seed])
    law = DiagonalGaussian(dim)
    mu, log_sigma = rng.standard_normal((1, dim)), rng.uniform(-2, 1, (1, dim))
    noise, weight = hermite(3, dim)
    params = np.concatenate([mu, log_sigma], axis=1)
    act = law.sample(np.repeat(params, len(noise), 0), noise)
    var = np.exp(2 * log_sigma[0])
    size = 1 + float((mu**2).max() + var.max())
    observe(float(np.abs(weight @ act - mu[0]).max()), 1e-13 * size)
    centred = act - mu
    covariance = (weight[:, np.newaxis] * centred).T @ centred
    observe(float(np.abs(covariance - np.diag(var)).max()), 1e-13 * size)
    # one noise vector moves its own row alone, and by two roundings at most
    want = mu[0] + np.exp(log_sigma[0]) * noise
    observe(float(np.abs(act - want).max()), 4 * UNIT * float(1 + np.abs(want).max()))
    observe(float(np.abs(law.mode(params) - mu).max()), 0)


@claim("B4")
@pytest.mark.parametrize("dim", [1, 3])
def test_one_normal_for_each_component(dim):
    rng = CountingGenerator()
    policy = Policy(MLP((1, dim)), DiagonalGaussian(dim))
    noise = policy.noise(rng, 7)
    observe(abs(rng.normals - 7 * dim) + rng.uniforms, 0)
    require(len(set(noise.ravel())) == 7 * dim)
