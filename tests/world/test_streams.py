import numpy as np
import pytest

from npvpg.kernels import pcg64
from npvpg.world.streams import (
    OLD_SEED_BITS,
    SEED_BITS,
    Purpose,
    Streams,
    entropy_words,
    generator,
)


def test_a_stream_is_a_function_of_its_key() -> None:
    first = generator(3, Purpose.ACTION, 1, 2).random(4)
    np.random.seed(0)  # noqa: NPY002 - the global generator must not matter
    assert np.array_equal(generator(3, Purpose.ACTION, 1, 2).random(4), first)


def test_every_part_of_the_key_counts() -> None:
    keys = [(s, p, i, j) for s in (0, 1) for p in Purpose for i in range(3) for j in range(3)]
    draws = {generator(s, p, i, j).random() for s, p, i, j in keys}
    assert len(draws) == len(keys)


def test_the_purposes_keep_their_numbers() -> None:
    """Checkpoints of old runs go on with the same numbers only if these never change."""
    assert [p.name for p in Purpose] == [
        "POLICY_INIT",
        "VALUE_INIT",
        "EPISODE",
        "ACTION",
        "MINIBATCH",
        "EVALUATION_EPISODE",
        "EVALUATION_ACTION",
        "STUDY",
        "WATCHED_EPISODE",
        "WATCHED_ACTION",
        "SELECTION",
        "POLICY_MINIBATCH",
        "SWEEP",
    ]
    assert list(Purpose) == list(range(13))


def test_neighbouring_runs_share_no_episode() -> None:
    """With seed + i, sub-environment 1 of run 0 would be sub-environment 0 of run 1."""
    rows, episodes = np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    derive = pcg64.child_seeds
    seeds = {
        int(seed)
        for s in range(50)
        for seed in derive(entropy_words(s), Purpose.EPISODE, rows, episodes, 31)
    }
    assert len(seeds) == 50 * 8 * 4
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("bits", [SEED_BITS, OLD_SEED_BITS])
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**64 + 5, 2**200 + 1])
def test_the_streams_derive_the_seeds_of_numpy(seed: int, bits: int) -> None:
    rows = np.array([0, 1, 5])
    episodes = np.array([0, 3, 2**31])
    derived = Streams(seed, 6).seeds(Purpose.EPISODE, rows, episodes, bits)
    sequences = [
        np.random.SeedSequence(seed, spawn_key=(2, i, e))
        for i, e in zip(rows, episodes, strict=True)
    ]
    want = [int(s.generate_state(1, np.uint64)[0]) >> (64 - bits) for s in sequences]
    assert derived.tolist() == want


def test_entropy_words() -> None:
    words = entropy_words(2**160 + 3)
    assert words.dtype == np.uint64
    assert words.tolist() == [3, 0, 0, 0, 0, 1]
    assert entropy_words(0).tolist() == [0, 0, 0, 0]
