import numpy as np
import pytest

from npvpg.distributions import DiagonalGaussian, SquashedGaussian
from npvpg.distributions.squashed import log_tanh_slope

RNG = np.random.default_rng([98, 0])
FREE = SquashedGaussian(2, half_width=(1.0, 3.0))
DEPENDENT = SquashedGaussian(2, True, half_width=(1.0, 3.0))
BOTH = [(FREE, DiagonalGaussian(2)), (DEPENDENT, DiagonalGaussian(2, True))]


@pytest.mark.parametrize(("law", "normal"), BOTH)
def test_what_is_sampled_and_scored_is_the_normal(
    law: SquashedGaussian, normal: DiagonalGaussian
) -> None:
    out, free = RNG.standard_normal((4, law.n_outputs)), law.init_free()
    noise = law.noise(np.random.default_rng(0), 4)
    assert np.array_equal(noise, normal.noise(np.random.default_rng(0), 4))
    act = law.sample(out, free, noise)
    assert np.array_equal(act, normal.sample(out, free, noise))
    assert np.array_equal(law.mode(out, free), normal.mode(out, free))
    for have, want in zip(law.score(out, free, act), normal.score(out, free, act), strict=True):
        assert np.array_equal(have, want)
    assert np.array_equal(law.kl(out, free, out + 1, free), normal.kl(out, free, out + 1, free))
    assert not np.isclose(law.log_prob(out, free, act), normal.log_prob(out, free, act)).any()


@pytest.mark.parametrize(("law", "_"), BOTH)
def test_nothing_is_written_to(law: SquashedGaussian, _: DiagonalGaussian) -> None:
    out, free = RNG.standard_normal((4, law.n_outputs)), law.init_free()
    act = RNG.standard_normal((4, 2))
    for array in (out, free, act):
        array.flags.writeable = False
    law.log_prob(out, free, act)
    law.entropy(out, free)
    law.entropy_score(out, free)


@pytest.mark.parametrize(("law", "_"), BOTH)
def test_float32_stays_float32(law: SquashedGaussian, _: DiagonalGaussian) -> None:
    out, free = np.zeros((3, law.n_outputs), np.float32), law.init_free().astype(np.float32)
    act = law.sample(out, free, law.noise(RNG, 3))
    results = [act, law.log_prob(out, free, act), law.entropy(out, free)]
    results += [*law.score(out, free, act), *law.entropy_score(out, free)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_far_out_everything_is_finite() -> None:
    act = np.array([[40.0, -1e3]])
    assert np.isfinite(FREE.log_prob(np.zeros((1, 2)), np.zeros(2), act)).all()
    assert np.isfinite(log_tanh_slope(np.array([1e307, -1e300]))).all()
    entropy = FREE.entropy(np.array([[1e3, -1e3]]), np.zeros(2))
    assert np.isfinite(entropy).all()
    assert (entropy < -1000).all()  # all of it piles up at the bounds


def test_the_widest_entropy_is_below_that_of_the_uniform() -> None:
    uniform = np.log(2.0) + np.log(6.0)
    sigmas = np.linspace(-2, 2, 41)
    best = max(float(FREE.entropy(np.zeros((1, 2)), np.full(2, s))[0]) for s in sigmas)
    assert uniform - 0.05 < best < uniform


@pytest.mark.parametrize("width", [(1.0,), (1.0, 2.0, 3.0)])
def test_there_is_a_width_for_every_component(width: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"^half_width must have shape \(2,\), got \(\d,\)$"):
        SquashedGaussian(2, half_width=width)


@pytest.mark.parametrize("width", [0.0, -1.0, float("inf"), float("nan")])
def test_a_width_is_positive_and_finite(width: float) -> None:
    with pytest.raises(ValueError, match=f"half_width must be positive and finite, got {width}"):
        SquashedGaussian(2, half_width=(1.0, width))


def test_what_the_gaussian_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="dim must be at least 1, got 0"):
        SquashedGaussian(0, half_width=())
    with pytest.raises(ValueError, match=r"act must have shape \(4, 2\), got \(4, 1\)"):
        FREE.log_prob(np.zeros((4, 2)), np.zeros(2), np.zeros((4, 1)))
