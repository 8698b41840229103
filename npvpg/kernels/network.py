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


# a * b + c in one rounding; sums keep their order
affine = njit(cache=True, fastmath={"contract"})(_affine)


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
    width = sizes.max()
    even, odd = np.empty(width, theta.dtype), np.empty(width, theta.dtype)
    scratch = np.empty(width, theta.dtype)
    for i in range(len(x)):
        source, at = x[i], 0
        for layer in range(n_layers):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            if layer == n_layers - 1:
                affine(theta, at, n_in, n_out, source, y[i])
                break
            target = even if layer % 2 == 0 else odd
            affine(theta, at, n_in, n_out, source, target)
            if relu:
                target[:n_out] = np.maximum(target[:n_out], 0)
            else:
                tanh(target[:n_out], scratch)
            source, at = target, at + (n_in + 1) * n_out


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
