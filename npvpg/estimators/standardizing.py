"""Weights of a batch brought to one scale."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.estimators.base import Array


def standardize(psi: NDArray[Any]) -> Array:
    r"""
    Shift and scale the weights of a batch to mean 0 and standard deviation 1.

    .. math:: \Phi_t \mapsto \frac{\Phi_t - \bar\Phi}{\operatorname{std}(\Phi) + 10^{-8}}

    Parameters
    ----------
    psi : ndarray, shape (S,)
        Weights.

    Returns
    -------
    ndarray of float64, shape (S,)
        Standardised weights; zeros if all are equal, nothing if there are none.

    Notes
    -----
    A heuristic, not an unbiased baseline: the mean includes the step's own weight, and the
    division changes the scale of the gradient from batch to batch.

    Where the weights agree to a part in a million, rounding of their mean would be seen: there
    their differences from the first, which are exact, take their place. Equal weights of any size
    so give zeros, and weights that differ in their last digits what those digits say.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0]))
    array([-0.99999999,  0.99999999])
    """
    checks.shape((-1,), psi=psi)
    if psi.size == 0:
        return np.zeros(0)
    largest = np.abs(psi).max()
    scale = np.ldexp(1.0, -max(int(np.frexp(largest)[1]), 0))  # lest a square overflows
    psi = psi * scale
    if psi.max() - psi.min() <= 1e-6 * largest * scale:
        psi = psi - psi[0]
    centred = psi - psi.mean()
    return np.asarray(centred / (centred.std() + 1e-8 * scale), np.float64)
