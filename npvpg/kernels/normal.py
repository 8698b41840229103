"""Standard normal numbers from a row of `npvpg.kernels.pcg64`, those that NumPy draws."""

import math

import numpy as np
from numba.np.random._constants import (
    fi_double,
    ki_double,
    wi_double,
    ziggurat_nor_inv_r,
    ziggurat_nor_r,
)
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.pcg64 import next_double, next_word

LAYER = np.uint64(0xFF)
MAGNITUDE = np.uint64(0x000FFFFFFFFFFFFF)
ONE, EIGHT, NINE = np.uint64(1), np.uint64(8), np.uint64(9)


def _standard_normal(row: NDArray[np.uint64]) -> float:
    r"""
    Draw one number by the ziggurat method [1]_, as ``Generator.standard_normal()`` draws.

    References
    ----------
    .. [1] G. Marsaglia and W. W. Tsang, "The Ziggurat Method for Generating Random Variables",
       Journal of Statistical Software 5(8), 2000.

    Examples
    --------
    >>> from npvpg.kernels import pcg64
    >>> rng = np.zeros((1, 4), dtype=np.uint64)
    >>> pcg64.seed(rng, np.array([0]), np.array([42], dtype=np.uint64))
    >>> standard_normal(rng[0]), np.random.default_rng(42).standard_normal()
    (0.30471707975443135, 0.30471707975443135)
    """
    while True:
        word = next_word(row)
        layer = int(word & LAYER)
        size = (word >> NINE) & MAGNITUDE
        x = float(size) * wi_double[layer]
        if (word >> EIGHT) & ONE:
            x = -x
        if size < ki_double[layer]:
            return float(x)
        if layer == 0:
            while True:  # beyond the lowest layer
                far = -ziggurat_nor_inv_r * math.log1p(-next_double(row))
                high = -math.log1p(-next_double(row))
                if high + high > far * far:
                    out = ziggurat_nor_r + far
                    return float(-out if (size >> EIGHT) & ONE else out)
        step = fi_double[layer - 1] - fi_double[layer]
        if step * next_double(row) + fi_double[layer] < math.exp(-0.5 * x * x):
            return float(x)


standard_normal = jit(_standard_normal)
