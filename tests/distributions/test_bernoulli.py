import numpy as np
import pytest

from npvpg.distributions import Bernoulli
from npvpg.distributions.bernoulli import sigmoid, softplus

RNG = np.random.default_rng([96, 0])
NONE = np.zeros(0)
BITS = Bernoulli(3)


def test_sizes() -> None:
    assert (BITS.n_outputs, BITS.n_free, BITS.event_shape) == (3, 0, (3,))
    assert BITS.init_free().shape == (0,)


def test_noise_lies_in_the_unit_interval_and_follows_from_the_generator() -> None:
    one, same = (BITS.noise(np.random.default_rng(1), 1000) for _ in range(2))
    assert np.array_equal(one, same)
    assert one.shape == (1000, 3)
    assert ((one >= 0) & (one < 1)).all()


def test_nothing_is_written_to() -> None:
    out, noise = RNG.standard_normal((4, 3)), BITS.noise(RNG, 4)
    act = BITS.sample(out, NONE, noise)
    for array in (out, act, noise):
        array.flags.writeable = False
    BITS.sample(out, NONE, noise)
    BITS.score(out, NONE, act)
    BITS.entropy_score(out, NONE)
    BITS.kl(out, NONE, out, NONE)


def test_the_mode_is_zero_where_both_are_as_probable() -> None:
    assert BITS.mode(np.array([[0.0, 1.0, -1.0]]), NONE).tolist() == [[0, 1, 0]]


def test_extreme_logits_stay_finite() -> None:
    out = np.array([[1e308, -1e308, 0.0], [-800.0, 800.0, -1000.0]])
    act = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    assert np.isfinite(BITS.log_prob(out, NONE, act * 0 + (out > 0))).all()
    assert np.isfinite(BITS.entropy(out, NONE)).all()
    assert all(np.isfinite(d).all() for d in BITS.entropy_score(out, NONE))
    assert all(np.isfinite(d).all() for d in BITS.score(out, NONE, act))
    assert (BITS.kl(out, NONE, out, NONE) == 0).all()


def test_a_rare_bit_keeps_its_digits() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-40.0])), np.exp(-40.0), rtol=1e-15)
    np.testing.assert_allclose(softplus(np.array([-40.0])), np.exp(-40.0), rtol=1e-15)
    score, _ = Bernoulli(1).score(np.array([[40.0]]), NONE, np.ones((1, 1)))
    np.testing.assert_allclose(score, [[np.exp(-40.0)]], rtol=1e-15)


def test_no_rows() -> None:
    out = np.zeros((0, 3))
    assert BITS.sample(out, NONE, np.zeros((0, 3))).shape == (0, 3)
    assert BITS.log_prob(out, NONE, out).shape == (0,)
    assert BITS.score(out, NONE, out)[0].shape == (0, 3)


def test_float32_stays_float32_but_for_divergences() -> None:
    out = np.zeros((2, 3), np.float32)
    act = BITS.sample(out, NONE, BITS.noise(RNG, 2))
    results = [act, BITS.mode(out, NONE), BITS.log_prob(out, NONE, act), BITS.entropy(out, NONE)]
    results += [*BITS.score(out, NONE, act), *BITS.entropy_score(out, NONE)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    assert BITS.kl(out, NONE, out, NONE).dtype == np.float64


def test_there_is_a_bit() -> None:
    with pytest.raises(ValueError, match=r"^n must be at least 1, got 0$"):
        Bernoulli(0)


@pytest.mark.parametrize("bit", [0.5, 2.0, -1.0, np.nan])
def test_a_bit_is_0_or_1(bit: float) -> None:
    act = np.array([[0.0, 1.0, bit]])
    for method in (BITS.log_prob, BITS.score):
        with pytest.raises(ValueError, match=rf"^act must hold bits 0 and 1, got {bit}$"):
            method(np.zeros((1, 3)), NONE, act)


def test_arrays_of_another_shape_are_refused() -> None:
    out, act = np.zeros((4, 3)), np.zeros((4, 3))
    wide = r"^out must have shape \(any, 3\), got \(4, 2\)$"
    for call in (BITS.entropy, BITS.entropy_score):
        with pytest.raises(ValueError, match=wide):
            call(out[:, :2], NONE)
    for method in (BITS.log_prob, BITS.score):
        with pytest.raises(ValueError, match=wide):
            method(out[:, :2], NONE, act)
        for bad in (act[:1], act[:, 0]):
            with pytest.raises(ValueError, match=r"^act must have shape \(4, 3\), got \("):
                method(out, NONE, bad)
    with pytest.raises(ValueError, match=r"^noise must have shape \(4, 3\), got \(4, 1\)$"):
        BITS.sample(out, NONE, np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"^other_out must have shape \(4, 3\), got \(1, 3\)$"):
        BITS.kl(out, NONE, out[:1], NONE)
