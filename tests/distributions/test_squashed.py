import numpy as np
import pytest

from npvpg.distributions import DiagonalGaussian, SquashedGaussian
from npvpg.distributions.squashed import log_tanh_slope

RNG = np.random.default_rng([98, 0])
NORMAL = DiagonalGaussian(2)
LAW = SquashedGaussian(NORMAL, half_width=(1.0, 3.0))


def test_sizes() -> None:
    assert (LAW.n_params, LAW.event_shape, LAW.scale_columns) == (4, (2,), (2, 3))
    assert (LAW.sampler, LAW.pathwise) == ("gaussian", False)
    assert str(LAW) == "Gaussian of 2, squashed by tanh"


def test_what_is_sampled_and_scored_is_the_normal() -> None:
    params = RNG.standard_normal((4, 4))
    noise = LAW.noise(np.random.default_rng(0), 4)
    assert np.array_equal(noise, NORMAL.noise(np.random.default_rng(0), 4))
    act = LAW.sample(params, noise)
    assert np.array_equal(act, NORMAL.sample(params, noise))
    assert np.array_equal(LAW.mode(params), NORMAL.mode(params))
    assert np.array_equal(LAW.score(params, act), NORMAL.score(params, act))
    assert np.array_equal(LAW.kl(params, params + 1), NORMAL.kl(params, params + 1))
    assert not np.isclose(LAW.log_prob(params, act), NORMAL.log_prob(params, act)).any()


def test_nothing_is_written_to() -> None:
    params, act = RNG.standard_normal((4, 4)), RNG.standard_normal((4, 2))
    for array in (params, act):
        array.flags.writeable = False
    LAW.log_prob(params, act)
    LAW.entropy(params)
    LAW.entropy_score(params)


def test_float32_stays_float32() -> None:
    params = np.zeros((3, 4), np.float32)
    act = LAW.sample(params, LAW.noise(RNG, 3))
    results = [act, LAW.entropy(params), LAW.entropy_score(params)]
    for given in (act, act.astype(np.float64), act.tolist()):
        results += [LAW.log_prob(params, given), LAW.score(params, given)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_far_out_everything_is_finite() -> None:
    act = np.array([[40.0, -1e3]])
    assert np.isfinite(LAW.log_prob(np.zeros((1, 4)), act)).all()
    assert np.isfinite(log_tanh_slope(np.array([1e307, -1e300]))).all()
    entropy = LAW.entropy(np.array([[1e3, -1e3, 0.0, 0.0]]))
    assert np.isfinite(entropy).all()
    assert (entropy < -1000).all()  # all of it piles up at the bounds


def test_the_widest_entropy_is_below_that_of_the_uniform() -> None:
    uniform = np.log(2.0) + np.log(6.0)
    sigmas = np.linspace(-2, 2, 41)
    best = max(float(LAW.entropy(np.array([[0.0, 0.0, s, s]]))[0]) for s in sigmas)
    assert uniform - 0.05 < best < uniform


@pytest.mark.parametrize("width", [(1.0,), (1.0, 2.0, 3.0)])
def test_there_is_a_width_for_every_component(width: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"^half_width must have shape \(2,\), got \(\d,\)$"):
        SquashedGaussian(NORMAL, half_width=width)


@pytest.mark.parametrize("width", [0.0, -1.0, float("inf"), float("nan")])
def test_a_width_is_positive_and_finite(width: float) -> None:
    with pytest.raises(ValueError, match=f"half_width must be positive and finite, got {width}"):
        SquashedGaussian(NORMAL, half_width=(1.0, width))


def test_what_the_gaussian_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match=r"act must have shape \(4, 2\), got \(4, 1\)"):
        LAW.log_prob(np.zeros((4, 4)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="act must hold numbers, got bool"):
        LAW.log_prob(np.zeros((1, 4)), [[True, False]])
    with pytest.raises(ValueError, match="distribution must be one that can be differentiated"):
        LAW.sample_back(np.zeros((4, 4)), np.zeros((4, 2)), np.zeros((4, 2)))
