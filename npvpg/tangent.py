"""Forward mode: how the output of a network moves as its parameters do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.mlp import MLP


def tangent(
    network: MLP, theta: NDArray[Any], layers: list[NDArray[Any]], v: NDArray[Any]
) -> NDArray[Any]:
    r"""
    Derivative of the output along a direction in the parameters, row by row.

    .. math:: \dot y_s = \frac{\partial y_s}{\partial\theta} v: \qquad
       \dot h_l = \phi'(h_l) \odot \bigl(\dot h_{l-1} W_l + h_{l-1} \dot W_l + \dot b_l\bigr),
       \quad \dot h_0 = 0

    Parameters
    ----------
    network : MLP
        The network.
    theta : ndarray, shape (P,)
        Its parameters.
    layers : list of ndarray
        What `npvpg.mlp.MLP.layers` returned for them.
    v : ndarray, shape (P,)
        The direction; its parts :math:`\dot W_l, \dot b_l` lie as those of theta.

    Returns
    -------
    ndarray, shape (S, H)
        Derivative. Its product with any d (S, H), summed, is that of
        :math:`\text{backward}(d)` with v: one map is the transpose of the other.

    Raises
    ------
    ValueError
        If `v` is of another shape.
    """
    checks.shape((network.size,), v=v)
    hidden = list(zip(network.unpack(theta), network.unpack(v), layers, layers[1:], strict=False))
    (last_weight, _), (d_last_weight, d_last_bias), before, _ = hidden.pop()
    moved: NDArray[Any] = np.zeros((len(before), network.sizes[0]), v.dtype)  # the input does not
    for (weight, _), (d_weight, d_bias), x, h in hidden:
        z = moved @ weight + x @ d_weight + d_bias
        moved = z * (h.real > 0 if network.activation == "relu" else 1 - h * h)
    return np.asarray(moved @ last_weight + before @ d_last_weight + d_last_bias)
