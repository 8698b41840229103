r"""
Expectations without sampling: Gauss-Hermite rules for normals, sums for categoricals.

A rule of n nodes for each dimension integrates polynomials of degree 2n - 1 in each variable
exactly, so the expectation of a score (quadratic in the noise) needs two nodes and of its square
three.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


def hermite(n_nodes: int, dim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Tensor Gauss-Hermite rule for the standard normal distribution.

    Parameters
    ----------
    n_nodes : int
        Nodes in each dimension.
    dim : int
        Number of dimensions.

    Returns
    -------
    nodes : ndarray of float64, shape (n_nodes ** dim, dim)
        Values of the noise.
    weights : ndarray of float64, shape (n_nodes ** dim,)
        Their probabilities; they sum to 1.
    """
    x, w = np.polynomial.hermite_e.hermegauss(n_nodes)
    w = w / w.sum()
    nodes = np.array(list(product(x, repeat=dim)), dtype=np.float64).reshape(-1, dim)
    weights = np.array([np.prod(c) for c in product(w, repeat=dim)], dtype=np.float64)
    return nodes, weights


def normal_expectation(
    f: Callable[[NDArray[np.float64]], Any], n_nodes: int, dim: int
) -> NDArray[Any]:
    """
    Give the expectation of a function of independent standard normals.

    Parameters
    ----------
    f : callable
        Takes noise of shape (M, dim), returns an array whose first axis has length M.
    n_nodes : int
        Nodes in each dimension.
    dim : int
        Number of dimensions.

    Returns
    -------
    ndarray
        The expectation, of the shape of one row of the result of `f`.
    """
    nodes, weights = hermite(n_nodes, dim)
    return np.tensordot(weights, np.asarray(f(nodes)), axes=(0, 0))


def noise_sequences(
    n_nodes: int, dim: int, n_steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Every sequence of noise nodes over several steps, with its probability.

    Parameters
    ----------
    n_nodes : int
        Nodes in each dimension.
    dim : int
        Dimensions of the noise of one step.
    n_steps : int
        Number of steps.

    Returns
    -------
    noise : ndarray of float64, shape (n_nodes ** (dim * n_steps), n_steps, dim)
        The sequences.
    weights : ndarray of float64, shape (n_nodes ** (dim * n_steps),)
        Their probabilities.
    """
    nodes, weights = hermite(n_nodes, dim * n_steps)
    return nodes.reshape(-1, n_steps, dim), weights


def categorical_expectation(prob: NDArray[Any], f: Callable[[int], Any]) -> NDArray[Any]:
    """
    Give the expectation of a function of an action, by adding over all actions.

    Parameters
    ----------
    prob : ndarray, shape (A,)
        Probabilities.
    f : callable
        Takes an action, returns a number or an array.

    Returns
    -------
    ndarray
        The expectation.
    """
    terms = [p * np.asarray(f(a)) for a, p in enumerate(prob)]
    return np.asarray(np.sum(np.stack(terms), axis=0))
