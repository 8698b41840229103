r"""
A multilayer perceptron and its derivatives with 50 digits, one number at a time.

Lists, loops and no chain rule: the derivative is a central difference whose step of
:math:`10^{-15}` leaves an error of about :math:`10^{-30}` at this precision.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import mpmath

DIGITS = 50
STEP = "1e-15"


def _weighted_output(
    sizes: Sequence[int], theta: list[Any], x: Sequence[Any], weight: Sequence[Any]
) -> Any:
    """Run one row through; theta is, layer after layer, W (in, out) row by row, then b (out)."""
    h, at = list(x), 0
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        b = at + n_in * n_out
        z = [
            theta[b + j] + mpmath.fsum(h[i] * theta[at + i * n_out + j] for i in range(n_in))
            for j in range(n_out)
        ]
        at = b + n_out
        h = z if layer == len(sizes) - 2 else [mpmath.tanh(y) for y in z]
    return mpmath.fsum(y * w for y, w in zip(h, weight, strict=True))


def tanh_network(
    sizes: Sequence[int],
    theta: Iterable[float],
    x: Iterable[float],
    weight: Iterable[float],
) -> tuple[float, list[float], list[float]]:
    """
    Weighted output of a tanh network for one row, and its derivatives, then rounded.

    Parameters
    ----------
    sizes : sequence of int
        Sizes of input, hidden layers and output.
    theta : iterable of float
        Parameters: layer after layer the matrix (in, out) row by row, then the bias.
    x : iterable of float
        Input.
    weight : iterable of float
        Weight of each output.

    Returns
    -------
    value : float
        The weighted sum of the outputs.
    d_theta, d_x : list of float
        Its derivatives.
    """
    with mpmath.workdps(DIGITS):
        numbers, inputs, weights = ([mpmath.mpf(float(y)) for y in z] for z in (theta, x, weight))
        step = mpmath.mpf(STEP)

        def slope(vector: list[Any], i: int) -> float:
            kept = vector[i]
            vector[i] = kept + step
            up = _weighted_output(sizes, numbers, inputs, weights)
            vector[i] = kept - step
            down = _weighted_output(sizes, numbers, inputs, weights)
            vector[i] = kept
            return float((up - down) / (2 * step))

        value = float(_weighted_output(sizes, numbers, inputs, weights))
        d_theta = [slope(numbers, i) for i in range(len(numbers))]
        return value, d_theta, [slope(inputs, i) for i in range(len(inputs))]
