"""
NumPy's default stream of random numbers, compiled: many generators, one row each.

Row ``rng[i]`` of (N, 4) uint64 holds the two 128-bit numbers of a PCG64 [1]_ as (state high, state
low, increment high, increment low), and gives the very numbers of
``np.random.Generator(np.random.PCG64(seed))``. A generator object costs 20 microseconds to seed; a
row costs 0.1, which is what an episode of twenty steps can afford. A row of zeros was never seeded:
the increment of a seeded generator is odd. Where there is an argument ``rows`` (R,) int64, it
names the generators that are used, and they alone change.

Words of entropy are uint64 below 2**32. All arithmetic is on 32-bit limbs held in 64 bits, so that
nothing overflows and the plain functions run without the compiler too.

References
----------
.. [1] M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms
   for Random Number Generation", HMC-CS-2014-0905, 2014.
"""

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit

LOW, WORD, CARRY = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1 << 32)
ZERO, ONE = np.uint64(0), np.uint64(1)

# The multiplier of the generator, 0x2360ed051fc65da44385df649fccf645, lowest limb first.
M0, M1 = np.uint64(0x9FCCF645), np.uint64(0x4385DF64)
M2, M3 = np.uint64(0x1FC65DA4), np.uint64(0x2360ED05)
XSL_ROTATION, XSL_WIDTH, XSL_MASK = np.uint64(58), np.uint64(64), np.uint64(63)
MANTISSA, EPSILON = np.uint64(11), 2.0**-53

# The hash of numpy.random.SeedSequence.
INIT_A, MULT_A = np.uint64(0x43B0D7E5), np.uint64(0x931E8875)
INIT_B, MULT_B = np.uint64(0x8B51F9DD), np.uint64(0x58F38DED)
MIX_L, MIX_R = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
XSHIFT, POOL = np.uint64(16), 4


def _advance(row: NDArray[np.uint64]) -> None:
    r"""
    Advance one generator by one step of its linear congruence, in place.

    .. math:: s \leftarrow s\,m + c \pmod{2^{128}}
    """
    a0, a1 = row[1] & LOW, row[1] >> WORD
    a2, a3 = row[0] & LOW, row[0] >> WORD
    # Product of limbs + limb + carry is at most 2**64 - 1.
    t = a0 * M0 + (row[3] & LOW)
    r0 = t & LOW
    t = a0 * M1 + (row[3] >> WORD) + (t >> WORD)
    r1 = t & LOW
    t = a0 * M2 + (row[2] & LOW) + (t >> WORD)
    r2 = t & LOW
    r3 = ((a0 * M3 & LOW) + (row[2] >> WORD) + (t >> WORD)) & LOW
    t = a1 * M0 + r1
    r1 = t & LOW
    t = a1 * M1 + r2 + (t >> WORD)
    r2 = t & LOW
    r3 = ((a1 * M2 & LOW) + r3 + (t >> WORD)) & LOW
    t = a2 * M0 + r2
    r2 = t & LOW
    r3 = ((a2 * M1 & LOW) + r3 + (t >> WORD)) & LOW
    r3 = ((a3 * M0 & LOW) + r3) & LOW
    row[0] = (r3 << WORD) | r2
    row[1] = (r1 << WORD) | r0


advance = jit(_advance)


def _next_word(row: NDArray[np.uint64]) -> np.uint64:
    """Advance one generator; its output by XSL-RR of [1]_."""
    advance(row)
    mixed = row[0] ^ row[1]
    rotation = row[0] >> XSL_ROTATION
    back = (XSL_WIDTH - rotation) & XSL_MASK
    return np.uint64((mixed >> rotation) | (mixed << back))


next_word = jit(_next_word)


def _next_double(row: NDArray[np.uint64]) -> float:
    """Advance one generator; its output in [0, 1): a multiple of 2**-53."""
    return np.float64(next_word(row) >> MANTISSA) * EPSILON


next_double = jit(_next_double)


def _fill_pool(words: NDArray[np.uint64], pool: NDArray[np.uint64]) -> None:
    """Hash words into the pool (4,) of a seed sequence, as if padded with zeros to four."""
    constant = INIT_A
    for i in range(POOL):
        word = constant ^ (words[i] if i < words.size else ZERO)
        constant = constant * MULT_A & LOW
        word = word * constant & LOW
        pool[i] = word ^ (word >> XSHIFT)
    for i in range(POOL + max(words.size - POOL, 0)):
        for j in range(POOL):
            if i != j:
                word = constant ^ (pool[i] if i < POOL else words[i])
                constant = constant * MULT_A & LOW
                word = word * constant & LOW
                word = MIX_R * (word ^ (word >> XSHIFT)) & LOW
                word = ((MIX_L * pool[j] & LOW) + CARRY - word) & LOW
                pool[j] = word ^ (word >> XSHIFT)


fill_pool = jit(_fill_pool)


def _generate(pool: NDArray[np.uint64], words: NDArray[np.uint64]) -> None:
    """Draw words from the pool of a seed sequence: all of `words` are written."""
    constant = INIT_B
    for i in range(words.size):
        word = pool[i % POOL] ^ constant
        constant = constant * MULT_B & LOW
        word = word * constant & LOW
        words[i] = word ^ (word >> XSHIFT)


generate = jit(_generate)


def _child_seeds(
    entropy: NDArray[np.uint64],
    purpose: int,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    bits: int,
) -> NDArray[np.uint64]:
    """
    Derive one seed for each pair of indices: the top bits that a keyed seed sequence gives.

    Parameters
    ----------
    entropy : ndarray of uint64, shape (W,)
        Words of the seed that they come from, lowest first, padded with zeros to at least four.
    purpose : int
        First part of the key.
    first, second : ndarray of int64, shape (R,)
        The other two parts: sub-environment and episode; each below 2**32.
    bits : int
        Bits of a seed, at most 63.

    Returns
    -------
    ndarray of uint64, shape (R,)
        Seeds.

    Examples
    --------
    >>> entropy = np.array([7, 0, 0, 0], dtype=np.uint64)
    >>> int(child_seeds(entropy, 2, np.array([5]), np.array([9]), 31)[0])
    225007094
    >>> int(np.random.SeedSequence(7, spawn_key=(2, 5, 9)).generate_state(1, np.uint64)[0] >> 33)
    225007094
    """
    n = entropy.size
    seeds = np.empty(first.size, dtype=np.uint64)
    words = np.empty(n + 3, dtype=np.uint64)
    for k in range(n):
        words[k] = entropy[k]
    words[n] = np.uint64(purpose)
    pool = np.empty(POOL, dtype=np.uint64)
    state = np.empty(2, dtype=np.uint64)
    dropped = np.uint64(64 - bits)
    for k in range(first.size):
        words[n + 1] = np.uint64(first[k])
        words[n + 2] = np.uint64(second[k])
        fill_pool(words, pool)
        generate(pool, state)
        seeds[k] = (state[0] | (state[1] << WORD)) >> dropped
    return seeds


child_seeds = jit(_child_seeds)


def _start(words: NDArray[np.uint64], row: NDArray[np.uint64]) -> None:
    """Start the generator in `row` (4,) from eight words that a seed sequence generated."""
    # The increment is 2 * (upper half of the words) + 1.
    row[3] = (words[6] << ONE) | (words[7] << WORD << ONE) | ONE
    row[2] = (words[4] << ONE) | (words[5] << WORD << ONE) | (words[7] >> (WORD - ONE))
    # The first advance of a zero state only copies the increment; then the lower half is added.
    low = (row[3] & LOW) + words[2]
    r0 = low & LOW
    low = (row[3] >> WORD) + words[3] + (low >> WORD)
    r1 = low & LOW
    high = (row[2] & LOW) + words[0] + (low >> WORD)
    r2 = high & LOW
    high = (row[2] >> WORD) + words[1] + (high >> WORD)
    row[1] = (r1 << WORD) | r0
    row[0] = ((high & LOW) << WORD) | r2
    advance(row)


start = jit(_start)


def _seed(rng: NDArray[np.uint64], rows: NDArray[np.int64], seeds: NDArray[np.uint64]) -> None:
    """Start generators anew, as ``np.random.PCG64(np.random.SeedSequence(seed))`` starts."""
    entropy = np.empty(2, dtype=np.uint64)
    pool = np.empty(POOL, dtype=np.uint64)
    words = np.empty(2 * POOL, dtype=np.uint64)
    for k in range(rows.size):
        entropy[0], entropy[1] = seeds[k] & LOW, seeds[k] >> WORD
        fill_pool(entropy, pool)
        generate(pool, words)
        start(words, rng[rows[k]])


seed = jit(_seed)


def _child_states(
    entropy: NDArray[np.uint64], purpose: int, first: int, n: int
) -> NDArray[np.uint64]:
    """
    Start n generators from keyed seed sequences, the last part of whose key is 0 ... n - 1.

    Each starts as ``np.random.PCG64(np.random.SeedSequence(seed, spawn_key=...))``; ``entropy`` and
    the first two parts of the key are those of `child_seeds`.
    """
    rng = np.empty((n, 4), dtype=np.uint64)
    size = entropy.size
    key = np.empty(size + 3, dtype=np.uint64)
    for k in range(size):
        key[k] = entropy[k]
    key[size], key[size + 1] = np.uint64(purpose), np.uint64(first)
    pool = np.empty(POOL, dtype=np.uint64)
    words = np.empty(2 * POOL, dtype=np.uint64)
    for i in range(n):
        key[size + 2] = np.uint64(i)
        fill_pool(key, pool)
        generate(pool, words)
        start(words, rng[i])
    return rng


child_states = jit(_child_states)


def _uniform(
    rng: NDArray[np.uint64],
    rows: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    r"""
    Draw one vector from every generator, as ``Generator.uniform(low, high)`` draws.

    .. math:: x_j = a_j + (b_j - a_j)\,u_j

    ``low`` and ``high`` are :math:`a, b` (D,); the result is (R, D).

    Examples
    --------
    >>> rng, rows = np.zeros((1, 4), dtype=np.uint64), np.array([0])
    >>> seed(rng, rows, np.array([42], dtype=np.uint64))
    >>> uniform(rng, rows, np.zeros(2), np.ones(2))
    array([[0.77395605, 0.43887844]])
    >>> np.random.default_rng(42).random(2)
    array([0.77395605, 0.43887844])
    """
    noise = np.empty((rows.size, low.size))
    for k in range(rows.size):
        row = rng[rows[k]]
        for j in range(low.size):
            noise[k, j] = low[j] + (high[j] - low[j]) * next_double(row)
    return noise


uniform = jit(_uniform)


def _standard_uniform(rng: NDArray[np.uint64], n: int) -> NDArray[np.float64]:
    """
    Draw n numbers from every generator, as ``Generator.random(n)`` draws: (n, N), a column each.

    Examples
    --------
    >>> rng = np.zeros((1, 4), dtype=np.uint64)
    >>> seed(rng, np.array([0]), np.array([42], dtype=np.uint64))
    >>> standard_uniform(rng, 2)
    array([[0.77395605],
           [0.43887844]])
    """
    noise = np.empty((n, len(rng)))
    for i in range(len(rng)):
        row = rng[i]
        for t in range(n):
            noise[t, i] = next_double(row)
    return noise


standard_uniform = jit(_standard_uniform)
