from typing import Any

import numpy as np
import pytest

from npvpg.distributions import Categorical
from npvpg.distributions.softmax import log_softmax

RNG = np.random.default_rng([94, 0])
DICE = Categorical(3)


def test_sizes() -> None:
    assert (DICE.n_params, DICE.scale_columns, DICE.event_shape) == (3, (), ())
    assert str(DICE) == "categorical of 3"


def test_noise_lies_in_the_unit_interval_and_follows_from_the_generator() -> None:
    one, same = (DICE.noise(np.random.default_rng(1), 1000) for _ in range(2))
    assert np.array_equal(one, same)
    assert one.shape == (1000,)
    assert ((one >= 0) & (one < 1)).all()


def test_nothing_is_written_to() -> None:
    out, act, noise = RNG.standard_normal((4, 3)), np.array([0, 1, 2, 0]), DICE.noise(RNG, 4)
    for array in (out, act, noise):
        array.flags.writeable = False
    DICE.sample(out, noise)
    DICE.score(out, act)
    DICE.entropy_score(out)
    DICE.kl(out, out)


def test_the_mode_is_the_first_of_equals() -> None:
    mode = DICE.mode(np.array([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]]))
    assert mode.tolist() == [1, 0]
    assert mode.dtype == np.int64


def test_one_action_is_certain() -> None:
    sure, out = Categorical(1), np.full((2, 1), 7.0)
    act = sure.sample(out, np.array([0.0, 1 - 2**-53]))
    assert act.tolist() == [0, 0]
    assert sure.log_prob(out, act).tolist() == [0, 0]
    assert not sure.score(out, act).any()
    assert not sure.entropy(out).any()


def test_extreme_logits_stay_finite() -> None:
    out = np.array([[1e308, -1e308, 0.0], [-800.0, 0.0, -1000.0]])
    assert (DICE.entropy(out) == 0).all()
    assert np.isfinite(DICE.entropy_score(out)).all()
    assert np.isfinite(DICE.score(out, np.array([0, 1]))).all()
    assert np.isfinite(DICE.kl(out, out)).all()
    assert np.array_equal(log_softmax(out)[:, [0, 1]].max(axis=1), [0, 0])


def test_no_rows() -> None:
    out, act = np.zeros((0, 3)), np.zeros(0, np.int64)
    assert DICE.sample(out, np.zeros(0)).shape == (0,)
    assert DICE.log_prob(out, act).shape == (0,)
    assert DICE.score(out, act).shape == (0, 3)


def test_float32_stays_float32_but_for_divergences() -> None:
    out, act = np.zeros((2, 3), np.float32), np.array([0, 2])
    results = [DICE.log_prob(out, act), DICE.entropy(out)]
    results += [DICE.score(out, act), DICE.entropy_score(out)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    assert DICE.kl(out, out).dtype == np.float64


def test_divergences_of_single_precision_are_taken_in_double() -> None:
    out, other = RNG.standard_normal((2, 4, 3)).astype(np.float32)
    double = DICE.kl(out.astype(np.float64), other.astype(np.float64))
    assert np.array_equal(DICE.kl(out, other), double)


def test_the_divergence_can_be_differentiated_by_complex_steps() -> None:
    out, other = RNG.standard_normal((2, 1, 3))
    log_p, log_q = log_softmax(out)[0], log_softmax(other)[0]
    p, kl = np.exp(log_p), DICE.kl(out, other)[0]
    steps = 1e-30j * np.eye(3)[:, np.newaxis]
    by_out = [DICE.kl(out + step, other)[0].imag / 1e-30 for step in steps]
    by_other = [DICE.kl(out, other + step)[0].imag / 1e-30 for step in steps]
    np.testing.assert_allclose(by_out, p * (log_p - log_q - kl), rtol=1e-12)
    np.testing.assert_allclose(by_other, np.exp(log_q) - p, rtol=1e-12)


@pytest.mark.parametrize("n", [0, -2])
def test_there_is_an_action(n: int) -> None:
    with pytest.raises(ValueError, match=f"^n must be at least 1, got {n}$"):
        Categorical(n)


@pytest.mark.parametrize(
    ("act", "span"), [([-1, 0], "-1 ... 0"), ([0, 3], "0 ... 3"), ([3, 3], "3 ... 3")]
)
def test_an_action_there_is_not(act: list[int], span: str) -> None:
    for method in (DICE.log_prob, DICE.score):
        with pytest.raises(ValueError, match=rf"^act must lie in 0 \.\.\. 2, got {span}$"):
            method(np.zeros((2, 3)), np.array(act))


@pytest.mark.parametrize("act", [[0, 2], [0.0, 2.0], np.array([0, 2], np.uint8), (0, 2.0)])
def test_whole_numbers_of_any_kind_are_actions(act: Any) -> None:
    out, want = RNG.standard_normal((2, 3)), np.array([0, 2])
    assert np.array_equal(DICE.log_prob(out, act), DICE.log_prob(out, want))
    assert np.array_equal(DICE.score(out, act), DICE.score(out, want))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ([True, False], "hold whole numbers, got bool"),
        ([0.0, 1.5], r"hold whole numbers, got 1\.5"),
        ([0.0, np.nan], r"lie in 0 \.\.\. 2, got nan \.\.\. nan"),
        ([0.0, np.inf], r"lie in 0 \.\.\. 2, got 0\.0 \.\.\. inf"),
        ([0j, 1j], "hold whole numbers, got complex128"),
        (["0", "1"], "hold whole numbers, got <U1"),
    ],
)
def test_what_is_no_whole_number_is_refused(act: Any, message: str) -> None:
    for method in (DICE.log_prob, DICE.score):
        with pytest.raises(ValueError, match=f"^act must {message}$"):
            method(np.zeros((2, 3)), act)


def test_arrays_of_another_shape_are_refused() -> None:
    out, act = np.zeros((4, 3)), np.zeros(4, np.int64)
    wide = r"^params must have shape \(any, 3\), got \(4, 2\)$"
    for call in (DICE.entropy, DICE.entropy_score):
        with pytest.raises(ValueError, match=wide):
            call(out[:, :2])
    for method in (DICE.log_prob, DICE.score):
        with pytest.raises(ValueError, match=wide):
            method(out[:, :2], act)
        for bad in (act[:1], act[:, np.newaxis]):
            with pytest.raises(ValueError, match=r"^act must have shape \(4,\), got \("):
                method(out, bad)
    with pytest.raises(ValueError, match=r"^noise must have shape \(4,\), got \(4, 1\)$"):
        DICE.sample(out, np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"^other_params must have shape \(4, 3\), got \(1, 3\)$"):
        DICE.kl(out, out[:1])
    with pytest.raises(ValueError, match=wide):
        DICE.kl(out[:, :2], out[:, :2])
    with pytest.raises(ValueError, match=wide):
        DICE.sample(out[:, :2], np.zeros(4))
