import numpy as np
import pytest

from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution, Product

RNG = np.random.default_rng([97, 0])
MIXED = Product((Categorical(3), DiagonalGaussian(2), Bernoulli(2), DiagonalGaussian(1)))


def test_sizes_add() -> None:
    assert (MIXED.n_params, MIXED.event_shape, MIXED.scale_columns) == (11, (6,), (5, 6, 10))
    nested = Product((Categorical(2), MIXED))
    assert (nested.n_params, nested.event_shape, nested.scale_columns) == (13, (7,), (7, 8, 12))
    assert str(nested) == (
        "product of categorical of 2, "
        "product of categorical of 3, Gaussian of 2, Bernoulli of 2, Gaussian of 1"
    )
    assert str(Product((Bernoulli(2),) * 3)) == "product of 3 x Bernoulli of 2"


def test_columns_lie_side_by_side() -> None:
    params = np.zeros((5, 11))
    params[:, 2] = params[:, 7] = 50.0  # sure of the last category, and of the first bit
    params[:, 3:5] = 1e3, -1e3
    params[:, 8:10] = -50.0, 1e3
    act = MIXED.sample(params, MIXED.noise(RNG, 5))
    assert act.shape == (5, 6)
    assert (act[:, 0] == 2).all()
    assert (act[:, 1] > 900).all()
    assert (act[:, 2] < -900).all()
    assert (act[:, 3:5] == [1, 0]).all()
    assert (act[:, 5] > 900).all()
    assert np.array_equal(MIXED.mode(params)[0], [2, 1e3, -1e3, 1, 0, 1e3])


def test_nothing_is_written_to() -> None:
    params, noise = RNG.standard_normal((4, 11)), MIXED.noise(RNG, 4)
    act = MIXED.sample(params, noise)
    for array in (params, noise, act):
        array.flags.writeable = False
    MIXED.sample(params, noise)
    MIXED.mode(params)
    MIXED.score(params, act)
    MIXED.entropy_score(params)
    MIXED.kl(params, params)


def test_parts_are_added() -> None:
    params, act = RNG.standard_normal((4, 11)), np.zeros((4, 6))
    assert MIXED.log_prob(params, act).shape == (4,)
    assert MIXED.entropy(params).shape == (4,)
    assert MIXED.kl(params, params).shape == (4,)
    assert MIXED.score(params, act).shape == (4, 11)


def test_every_part_adds_its_own() -> None:
    params, other = RNG.standard_normal((2, 5, 11))
    laws: list[tuple[Distribution, slice]] = [
        (Categorical(3), slice(0, 3)),
        (DiagonalGaussian(2), slice(3, 7)),
        (Bernoulli(2), slice(7, 9)),
        (DiagonalGaussian(1), slice(9, 11)),
    ]
    entropy = sum(law.entropy(params[:, p]) for law, p in laws)
    kl = sum(law.kl(params[:, p], other[:, p]) for law, p in laws)
    np.testing.assert_allclose(MIXED.entropy(params), entropy, rtol=1e-14)
    np.testing.assert_allclose(MIXED.kl(params, other), kl, rtol=1e-14)


def test_a_product_of_products() -> None:
    nested, params = Product((MIXED, Categorical(2))), RNG.standard_normal((5, 13))
    mode = nested.mode(params)
    assert np.array_equal(mode[:, :6], MIXED.mode(params[:, :11]))
    assert np.array_equal(mode[:, 6], (params[:, 12] > params[:, 11]).astype(float))


def test_float32_stays_float32_but_for_divergences() -> None:
    params = np.zeros((2, 11), np.float32)
    act = MIXED.sample(params, MIXED.noise(RNG, 2))
    results = [act, MIXED.mode(params), MIXED.entropy(params), MIXED.entropy_score(params)]
    for given in (act, act.astype(np.float64), act.tolist()):
        results += [MIXED.log_prob(params, given), MIXED.score(params, given)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_no_rows() -> None:
    params = np.zeros((0, 11))
    act = MIXED.sample(params, np.zeros((0, 6)))
    assert act.shape == (0, 6)
    assert MIXED.log_prob(params, act).shape == (0,)


def test_there_is_a_part() -> None:
    with pytest.raises(ValueError, match=r"^parts must hold at least 1 distribution, got none$"):
        Product(())


def test_what_is_no_action_of_a_part_is_refused() -> None:
    params = np.zeros((1, 11))
    for column, value, message in (
        (0, 0.5, r"act must hold whole numbers, got 0\.5"),
        (0, 3.0, r"act must lie in 0 \.\.\. 2, got 3\.0 \.\.\. 3\.0"),
        (0, np.nan, r"act must lie in 0 \.\.\. 2, got nan \.\.\. nan"),
        (3, 2.0, r"act must hold bits 0 and 1, got 2\.0"),
    ):
        act = np.zeros((1, 6))
        act[0, column] = value
        for method in (MIXED.log_prob, MIXED.score):
            with pytest.raises(ValueError, match=f"^{message}$"):
                method(params, act)
    with pytest.raises(ValueError, match=r"^act must hold numbers, got bool$"):
        MIXED.score(params, np.zeros((1, 6), bool))


def test_arrays_of_another_shape_are_refused() -> None:
    params, act = np.zeros((4, 11)), np.zeros((4, 6))
    for call in (MIXED.entropy, MIXED.entropy_score, MIXED.mode):
        with pytest.raises(ValueError, match=r"^params must have shape \(any, 11\), got \(4, 10\)"):
            call(params[:, 1:])
    for bad in (act[:1], act[:, 0], act[:, 1:]):
        for method in (MIXED.log_prob, MIXED.score):
            with pytest.raises(ValueError, match=r"^act must have shape \(4, 6\), got \("):
                method(params, bad)
        with pytest.raises(ValueError, match=r"^noise must have shape \(4, 6\), got \("):
            MIXED.sample(params, bad)
    message = r"^other_params must have shape \(4, 11\), got \(1, 11\)$"
    with pytest.raises(ValueError, match=message):
        MIXED.kl(params, params[:1])
