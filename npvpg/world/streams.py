"""
Random streams: one seed for a run, one stream for each purpose.

A stream is a `numpy.random.SeedSequence` child keyed by (purpose, indices ...). Nothing is ever
drawn from a shared generator, so neither the order of the sub-environments, nor their number, nor
an interruption changes a single draw.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.kernels import pcg64

SEED_BITS = 31
"""Bits of the seed of an episode: as many as every random generator takes."""
OLD_SEED_BITS = 63
"""Bits of those of runs whose state does not say: environments that took fewer were refused."""


class Purpose(IntEnum):
    """What a stream is for: the first part of its key."""

    POLICY_INIT = 0
    VALUE_INIT = 1
    EPISODE = 2
    ACTION = 3
    MINIBATCH = 4
    EVALUATION_EPISODE = 5
    EVALUATION_ACTION = 6
    STUDY = 7
    WATCHED_EPISODE = 8
    WATCHED_ACTION = 9
    SELECTION = 10
    POLICY_MINIBATCH = 11
    SWEEP = 12


def generator(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """
    Open the stream of a purpose.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.
    purpose : Purpose
        What the stream is for.
    *key : int
        Indices that tell the streams of a purpose apart: iteration, sub-environment.

    Returns
    -------
    numpy.random.Generator
        The stream, at its beginning.

    Examples
    --------
    >>> generator(0, Purpose.ACTION, 7, 1).random() == generator(0, Purpose.ACTION, 7, 1).random()
    True
    >>> generator(0, Purpose.ACTION, 7, 1).random() == generator(0, Purpose.ACTION, 1, 7).random()
    False
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *key)))


def entropy_words(seed: int) -> NDArray[np.uint64]:
    """
    Cut a seed into the words that `npvpg.kernels.pcg64` takes.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.

    Returns
    -------
    ndarray of uint64, shape (W,)
        Words below 2**32, lowest first, at least four.

    Examples
    --------
    >>> entropy_words(2**32 + 7)
    array([7, 1, 0, 0], dtype=uint64)
    """
    n_words = max(4, -(-seed.bit_length() // 32))
    return np.array([(seed >> (32 * i)) & 0xFFFFFFFF for i in range(n_words)], np.uint64)


class Streams:
    """
    The streams of a run for N sub-environments, by the kernels: many at a time, and short.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.
    n_envs : int
        Number of sub-environments, N.
    repeat : int
        Episodes of a sub-environment, one after the other, that have the same seed.
    first : int
        Number that the first of them has in the run; the others follow it.

    Raises
    ------
    ValueError
        If `seed` or `first` is negative, or `repeat` smaller than 1.
    """

    def __init__(self, seed: int, n_envs: int, repeat: int = 1, first: int = 0) -> None:
        checks.at_least(0, seed=seed, first=first)
        checks.at_least(1, repeat=repeat)
        self.n_envs, self.repeat, self.first = n_envs, repeat, first
        self.entropy = entropy_words(seed)
        self._generators: list[np.random.Generator] = []

    def states(self, purpose: Purpose, iteration: int) -> NDArray[np.uint64]:
        """
        Open one stream of noise for each sub-environment, for `npvpg.kernels.pcg64`.

        Parameters
        ----------
        purpose : Purpose
            What the noise is for.
        iteration : int
            Second part of the key; the third is the number of the sub-environment in the run.

        Returns
        -------
        ndarray of uint64, shape (N, 4)
            The generators that `generators` gives as objects of NumPy.
        """
        n = self.first + self.n_envs
        every = pcg64.child_states(self.entropy, int(purpose), iteration, n)
        return np.asarray(every[self.first :])

    def generators(self, purpose: Purpose, iteration: int) -> list[np.random.Generator]:
        """
        Open one stream of noise for each sub-environment.

        Parameters
        ----------
        purpose : Purpose
            What the noise is for.
        iteration : int
            Second part of the key; the third is the number of the sub-environment.

        Returns
        -------
        list of numpy.random.Generator
            What `generator` opens, faster; the same objects in every call.
        """
        if not self._generators:
            self._generators = [np.random.Generator(np.random.PCG64(0)) for _ in range(self.n_envs)]
        states = self.states(purpose, iteration)
        for rng, row in zip(self._generators, states.tolist(), strict=True):
            rng.bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": row[0] << 64 | row[1], "inc": row[2] << 64 | row[3]},
                "has_uint32": 0,
                "uinteger": 0,
            }
        return self._generators

    def seeds(
        self,
        purpose: Purpose,
        rows: NDArray[np.int64],
        episode: NDArray[np.int64],
        bits: int = SEED_BITS,
    ) -> NDArray[np.uint64]:
        r"""
        Derive the seeds of episodes.

        Parameters
        ----------
        purpose : Purpose
            What the episodes are for.
        rows : ndarray of int64, shape (R,)
            Their sub-environments, the first of these streams being 0.
        episode : ndarray of int64, shape (R,)
            Their numbers.
        bits : int
            Length of a seed: `SEED_BITS`, or in old runs `OLD_SEED_BITS`.

        Returns
        -------
        ndarray of uint64, shape (R,)
            Seeds, each smaller than 2**`bits`.

        Notes
        -----
        Of m seeds of b bits :math:`m(m-1)/2^{b+1}` pairs are equal on average: one among 65,536
        episodes, whose first states are then the same and little else.
        """
        which, number = rows + self.first, episode // self.repeat
        return np.asarray(pcg64.child_seeds(self.entropy, int(purpose), which, number, bits))
