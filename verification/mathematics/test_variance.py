"""F1 to F3: what is true of variance, and the counter-example to what is not."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.estimators import BaselinedReturn, RewardToGo, TotalReturn
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, laboratory, largest
from verification.oracles.enumeration import trajectories
from verification.oracles.mdp import MDP


def _by_time(lab: Lab, psi: NDArray[np.float64]) -> Table:
    """Second moment of score times weight at every time, by the library's scores, shape (H,)."""
    score = lab.policy.at(lab.theta, lab.batch.obs).score(lab.batch.act)
    square = (psi[:, np.newaxis] * score) ** 2
    terms = lab.flat.step_probability * square.sum(axis=1)
    return np.asarray(np.bincount(lab.flat.time, terms, lab.process.horizon), np.float64)


def _return_variance(lab: Lab) -> Table:
    """Variance of the return that follows (t, s, a), by induction, shape (H, S, A)."""
    process, pi = lab.process, lab.table(lab.theta)
    first = np.append(process.final, 0.0)
    second = first**2
    out = np.zeros((process.horizon, process.n_states, process.n_actions))
    for t in reversed(range(process.horizon)):
        r, g = process.reward, process.gamma
        mean = (process.transition * (r + g * first)).sum(axis=-1)
        square = (process.transition * (r**2 + 2 * g * r * first + g**2 * second)).sum(axis=-1)
        out[t] = square - mean**2
        first = np.append((pi * mean).sum(axis=-1), 0.0)
        second = np.append((pi * square).sum(axis=-1), 0.0)
    return out


@claim(
    name="F1",
    title="Q in place of the return lowers the second moment of every step",
    statement=r"E\lVert g_t G_t\rVert^2 - E\lVert g_t Q_t\rVert^2"
    r" = E\bigl[\lVert g_t\rVert^2\,\mathrm{Var}(G_t|s_t,a_t)\bigr] \ge 0",
    words="step by step the exact Q varies less than the return, by the variance it leaves out",
    assumptions="exact Q of the time; of sums over steps nothing of the kind is true",
    source="Rao and Blackwell; Greensmith, Bartlett and Baxter 2004",
    method="enumeration against induction over the second moment of the return",
    tolerance=1e-12,
    tolerance_reason="relative to the second moment",
    about=("npvpg.estimators.RewardToGo", "npvpg.policy.PolicyAt.score"),
)
@given(cases())
@example(Case(n_actions=3))
def test_rao_blackwell(case):
    lab = case.lab
    flat, gamma = lab.flat, case.gamma
    by_return = _by_time(lab, lab.weigh(RewardToGo(gamma)))
    by_q = _by_time(lab, lab.solved.Q[flat.time, flat.state, flat.act])
    length = (lab.score() ** 2).sum(axis=-1)
    gap = (lab.occupancy() * length * _return_variance(lab)).sum(axis=(1, 2))
    size = 1 + float(by_return.max())
    observe(float(np.abs(by_return - by_q - gap).max()), 1e-12 * size, lambda: f"{case}")
    observe(float(np.maximum(by_q - by_return, 0).max()), 1e-12 * size, lambda: f"{case}")


@claim("F1")
def test_q_of_another_step_does_not_lower_it():
    """Control: with the Q of the step before, the identity is off."""
    lab = Case().lab
    flat = lab.flat
    by_return = _by_time(lab, lab.weigh(RewardToGo(0.9)))
    wrong = _by_time(lab, lab.solved.Q[np.maximum(flat.time - 1, 0), flat.state, flat.act])
    length = (lab.score() ** 2).sum(axis=-1)
    gap = (lab.occupancy() * length * _return_variance(lab)).sum(axis=(1, 2))
    observe(abs(float(by_return[0] - wrong[0] - gap[0])), 1e-12)  # there both are the same
    assert abs(by_return[1] - wrong[1] - gap[1]) > 1e-3


def _variance(lab: Lab, each: Table) -> float:
    """Trace of the covariance of the gradient of one episode."""
    mean = lab.flat.probability @ each
    return float(lab.flat.probability @ ((each - mean) ** 2).sum(axis=1))


def _with_baseline(lab: Lab, b: Table) -> Table:
    """Gradients of the library, episode by episode, for a baseline b(t, s), shape (K, P)."""
    flat, gamma = lab.flat, lab.process.gamma
    _, last_val = lab.values(lab.solved.V)
    psi = BaselinedReturn(gamma)(lab.batch.rew, b[flat.time, flat.state], last_val, flat.start)
    return lab.each(psi, gamma)


def _least_squares(lab: Lab) -> tuple[Table, Table]:
    """Optimal b(t, s) by normal equations over the enumerated law, and their matrix."""
    process = lab.process
    n, horizon, gamma = process.n_states, process.horizon, process.gamma
    score = lab.score()
    matrix, right = np.zeros((horizon * n, horizon * n)), np.zeros(horizon * n)
    for episode in trajectories(process, lab.table(lab.theta)):
        length = len(episode.actions)
        tail = 0.0 if episode.terminated else process.final[episode.states[-1]]
        columns = np.zeros((score.shape[-1], horizon * n))
        target = np.zeros(score.shape[-1])
        for t, (s, a) in enumerate(zip(episode.states[:-1], episode.actions, strict=True)):
            to_go = gamma ** (length - t) * tail
            to_go += sum(gamma ** (k - t) * episode.rewards[k] for k in range(t, length))
            columns[:, t * n + s] = gamma**t * score[s, a]
            target += gamma**t * score[s, a] * to_go
        matrix += episode.probability * columns.T @ columns
        right += episode.probability * columns.T @ target
    best = np.asarray(np.linalg.solve(matrix, right), np.float64)
    return best.reshape(horizon, n), matrix


@claim(
    name="F2",
    title="The optimal baseline, and the price of another",
    statement=r"\mathrm{tr\,Cov}(\hat g_b) - \mathrm{tr\,Cov}(\hat g_{b^*})"
    r" = (b-b^*)^\top M\,(b-b^*), \qquad M = E[X^\top X]",
    words="one baseline has least variance; any other costs its weighted squared distance from it",
    assumptions="b depends on state and time; M is the second moment of the discounted scores",
    source="Greensmith, Bartlett and Baxter 2004",
    method="normal equations over the enumerated law against the library's episode gradients",
    tolerance=1e-10,
    tolerance_reason="relative to the variance: a difference of moments through a linear system",
    about=("npvpg.estimators.BaselinedReturn", "npvpg.gradient.policy_gradient"),
)
@given(cases(n_actions=st.just(2), gamma=st.floats(0.5, 1)))
@example(Case())
@example(Case(gamma=1.0))
def test_optimal_baseline(case):
    lab = case.lab
    best, matrix = _least_squares(lab)
    least = _variance(lab, _with_baseline(lab, best))
    other_b = case.rng.standard_normal(best.shape)
    for b in (lab.solved.V[:-1, :-1], np.zeros(best.shape), other_b, 1.1 * best):
        far = (b - best).ravel()
        price = float(far @ matrix @ far)
        other = _variance(lab, _with_baseline(lab, b))
        observe(abs(other - least - price), 1e-10 * (1 + other), lambda: f"{case}")
        require(price > 0, lambda: f"{case}")


@claim("F2")
@given(cases(horizon=st.just(1)))
@example(Case(n_actions=3, horizon=1))
def test_optimal_baseline_of_one_step(case):
    """In one step it is the mean of Q weighted by the squared score."""
    lab = case.lab
    square = (lab.score() ** 2).sum(axis=-1)
    error = _least_squares(lab)[0][0] - _mean_of_q(lab, lab.occupancy()[0] * square)
    observe(largest(error), 1e-10, lambda: f"{case}")


def _mean_of_q(lab: Lab, weight: Table) -> Table:
    """Mean of Q over the actions at time 0, shape (S,)."""
    return np.asarray((weight * lab.solved.Q[0]).sum(axis=-1) / weight.sum(axis=-1))


@pytest.mark.parametrize("seed", range(3))
def test_other_means_of_q_cost_variance(seed: int) -> None:
    """Negative control: Q weighted by the length of the score, and V, are not the best."""
    lab = Case(seed, n_actions=3, horizon=1).lab
    occupancy, square = lab.occupancy()[0], (lab.score() ** 2).sum(axis=-1)
    least = _variance(lab, _with_baseline(lab, _least_squares(lab)[0]))
    for weight in (occupancy * np.sqrt(square), occupancy):
        assert _variance(lab, _with_baseline(lab, _mean_of_q(lab, weight)[np.newaxis])) > least


def _two_steps() -> Lab:
    """One state, a fair coin, two steps: -5, then 5 and a tenth more for action 1."""
    transition = np.zeros((2, 2, 3))
    transition[0, :, 1] = transition[1, :, 2] = 1
    reward = np.zeros((2, 2, 3))
    reward[0, :, 1], reward[1, :, 2] = -5, (5, 5.1)
    return laboratory(MDP(transition, reward, np.array([1.0, 0.0]), 2, 1.0), np.zeros(6))


def _by_fractions() -> tuple[Fraction, Fraction]:
    """Variances of reward-to-go and total return in that example, by hand over four episodes."""
    half = Fraction(1, 2)
    moments = []
    for to_go in (True, False):
        mean, square = [Fraction(0)] * 6, Fraction(0)
        for a, b in product((0, 1), repeat=2):
            late = 5 + Fraction(b, 10)
            total = -5 + late
            first = [half - (a == 1), half - (a == 0)]  # score: one-hot less one half
            second = [half - (b == 1), half - (b == 0)]
            w = total, late if to_go else total
            g = [w[0] * x for x in first] + [w[1] * x for x in second]
            g += [w[0] * x + w[1] * y for x, y in zip(first, second, strict=True)]  # the bias
            mean = [m + x / 4 for m, x in zip(mean, g, strict=True)]
            square += sum((x * x for x in g), Fraction(0)) / 4
        moments.append(square - sum((m * m for m in mean), Fraction(0)))
    return moments[0], moments[1]


@claim(
    name="F3",
    title="Reward-to-go can vary more than the total return: the counter-example",
    statement=r"\mathrm{tr\,Cov}(\hat g_{G}) - \mathrm{tr\,Cov}(\hat g_{R}) = r^\top D\,r,"
    r"\qquad \lambda_{\min}(D) < 0 < \lambda_{\max}(D)",
    words="which of two weights varies less is a quadratic form of the rewards with both signs",
    assumptions="dynamics and policy fixed; only the rewards change",
    source="this library; Greensmith, Bartlett and Baxter 2004 for the setting",
    method="four episodes in fractions; the quadratic form of random processes by enumeration",
    tolerance=1e-12,
    tolerance_reason="relative to the variances",
    about=("npvpg.estimators.TotalReturn", "npvpg.estimators.RewardToGo"),
)
def test_pinned_counter_example():
    lab = _two_steps()
    to_go, total = (float(x) for x in _by_fractions())
    val = np.zeros(lab.batch.n_steps), np.zeros(lab.batch.n_trajectories)
    seen = [
        _variance(lab, lab.each(estimator(lab.batch.rew, *val, lab.batch.start), None))
        for estimator in (RewardToGo(1.0), TotalReturn(1.0))
    ]
    told = f"Var[reward-to-go] = {to_go:.4g}, Var[R] = {total:.4g}"
    observe(abs(seen[0] - to_go), 1e-12 * to_go, told)
    observe(abs(seen[1] - total), 1e-12 * to_go, told)
    assert to_go > 1000 * total


@claim("F3")
@given(cases(n_actions=st.just(2), horizon=st.just(3), gamma=st.just(1.0)))
@example(Case(gamma=1.0))
def test_the_gap_has_both_signs(case):
    """For every process and policy tried, rewards exist for which either weight is the better."""
    lab = case.lab.bare
    n, m = lab.process.n_states, lab.process.n_actions
    chance, score = lab.flat.probability, lab.score()
    used = np.zeros((n * m * (n + 1), len(chance), 2, score.shape[-1]))
    for k, episode in enumerate(trajectories(lab.process, lab.table(lab.theta))):
        moves = list(zip(episode.states, episode.actions, episode.states[1:], strict=False))
        steps = [score[s, a] for s, a, _ in moves]
        for t, (s, a, s_next) in enumerate(moves):
            which = np.ravel_multi_index((s, a, s_next), (n, m, n + 1))
            used[which, k, 0] += np.sum(steps[: t + 1], axis=0)  # reward t meets scores up to t
            used[which, k, 1] += np.sum(steps, axis=0)
    centred = used - np.einsum("k,rkxp->rxp", chance, used)[:, np.newaxis]
    forms = np.einsum("k,rkxp,qkxp->xrq", chance, centred, centred)
    D = forms[0] - forms[1]
    reward = lab.process.reward.ravel()
    val = np.zeros(lab.batch.n_steps), np.zeros(lab.batch.n_trajectories)
    to_go, total = (
        _variance(lab, lab.each(estimator(lab.batch.rew, *val, lab.batch.start), None))
        for estimator in (RewardToGo(1.0), TotalReturn(1.0))
    )
    extreme = np.linalg.eigvalsh(D)[[0, -1]]
    told = f"{case}: extreme eigenvalues {extreme[0]:.3g} and {extreme[1]:.3g}"
    observe(abs(to_go - total - float(reward @ D @ reward)), 1e-12 * (to_go + total), told)
    require(bool(extreme[0] < 0 < extreme[1]), told)
