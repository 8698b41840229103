"""B9: a Gaussian in the units of its Box has the density it claims, and reaches all of the Box."""

import math

import mpmath
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import DiagonalGaussian
from npvpg.world.squash import ScaleAction, origin_and_unit, scales
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require
from verification.mathematics.recording import Recording
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles.quadrature import hermite

WIDTHS = st.floats(1e-6, 1e6)


@claim(
    name="B9",
    title="Density in the units of a Box",
    statement=r"a = c + h x,\quad \log\pi(a) = \log N(x;\mu,\sigma^2) - \sum_i \log h_i",
    words="counted from the centre of its Box in half-widths, a Gaussian has the density of what "
    "is sent before it is clipped, and starts as wide as the Box",
    assumptions="what is stored is x; a number without both bounds is counted in 1",
    source="change of variables",
    method="50 digits at drawn points; Gauss-Hermite nodes, exact for the entropy; what arrives "
    "at the environment against its bounds written out by hand",
    tolerance=1e-13,
    tolerance_reason="relative to the terms",
    about=(
        "npvpg.distributions.gaussian.DiagonalGaussian.log_prob",
        "npvpg.distributions.gaussian.DiagonalGaussian.entropy",
        "npvpg.world.squash.ScaleAction",
        "npvpg.world.squash.ScaleAction.to_box",
        "npvpg.world.squash.scales",
        "npvpg.world.squash.origin_and_unit",
        "npvpg.world.squash.reach",
    ),
)
@given(st.lists(WIDTHS, min_size=1, max_size=3), SEED)
@example([15.0], 0)
@example([5e-4, 2000.0], 0)
def test_density(unit, seed):
    rng = np.random.default_rng([143, seed])
    dim = len(unit)
    mu, log_sigma = rng.standard_normal(dim), rng.uniform(-2, 2, dim)
    x = mu + 3 * rng.standard_normal(dim)
    law = DiagonalGaussian(dim, tuple(unit))
    have = law.log_prob(np.concatenate([mu, log_sigma])[np.newaxis], x[np.newaxis])[0]
    want, size = mpmath.mpf(0), 1.0
    with mpmath.workdps(50):
        for m, s, h, y in zip(mu, log_sigma, unit, x, strict=True):
            mean, spread = mpmath.mpf(h) * float(m), mpmath.mpf(h) * mpmath.exp(float(s))
            term = mpmath.log(mpmath.npdf(mpmath.mpf(h) * float(y), mean, spread))
            want, size = want + term, size + abs(float(term)) + abs(math.log(h))
    observe(abs(float(want) - float(have)) / size, 1e-13)


@claim("B9")
@given(st.lists(WIDTHS, min_size=1, max_size=2), SEED)
@example([15.0], 0)
def test_entropy_is_the_mean_of_minus_the_log_density(unit, seed):
    rng = np.random.default_rng([144, seed])
    dim = len(unit)
    law = DiagonalGaussian(dim, tuple(unit))
    params = np.concatenate([rng.standard_normal(dim), rng.uniform(-2, 2, dim)])[np.newaxis]
    noise, weight = hermite(3, dim)
    rows = np.repeat(params, len(noise), axis=0)
    x = params[:, :dim] + np.exp(params[:, dim:]) * noise
    want = -float(weight @ law.log_prob(rows, x))
    size = 1 + abs(want) + sum(abs(math.log(h)) for h in unit)
    observe(abs(float(law.entropy(params)[0]) - want) / size, 1e-13)


LOW = np.array([5.0, 0.0, -2.0, 3.0, -np.inf, -3e38, 7.0, -np.inf])
HIGH = np.array([35.0, 1e-3, 2.0, np.inf, -1.0, 3e38, 7.0, np.inf])
ORIGIN = np.array([20.0, 5e-4, 0.0, 3.0, -1.0, 0.0, 7.0, 0.0])
IN_UNITS = np.array([15.0, 5e-4, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])


@claim("B9")
@given(st.sampled_from([0.1, 1.0, 100.0]), SEED)
@example(1.0, 0)
def test_what_the_environment_gets(scale, seed):
    rng = np.random.default_rng([145, seed])
    box = spaces.Box(LOW, HIGH, dtype=np.float64)
    recording = Recording(spaces.Discrete(1), box)
    env = SyncVectorEnv([lambda: recording], autoreset_mode=AutoresetMode.DISABLED)
    driver = SeededVectorEnv(ScaleAction(env), 0)
    driver.reset(np.array([True]), np.array([0]))
    x = scale * rng.standard_normal((1, len(LOW)))
    driver.step(x)
    want = np.clip(ORIGIN + IN_UNITS * x[0], LOW, HIGH)
    observe(float(np.abs(recording.actions[-1] - want).max()), 16 * UNIT * (35 + scale))
    require(((recording.actions[-1] >= LOW) & (recording.actions[-1] <= HIGH)).all())
    raw = ORIGIN + IN_UNITS * x[0]
    bounded = np.isfinite(LOW) | np.isfinite(HIGH)
    outside = ((raw < LOW) | (raw > HIGH))[bounded]
    observe(abs(driver.clipped(x) - outside.mean()), 1e-15)


@claim("B9")
@given(st.integers(-5, 5), st.integers(1, 9), SEED)
@example(-2, 4, 0)
def test_whole_numbers_are_the_nearest(low, width, seed):
    rng = np.random.default_rng([146, seed])
    box = spaces.Box(low, low + width, (3,), np.int64)
    recording = Recording(spaces.Discrete(1), box)
    env = SyncVectorEnv([lambda: recording], autoreset_mode=AutoresetMode.DISABLED)
    driver = SeededVectorEnv(ScaleAction(env), 0)
    driver.reset(np.array([True]), np.array([0]))
    x = 1.5 * rng.standard_normal((1, 3))
    driver.step(x)
    raw = low + width / 2 + width / 2 * x[0]
    every = np.arange(low, low + width + 1)
    want = every[np.abs(every - raw[:, np.newaxis]).argmin(axis=1)]
    observe(float(np.abs(recording.actions[-1] - want).max()), 0)
    beyond = (raw < low - 0.5) | (raw > low + width + 0.5)
    observe(abs(driver.clipped(x) - beyond.mean()), 1e-15)


@claim("B9")
@pytest.mark.parametrize(
    ("space", "changes"),
    [
        (spaces.Box(-1, 1, (2,)), False),
        (spaces.Box(-np.inf, np.inf, (2,)), False),
        (spaces.Box(-3e38, 3e38, (1,)), False),
        (spaces.Box(-2, 2, (1,)), True),
        (spaces.Box(3, np.inf, (1,)), True),
        (spaces.Tuple([spaces.Discrete(2), spaces.Box(0, 1, (1,))]), True),
        (spaces.Discrete(2), False),
    ],
)
def test_what_is_counted_in_its_own_units_stays(space, changes):
    require(scales(space) == changes)


@claim("B9")
def test_origin_and_unit_of_every_kind_of_bound():
    """Both bounds, one, none, bounds that only name the largest number of a type, one value."""
    origin, unit = origin_and_unit(spaces.Box(LOW, HIGH, dtype=np.float64))
    observe(float(np.abs(origin - ORIGIN).max()), 0)
    observe(float(np.abs(unit - IN_UNITS).max()), 0)
