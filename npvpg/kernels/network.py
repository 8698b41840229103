r"""
Forward pass of a small batch, row by row.

Calls of BLAS cost a microsecond each, more than the arithmetic of a few rows. Here the products
run in loops that the compiler vectorises over the outputs of a layer, eight inputs at a time.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npvpg.kernels.activations import tanh


def _affine(
    theta: NDArray[Any], at: int, n_in: int, n_out: int, x: NDArray[Any], y: NDArray[Any]
) -> None:
    r"""
    One layer before its activation, :math:`y = xW + b`.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        Parameters: W row by row from `at` on, then b.
    at, n_in, n_out : int
        Where the layer begins, and its width.
    x : ndarray, shape (at least n_in,)
        Input.
    y : ndarray, shape (at least n_out,)
        Output, written.
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
    r"""
    One layer before its activation for four rows, :math:`y_i = x_i W + b`, each as `affine` has it.

    Every weight that is fetched serves four rows.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        Parameters: W row by row from `at` on, then b.
    at, n_in, n_out : int
        Where the layer begins, and its width.
    x : ndarray, shape (4, n_in)
        Input.
    y : ndarray, shape (4, n_out)
        Output, written.
    """
    bias = theta[at + n_in * n_out : at + n_in * n_out + n_out]
    y0, y1, y2, y3 = y[0], y[1], y[2], y[3]
    for j in range(n_out):
        y0[j] = y1[j] = y2[j] = y3[j] = bias[j]
    whole = n_in - n_in % 4
    for k in range(0, whole, 4):
        w = theta[at + k * n_out : at + (k + 4) * n_out]
        a0, a1, a2, a3 = x[0, k], x[0, k + 1], x[0, k + 2], x[0, k + 3]
        b0, b1, b2, b3 = x[1, k], x[1, k + 1], x[1, k + 2], x[1, k + 3]
        c0, c1, c2, c3 = x[2, k], x[2, k + 1], x[2, k + 2], x[2, k + 3]
        d0, d1, d2, d3 = x[3, k], x[3, k + 1], x[3, k + 2], x[3, k + 3]
        for j in range(n_out):
            w0, w1, w2, w3 = w[j], w[n_out + j], w[2 * n_out + j], w[3 * n_out + j]
            y0[j] = y0[j] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            y1[j] = y1[j] + b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            y2[j] = y2[j] + c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
            y3[j] = y3[j] + d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3
    for k in range(whole, n_in):
        w = theta[at + k * n_out : at + (k + 1) * n_out]
        for j in range(n_out):
            y0[j] += x[0, k] * w[j]
            y1[j] += x[1, k] * w[j]
            y2[j] += x[2, k] * w[j]
            y3[j] += x[3, k] * w[j]


# a * b + c in one rounding; sums keep their order, so four rows give the bits of four times one
affine = njit(cache=True, fastmath={"contract"})(_affine)
affine_four = njit(cache=True, fastmath={"contract"})(_affine_four)


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
    size = 4 * sizes.max()
    even, odd = np.empty(size, theta.dtype), np.empty(size, theta.dtype)
    scratch = np.empty(size, theta.dtype)
    i = 0
    while i < len(x):
        rows = 4 if len(x) - i >= 4 else 1
        source, at = x[i : i + rows], 0
        for layer in range(n_layers):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            buffer = even if layer % 2 == 0 else odd
            target = buffer[: rows * n_out].reshape(rows, n_out)
            if layer == n_layers - 1:
                target = y[i : i + rows]
            if rows == 4:
                affine_four(theta, at, n_in, n_out, source, target)
            else:
                affine(theta, at, n_in, n_out, source[0], target[0])
            if layer < n_layers - 1:
                flat = target.reshape(-1)
                if relu:
                    flat[:] = np.maximum(flat, 0)
                else:
                    tanh(flat, scratch)
            source, at = target, at + (n_in + 1) * n_out
        i += rows


forward = njit(cache=True)(_forward)


def _through_tanh(d: NDArray[Any], h: NDArray[Any]) -> None:
    r"""
    Carry derivatives back through tanh, in one pass.

    .. math:: d \leftarrow d \odot (1 - h^2)

    Parameters
    ----------
    d : ndarray of float32 or float64, shape (S, H)
        Derivatives at the output of tanh; overwritten by those at its input.
    h : ndarray of the same type, shape (S, H)
        The output.
    """
    one = h.dtype.type(1)
    for i in range(len(d)):
        for j in range(d.shape[1]):
            d[i, j] *= one - h[i, j] * h[i, j]


through_tanh = njit(cache=True)(_through_tanh)
