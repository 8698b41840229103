"""G6: how far the gradients of two halves of a batch agree."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.gradient import half_cosine
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED
from verification.oracles.derivatives import complex_step


@claim(
    name="G6",
    title="Two halves of a batch agree by the cosine of their gradients",
    statement=r"c = \frac{\langle g_0, g_1\rangle}{\lVert g_0\rVert\,\lVert g_1\rVert}, \qquad"
    r" g_j = \sum_{k \equiv j} \sum_t \gamma^t \Phi_t \nabla_\theta\log\pi_\theta(a_t \mid s_t)",
    words="the gradient of every other trajectory points where that of the others does, or not",
    assumptions="at least two trajectories; any weights",
    source="the signal-to-noise ratio of an estimate by two independent halves",
    method="derivatives of the weighted log-probability by complex steps, sums by fsum",
    tolerance=1e-9,
    tolerance_reason="absolute: a cosine is at most 1; short gradients lose digits to cancellation",
    about=("npvpg.gradient.half_cosine",),
)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.sampled_from([Categorical(3), DiagonalGaussian(2)]),
    st.sampled_from([None, 0.0, 0.5, 1.0]),
    SEED,
)
@example([1, 1], Categorical(3), None, 0)
@example([1, 4, 2], DiagonalGaussian(2), 0.5, 1)
def test_half_cosine(lengths, law, discount, seed):
    rng = np.random.default_rng([210, seed])
    n_steps, start = sum(lengths), np.concatenate([[0], np.cumsum(lengths)])
    policy = Policy(MLP((2, 4, law.n_params)), law)
    theta = rng.standard_normal(policy.size)
    obs = rng.standard_normal((n_steps, 2))
    act = rng.integers(0, 3, n_steps)
    if isinstance(law, DiagonalGaussian):
        act = rng.standard_normal((n_steps, 2))
    psi = 3 * rng.standard_normal(n_steps)
    n = len(lengths)
    batch = Batch(obs, act, psi, start, np.zeros((n, 2)), np.ones(n, bool))
    have = half_cosine(policy.at(theta, obs), batch, psi, discount=discount)

    weight = psi * np.concatenate(
        [(1.0 if discount is None else discount) ** np.arange(length) for length in lengths]
    )
    trajectory = np.concatenate([np.full(length, k) for k, length in enumerate(lengths)])

    def half(j):
        mine = weight * (trajectory % 2 == j)
        return complex_step(lambda point: (mine * policy.at(point, obs).log_prob(act)).sum(), theta)

    zero, one = half(0).tolist(), half(1).tolist()
    inner, squares = _inner(zero, one), _inner(zero, zero) * _inner(one, one)
    size = math.sqrt(squares)
    observe(abs(have - inner / size), 1e-9, lambda: f"{lengths=} {discount=}")


def _inner(x, y):
    """Inner product, rounded once."""
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


@claim("G6")
def test_what_has_no_halves():
    policy = Policy(MLP((1, 2)), Categorical(2))
    pi = policy.at(np.zeros(policy.size), np.zeros((2, 1)))
    one, two = (
        Batch(
            np.zeros((2, 1)),
            np.array([0, 1]),
            np.ones(2),
            start,
            np.zeros((k, 1)),
            np.ones(k, bool),
        )
        for k, start in ((1, np.array([0, 2])), (2, np.array([0, 1, 2])))
    )
    require(math.isnan(half_cosine(pi, one, np.ones(2))))
    require(half_cosine(pi, two, np.array([0.0, 1.0])) == 0)
    require(half_cosine(pi, two, np.array([2.0, 2.0])) == pytest.approx(-1, abs=1e-15))
    require(half_cosine(pi, two, np.array([2.0, -2.0])) == pytest.approx(1, abs=1e-15))
