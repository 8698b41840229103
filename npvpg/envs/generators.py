"""The generators that sub-environments draw their initial states from."""

from collections.abc import Sequence

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from npvpg.kernels import pcg64

Seeds = int | Sequence[int | None] | NDArray[np.uint64]
WORD = 2**64


class Generators:
    """
    One random generator for each sub-environment, seeded as Gymnasium seeds.

    Parameters
    ----------
    n : int
        Number of sub-environments, N.

    Attributes
    ----------
    rows : ndarray of uint64, shape (N, 4)
        The generators, see `npvpg.kernels.pcg64`; zeros where none was seeded.
    """

    def __init__(self, n: int) -> None:
        self.rows = np.zeros((n, 4), dtype=np.uint64)
        self._all_seeded = False

    def restore(self, rows: NDArray[np.uint64]) -> None:
        """
        Go back to an earlier state.

        Parameters
        ----------
        rows : ndarray of uint64, shape (N, 4)
            A copy of `rows`, taken then.
        """
        self.rows[...] = rows
        self._all_seeded = False

    def seed(self, seeds: Seeds, which: NDArray[np.int64]) -> None:
        """
        Start some of the generators anew.

        Parameters
        ----------
        seeds : int, sequence of int or None, or ndarray of uint64, shape (N,)
            One for each sub-environment, or `seeds` + i for sub-environment i; None leaves a
            generator where it is.
        which : ndarray of int64, shape (R,)
            The sub-environments to seed.

        Raises
        ------
        ValueError
            If there are more or fewer than N seeds, or an array of another type.
        gymnasium.error.Error
            If a seed is not a non-negative int. Then no generator has changed.
        """
        if not isinstance(seeds, int) and len(seeds) != len(self.rows):
            raise ValueError(f"seed must hold {len(self.rows)} seeds, got {len(seeds)}")
        if isinstance(seeds, np.ndarray):
            if seeds.dtype != np.uint64:
                raise ValueError(f"an array of seeds must be uint64, got {seeds.dtype}")
            pcg64.seed(self.rows, which, seeds[which])
            return
        chosen, words, others = [], [], {}
        for i in which.tolist():
            value = seeds + i if isinstance(seeds, int) else seeds[i]
            if type(value) is int and 0 <= value < WORD:
                chosen.append(i)
                words.append(value)
            elif value is not None:
                others[i] = _row(value)
        if chosen:
            pcg64.seed(self.rows, np.array(chosen), np.array(words, dtype=np.uint64))
        for i, row in others.items():
            self.rows[i] = row

    def uniform(
        self, low: NDArray[np.float64], high: NDArray[np.float64], which: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """
        Draw one vector from some of the generators; those never seeded start from fresh entropy.

        Parameters
        ----------
        low, high : ndarray of float64, shape (M,)
            Bounds of each entry.
        which : ndarray of int64, shape (R,)
            The sub-environments that draw.

        Returns
        -------
        ndarray of float64, shape (R, M)
            What ``Generator.uniform(low, high)`` returns for each.
        """
        if not self._all_seeded:
            # The increment of a seeded generator is odd.
            for i in which.tolist():
                if self.rows[i, 3] == 0:
                    self.rows[i] = _row(None)
            self._all_seeded = bool((self.rows[:, 3] != 0).all())
        noise: NDArray[np.float64] = pcg64.uniform(self.rows, which, low, high)
        return noise


def _row(seed: int | None) -> NDArray[np.uint64]:
    """Generator that Gymnasium makes from any seed, as a row of `npvpg.kernels.pcg64`."""
    generator, _ = seeding.np_random(seed)
    numbers: dict[str, int] = generator.bit_generator.state["state"]
    words = [divmod(numbers[name], WORD) for name in ("state", "inc")]
    return np.array(words, dtype=np.uint64).ravel()
