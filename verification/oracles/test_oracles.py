"""The oracles agree with each other and with closed forms, and each can be seen to fail."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from verification.oracles import (
    derivatives,
    distributions,
    enumeration,
    mdp,
    network,
    quadrature,
    returns,
    squashed,
    statistics,
)

SUITE_SEED = 20


def _rng(test: int) -> np.random.Generator:
    return np.random.default_rng([SUITE_SEED, test])


def test_complex_step_is_exact_and_refuses_what_is_not_complex() -> None:
    """A known Jacobian; a function that drops the imaginary part is refused."""
    x = np.array([[0.3, -1.2], [2.0, 0.0]])
    jacobian = derivatives.complex_step(lambda z: np.tanh(z).sum(axis=1), x)
    expected = np.zeros((2, 2, 2))
    expected[0, 0], expected[1, 1] = 1 - np.tanh(x) ** 2
    assert derivatives.relative_error(jacobian, expected) < 1e-15
    along = derivatives.complex_step_along(lambda z: np.tanh(z).sum(axis=1), x, np.ones((2, 2)))
    assert derivatives.relative_error(along, expected.sum(axis=(1, 2))) < 1e-15
    with pytest.raises(TypeError, match="complex part"):
        derivatives.complex_step(lambda z: np.abs(z).sum(), x)
    with pytest.raises(np.exceptions.ComplexWarning):
        derivatives.complex_step(lambda z: z.astype(np.float64), x)


def test_central_difference_sees_one_part_in_a_thousand() -> None:
    """It meets its tolerance, and a gradient scaled by 1.0005 does not."""
    x = np.array([0.3, -1.2, 40.0])
    slope = derivatives.central_difference(lambda z: np.sin(z).sum(), x)
    assert derivatives.relative_error(slope, np.cos(x)) < 1e-7
    assert derivatives.relative_error(slope, 1.0005 * np.cos(x)) > 1e-7


def test_relative_error_never_broadcasts_and_never_hides_nan() -> None:
    """Shapes must be equal; NaN comes out as NaN, which no comparison accepts."""
    with pytest.raises(ValueError, match="shapes must be equal"):
        derivatives.relative_error(np.zeros((2, 1)), np.zeros(2))
    assert math.isnan(derivatives.relative_error(np.array([np.nan]), np.ones(1)))
    assert derivatives.relative_error(np.zeros(3), np.zeros(3)) == 0
    assert derivatives.relative_error(np.ones(1), np.zeros(1)) == math.inf
    assert derivatives.relative_error(np.array([1e200]), np.array([2e200])) == pytest.approx(0.5)


def test_returns_by_hand() -> None:
    """Numbers worked out on paper."""
    half = Fraction(1, 2)
    assert returns.reward_to_go([1, 1, 1], 8, half) == [Fraction(11, 4), Fraction(7, 2), 5]
    assert returns.total_return([1, 2], half) == [2, 2]
    assert returns.td_residual([1, 1], [2, 4], 0, half) == [1, -3]
    values = [half, half, half]
    expected = [Fraction(9, 8), Fraction(1), half]
    assert returns.n_step([1, 1, 1], values, 0, half, 2) == expected
    expected = [Fraction(31, 32), Fraction(7, 8), half]
    assert returns.gae([1, 1, 1], values, 0, half, half) == expected
    assert returns.truncated_sum([1, 1, 1], half, 2) == [Fraction(3, 2), Fraction(3, 2), 1]


def test_segments_cut_at_ends_and_bootstrap_truncations_only() -> None:
    """Four steps, two trajectories, the first terminated and the second truncated."""
    first, second = returns.segments(
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [0, 90, 0, 91],
        [False, True, False, True],
        [False, True, False, False],
    )
    assert first == ([1, 2], [5, 6], 0)
    assert second == ([3, 4], [7, 8], 91)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_backward_induction_agrees_with_enumeration(gamma: float) -> None:
    """Two independent routes to J; probabilities add to 1; a wrong horizon does not agree."""
    rng = _rng(1)
    process = mdp.random_mdp(rng, 2, 3, 3, gamma, final=True)
    policy = mdp.softmax(rng.standard_normal((3, 2, 3)))
    total, J, free = 0.0, 0.0, 0.0
    for episode in enumeration.trajectories(process, policy):
        total += episode.probability
        value = sum(gamma**k * r for k, r in enumerate(episode.rewards))
        if not episode.terminated:
            value += gamma ** len(episode.rewards) * process.final[episode.states[-1]]
        J += episode.probability * value
        free += episode.dynamics * np.prod(
            [
                policy[t, s, a]
                for t, (s, a) in enumerate(zip(episode.states, episode.actions, strict=False))
            ]
        )
    solution = mdp.solve(process, policy)
    assert abs(total - 1) < 1e-14
    assert abs(free - 1) < 1e-14
    assert abs(J - solution.J) < 1e-14
    assert np.abs((policy * solution.A).sum(axis=-1)).max() < 1e-14
    if gamma > 0:
        shorter = mdp.MDP(process.transition, process.reward, process.initial, 2, gamma)
        assert abs(mdp.solve(shorter, policy[:2]).J - J) > 1e-3


def test_ensemble_lays_episodes_end_to_end() -> None:
    """Every flat array says the same as the list of episodes, and lengths differ."""
    rng = _rng(2)
    process = mdp.random_mdp(rng, 2, 2, 3, 0.9, integer_rewards=True)
    policy = mdp.softmax(rng.standard_normal((2, 2)))
    flat = enumeration.ensemble(process, policy)
    episodes = list(enumeration.trajectories(process, policy))
    assert len(set(np.diff(flat.start))) == 3
    assert flat.step_probability.shape == flat.rew.shape
    for k, episode in enumerate(episodes):
        rows = slice(flat.start[k], flat.start[k + 1])
        assert tuple(flat.state[rows]) == episode.states[:-1]
        assert tuple(flat.next_state[rows]) == episode.states[1:]
        assert tuple(flat.act[rows]) == episode.actions
        assert tuple(flat.rew[rows]) == episode.rewards
        assert tuple(flat.time[rows]) == tuple(range(len(episode.actions)))
        assert flat.last_state[k] == episode.states[-1]
        assert flat.last_time[k] == len(episode.actions)
        assert bool(flat.terminated[k]) == (episode.states[-1] == process.n_states)
    assert np.array_equal(flat.rew, np.round(flat.rew))


def test_gradient_of_the_objective_agrees_with_difference() -> None:
    """The complex step through backward induction against real numbers."""
    rng = _rng(3)
    process = mdp.random_mdp(rng, 3, 2, 4, 0.9)
    theta = rng.standard_normal(6)

    def policy(x: np.ndarray) -> np.ndarray:
        return mdp.softmax(x.reshape(3, 2))

    exact = mdp.gradient(process, policy, theta)
    rough = derivatives.central_difference(lambda x: mdp.solve(process, policy(x)).J, theta)
    assert derivatives.relative_error(rough, exact) < 1e-7


def test_quadrature_is_exact_from_its_order_on() -> None:
    """Moments of the normal; one node too few is wrong, which is the control."""
    assert quadrature.normal_expectation(lambda e: e[:, 0] ** 4 * e[:, 1] ** 2, 3, 2) == (
        pytest.approx(3, abs=1e-13)
    )
    assert abs(quadrature.normal_expectation(lambda e: e[:, 0] ** 4, 2, 1) - 3) > 1
    noise, weights = quadrature.noise_sequences(3, 2, 2)
    assert noise.shape == (81, 2, 2)
    assert weights.sum() == pytest.approx(1, abs=1e-15)
    cross = weights @ (noise[:, 0, 0] * noise[:, 1, 0]) ** 2
    assert cross == pytest.approx(1, abs=1e-13)
    mean = quadrature.categorical_expectation(np.array([0.25, 0.75]), lambda a: np.array([a, 1.0]))
    assert np.array_equal(mean, [0.75, 1.0])


def test_distribution_references() -> None:
    """Digits against scipy where scipy is good, and closed forms against expectations."""
    rng = _rng(4)
    logits = 5 * rng.standard_normal(6)
    digits = np.array(distributions.log_softmax_digits(list(logits)))
    assert np.abs(distributions.log_softmax(logits) - digits).max() < 1e-14
    prob = np.array(distributions.softmax_digits(list(logits)))
    assert prob.sum() == pytest.approx(1, abs=1e-15)
    assert distributions.entropy(np.full(8, 0.125)) == pytest.approx(math.log(8), abs=1e-15)
    assert distributions.kl(prob, prob) == 0
    assert distributions.log_softmax_digits([1e308, -1e308, 1e308])[0] == -math.log(2)
    mu, sigma = np.array([0.5, -1.0]), np.array([0.1, 3.0])
    closed = float(stats.norm.entropy(mu, sigma).sum())
    assert distributions.normal_entropy(mu, sigma) == pytest.approx(closed, rel=1e-14)
    assert distributions.normal_kl(mu, sigma, mu, sigma) == 0
    assert distributions.normal_kl(mu, sigma, mu, 2 * sigma) == pytest.approx(
        2 * (math.log(2) + 1 / 8 - 1 / 2), rel=1e-13
    )
    value, magnitude = distributions.normal_log_prob_digits([1.0, 0.0], [0.5, -1.0], [-2.0, 1.0])
    by_scipy = distributions.normal_log_prob(np.array([1.0, 0.0]), mu, np.exp([-2.0, 1.0]))
    assert value == pytest.approx(float(by_scipy), rel=1e-14)
    assert magnitude > abs(value)


def test_bounds_hold_where_the_normal_approximation_fails() -> None:
    """A rare action: Bernstein covers the exact binomial tail, the z-test does not."""
    n, p, alpha = 1000, 1e-3, 1e-9
    exact = stats.binom(n, p)
    reach = statistics.bernstein(n, p * (1 - p), 1 - p, alpha)
    assert exact.sf(math.ceil(n * (p + reach)) - 1) < alpha
    z_reach = stats.norm.isf(alpha / 2) * math.sqrt(p * (1 - p) / n)
    assert exact.sf(math.ceil(n * (p + z_reach)) - 1) > 100 * alpha
    assert statistics.dkw(20_000, 1e-11) == pytest.approx(0.02550, abs=1e-4)


def test_tails_are_two_sided() -> None:
    """Both ends alarm, the middle does not."""
    assert statistics.binomial_tail(0, 100, 0.5) < 1e-20
    assert statistics.binomial_tail(100, 100, 0.5) < 1e-20
    assert statistics.binomial_tail(50, 100, 0.5) == 1
    assert statistics.chi_square_tail(300.0, 100) < 1e-15
    assert statistics.chi_square_tail(20.0, 100) < 1e-15
    assert statistics.chi_square_tail(100.0, 100) > 0.9
    assert statistics.normal_tail(-7.0) == statistics.normal_tail(7.0) < 1e-11
    assert statistics.tail_excess(1e-5, 1e-4) > 1 > statistics.tail_excess(1e-3, 1e-4)
    assert statistics.tail_excess(0.0, 1e-7) > 1


def test_two_stages_pass_a_right_mean_and_fail_a_wrong_one() -> None:
    """The control is a bias just at the size said to be detectable."""
    mean, n = np.array([0.3]), 4000
    test = statistics.MeanTest(mean, mean * (1 - mean), np.maximum(mean, 1 - mean))
    bias = float(test.detectable(n)[0])

    def excess(p: float) -> statistics.Verdict:
        def draw(stage: int, size: int, alpha: float) -> float:
            rng = np.random.default_rng([SUITE_SEED, 5, stage])
            return test.excess((rng.random((size, 1)) < p).astype(np.float64), alpha)

        return statistics.two_stage(draw, n)

    assert excess(0.3).excess <= 1
    wrong = excess(0.3 + bias)
    assert wrong.stages == 2
    assert wrong.excess > 1
    fixed = statistics.MeanTest(np.ones(1), np.zeros(1), np.zeros(1))
    assert fixed.excess(np.ones((10, 1)), 1e-4) == 0
    assert fixed.excess(np.full((10, 1), 1.1), 1e-4) > 1


def test_network_with_digits_by_hand() -> None:
    """One hidden unit, whose derivatives are short; a doubled weight is seen."""
    w, b, v, c, x = 0.7, -0.2, 1.3, 0.4, 0.9
    h = math.tanh(w * x + b)
    value, d_theta, d_x = network.tanh_network((1, 1, 1), [w, b, v, c], [x], [2.0])
    assert value == pytest.approx(2 * (v * h + c), rel=1e-15)
    slope = 2 * v * (1 - h * h)
    assert d_theta == pytest.approx([slope * x, slope, 2 * h, 2], rel=1e-15)
    assert d_x == pytest.approx([slope * w], rel=1e-15)
    assert network.tanh_network((1, 1, 1), [2 * w, b, v, c], [x], [2.0])[0] != value


def test_squashed_references() -> None:
    """Density against its definition, length and a first moment of the interval, known limits."""
    value, magnitude = squashed.log_prob_digits([0.5], [0.2], [-1.0], [3.0])
    slope = 3 * (1 - math.tanh(0.5) ** 2)
    assert value == pytest.approx(stats.norm.logpdf(0.5, 0.2, math.exp(-1)) - math.log(slope))
    assert magnitude > abs(value)
    assert squashed.box_integral(np.ones_like, 3.0) == pytest.approx(6, rel=1e-14)
    moment = squashed.box_integral(lambda x: np.tanh(x) ** 2, 1.0)
    assert moment == pytest.approx(2 / 3, rel=1e-14)
    # a narrow normal is only scaled, by the slope at its mean
    narrow = squashed.entropy(0.5, 1e-4, 3.0)
    assert narrow == pytest.approx(float(stats.norm.entropy(0, 1e-4)) + math.log(slope), abs=1e-7)
