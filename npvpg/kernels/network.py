"""
Forward pass of a small batch, row by row, and the two passes that NumPy takes longer over.

Calls of BLAS cost a microsecond each, more than the arithmetic of a few rows. Here the products
run in loops that the compiler vectorises over the outputs of a layer, eight inputs at a time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.activations import tanh
from npvpg.kernels.compiler import jit


def _affine(
    theta: NDArray[Any], at: int, n_in: int, n_out: int, x: NDArray[Any], y: NDArray[Any]
) -> None:
    """
    One layer before its activation, :math:`y = xW + b`.

    Its parameters stand in ``theta`` (P,) from ``at`` on: W row by row, then b. ``x`` holds at
    least ``n_in`` numbers; the first ``n_out`` of ``y`` are written.
    """
    bias = theta[at + n_in * n_out : at + n_in * n_out + n_out]
    for j in range(n_out):
        y[j] = bias[j]
    whole = n_in - n_in % 8
    for k in range(0, whole, 8):
        w = theta[at + k * n_out : at + (k + 8) * n_out]
        x0, x1, x2, x3 = x[k], x[k + 1], x[k + 2], x[k + 3]
        x4, x5, x6, x7 = x[k + 4], x[k + 5], x[k + 6], x[k + 7]
        for j in range(n_out):
            y[j] = (
                y[j]
                + x0 * w[j]
                + x1 * w[n_out + j]
                + x2 * w[2 * n_out + j]
                + x3 * w[3 * n_out + j]
                + x4 * w[4 * n_out + j]
                + x5 * w[5 * n_out + j]
                + x6 * w[6 * n_out + j]
                + x7 * w[7 * n_out + j]
            )
    for k in range(whole, n_in):
        w = theta[at + k * n_out : at + (k + 1) * n_out]
        for j in range(n_out):
            y[j] += x[k] * w[j]


def _affine_four(
    theta: NDArray[Any], at: int, n_in: int, n_out: int, x: NDArray[Any], y: NDArray[Any]
) -> None:
    """
    One layer before its activation for four rows, :math:`y_i = x_i W + b`, each as `affine` has it.

    The rows follow each other in ``x`` and ``y``. Every weight that is fetched serves four of them.
    """
    bias = theta[at + n_in * n_out : at + n_in * n_out + n_out]
    x0, x1, x2, x3 = x[:n_in], x[n_in : 2 * n_in], x[2 * n_in : 3 * n_in], x[3 * n_in : 4 * n_in]
    y0, y1 = y[:n_out], y[n_out : 2 * n_out]
    y2, y3 = y[2 * n_out : 3 * n_out], y[3 * n_out : 4 * n_out]
    for j in range(n_out):
        y0[j] = y1[j] = y2[j] = y3[j] = bias[j]
    whole = n_in - n_in % 4
    for k in range(0, whole, 4):
        w = theta[at + k * n_out : at + (k + 4) * n_out]
        a0, a1, a2, a3 = x0[k], x0[k + 1], x0[k + 2], x0[k + 3]
        b0, b1, b2, b3 = x1[k], x1[k + 1], x1[k + 2], x1[k + 3]
        c0, c1, c2, c3 = x2[k], x2[k + 1], x2[k + 2], x2[k + 3]
        d0, d1, d2, d3 = x3[k], x3[k + 1], x3[k + 2], x3[k + 3]
        for j in range(n_out):
            w0, w1, w2, w3 = w[j], w[n_out + j], w[2 * n_out + j], w[3 * n_out + j]
            y0[j] = y0[j] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            y1[j] = y1[j] + b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            y2[j] = y2[j] + c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
            y3[j] = y3[j] + d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3
    for k in range(whole, n_in):
        w = theta[at + k * n_out : at + (k + 1) * n_out]
        for j in range(n_out):
            y0[j] += x0[k] * w[j]
            y1[j] += x1[k] * w[j]
            y2[j] += x2[k] * w[j]
            y3[j] += x3[k] * w[j]


# a * b + c in one rounding; sums keep their order, so four rows give the bits of four times one
affine = jit(_affine, fastmath={"contract"})
affine_four = jit(_affine_four, fastmath={"contract"})


def _positive_part(x: NDArray[Any]) -> None:
    r"""Replace what is negative by 0, :math:`x \leftarrow \max(x, 0)`; NaN stays NaN."""
    for i in range(x.size):
        x[i] = 0 if x[i] < 0 else x[i]


positive_part = jit(_positive_part)


def _forward(
    theta: NDArray[Any], sizes: NDArray[np.int64], relu: bool, x: NDArray[Any], y: NDArray[Any]
) -> None:
    """
    Run the network of `npvpg.mlp.MLP`.

    Parameters
    ----------
    theta : ndarray of float32 or float64, shape (at least P,)
        Parameters, layer after layer.
    sizes : ndarray of int64, shape (L + 1,)
        Sizes of input, hidden layers and output.
    relu : bool
        Whether the hidden layers take the positive part in place of tanh.
    x : ndarray of the type of `theta`, shape (S, O)
        Input rows.
    y : ndarray of the type of `theta`, shape (S, H)
        Output rows, written.

    Notes
    -----
    A row's output does not depend on the other rows, bit for bit.

    Examples
    --------
    >>> theta, y = np.array([1.0, 2.0, 0.5]), np.empty((1, 1))
    >>> forward(theta, np.array([2, 1]), False, np.array([[1.0, 1.0]]), y)
    >>> y
    array([[3.5]])
    """
    n_layers = sizes.size - 1
    width = 0
    for size in sizes:
        width = max(width, size)
    source, target = np.empty(4 * width, theta.dtype), np.empty(4 * width, theta.dtype)
    scratch = np.empty(4 * width, theta.dtype)
    i = 0
    while i < len(x):
        rows = 4 if len(x) - i >= 4 else 1
        for r in range(rows):
            for j in range(sizes[0]):
                source[r * sizes[0] + j] = x[i + r, j]
        at = 0 * n_layers  # no literal, which has a type of its own: two compilations
        for layer in range(n_layers):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            if rows == 4:
                affine_four(theta, at, n_in, n_out, source, target)
            else:
                affine(theta, at, n_in, n_out, source, target)
            if layer < n_layers - 1:
                hidden = target[: rows * n_out]
                if relu:
                    positive_part(hidden)
                else:
                    tanh(hidden, scratch)
            source, target = target, source
            at += (n_in + 1) * n_out
        for r in range(rows):
            for j in range(sizes[n_layers]):
                y[i + r, j] = source[r * sizes[n_layers] + j]
        i += rows


forward = jit(_forward)


def _add_bias(z: NDArray[Any], bias: NDArray[Any]) -> None:
    r"""
    Add the same to every row of `z` (S, H), in a quarter of the time that broadcasting takes.

    .. math:: z_s \leftarrow z_s + b
    """
    for i in range(len(z)):
        for j in range(z.shape[1]):
            z[i, j] += bias[j]


add_bias = jit(_add_bias)


def _through_tanh(d: NDArray[Any], h: NDArray[Any]) -> None:
    r"""
    Carry derivatives (S, H) back through tanh, whose output is h, in one pass; overwrites `d`.

    .. math:: d \leftarrow d \odot (1 - h^2)
    """
    one = h.dtype.type(1)
    for i in range(len(d)):
        for j in range(d.shape[1]):
            d[i, j] *= one - h[i, j] * h[i, j]


through_tanh = jit(_through_tanh)
