"""A bound on the length of a gradient."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks


def global_norm(grad: NDArray[Any]) -> float:
    r"""
    Length of a gradient, :math:`\lVert g\rVert_2`.

    Parameters
    ----------
    grad : ndarray, shape (P,)
        Gradient.

    Returns
    -------
    float
        Its length; no square of an entry leaves the range of floats on the way.

    Raises
    ------
    ValueError
        If an entry is not finite.

    Examples
    --------
    >>> global_norm(np.array([3.0, 4.0]))
    5.0
    """
    largest = float(np.abs(grad).max(initial=0.0))
    if not largest < math.inf:
        checks.finite(grad=grad)
    return largest * float(np.linalg.norm(grad / largest)) if largest > 0 else 0.0


def clip_by_global_norm(grad: NDArray[Any], max_grad_norm: float) -> NDArray[Any]:
    r"""
    Shorten a gradient that is too long; its direction stays.

    .. math:: g \leftarrow g \min\bigl(1, c / \lVert g\rVert_2\bigr)

    Parameters
    ----------
    grad : ndarray, shape (P,)
        Gradient.
    max_grad_norm : float
        Largest length :math:`c`, positive.

    Returns
    -------
    ndarray, shape (P,)
        The gradient itself, or a shorter copy of the same type.

    Raises
    ------
    ValueError
        If `max_grad_norm` is not positive, or an entry is not finite.

    Examples
    --------
    >>> clip_by_global_norm(np.array([3.0, 4.0]), 1.0)
    array([0.6, 0.8])
    """
    checks.positive(max_grad_norm=max_grad_norm)
    norm = global_norm(grad)
    return grad if norm <= max_grad_norm else grad * float(max_grad_norm / norm)
