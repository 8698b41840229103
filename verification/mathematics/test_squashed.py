"""B5: a Gaussian squashed by tanh has the density it claims, inside its box."""

import mpmath
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import LOG_SIGMA_MAX, DiagonalGaussian, SquashedGaussian
from npvpg.distributions.squashed import log_tanh_slope
from npvpg.world.squash import SquashAction, half_width
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe
from verification.mathematics.laws import squashed
from verification.mathematics.recording import Recording
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import squashed as reference
from verification.oracles.quadrature import hermite


@claim(
    name="B5",
    title="Squashed density",
    statement=r"a = c + h\tanh x,\quad \log\pi(a) = \log N(x;\mu,\sigma^2)"
    r" - \sum_i\bigl(\log h_i + 2(\log 2 - x_i - \mathrm{softplus}(-2x_i))\bigr)",
    words="the density of a squashed Gaussian is exact far out, and integrates to one in its box",
    assumptions="the action before squashing is stored, never inverted; finite bounds",
    source="change of variables; Haarnoja et al. 2018, appendix C",
    method="50 digits for |x| to 40; integrals over the box; adaptive quadrature for the entropy",
    tolerance=1e-13,
    tolerance_reason="relative to the terms; 1e-10 for an integral; the entropy's own quadrature "
    "is allowed 1e-12, 1e-6 or 4e-3 as sigma is below 1, e or e^2",
    about=(
        "npvpg.distributions.squashed.log_tanh_slope",
        "npvpg.distributions.squashed.SquashedGaussian",
        "npvpg.distributions.squashed.SquashedGaussian.log_prob",
        "npvpg.distributions.squashed.SquashedGaussian.entropy",
        "npvpg.world.squash.BoundAction.actions",
        "npvpg.world.squash.SquashAction",
        "npvpg.world.squash.SquashAction.to_box",
        "npvpg.world.squash.half_width",
    ),
)
@given(st.integers(1, 3), st.floats(-40, 40), SEED)
@example(1, 40.0, 0)
@example(3, -40.0, 0)
@example(2, 0.0, 0)
def test_density(dim, reach, seed):
    rng = np.random.default_rng([140, seed])
    law = squashed(dim)
    mu, log_sigma = rng.standard_normal(dim), rng.uniform(-2, 2, dim)
    x = reach * rng.uniform(0, 1, dim)
    x[0] = reach
    params = np.concatenate([mu, log_sigma])[np.newaxis]
    have = float(law.log_prob(params, x[np.newaxis])[0])
    want, size = reference.log_prob_digits(x, mu, log_sigma, law.half_width)
    observe(abs(have - want) / size, 1e-13)
    slope = log_tanh_slope(x)
    with mpmath.workdps(50):
        digits = np.array([float(2 * mpmath.log(mpmath.sech(mpmath.mpf(float(y))))) for y in x])
    observe(float((np.abs(slope - digits) / (2 + np.abs(x))).max()), 4 * UNIT)


@claim("B5")
@given(st.floats(-5, 5), st.floats(-2, LOG_SIGMA_MAX), st.floats(0.1, 10))
@example(0.0, LOG_SIGMA_MAX, 2.0)  # largest at the bounds
@example(3.0, -2.0, 1.0)
def test_it_integrates_to_one(mu, log_sigma, h):
    law = SquashedGaussian(DiagonalGaussian(1), half_width=(h,))

    def density(x):
        params = np.tile([mu, log_sigma], (len(x), 1))
        return np.exp(law.log_prob(params, x[:, np.newaxis]))

    observe(abs(reference.box_integral(density, h) - 1), 1e-10)


@claim("B5")
@given(st.floats(-10, 10), st.floats(-5, LOG_SIGMA_MAX), st.floats(0.1, 10))
@example(0.0, 0.0, 2.0)
@example(0.3, 1.0, 1.0)
@example(0.0, LOG_SIGMA_MAX, 1.0)
def test_entropy(mu, log_sigma, h):
    law = SquashedGaussian(DiagonalGaussian(1), half_width=(h,))
    have = float(law.entropy(np.array([[mu, log_sigma]]))[0])
    want = reference.entropy(mu, float(np.exp(log_sigma)), h)
    size = 1 + abs(mu) + abs(log_sigma)
    allowed = 1e-12 * size if log_sigma <= 0 else 1e-6 if log_sigma <= 1 else 4e-3
    observe(abs(have - want), allowed)


@claim("B2")
@given(st.integers(1, 2), SEED)
@example(2, 0)
def test_divergence_does_not_change_by_squashing(dim, seed):
    """The slope of tanh cancels in log p - log q, so nodes exact for the normal are exact here."""
    rng = np.random.default_rng([141, seed])
    law, normal = squashed(dim), DiagonalGaussian(dim)
    (p, q), (free, other) = rng.standard_normal((2, 1, dim)), rng.uniform(-1, 1, (2, dim))
    params = np.concatenate([p, free[np.newaxis]], axis=1)
    other_params = np.concatenate([q, other[np.newaxis]], axis=1)
    have = float(law.kl(params, other_params)[0])
    observe(abs(have - float(normal.kl(params, other_params)[0])), 0)
    noise, weight = hermite(3, dim)
    want = 0.0
    for node, share in zip(noise, weight, strict=True):
        x = p[0] + np.exp(free) * node
        ratio = [
            reference.log_prob_digits(x, mean[0], log_sigma, law.half_width)[0]
            for mean, log_sigma in ((p, free), (q, other))
        ]
        want += float(share) * (ratio[0] - ratio[1])
    observe(abs(have - want), 1e-12 * (1 + have))


@claim("A4")
def test_entropy_beyond_the_clamp():
    law = squashed(1)
    for log_sigma, factor in ((-21.0, 0.0), (-20.0, 1.0), (2.5, 0.0)):
        slope = law.entropy_score(np.array([[0.3, log_sigma]]))
        # far inside tanh the entropy grows as log sigma does
        observe(float(abs(slope[0, 1] - factor)), 1e-12 if factor else 0)


LOW, HIGH = np.array([-2.0, 0.0, 1e-3]), np.array([2.0, 10.0, 1.0])


@claim("B5")
@given(st.sampled_from([1e-3, 1.0, 40.0, 1e3]), SEED)
@example(40.0, 0)
def test_what_the_environment_gets(scale, seed):
    rng = np.random.default_rng([142, seed])
    box = spaces.Box(LOW, HIGH, dtype=np.float64)
    recording = Recording(spaces.Discrete(1), box)
    env = SyncVectorEnv([lambda: recording], autoreset_mode=AutoresetMode.DISABLED)
    driver = SeededVectorEnv(SquashAction(env), 0)
    driver.reset(np.array([True]), np.array([0]))
    x = scale * rng.standard_normal((1, 3))
    driver.step(x)
    got = recording.actions[-1]
    observe(float(((got < LOW) | (got > HIGH)).sum()), 0)
    with mpmath.workdps(50):
        for i in range(3):
            low, high, y = (mpmath.mpf(float(v)) for v in (LOW[i], HIGH[i], x[0, i]))
            want = (high + low) / 2 + (high - low) / 2 * mpmath.tanh(y)
            observe(abs(float(want - mpmath.mpf(float(got[i])))), 4 * UNIT * float(high))
    observe(float(np.abs(half_width(box) - (HIGH - LOW) / 2).max()), 4 * UNIT * 10)


@pytest.mark.parametrize("act", [spaces.Discrete(2), spaces.Box(-np.inf, 1, (1,))])
def test_what_has_no_bounds_is_not_squashed(act):
    env = SyncVectorEnv([lambda: Recording(spaces.Discrete(1), act)])
    with pytest.raises(ValueError, match="actions to squash must lie in a bounded Box, got"):
        SquashAction(env)
