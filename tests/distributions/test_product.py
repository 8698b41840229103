import numpy as np
import pytest

from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution, Product

RNG = np.random.default_rng([97, 0])
MIXED = Product(
    (Categorical(3), DiagonalGaussian(2, init_log_sigma=-1.0), Bernoulli(2), DiagonalGaussian(1))
)


def test_sizes_add() -> None:
    assert (MIXED.n_outputs, MIXED.n_free, MIXED.event_shape) == (8, 3, (6,))
    assert MIXED.init_free().tolist() == [-1, -1, 0]
    nested = Product((MIXED, Categorical(2)))
    assert (nested.n_outputs, nested.n_free, nested.event_shape) == (10, 3, (7,))


def test_columns_lie_side_by_side() -> None:
    out, free = np.zeros((5, 8)), MIXED.init_free()
    out[:, 2] = out[:, 5] = 50.0  # sure of the last category, and of the first bit
    out[:, 3:5] = 1e3, -1e3
    out[:, 6:] = -50.0, 1e3
    act = MIXED.sample(out, free, MIXED.noise(RNG, 5))
    assert act.shape == (5, 6)
    assert (act[:, 0] == 2).all()
    assert (act[:, 1] > 900).all()
    assert (act[:, 2] < -900).all()
    assert (act[:, 3:5] == [1, 0]).all()
    assert (act[:, 5] > 900).all()
    assert np.array_equal(MIXED.mode(out, free)[0], [2, 1e3, -1e3, 1, 0, 1e3])


def test_nothing_is_written_to() -> None:
    out, free, noise = RNG.standard_normal((4, 8)), MIXED.init_free(), MIXED.noise(RNG, 4)
    act = MIXED.sample(out, free, noise)
    for array in (out, free, noise, act):
        array.flags.writeable = False
    MIXED.sample(out, free, noise)
    MIXED.mode(out, free)
    MIXED.score(out, free, act)
    MIXED.entropy_score(out, free)
    MIXED.kl(out, free, out, free)


def test_parts_are_added() -> None:
    out, free, act = RNG.standard_normal((4, 8)), MIXED.init_free(), np.zeros((4, 6))
    assert MIXED.log_prob(out, free, act).shape == (4,)
    assert MIXED.entropy(out, free).shape == (4,)
    assert MIXED.kl(out, free, out, free).shape == (4,)
    d_out, d_free = MIXED.score(out, free, act)
    assert (d_out.shape, d_free.shape) == ((4, 8), (4, 3))


def test_every_part_adds_its_own() -> None:
    free = MIXED.init_free()
    out, other = RNG.standard_normal((2, 5, 8))
    laws: list[tuple[Distribution, slice, slice]] = [
        (Categorical(3), slice(0, 3), slice(0, 0)),
        (DiagonalGaussian(2), slice(3, 5), slice(0, 2)),
        (Bernoulli(2), slice(5, 7), slice(2, 2)),
        (DiagonalGaussian(1), slice(7, 8), slice(2, 3)),
    ]
    entropy = sum(law.entropy(out[:, o], free[f]) for law, o, f in laws)
    kl = sum(law.kl(out[:, o], free[f], other[:, o], 2 + free[f]) for law, o, f in laws)
    np.testing.assert_allclose(MIXED.entropy(out, free), entropy, rtol=1e-14)
    np.testing.assert_allclose(MIXED.kl(out, free, other, 2 + free), kl, rtol=1e-14)


def test_a_product_of_products() -> None:
    nested, out = Product((MIXED, Categorical(2))), RNG.standard_normal((5, 10))
    free = nested.init_free()
    mode = nested.mode(out, free)
    assert np.array_equal(mode[:, :6], MIXED.mode(out[:, :8], free))
    assert np.array_equal(mode[:, 6], (out[:, 9] > out[:, 8]).astype(float))


def test_float32_stays_float32_but_for_divergences() -> None:
    out, free = np.zeros((2, 8), np.float32), MIXED.init_free().astype(np.float32)
    act = MIXED.sample(out, free, MIXED.noise(RNG, 2))
    results = [act, MIXED.mode(out, free), MIXED.log_prob(out, free, act), MIXED.entropy(out, free)]
    results += [*MIXED.score(out, free, act), *MIXED.entropy_score(out, free)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_no_rows() -> None:
    out, free = np.zeros((0, 8)), MIXED.init_free()
    act = MIXED.sample(out, free, np.zeros((0, 6)))
    assert act.shape == (0, 6)
    assert MIXED.log_prob(out, free, act).shape == (0,)


def test_there_is_a_part() -> None:
    with pytest.raises(ValueError, match=r"^parts must hold at least 1 distribution, got none$"):
        Product(())


def test_what_is_no_action_of_a_part_is_refused() -> None:
    out, free = np.zeros((1, 8)), MIXED.init_free()
    for column, value, message in (
        (0, 0.5, r"act must hold whole numbers for Categorical\(n=3\), got \[0.5\]"),
        (0, 3.0, r"act must lie in 0 \.\.\. 2, got 3 \.\.\. 3"),
        (3, 2.0, "act must hold bits 0 and 1, got 2.0"),
    ):
        act = np.zeros((1, 6))
        act[0, column] = value
        for method in (MIXED.log_prob, MIXED.score):
            with pytest.raises(ValueError, match=f"^{message}$"):
                method(out, free, act)


def test_arrays_of_another_shape_are_refused() -> None:
    out, free, act = np.zeros((4, 8)), MIXED.init_free(), np.zeros((4, 6))
    with pytest.raises(ValueError, match=r"^out must have shape \(any, 8\), got \(4, 7\)$"):
        MIXED.entropy(out[:, 1:], free)
    with pytest.raises(ValueError, match=r"^free must have shape \(3,\), got \(2,\)$"):
        MIXED.mode(out, free[1:])
    for bad in (act[:1], act[:, 0], act[:, 1:]):
        for method in (MIXED.log_prob, MIXED.score):
            with pytest.raises(ValueError, match=r"^act must have shape \(4, 6\), got \("):
                method(out, free, bad)
        with pytest.raises(ValueError, match=r"^noise must have shape \(4, 6\), got \("):
            MIXED.sample(out, free, bad)
    with pytest.raises(ValueError, match=r"^other_out must have shape \(4, 8\), got \(1, 8\)$"):
        MIXED.kl(out, free, out[:1], free)
    with pytest.raises(ValueError, match=r"^other_free must have shape \(3,\), got \(1,\)$"):
        MIXED.kl(out, free, out, free[:1])
