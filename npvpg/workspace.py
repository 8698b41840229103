"""Arrays that are used again and again, in place of temporaries."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Workspace:
    """
    Arrays by name, kept between calls and enlarged when a call needs more.

    A function that is given one leaves intermediate results in it, so what an earlier call
    returned out of the same workspace is overwritten.

    Examples
    --------
    >>> work = Workspace()
    >>> first = work.array("hidden", (4, 2), np.float64)
    >>> np.shares_memory(first, work.array("hidden", (3, 2), np.float64))
    True
    """

    def __init__(self) -> None:
        self._kept: dict[Any, NDArray[Any]] = {}

    def array(self, name: Any, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """
        Hand out an array.

        Parameters
        ----------
        name : hashable
            What it is for.
        shape : tuple of int
            Shape.
        dtype : dtype
            Type.

        Returns
        -------
        ndarray
            Uninitialised; the same memory every time, as long as it suffices.
        """
        dtype, size = np.dtype(dtype), math.prod(shape)
        kept = self._kept.get((name, dtype))
        if kept is None or kept.size < size:
            kept = self._kept[name, dtype] = np.empty(size, dtype)
        return kept[:size].reshape(shape)
