import numpy as np
import pytest

from npvpg.distributions import Bernoulli
from npvpg.distributions.bernoulli import sigmoid, softplus

RNG = np.random.default_rng([96, 0])
BITS = Bernoulli(3)


def test_sizes() -> None:
    assert (BITS.n_params, BITS.scale_columns, BITS.event_shape) == (3, (), (3,))
    assert str(BITS) == "Bernoulli of 3"


def test_noise_lies_in_the_unit_interval_and_follows_from_the_generator() -> None:
    one, same = (BITS.noise(np.random.default_rng(1), 1000) for _ in range(2))
    assert np.array_equal(one, same)
    assert one.shape == (1000, 3)
    assert ((one >= 0) & (one < 1)).all()


def test_nothing_is_written_to() -> None:
    out, noise = RNG.standard_normal((4, 3)), BITS.noise(RNG, 4)
    act = BITS.sample(out, noise)
    for array in (out, act, noise):
        array.flags.writeable = False
    BITS.sample(out, noise)
    BITS.score(out, act)
    BITS.entropy_score(out)
    BITS.kl(out, out)


def test_worked_by_hand() -> None:
    z = np.log(3.0)  # probability 3/4; -z has 1/4
    x = np.array([z, -z, 0.0])
    np.testing.assert_allclose(sigmoid(x), [0.75, 0.25, 0.5], rtol=1e-15)
    np.testing.assert_allclose(softplus(x), np.log([4, 4 / 3, 2]), rtol=1e-15)
    pair, out = Bernoulli(2), np.array([[z, -z]])
    for act, chance in (([1, 0], 9 / 16), ([0, 1], 1 / 16), ([1, 1], 3 / 16)):
        log_p = pair.log_prob(out, np.array([act], np.float64))
        np.testing.assert_allclose(np.exp(log_p), chance, rtol=1e-14)
    each = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(pair.entropy(out), 2 * each, rtol=1e-14)
    np.testing.assert_allclose(pair.entropy_score(out), [[-z * 3 / 16, z * 3 / 16]], rtol=1e-14)
    # D(3/4 || 1/4) = 3/4 log 3 - 1/4 log 3, twice
    np.testing.assert_allclose(pair.kl(out, -out), np.log(3), rtol=1e-14)


def test_a_bit_is_set_where_the_noise_is_below_its_probability() -> None:
    noise = np.array([[0.5, np.nextafter(0.5, 0)]])
    assert Bernoulli(2).sample(np.zeros((1, 2)), noise).tolist() == [[0, 1]]


def test_divergences_of_single_precision_are_taken_in_double() -> None:
    out, other = RNG.standard_normal((2, 4, 3)).astype(np.float32)
    double = BITS.kl(out.astype(np.float64), other.astype(np.float64))
    assert np.array_equal(BITS.kl(out, other), double)


def test_the_divergence_can_be_differentiated_by_complex_steps() -> None:
    out, other = RNG.standard_normal((2, 1, 3))
    p, q = sigmoid(out)[0], sigmoid(other)[0]
    steps = 1e-30j * np.eye(3)[:, np.newaxis]
    by_out = [BITS.kl(out + step, other)[0].imag / 1e-30 for step in steps]
    by_other = [BITS.kl(out, other + step)[0].imag / 1e-30 for step in steps]
    np.testing.assert_allclose(by_out, p * (1 - p) * (out - other)[0], rtol=1e-11)
    np.testing.assert_allclose(by_other, q - p, rtol=1e-11)


def test_logits_of_another_width_are_refused_by_every_method() -> None:
    out, noise = np.zeros((4, 2)), np.zeros((4, 2))
    message = r"^params must have shape \(any, 3\), got \(4, 2\)$"
    with pytest.raises(ValueError, match=message):
        BITS.sample(out, noise)
    with pytest.raises(ValueError, match=message):
        BITS.kl(out, out)


def test_the_mode_is_zero_where_both_are_as_probable() -> None:
    assert BITS.mode(np.array([[0.0, 1.0, -1.0]])).tolist() == [[0, 1, 0]]


def test_extreme_logits_stay_finite() -> None:
    out = np.array([[1e308, -1e308, 0.0], [-800.0, 800.0, -1000.0]])
    act = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    assert np.isfinite(BITS.log_prob(out, act * 0 + (out > 0))).all()
    assert np.isfinite(BITS.entropy(out)).all()
    assert np.isfinite(BITS.entropy_score(out)).all()
    assert np.isfinite(BITS.score(out, act)).all()
    assert (BITS.kl(out, out) == 0).all()


def test_a_rare_bit_keeps_its_digits() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-40.0])), np.exp(-40.0), rtol=1e-15)
    np.testing.assert_allclose(softplus(np.array([-40.0])), np.exp(-40.0), rtol=1e-15)
    score = Bernoulli(1).score(np.array([[40.0]]), np.ones((1, 1)))
    np.testing.assert_allclose(score, [[np.exp(-40.0)]], rtol=1e-15)


def test_no_rows() -> None:
    out = np.zeros((0, 3))
    assert BITS.sample(out, np.zeros((0, 3))).shape == (0, 3)
    assert BITS.log_prob(out, out).shape == (0,)
    assert BITS.score(out, out).shape == (0, 3)


def test_float32_stays_float32_but_for_divergences() -> None:
    out = np.zeros((2, 3), np.float32)
    act = BITS.sample(out, BITS.noise(RNG, 2))
    results = [act, BITS.mode(out), BITS.log_prob(out, act), BITS.entropy(out)]
    results += [BITS.score(out, act), BITS.entropy_score(out)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    assert BITS.kl(out, out).dtype == np.float64


def test_there_is_a_bit() -> None:
    with pytest.raises(ValueError, match=r"^n must be at least 1, got 0$"):
        Bernoulli(0)


def test_bits_may_be_a_list_but_no_booleans() -> None:
    out, act = np.zeros((1, 3), np.float32), [[0, 1, 1]]
    assert np.array_equal(BITS.score(out, act), BITS.score(out, np.array(act, np.float32)))
    assert BITS.log_prob(out, act).dtype == np.float32
    with pytest.raises(ValueError, match=r"^act must hold numbers, got bool$"):
        BITS.log_prob(out, [[False, True, True]])


@pytest.mark.parametrize("bit", [0.5, 2.0, -1.0, np.nan])
def test_a_bit_is_0_or_1(bit: float) -> None:
    act = np.array([[0.0, 1.0, bit]])
    for method in (BITS.log_prob, BITS.score):
        with pytest.raises(ValueError, match=rf"^act must hold bits 0 and 1, got {bit}$"):
            method(np.zeros((1, 3)), act)


def test_arrays_of_another_shape_are_refused() -> None:
    out, act = np.zeros((4, 3)), np.zeros((4, 3))
    wide = r"^params must have shape \(any, 3\), got \(4, 2\)$"
    for call in (BITS.entropy, BITS.entropy_score):
        with pytest.raises(ValueError, match=wide):
            call(out[:, :2])
    for method in (BITS.log_prob, BITS.score):
        with pytest.raises(ValueError, match=wide):
            method(out[:, :2], act)
        for bad in (act[:1], act[:, 0]):
            with pytest.raises(ValueError, match=r"^act must have shape \(4, 3\), got \("):
                method(out, bad)
    with pytest.raises(ValueError, match=r"^noise must have shape \(4, 3\), got \(4, 1\)$"):
        BITS.sample(out, np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"^other_params must have shape \(4, 3\), got \(1, 3\)$"):
        BITS.kl(out, out[:1])
