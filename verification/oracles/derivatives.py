r"""
Derivatives that know nothing of the chain rule.

The complex step is exact to rounding, because nothing is subtracted: for an analytic :math:`f`,

.. math:: f'(x) = \operatorname{Im} f(x + ih) / h + O(h^2), \qquad h = 10^{-30}.

It asks that the code under test runs on complex numbers. The central difference asks nothing, but
loses a third of the digits; it speaks as a second voice.

References
----------
.. [1] J. R. R. A. Martins, P. Sturdza and J. J. Alonso, "The complex-step derivative
   approximation", ACM TOMS 29, 2003.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

STEP = 1e-30
CENTRAL_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)

Function = Callable[[NDArray[Any]], Any]


def _imaginary(f: Function, x: NDArray[np.complex128], step: float) -> NDArray[np.float64]:
    """Evaluate at a complex point, refusing a result that dropped the imaginary part."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        y = np.asarray(f(x))
    if not np.iscomplexobj(y):
        raise TypeError(f"f must keep its complex part, returned {y.dtype}")
    return np.asarray(y.imag / step, dtype=np.float64)


def complex_step(f: Function, x: NDArray[np.float64], step: float = STEP) -> NDArray[np.float64]:
    """
    Jacobian of a function by one complex evaluation for each entry of its argument.

    Parameters
    ----------
    f : callable
        Takes a complex array of the shape of `x`, returns a number or an array of any shape.
    x : ndarray of float64
        Where to differentiate.
    step : float
        Imaginary step, so small that its square underflows beside 1.

    Returns
    -------
    ndarray of float64, shape f(x).shape + x.shape
        The derivatives.

    Raises
    ------
    TypeError
        If the result of `f` is not complex: the derivative would silently be 0.
    """
    point = np.asarray(x, dtype=np.complex128)
    columns = []
    for index in np.ndindex(point.shape):
        moved = point.copy()
        moved[index] += 1j * step
        columns.append(_imaginary(f, moved, step))
    stacked = np.stack(columns, axis=-1) if columns else np.empty((*np.shape(f(point)), 0))
    return stacked.reshape(*stacked.shape[:-1], *point.shape)


def complex_step_along(
    f: Function, x: NDArray[np.float64], direction: NDArray[np.float64], step: float = STEP
) -> NDArray[np.float64]:
    """
    Differentiate a function along a direction, by one complex evaluation.

    Parameters
    ----------
    f : callable
        As for `complex_step`.
    x, direction : ndarray of float64
        Where to differentiate, and which way.
    step : float
        Imaginary step.

    Returns
    -------
    ndarray of float64, shape f(x).shape
        The Jacobian applied to `direction`.
    """
    moved = np.asarray(x, dtype=np.complex128) + 1j * step * np.asarray(direction)
    return _imaginary(f, moved, step)


def central_difference(
    f: Function, x: NDArray[np.float64], step: float = CENTRAL_STEP
) -> NDArray[np.float64]:
    r"""
    Jacobian of a function by two real evaluations for each entry of its argument.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of `x`, returns a number or an array of any shape.
    x : ndarray of float64
        Where to differentiate.
    step : float
        Step relative to :math:`\max(1, |x_i|)`; the default :math:`\varepsilon^{1/3}` balances
        truncation :math:`h^2 f'''/6` against rounding :math:`\varepsilon f / h`.

    Returns
    -------
    ndarray of float64, shape f(x).shape + x.shape
        The derivatives.
    """
    point = np.asarray(x, dtype=np.float64)
    columns = []
    for index in np.ndindex(point.shape):
        up, down = point.copy(), point.copy()
        h = step * max(1.0, abs(float(point[index])))
        up[index] += h
        down[index] -= h
        # the step that was really taken, after rounding x + h
        taken = up[index] - down[index]
        columns.append((np.asarray(f(up)) - np.asarray(f(down))) / taken)
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(*stacked.shape[:-1], *point.shape)


def relative_error(value: Any, reference: Any, scale: float = 0.0) -> float:
    """
    Norm of the difference over the norm of the reference, or over `scale` if that is larger.

    Parameters
    ----------
    value, reference : array_like
        Of the same shape; a shape that would broadcast but differs is an error.
    scale : float
        Size of the terms whose sum the reference is, where they may cancel.

    Returns
    -------
    float
        The error; 0 when both are exactly equal, NaN when either is not finite.
    """
    a, b = np.asarray(value), np.asarray(reference)
    if a.shape != b.shape:
        raise ValueError(f"shapes must be equal, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    # dividing by the largest entry first keeps the squares in range
    top = max(float(np.max(np.abs(b), initial=0.0)), float(scale))
    difference = float(np.max(np.abs(a - b), initial=0.0))
    if difference == 0.0:
        return 0.0
    if top == 0.0:
        return float("inf")
    reach = max(difference, top)
    error = float(np.linalg.norm((a - b).ravel() / reach))
    return error / max(float(np.linalg.norm(b.ravel() / reach)), scale / reach)
