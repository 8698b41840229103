r"""
All that can come of a law, with weights: expectations without sampling.

Of a law with finitely many actions the weights are 1. Of a density they are those of the
trapezoidal rule after a change of variables, :math:`a = c + s \sinh t` on the line and
:math:`a = c + s \tanh(\tfrac\pi2 \sinh t)` on an interval, whose error falls exponentially with the
number of nodes if the density is smooth. Every other node makes the same rule with twice the step:
the difference of the two says what quadrature may be off by.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution

Array = NDArray[Any]
Support = Array | tuple[float, float] | Literal["sampled"] | None

MOST_ACTIONS = 4096
LINE = {1: (1601, 25.0), 2: (161, 4.8)}  # nodes on each axis, and where t ends
INTERVAL = {1: (801, 3.0), 2: (161, 2.8)}
ROUNDING = 1e-12


class Outcomes(NamedTuple):
    """
    Actions with weights.

    Parameters
    ----------
    act : ndarray, shape (M,) or (M, D)
        Actions.
    weight : ndarray of float64, shape (M,)
        Weight of each: probability is weight times density.
    coarse : ndarray of float64, shape (M,)
        Weights of the rule with twice the step; the same where nothing is approximated.
    nodes : tuple of ndarray
        Nodes on each axis; empty for finitely many actions.
    """

    act: Array
    weight: NDArray[np.float64]
    coarse: NDArray[np.float64]
    nodes: tuple[Array, ...]

    def expect(self, density: Array, f: Array) -> tuple[Array, Array]:
        """
        Expectation of a function of the action.

        Parameters
        ----------
        density : ndarray, shape (M,)
            Density, or probability, of every action.
        f : ndarray, shape (M, ...)
            Values of the function.

        Returns
        -------
        mean, allowed : ndarray
            Expectation, and what rounding and quadrature may put it off by.
        """
        seen = density > 0  # where nothing comes, f may be infinite
        rows = f.reshape(len(f), -1)[seen]
        chance = self.weight[seen] * density[seen]
        mean = chance @ rows
        slack = np.abs(mean - (self.coarse[seen] * density[seen]) @ rows)
        allowed = ROUNDING * (chance @ (1 + np.abs(rows))) + 4 * np.minimum(slack, 1e-3)
        return mean.reshape(f.shape[1:]), allowed.reshape(f.shape[1:])


def counted(law: Distribution) -> Array:
    """
    Actions 0, 1, ... of a law, up to the first that it refuses.

    Parameters
    ----------
    law : Distribution
        A law of whole numbers.

    Returns
    -------
    ndarray of int64, shape (A,)
        The actions.

    Raises
    ------
    ValueError
        If it refuses none, so that they must be told.
    """
    params = np.zeros((1, law.n_params))
    for a in range(MOST_ACTIONS):
        try:
            law.log_prob(params, np.array([a]))
        except ValueError:
            return np.arange(a)
    raise ValueError(f"support must be given: {law} refuses none of {MOST_ACTIONS} actions")


def is_sampled(law: Distribution, support: Support) -> bool:
    """
    Whether expectations must be sampled: too many dimensions for quadrature, or told so.

    Parameters
    ----------
    law : Distribution
        The law.
    support : ndarray, tuple of float, "sampled" or None
        As `check_distribution` takes it.

    Returns
    -------
    bool
        Whether `outcomes` can not list them.
    """
    if isinstance(support, str):
        return True
    return not isinstance(support, np.ndarray) and math.prod(law.event_shape) > 2


def lister(law: Distribution, support: Support) -> Callable[[Array], Outcomes]:
    """
    Give a function that lists all that can come of a law.

    Parameters
    ----------
    law : Distribution
        The law.
    support : ndarray, tuple of float or None
        As `check_distribution` takes it.

    Returns
    -------
    callable
        Takes parameters (1, H), gives `Outcomes`.
    """
    if support is None and law.event_shape == ():
        params = np.zeros((1, law.n_params))
        if law.sample(params, law.noise(np.random.default_rng(0), 1)).dtype.kind in "iu":
            support = counted(law)
    if isinstance(support, np.ndarray):
        ones = np.ones(len(support))
        listed = Outcomes(support, ones, ones, ())
        return lambda params: listed
    bounds = support if isinstance(support, tuple) else None
    return lambda params: _grid(law, params, bounds)


def _grid(law: Distribution, params: Array, bounds: tuple[float, float] | None) -> Outcomes:
    """Nodes around where the law's own draws lie: where they are need not be right."""
    dim = math.prod(law.event_shape)
    n, end = (INTERVAL if bounds else LINE)[dim]
    t = np.linspace(-end, end, n)
    if bounds:
        middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
        inner = np.pi / 2 * np.sinh(t)
        nodes = [middle + half * np.tanh(inner)] * dim
        slopes = [half * np.pi / 2 * np.cosh(t) / np.cosh(inner) ** 2] * dim
    else:
        draws = law.sample(np.repeat(params, 256, 0), law.noise(np.random.default_rng(1), 256))
        low, centre, high = np.quantile(draws.reshape(256, dim), (0.16, 0.5, 0.84), axis=0)
        scale = np.where(high > low, (high - low) / 2, 1.0)
        nodes = [c + s * np.sinh(t) for c, s in zip(centre, scale, strict=True)]
        slopes = [s * np.cosh(t) for s in scale]
    step = t[1] - t[0]
    every_other = 2.0 * (np.arange(n) % 2 == 0)
    fine = [step * slope for slope in slopes]
    act = np.stack([x.ravel() for x in np.meshgrid(*nodes, indexing="ij")], axis=-1)
    return Outcomes(
        act.reshape(-1, *law.event_shape),
        _outer(fine),
        _outer([w * every_other for w in fine]),
        tuple(nodes),
    )


def _outer(weights: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    product = weights[0]
    for w in weights[1:]:
        product = np.multiply.outer(product, w)
    return product.ravel()
