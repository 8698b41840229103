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
LARGEST = 1e-6
"""More than this, relative to the size, truncation is not believed to take."""

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
    slopes, wide = (np.zeros((*value.shape, len(columns))) for _ in range(2))
    steps = STEP * np.maximum(1.0, np.abs(x[columns]))
    smooth = np.ones(len(columns), bool)
    for k, j in enumerate(columns):
        # the wider step first: a kink within the smaller one lies in it as well
        for out, h in ((wide, 2 * steps[k]), (slopes, steps[k])):
            up, down = x.copy(), x.copy()
            up[j] += h
            down[j] -= h
            if bends is not None and bends(up, down):
                smooth[k] = False
                break
            # the step that was really taken, after rounding
            out[..., k] = (np.asarray(f(up)) - np.asarray(f(down))) / (up[j] - down[j])
    # derivatives that were not taken are as large as those that were
    reach = (np.abs(slopes) * np.abs(x[columns])).sum(axis=-1) * (x.size / max(1, len(columns)))
    size = (1 + np.abs(value) + reach)[..., np.newaxis]
    truncation = np.minimum(np.abs(wide - slopes), LARGEST * size)
    allowed = truncation + n_operations * UNIT * size / steps
    return slopes, np.where(smooth, allowed, np.inf)


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
