import numpy as np
import pytest

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN, DiagonalGaussian
from npvpg.distributions.gaussian import clamp

RNG = np.random.default_rng([95, 0])
NORMAL = DiagonalGaussian(2)


def test_sizes() -> None:
    assert (NORMAL.n_params, NORMAL.event_shape, NORMAL.scale_columns) == (4, (2,), (2, 3))
    assert str(NORMAL) == "Gaussian of 2"


def test_nothing_is_written_to() -> None:
    params, noise = RNG.standard_normal((4, 4)), NORMAL.noise(RNG, 4)
    act = NORMAL.sample(params, noise)
    for array in (params, noise, act):
        array.flags.writeable = False
    NORMAL.sample(params, noise)
    NORMAL.sample_back(params, act, act)
    NORMAL.score(params, act)
    NORMAL.entropy_score(params)
    NORMAL.kl(params, params)


def test_samples_can_be_differentiated_by_complex_steps() -> None:
    params, noise = RNG.standard_normal((4, 4)), NORMAL.noise(RNG, 4)
    act, d_act = NORMAL.sample(params, noise), RNG.standard_normal((4, 2))
    have = NORMAL.sample_back(params, act, d_act)
    for column in range(4):
        moved = NORMAL.sample(params + 1e-30j * np.eye(4)[column], noise)
        np.testing.assert_allclose(moved.real, act, rtol=1e-14)
        want = (d_act * moved.imag / 1e-30).sum(axis=1)
        np.testing.assert_allclose(have[:, column], want, rtol=1e-12)


def test_no_noise_gives_the_mode() -> None:
    params = RNG.standard_normal((4, 4))
    assert np.array_equal(NORMAL.sample(params, np.zeros((4, 2))), NORMAL.mode(params))


def test_float32_stays_float32() -> None:
    params = RNG.standard_normal((4, 4)).astype(np.float32)
    act = NORMAL.sample(params, NORMAL.noise(RNG, 4))
    results = [act, NORMAL.mode(params), NORMAL.entropy(params), NORMAL.entropy_score(params)]
    for given in (act, act.astype(np.float64), act.tolist(), [[0, 1]] * 4):
        results += [NORMAL.log_prob(params, given), NORMAL.score(params, given)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_components_are_summed() -> None:
    params, act = RNG.standard_normal((4, 4)), np.zeros((4, 2))
    assert NORMAL.log_prob(params, act).shape == (4,)
    assert NORMAL.entropy(params).shape == (4,)
    assert NORMAL.kl(params, params).shape == (4,)
    assert NORMAL.score(params, act).shape == (4, 4)


@pytest.mark.parametrize("log_sigma", [-745.0, -104.0, -20.1, 2.1, 800.0])
def test_beyond_the_clamp_everything_is_finite_and_sigma_is_not_pushed(log_sigma: float) -> None:
    params = np.tile([0.0, 0.0, log_sigma, log_sigma], (3, 1))
    bound = np.clip(log_sigma, LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    act = NORMAL.sample(params, np.ones((3, 2)))
    np.testing.assert_allclose(act, np.exp(bound))
    assert np.isfinite(NORMAL.log_prob(params, act)).all()
    assert not NORMAL.score(params, act)[:, 2:].any()
    assert not NORMAL.entropy_score(params)[:, 2:].any()
    assert np.isfinite(NORMAL.score(params.astype(np.float32), act)).all()


def test_the_clamp_is_closed() -> None:
    inside = clamp(np.array([LOG_SIGMA_MIN, LOG_SIGMA_MAX, np.nextafter(LOG_SIGMA_MAX, 3)]))[1]
    assert inside.tolist() == [True, True, False]


def test_no_rows() -> None:
    params = np.zeros((0, 4))
    assert NORMAL.sample(params, np.zeros((0, 2))).shape == (0, 2)
    assert NORMAL.log_prob(params, np.zeros((0, 2))).shape == (0,)
    assert NORMAL.entropy(params).shape == (0,)


def test_a_dimension_there_is() -> None:
    with pytest.raises(ValueError, match=r"^dim must be at least 1, got 0$"):
        DiagonalGaussian(0)


def test_what_is_no_number_is_refused() -> None:
    for bad, kind in (([[True, False]], "bool"), ([["a", "b"]], "<U1")):
        for method in (NORMAL.log_prob, NORMAL.score):
            with pytest.raises(ValueError, match=f"^act must hold numbers, got {kind}$"):
                method(np.zeros((1, 4)), bad)


def test_arrays_of_another_shape_are_refused() -> None:
    params, act = RNG.standard_normal((4, 4)), np.zeros((4, 2))
    for call in (NORMAL.entropy, NORMAL.entropy_score, NORMAL.mode):
        with pytest.raises(ValueError, match=r"^params must have shape \(any, 4\), got \(4, 3\)"):
            call(params[:, 1:])
    for bad in (act[:1], act[:, :1], act[:, 0]):
        for method in (NORMAL.log_prob, NORMAL.score):
            with pytest.raises(ValueError, match=r"^act must have shape \(4, 2\), got \("):
                method(params, bad)
        with pytest.raises(ValueError, match=r"^noise must have shape \(4, 2\), got \("):
            NORMAL.sample(params, bad)
    with pytest.raises(ValueError, match=r"^other_params must have shape \(4, 4\), got \(1, 4\)$"):
        NORMAL.kl(params, params[:1])
