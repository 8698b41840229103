"""Distributions of actions of every kind, nested too, and all that can come of each."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special

from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    GreedyCategorical,
    Product,
    SquashedGaussian,
)
from verification.oracles import distributions as reference
from verification.oracles.quadrature import hermite

Table = NDArray[np.float64]


def squashed(dim: int, state: bool) -> SquashedGaussian:
    """
    Give a squashed Gaussian whose box is as wide as no other component's.

    Parameters
    ----------
    dim : int
        Number of components.
    state : bool
        Whether log sigma comes from the network.

    Returns
    -------
    SquashedGaussian
        Of half-widths 0.5, 2, 3.5 ...
    """
    return SquashedGaussian(dim, state, half_width=tuple(0.5 + 1.5 * i for i in range(dim)))


DISCRETE = st.builds(Categorical, st.integers(1, 3)) | st.builds(Bernoulli, st.integers(1, 2))
GAUSSIAN = st.builds(DiagonalGaussian, st.just(1), st.booleans())
SQUASHED = st.builds(squashed, st.integers(1, 2), st.booleans())


def products(part: st.SearchStrategy[Distribution]) -> st.SearchStrategy[Product]:
    """
    Draw products of one to three parts.

    Parameters
    ----------
    part : strategy
        Of the parts.

    Returns
    -------
    strategy
        Of `Product`.
    """
    return st.lists(part, min_size=1, max_size=3).map(lambda parts: Product(tuple(parts)))


NESTED = products(DISCRETE | GAUSSIAN | SQUASHED | products(DISCRETE))
GREEDY = st.builds(
    GreedyCategorical, st.integers(1, 4), greedy=st.sampled_from([0.0, 0.3, 0.9, 0.999])
)
LAWS = st.builds(Bernoulli, st.integers(1, 4)) | SQUASHED | NESTED | GREEDY
MIXED = Product(
    (
        Categorical(3),
        squashed(1, True),
        Product((Bernoulli(2), DiagonalGaussian(1))),
        squashed(2, False),
    )
)
"""A product with every kind of part: outputs, free parameters and columns all interleave."""


def parameters(
    law: Distribution, rng: np.random.Generator, scale: float, n_rows: int = 1
) -> tuple[Table, Table]:
    """
    Draw outputs of a network and free parameters, log sigma far inside its clamp.

    Parameters
    ----------
    law : Distribution
        For which.
    rng : Generator
        Where the numbers come from.
    scale : float
        Of the logits and means; log sigma is of size 1 or less.
    n_rows : int
        Rows of the output.

    Returns
    -------
    out : ndarray, shape (n_rows, H)
        Outputs.
    free : ndarray, shape (F,)
        Free parameters.
    """
    if isinstance(law, Product):
        parts = [parameters(part, rng, scale, n_rows) for part in law.parts]
        return np.concatenate([out for out, _ in parts], 1), np.concatenate([f for _, f in parts])
    out = scale * rng.standard_normal((n_rows, law.n_outputs))
    if isinstance(law, DiagonalGaussian) and law.state_dependent:
        out[:, law.dim :] = rng.uniform(-1, 1, (n_rows, law.dim))
    return out, rng.uniform(-1, 1, law.n_free)


def outcomes(law: Distribution, out: Table, free: Table, n_nodes: int = 3) -> tuple[Any, Table]:
    """
    Every action with its probability; for what is Gaussian, quadrature nodes with their weights.

    Parameters
    ----------
    law : Distribution
        The distribution.
    out : ndarray, shape (1, H)
        Output of the network.
    free : ndarray, shape (F,)
        Free parameters.
    n_nodes : int
        Nodes for each normal.

    Returns
    -------
    act : ndarray, shape (M,) or (M, D)
        The actions.
    weight : ndarray, shape (M,)
        Their weights, worked out without the library; they sum to 1.
    """
    if isinstance(law, GreedyCategorical):
        mixture = (1 - law.greedy) * np.exp(reference.log_softmax(out[0]))
        mixture[np.argmax(out[0])] += law.greedy
        return np.arange(law.n), mixture
    if isinstance(law, Categorical):
        return np.arange(law.n), np.exp(reference.log_softmax(out[0]))
    if isinstance(law, Bernoulli):
        bits = np.array(list(product((0.0, 1.0), repeat=law.n)))
        return bits, np.prod(special.expit(np.where(bits == 1, out, -out)), axis=1)
    if isinstance(law, DiagonalGaussian):
        noise, weight = hermite(n_nodes, law.dim)
        log_sigma = out[0, law.dim :] if law.state_dependent else free
        return out[0, : law.dim] + np.exp(log_sigma) * noise, weight
    assert isinstance(law, Product)
    acts, weights = [], []
    for part in law.parts:
        act, weight = outcomes(part, out[:, : part.n_outputs], free[: part.n_free], n_nodes)
        out, free = out[:, part.n_outputs :], free[part.n_free :]
        acts.append(act.reshape(len(weight), prod(part.event_shape)))
        weights.append(weight)
    rows = product(*map(range, map(len, weights)))
    chosen = np.array(list(rows))
    joint = [act[chosen[:, i]] for i, act in enumerate(acts)]
    shares = [weight[chosen[:, i]] for i, weight in enumerate(weights)]
    return np.concatenate(joint, axis=1), np.prod(shares, axis=0)
