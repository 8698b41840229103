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


def squashed(dim: int) -> SquashedGaussian:
    """
    Give a squashed Gaussian whose box is as wide as no other component's.

    Parameters
    ----------
    dim : int
        Number of components.

    Returns
    -------
    SquashedGaussian
        Of half-widths 0.5, 2, 3.5 ...
    """
    width = tuple(0.5 + 1.5 * i for i in range(dim))
    return SquashedGaussian(DiagonalGaussian(dim), half_width=width)


DISCRETE = st.builds(Categorical, st.integers(1, 3)) | st.builds(Bernoulli, st.integers(1, 2))
GAUSSIAN = st.builds(DiagonalGaussian, st.just(1))
SQUASHED = st.builds(squashed, st.integers(1, 2))


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
    GreedyCategorical,
    st.builds(Categorical, st.integers(1, 4)),
    probability=st.sampled_from([0.0, 0.3, 0.9, 0.999]),
)
LAWS = st.builds(Bernoulli, st.integers(1, 4)) | SQUASHED | NESTED | GREEDY
MIXED = Product(
    (
        Categorical(3),
        squashed(1),
        Product((Bernoulli(2), DiagonalGaussian(1))),
        squashed(2),
    )
)
"""A product with every kind of part: parameters, log sigmas and columns all interleave."""


def parameters(law: Distribution, rng: np.random.Generator, scale: float, n_rows: int = 1) -> Table:
    """
    Draw parameters, log sigma far inside its clamp.

    Parameters
    ----------
    law : Distribution
        For which.
    rng : Generator
        Where the numbers come from.
    scale : float
        Of the logits and means; log sigma is of size 1 or less.
    n_rows : int
        Rows of the parameters.

    Returns
    -------
    ndarray, shape (n_rows, H)
        Parameters.
    """
    params = scale * rng.standard_normal((n_rows, law.n_params))
    columns = list(law.scale_columns)
    params[:, columns] = rng.uniform(-1, 1, (n_rows, len(columns)))
    return params


def outcomes(law: Distribution, params: Table, n_nodes: int = 3) -> tuple[Any, Table]:
    """
    Every action with its probability; for what is Gaussian, quadrature nodes with their weights.

    Parameters
    ----------
    law : Distribution
        The distribution.
    params : ndarray, shape (1, H)
        Its parameters.
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
        act, weight = outcomes(law.categorical, params)
        mixture = (1 - law.probability) * weight
        mixture[np.argmax(params[0])] += law.probability
        return act, mixture
    if isinstance(law, Categorical):
        return np.arange(law.n), np.exp(reference.log_softmax(params[0]))
    if isinstance(law, Bernoulli):
        bits = np.array(list(product((0.0, 1.0), repeat=law.n)))
        return bits, np.prod(special.expit(np.where(bits == 1, params, -params)), axis=1)
    if isinstance(law, SquashedGaussian):
        return outcomes(law.gaussian, params, n_nodes)
    if isinstance(law, DiagonalGaussian):
        noise, weight = hermite(n_nodes, law.dim)
        return params[0, : law.dim] + np.exp(params[0, law.dim :]) * noise, weight
    assert isinstance(law, Product)
    acts, weights = [], []
    for part in law.parts:
        act, weight = outcomes(part, params[:, : part.n_params], n_nodes)
        params = params[:, part.n_params :]
        acts.append(act.reshape(len(weight), prod(part.event_shape)))
        weights.append(weight)
    rows = product(*map(range, map(len, weights)))
    chosen = np.array(list(rows))
    joint = [act[chosen[:, i]] for i, act in enumerate(acts)]
    shares = [weight[chosen[:, i]] for i, weight in enumerate(weights)]
    return np.concatenate(joint, axis=1), np.prod(shares, axis=0)
