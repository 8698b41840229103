r"""
Derivatives by differences, with a bound on what they are off by.

With central differences :math:`D(h) = (f(x+h) - f(x-h)) / 2h` the error of :math:`D(h)` is
:math:`h^2 f'''/6 + O(h^4)`, a third of :math:`D(2h) - D(h)` to leading order: the whole of that is
allowed, three times what truncation takes. Each value of :math:`f` is off by rounding, by
:math:`n u s` at most, where n counts the operations in a row, u is half a unit in the last place
and

.. math:: s = 1 + |f| + \sum_j |x_j\, \partial_j f|

is the size of f: a sum of products is rounded as if its arguments had been changed in their last
digits. Over the step that is :math:`n u s / h`. The step :math:`h = \varepsilon^{1/3}` balances
the two.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNIT = 2.0**-53
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
IMAGINARY = 1e-30
FINER = (1.0, 2.0**-4, 2.0**-8)
"""Steps, in units of the first, down to one that resolves the function, or avoids its kink."""
LARGEST = 1e-6
"""More than this, relative to the size, truncation is not believed to take: f is not smooth."""

Array = NDArray[Any]


def central(
    f: Callable[[Array], Array],
    x: Array,
    *,
    n_operations: int,
    columns: Array | None = None,
    bends: Callable[[Array, Array], bool] | None = None,
) -> tuple[Array, Array]:
    """
    Jacobian of a function by central differences, and a bound of its error.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of `x`, returns an array of any shape.
    x : ndarray of float64, shape (P,)
        Where to differentiate.
    n_operations : int
        Operations whose rounding errors add up in a value of `f`.
    columns : ndarray of int, shape (C,), optional
        Which derivatives to take; all of them if not given.
    bends : callable, optional
        Tells of two arguments whether `f` has a kink between them, where nothing is claimed.

    Returns
    -------
    jacobian : ndarray, shape f(x).shape + (C,)
        Derivatives.
    allowed : ndarray, of the same shape
        What truncation and rounding may put them off by; infinite at a kink.
    """
    columns = np.arange(x.size) if columns is None else columns
    value = np.asarray(f(x), np.float64)
    taken = [_resolved(f, x, int(j), 1 + np.abs(value), bends) for j in columns]
    slopes, truncation = (np.stack([each[k] for each in taken], axis=-1) for k in range(2))
    steps = np.array([step for _, _, step in taken])
    # derivatives that were not taken are as large as those that were
    reach = (np.abs(slopes) * np.abs(x[columns])).sum(axis=-1) * (x.size / len(columns))
    size = (1 + np.abs(value) + reach)[..., np.newaxis]
    allowed = np.minimum(truncation, LARGEST * size) + n_operations * UNIT * size / steps
    return slopes, np.where(np.isinf(truncation), np.inf, allowed)


def _resolved(
    f: Callable[[Array], Array],
    x: Array,
    j: int,
    size: Array,
    bends: Callable[[Array, Array], bool] | None,
) -> tuple[Array, Array, float]:
    """Quotient in one direction, its truncation and its step, finer while f turns within it."""
    slope, truncation, step = np.zeros(size.shape), np.full(size.shape, np.inf), STEP
    for finer in FINER:
        step = STEP * max(1.0, abs(float(x[j]))) * finer
        points = []
        for h in (2 * step, -2 * step, step, -step):
            point = x.copy()
            point[j] += h
            points.append(point)
        if bends is not None and bends(points[0], points[1]):
            continue
        values = [np.asarray(f(point)) for point in points]
        # the steps that were really taken, after rounding
        wide = (values[0] - values[1]) / (points[0][j] - points[1][j])
        slope = (values[2] - values[3]) / (points[2][j] - points[3][j])
        truncation = np.abs(wide - slope)
        if (truncation <= LARGEST * (size + np.abs(slope * x[j]))).all():
            break
    return slope, truncation, step


def imaginary(f: Callable[[Array], Array], x: Array) -> Array | None:
    r"""
    Jacobian by complex steps, exact to rounding: :math:`f' = \operatorname{Im} f(x + ih) / h`.

    Parameters
    ----------
    f : callable
        As in `central`; takes complex numbers, or not.
    x : ndarray of float64, shape (P,)
        Where to differentiate.

    Returns
    -------
    ndarray, shape f(x).shape + (P,), or None
        Derivatives; None if `f` refuses complex numbers or returns real ones.
    """
    columns = []
    for j in range(x.size):
        point = x.astype(np.complex128)
        point[j] += 1j * IMAGINARY
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                y = np.asarray(f(point))
            except (TypeError, ValueError, Warning):
                return None
        if y.dtype.kind != "c":
            return None
        columns.append(y.imag / IMAGINARY)
    return np.stack(columns, axis=-1)
