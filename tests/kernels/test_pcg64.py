"""NumPy's own generator and seed sequence are the judge."""

import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.kernels import pcg64

SEEDS = [0, 1, 42, 2**32 - 1, 2**32, 0x123456789ABCDEF0, 2**63 - 1]
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
SMALL = [0, 1, 2**32 - 1, 2**32, 2**64 - 1, 2**64, 2**96 + 5, 2**128 - 1]


def words(number: int, n: int) -> NDArray[np.uint64]:
    return np.array([(number >> (32 * i)) & 0xFFFFFFFF for i in range(n)], np.uint64)


def seeded(*seeds: int) -> NDArray[np.uint64]:
    rng = np.zeros((len(seeds), 4), np.uint64)
    pcg64.seed(rng, np.arange(len(seeds)), np.array(seeds, np.uint64))
    return rng


@pytest.mark.parametrize("state", SMALL)
@pytest.mark.parametrize("increment", [1, 2**64 + 1, 2**128 - 1])
def test_one_step_of_the_congruence(state: int, increment: int) -> None:
    row = np.array(
        [state >> 64, state % 2**64, increment >> 64, increment % 2**64], dtype=np.uint64
    )
    pcg64.advance(row)
    want = (state * MULTIPLIER + increment) % 2**128
    assert [int(x) for x in row] == [want >> 64, want % 2**64, increment >> 64, increment % 2**64]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seeded_row_is_the_state_of_numpy(seed: int) -> None:
    state = np.random.PCG64(seed).state["state"]
    row = [int(x) for x in seeded(seed)[0]]
    assert row[0] * 2**64 + row[1] == state["state"]
    assert row[2] * 2**64 + row[3] == state["inc"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_doubles_are_numpy_s(seed: int) -> None:
    row, generator = seeded(seed)[0], np.random.default_rng(seed)
    assert [pcg64.next_double(row) for _ in range(50)] == generator.random(50).tolist()


def test_vectors_in_bounds() -> None:
    rng, low, high = seeded(*SEEDS), np.array([-1.0, 0.0, 5.0]), np.array([1.0, 0.5, 5.0])
    before, rows = rng.copy(), np.array([5, 0, 2])
    generators = [np.random.default_rng(SEEDS[i]) for i in rows]
    for _ in range(3):
        want = [generator.uniform(low, high).tolist() for generator in generators]
        assert pcg64.uniform(rng, rows, low, high).tolist() == want
    others = [1, 3, 4, 6]
    assert np.array_equal(rng[others], before[others])
    assert pcg64.uniform(rng, np.zeros(0, np.int64), low, high).shape == (0, 3)


def test_seeding_touches_the_named_rows_only() -> None:
    rng = np.zeros((3, 4), np.uint64)
    pcg64.seed(rng, np.array([2]), np.array([7], np.uint64))
    assert not rng[:2].any()
    assert np.array_equal(rng[2], seeded(7)[0])


@pytest.mark.parametrize("n", [1, 2, 4, 5, 7])
def test_pool_and_words_of_a_seed_sequence(n: int) -> None:
    entropy = int.from_bytes(bytes(range(200, 200 + 4 * n)), "little")
    pool = np.zeros(4, np.uint64)
    pcg64.fill_pool(words(entropy, n), pool)
    sequence = np.random.SeedSequence(entropy)
    assert pool.tolist() == sequence.pool.tolist()
    drawn = np.zeros(9, np.uint64)
    pcg64.generate(pool, drawn)
    assert drawn.tolist() == sequence.generate_state(9).tolist()


@pytest.mark.parametrize("bits", [1, 31, 63])
@pytest.mark.parametrize("entropy", [0, 7, 2**40 + 3, 2**128 - 1, 2**150 + 9])
def test_seeds_of_children(entropy: int, bits: int) -> None:
    first, second = np.array([0, 5, 2**32 - 1]), np.array([9, 0, 2**32 - 1])
    n = max(4, -(-entropy.bit_length() // 32))
    for purpose in (0, 2):
        have = pcg64.child_seeds(words(entropy, n), purpose, first, second, bits)
        want = [
            int(
                np.random.SeedSequence(entropy, spawn_key=(purpose, int(a), int(b))).generate_state(
                    1, np.uint64
                )[0]
            )
            >> (64 - bits)
            for a, b in zip(first, second, strict=True)
        ]
        assert have.tolist() == want
        assert have.dtype == np.uint64
