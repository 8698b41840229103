"""H7 and H8: the compiled policy step is the network of the formulas, to rounding."""

from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.extending import is_jitted
from numpy.typing import NDArray

from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    GreedyCategorical,
    SquashedGaussian,
)
from npvpg.kernels import activations, network
from npvpg.kernels.play import choose
from npvpg.mlp import MLP
from npvpg.normalize import BOUND, RunningMoments
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED

EXPLORE = settings.get_current_profile_name() == "explore"
COMPILED = is_jitted(activations.tanh32)
# every pattern of bits; in a short run one in so many, a prime
STRIDE = 1 if EXPLORE and COMPILED else 4093 if COMPILED else 1_000_003
CHUNK = 2**22
SQUASHED = SquashedGaussian(DiagonalGaussian(2), half_width=(1.0, 3.0))


def ulps(have: NDArray[Any], want: NDArray[np.float64]) -> NDArray[np.float64]:
    """Error in units in the last place of the type of `have`; `want` in double precision."""
    unit = np.spacing(np.abs(want.astype(have.dtype))).astype(np.float64)
    return np.asarray(np.abs(have.astype(np.float64) - want) / unit)


@claim(
    "H7",
    title="The compiled hyperbolic tangent is right to 2 units in the last place",
    statement=r"\vert \operatorname{fl}(\tanh x) - \tanh x \vert \le 2\,\mathrm{ulp}(\tanh x)",
    words="single precision over all patterns of bits, double precision against 60 digits",
    assumptions="round to nearest; sums of products may be fused",
    source="E / (E + 2) with E = exp(2x) - 1, W. J. Cody and W. Waite, 1980, chapter 13",
    method="double-precision tanh of the C library for single, mpmath for double precision",
    tolerance=2,
    tolerance_reason="quotient and last sum round by half a unit each, reduction and E by less",
    about=(
        "npvpg.kernels.activations.tanh",
        "npvpg.kernels.activations.tanh32",
        "npvpg.kernels.activations.tanh64",
    ),
)
def test_single_precision() -> None:
    """All 2**32 numbers under `explore`; infinities and NaN among them."""
    worst, where = 0.0, 0.0
    for begin in range(0, 2**32, CHUNK * STRIDE):
        bits = np.arange(begin, min(begin + CHUNK * STRIDE, 2**32), STRIDE, dtype=np.int64)
        x = bits.astype(np.uint32).view(np.float32)
        have = x.copy()
        activations.tanh(have, np.empty_like(have))
        with np.errstate(invalid="ignore"):
            error = ulps(have, np.tanh(x.astype(np.float64)))
        error[np.isnan(x)] = ~np.isnan(have[np.isnan(x)]) * 1e9
        if error.max() > worst:
            worst, where = float(error.max()), float(x[error.argmax()])
    observe(worst, 2, f"x = {where!r}")


@claim("H7")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_special_numbers(kind: type[Any]) -> None:
    """Signs of zero, the smallest numbers, infinities, NaN."""
    tiny = np.finfo(kind).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, np.inf, -np.inf, np.nan], kind)
    have = x.copy()
    activations.tanh(have, np.empty_like(have))
    want = np.array([0.0, -0.0, tiny, -tiny, 1, -1, np.nan], kind)
    require(have.tobytes() == want.tobytes(), f"{have}")


@claim("H7")
@given(SEED)
def test_double_precision(seed: int) -> None:
    """Numbers of every size, and around those where the reduction takes another multiple."""
    rng = np.random.default_rng([207, seed])
    steps = (rng.integers(0, 56, 20) + 0.5) * np.log(2) / 2
    x = np.concatenate([np.exp(rng.uniform(-60, 3.2, 20)), steps * (1 + 1e-9 * rng.random(20))])
    have = x.copy()
    activations.tanh(have, np.empty_like(have))
    with mpmath.workdps(60):
        for number, mine in zip(x.tolist(), have.tolist(), strict=True):
            want = mpmath.tanh(mpmath.mpf(number))
            error = abs(mpmath.mpf(mine) - want) / np.spacing(float(want))
            observe(float(error), 2, f"x = {number!r}")


@claim(
    "H8",
    title="The forward passes are the network's",
    statement=r"\vert \tilde f_\theta(x) - f_\theta(x) \vert \le \gamma\,\vert f \vert_\theta(x)",
    words="each layer errs by no more than rounding of its sums allows; no row sees another",
    assumptions="finite parameters and inputs",
    source="N. J. Higham, Accuracy and Stability of Numerical Algorithms, equation 3.5",
    method="the network in double or extended precision, with the bound carried through its layers",
    tolerance=1,
    tolerance_reason="error over the bound: (n + 2) u sum |w x| + |b| a layer, 2 ulp a tanh",
    about=(
        "npvpg.kernels.network.forward",
        "npvpg.kernels.network.affine",
        "npvpg.kernels.network.affine_four",
        "npvpg.kernels.network.positive_part",
        "npvpg.mlp.MLP.forward",
        "npvpg.mlp.MLP.forward_small",
        "npvpg.kernels.play.choose",
        "npvpg.world.actor.Actor",
    ),
)
@given(
    st.lists(st.integers(1, 21), min_size=2, max_size=5),
    st.sampled_from(["tanh", "relu"]),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 7),
    SEED,
)
def test_forward(sizes, activation, kind, n_rows, seed):
    rng = np.random.default_rng([208, seed])
    net = MLP(tuple(sizes), activation)
    theta = rng.standard_normal(net.size).astype(kind)
    x = (3 * rng.standard_normal((n_rows, sizes[0]))).astype(kind)
    have = net.forward_small(theta, x)
    unit = float(np.finfo(kind).eps) / 2
    h, slack = x.astype(np.longdouble), np.zeros(x.shape, np.longdouble)
    layers = [(w.astype(np.longdouble), b.astype(np.longdouble)) for w, b in net.unpack(theta)]
    for number, ((weight, bias), (n_in, _)) in enumerate(zip(layers, pairwise(sizes), strict=True)):
        size = (np.abs(h) + slack) @ np.abs(weight) + np.abs(bias)
        slack = slack @ np.abs(weight) + (n_in + 2) * unit * size
        h = h @ weight + bias
        if number < len(layers) - 1 and activation == "tanh":
            h = np.tanh(h)
            slack = slack + 4 * unit * np.abs(h)  # tanh has slope 1 at most
        elif number < len(layers) - 1:
            h = np.maximum(h, 0)
    observe(float((np.abs(have - h) / slack).max()), 1)
    observe(float((np.abs(net.forward(theta, x) - h) / slack).max()), 1, "a batch, by NumPy")
    alone = np.concatenate([net.forward_small(theta, row[np.newaxis]) for row in x])
    require(alone.tobytes() == have.tobytes(), "row by row")
    plain = np.empty_like(have)
    network._forward(theta, net.sizes_array, activation == "relu", x, plain)
    observe(float((np.abs(plain - h) / slack).max()), 1, "not compiled")


@claim("H8")
@given(
    st.sampled_from([Categorical(3), DiagonalGaussian(2), SQUASHED]),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(["tanh", "relu"]),
    st.booleans(),
    SEED,
)
def test_choosing(law, free, kind, obs_kind, activation, normalised, seed):
    """One call does what normalisation, network, sampler and clipping do one after the other."""
    rng = np.random.default_rng([208, 1, seed])
    net = MLP((3, 5, law.n_params - free * len(law.scale_columns)), activation)
    policy = Policy(net, law)
    theta = rng.standard_normal(policy.size).astype(kind)
    obs = (20 * rng.standard_normal((4, 3))).astype(obs_kind)  # some beyond the bound
    moments = RunningMoments.empty(3)
    if normalised:
        moments = moments.update(rng.standard_normal((9, 3)) + 1)
    noise = law.noise(rng, 4)
    seen = moments.normalize(obs).astype(kind)
    want = law.sample(policy.params(theta, seen), noise)
    low, high = (-0.5, 0.5) if law.event_shape else (7, 9)
    bounds = tuple(np.full(law.event_shape or 1, bound, want.dtype) for bound in (low, high))
    columns = law.event_shape or 1
    units = rng.standard_normal(columns), rng.uniform(0.1, 3, columns)
    act, sent = np.empty_like(want), np.empty_like(want)
    linear = (moments.mean, moments.inverse_std, BOUND)
    choose(
        obs,
        (theta, net.sizes_array, activation == "relu", net.size),
        linear if normalised else (np.zeros(3), np.ones(3), np.inf),
        noise,
        (*bounds, *units, sent),
        (np.empty_like(seen), np.empty((4, net.sizes[-1]), kind)),
        act,
    )
    require(act.tobytes() == want.tobytes(), "actions")
    clipped = want + low
    if law.event_shape:
        clipped = np.clip(units[0] + units[1] * want, low, high).astype(want.dtype)
    require(sent.tobytes() == clipped.tobytes(), "what the environment gets")


@claim("H8")
@given(
    st.sampled_from(
        [
            Categorical(3),
            DiagonalGaussian(2),
            SquashedGaussian(DiagonalGaussian(2), half_width=(0.5, 2.0)),
            Bernoulli(2),
            GreedyCategorical(Categorical(3), probability=0.25),
        ]
    ),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 300),
    st.integers(0, 2),
    SEED,
)
def test_both_backends_of_an_actor(law, free, kind, n_rows, n_seen, seed):
    """Compiled or not, sampled or by the mode: what the law does with the policy's parameters."""
    rng = np.random.default_rng([208, 2, seed])
    policy = Policy(MLP((3, 5, law.n_params - free * len(law.scale_columns))), law)
    theta = rng.standard_normal(policy.size).astype(kind)
    obs = 20 * rng.standard_normal((n_rows, 3))
    moments = RunningMoments.empty(3).update(rng.standard_normal((n_seen, 3)) + 1)
    noise = law.noise(rng, n_rows)
    params = policy.params(theta, moments.normalize(obs).astype(kind))
    for by_mode in (False, True):
        actor = Actor(policy, theta, moments, by_mode=by_mode)
        want = law.mode(params) if by_mode else law.sample(params, noise)
        compiled = law.sampler is not None and not by_mode
        require(actor.compiles == compiled, "who chooses")
        for way in (actor.act, actor.chooser(n_rows)):
            have = way(obs, noise)
            require(have.dtype == want.dtype, f"{way}, {by_mode=}")
            require(have.tobytes() == want.tobytes(), f"{way}, {by_mode=}")
        require(np.array_equal(actor.see(obs), moments.normalize(obs).astype(kind)))
