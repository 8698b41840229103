import gymnasium
import numpy as np
import pytest

from npvpg.collect import FixedHorizon
from npvpg.distributions import Categorical, GreedyCategorical
from npvpg.distributions.softmax import log_mixture
from npvpg.envs import COMPILED
from npvpg.estimators import GAE
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.value import MLPValue
from verification import flat

RNG = np.random.default_rng([99, 0])
LAW = GreedyCategorical(Categorical(3), probability=0.5)


def test_it_is_as_large_as_the_categorical() -> None:
    assert (LAW.n_params, LAW.scale_columns, LAW.event_shape) == (3, (), ())
    assert LAW.noise(np.random.default_rng(0), 4).shape == (4,)


def test_without_greed_it_is_the_categorical() -> None:
    plain, none = Categorical(3), GreedyCategorical(Categorical(3), probability=0.0)
    out, act = RNG.standard_normal((5, 3)), np.array([0, 1, 2, 1, 0])
    np.testing.assert_allclose(none.log_prob(out, act), plain.log_prob(out, act))
    np.testing.assert_allclose(none.score(out, act), plain.score(out, act))
    np.testing.assert_allclose(none.entropy(out), plain.entropy(out))


def test_near_certain_greed_leaves_no_score_at_the_mode() -> None:
    law, out = GreedyCategorical(Categorical(3), probability=1 - 1e-9), np.array([[0.0, 1.0, 0.0]])
    assert np.abs(law.score(out, np.array([1]))).max() < 1e-8
    rare = law.score(out, np.array([0]))
    np.testing.assert_allclose(rare, Categorical(3).score(out, np.array([0])))


def test_extreme_logits_stay_finite() -> None:
    out = np.array([[1e308, -1e308, 0.0], [-800.0, 0.0, -1000.0]])
    act = np.array([0, 1])
    results = [LAW.log_prob(out, act), LAW.entropy(out), LAW.kl(out, out)]
    results += [LAW.score(out, act), LAW.entropy_score(out)]
    assert all(np.isfinite(r).all() for r in results)


def test_divergences_of_single_precision_are_taken_in_double() -> None:
    out, other = RNG.standard_normal((2, 4, 3)).astype(np.float32)
    double = LAW.kl(out.astype(np.float64), other.astype(np.float64))
    assert np.array_equal(LAW.kl(out, other), double)


def test_the_divergence_can_be_differentiated_by_complex_steps() -> None:
    out, other = RNG.standard_normal((2, 1, 3))
    log_p, log_q = log_mixture(out, 0.5)[0], log_mixture(other, 0.5)[0]
    acts = np.arange(3)
    score_p, score_q = (LAW.score(np.repeat(z, 3, axis=0), acts) for z in (out, other))
    steps = 1e-30j * np.eye(3)[:, np.newaxis]
    by_out = [LAW.kl(out + step, other)[0].imag / 1e-30 for step in steps]
    by_other = [LAW.kl(out, other + step)[0].imag / 1e-30 for step in steps]
    # sum_a pi(a) (log pi(a) - log pi'(a)) score(a), and less the mean score of the other
    p = np.exp(log_p)
    np.testing.assert_allclose(by_out, (p * (log_p - log_q)) @ score_p, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(by_other, -p @ score_q, rtol=1e-11, atol=1e-14)


def test_nothing_is_written_to_and_float32_stays_float32() -> None:
    out, act = np.zeros((2, 3), np.float32), np.array([0, 2])
    noise = LAW.noise(RNG, 2)
    for array in (out, act, noise):
        array.flags.writeable = False
    LAW.sample(out, noise)
    results = [LAW.log_prob(out, act), LAW.entropy(out), log_mixture(out, 0.5)]
    results += [LAW.score(out, act), LAW.entropy_score(out)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    assert LAW.kl(out, out).dtype == np.float64


@pytest.mark.slow
def test_a_schedule_is_a_sequence_of_distributions() -> None:
    assert "CartPole-v1" in COMPILED  # its import registers the environment
    env = gymnasium.make_vec("npvpg/CartPole-v1", 2)
    state = None
    for k, greedy in enumerate((0.0, 0.25, 0.5)):
        policy = Policy(MLP((4, 2)), GreedyCategorical(Categorical(2), probability=greedy))
        value = MLPValue(MLP((4, 1)))
        algorithm = flat.vpg(policy, value, GAE(0.99, 0.95), FixedHorizon(8), Linear(0.1, 0.1))
        *_, last = iterate(env, algorithm, seed=0, n_steps=32 * (k + 1), state=state)
        state = last.state
    assert state is not None
    assert (state.steps, state.iteration) == (96, 6)


@pytest.mark.parametrize("greedy", [-0.1, 1.0, 1.5, float("nan")])
def test_something_is_left_to_chance(greedy: float) -> None:
    with pytest.raises(ValueError, match=rf"^probability must lie in \[0, 1\), got {greedy}$"):
        GreedyCategorical(Categorical(2), probability=greedy)


def test_what_the_categorical_refuses_is_refused() -> None:
    out, act = np.zeros((4, 3)), np.zeros(4, np.int64)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        Categorical(0)
    for method in (LAW.log_prob, LAW.score):
        with pytest.raises(ValueError, match=r"params must have shape \(any, 3\), got \(4, 2\)"):
            method(out[:, :2], act)
        with pytest.raises(ValueError, match=r"act must lie in 0 \.\.\. 2, got 3 \.\.\. 3"):
            method(out, act + 3)
    for call in (LAW.entropy, LAW.entropy_score):
        with pytest.raises(ValueError, match=r"params must have shape \(any, 3\), got \(4, 2\)"):
            call(out[:, :2])
    with pytest.raises(ValueError, match=r"other_params must have shape \(4, 3\), got \(1, 3\)"):
        LAW.kl(out, out[:1])
    with pytest.raises(ValueError, match=r"noise must have shape \(4,\), got \(3,\)"):
        LAW.sample(out, np.zeros(3))
