r"""The step of Adam in one pass over the parameters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit


def _adam(
    theta: NDArray[Any],
    grad: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    decay: NDArray[Any],
    step: float,
    scale: float,
    eps: float,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    r"""
    Update the moments of the gradient and climb.

    .. math::
       m \leftarrow \beta_1 m + (1-\beta_1) g, \qquad
       v \leftarrow \beta_2 v + (1-\beta_2) g^2, \qquad
       \theta \leftarrow \theta + a\,\frac{m}{\sqrt{v / c} + \epsilon}

    Parameters
    ----------
    theta, grad, first, second : ndarray of float32 or float64, shape (P,)
        Parameters, gradient, and the moments m and v.
    decay : ndarray of the same type, shape (4,)
        The factors :math:`\beta_1, 1-\beta_1, \beta_2, 1-\beta_2`.
    step : float
        The length :math:`a = \alpha / (1-\beta_1^t)`.
    scale : float
        The correction :math:`c = 1-\beta_2^t`.
    eps : float
        The number :math:`\epsilon`.

    Returns
    -------
    theta, first, second : ndarray, shape (P,)
        New ones; nothing is overwritten.
    """
    new, m, v = np.empty_like(theta), np.empty_like(theta), np.empty_like(theta)
    kind = theta.dtype.type
    a, c, e = kind(step), kind(scale), kind(eps)
    for i in range(theta.size):
        m[i] = decay[0] * first[i] + decay[1] * grad[i]
        v[i] = decay[2] * second[i] + decay[3] * (grad[i] * grad[i])
        new[i] = theta[i] + a * (m[i] / (np.sqrt(v[i] / c) + e))
    return new, m, v


# No check of a division by zero, which would be a branch.
adam = jit(_adam, error_model="numpy")
