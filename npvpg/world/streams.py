"""
Random streams: one seed for a run, one stream for each purpose.

A stream is a `numpy.random.SeedSequence` child keyed by (purpose, indices ...). Nothing is ever
drawn from a shared generator, so neither the order of the sub-environments, nor their number, nor
an interruption changes a single draw.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


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
