import numpy as np
import pytest

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN, DiagonalGaussian
from npvpg.distributions.gaussian import clamp

RNG = np.random.default_rng([95, 0])
FREE = DiagonalGaussian(2)
DEPENDENT = DiagonalGaussian(2, state_dependent=True)
BOTH = [FREE, DEPENDENT]


def out_of(
    normal: DiagonalGaussian, n: int = 4
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return RNG.standard_normal((n, normal.n_outputs))


def test_sizes() -> None:
    assert [(d.n_outputs, d.n_free) for d in BOTH] == [(2, 2), (4, 0)]
    assert DiagonalGaussian(2, init_log_sigma=-1.0).init_free().tolist() == [-1, -1]
    assert DEPENDENT.init_free().shape == (0,)


@pytest.mark.parametrize("normal", BOTH)
def test_nothing_is_written_to(normal: DiagonalGaussian) -> None:
    out, free, noise = out_of(normal), normal.init_free(), normal.noise(RNG, 4)
    act = normal.sample(out, free, noise)
    for array in (out, free, noise, act):
        array.flags.writeable = False
    normal.sample(out, free, noise)
    normal.score(out, free, act)
    normal.entropy_score(out, free)
    normal.kl(out, free, out, free)


@pytest.mark.parametrize("normal", BOTH)
def test_samples_can_be_differentiated_by_complex_steps(normal: DiagonalGaussian) -> None:
    out, free, noise = out_of(normal), normal.init_free(), normal.noise(RNG, 4)
    step = np.zeros((4, normal.n_outputs), complex)
    step[:, 0] = 1e-30j
    act = normal.sample(out + step, free, noise)
    np.testing.assert_allclose(act.real, normal.sample(out, free, noise), rtol=1e-14)
    assert (act.imag / 1e-30).tolist() == [[1, 0]] * 4


@pytest.mark.parametrize("normal", BOTH)
def test_no_noise_gives_the_mode(normal: DiagonalGaussian) -> None:
    out, free = out_of(normal), normal.init_free()
    mode = normal.mode(out, free)
    assert np.array_equal(normal.sample(out, free, np.zeros((4, 2))), mode)
    mode[:] = 0
    assert out[:, :2].all()  # a copy: who changes an action does not change the output


@pytest.mark.parametrize("normal", BOTH)
def test_float32_stays_float32(normal: DiagonalGaussian) -> None:
    out, free = out_of(normal).astype(np.float32), normal.init_free().astype(np.float32)
    act = normal.sample(out, free, normal.noise(RNG, 4))
    results = [act, normal.log_prob(out, free, act), normal.entropy(out, free)]
    results += [*normal.score(out, free, act), *normal.entropy_score(out, free)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


@pytest.mark.parametrize("normal", BOTH)
def test_components_are_summed(normal: DiagonalGaussian) -> None:
    out, free = out_of(normal), normal.init_free()
    act = np.zeros((4, 2))
    assert normal.log_prob(out, free, act).shape == (4,)
    assert normal.entropy(out, free).shape == (4,)
    assert normal.kl(out, free, out, free).shape == (4,)
    d_out, d_free = normal.score(out, free, act)
    assert (d_out.shape, d_free.shape) == (out.shape, (4, normal.n_free))


@pytest.mark.parametrize("log_sigma", [-745.0, -104.0, -20.1, 2.1, 800.0])
def test_beyond_the_clamp_everything_is_finite_and_sigma_is_not_pushed(log_sigma: float) -> None:
    free, out = np.full(2, log_sigma), np.zeros((3, 2))
    bound = np.clip(log_sigma, LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    act = FREE.sample(out, free, np.ones((3, 2)))
    np.testing.assert_allclose(act, np.exp(bound))
    assert np.isfinite(FREE.log_prob(out, free, act)).all()
    assert not FREE.score(out, free, act)[1].any()
    assert not FREE.entropy_score(out, free)[1].any()
    assert np.isfinite(FREE.score(out.astype(np.float32), free.astype(np.float32), act)[0]).all()


def test_the_clamp_is_closed() -> None:
    inside = clamp(np.array([LOG_SIGMA_MIN, LOG_SIGMA_MAX, np.nextafter(LOG_SIGMA_MAX, 3)]))[1]
    assert inside.tolist() == [True, True, False]


def test_no_rows() -> None:
    out, free = np.zeros((0, 2)), np.zeros(2)
    assert FREE.sample(out, free, np.zeros((0, 2))).shape == (0, 2)
    assert FREE.log_prob(out, free, np.zeros((0, 2))).shape == (0,)
    assert FREE.entropy(out, free).shape == (0,)


def test_a_dimension_there_is() -> None:
    with pytest.raises(ValueError, match=r"^dim must be at least 1, got 0$"):
        DiagonalGaussian(0)


@pytest.mark.parametrize("value", [-20.5, 2.5, float("nan")])
def test_the_first_log_sigma_lies_in_the_clamp(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^init_log_sigma must lie in \[-20, 2\], got {value}$"):
        DiagonalGaussian(1, init_log_sigma=value)


@pytest.mark.parametrize("value", [-20.0, 2.0])
def test_the_ends_of_the_clamp_belong_to_it(value: float) -> None:
    assert DiagonalGaussian(1, init_log_sigma=value).init_free().tolist() == [value]


@pytest.mark.parametrize("normal", BOTH)
def test_arrays_of_another_shape_are_refused(normal: DiagonalGaussian) -> None:
    out, free = out_of(normal), normal.init_free()
    n, act = normal.n_outputs, np.zeros((4, 2))
    with pytest.raises(ValueError, match=rf"^out must have shape \(any, {n}\), got \(4, {n - 1}\)"):
        normal.entropy(out[:, 1:], free)
    with pytest.raises(ValueError, match=rf"^free must have shape \({normal.n_free},\), got \(5,"):
        normal.entropy_score(out, np.zeros(5))
    for bad in (act[:1], act[:, :1], act[:, 0]):
        with pytest.raises(ValueError, match=r"^act must have shape \(4, 2\), got \("):
            normal.log_prob(out, free, bad)
        with pytest.raises(ValueError, match=r"^act must have shape \(4, 2\), got \("):
            normal.score(out, free, bad)
        with pytest.raises(ValueError, match=r"^noise must have shape \(4, 2\), got \("):
            normal.sample(out, free, bad)
    with pytest.raises(ValueError, match=r"^other_out must have shape \(4, \d\), got \(1, \d\)$"):
        normal.kl(out, free, out[:1], free)
