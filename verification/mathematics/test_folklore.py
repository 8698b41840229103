"""T1 to T5: what the texts say loosely, settled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.distributions import Categorical
from npvpg.estimators import (
    GAE,
    ActionValue,
    BaselinedReturn,
    NStep,
    RewardToGo,
    TDResidual,
    TotalReturn,
)
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.lab import laboratory, random_laboratory
from verification.oracles import mdp as exact
from verification.oracles.derivatives import complex_step
from verification.oracles.enumeration import trajectories

SEED = st.integers(0, 2**32 - 1)


def largest(x: Any) -> float:
    """Give the largest absolute entry."""
    return float(np.abs(x).max())


@claim(
    name="T1",
    title="The value of the state alone is no weight: its expected gradient is zero",
    statement=r"E\Bigl[\sum_t\gamma^t g_t V(s_t)\Bigr] = 0, \qquad "
    r"E\Bigl[\sum_t\gamma^t g_t\bigl(r_t + \gamma V(s_{t+1})\bigr)\Bigr] = \nabla J",
    words="weighing by V(s) teaches nothing; reward plus discounted next value gives the gradient",
    assumptions="exact V of the time for the second; any function of state and time for the first",
    source="Spinning Up, part 3, EGLP lemma, against texts that put V(s) for the future return",
    method="enumeration of every trajectory; the gradient by complex step through induction",
    tolerance=1e-12,
    tolerance_reason="relative to the values; sums of some hundred terms",
    about=("npvpg.estimators.ActionValue", "npvpg.gradient.policy_gradient"),
)
@given(SEED, st.sampled_from([0.5, 0.9, 1.0]))
@example(0, 0.9)
def test_value_alone(seed, gamma):
    lab = random_laboratory(np.random.default_rng([91, seed]), 2, 2, 3, gamma)
    size = 1 + largest(lab.solved.V)
    val, _ = lab.values(lab.solved.V)
    observe(largest(lab.expect(val, gamma)), 1e-12 * size, f"V(s) {seed=}")
    psi = lab.weigh(ActionValue(TDResidual(gamma)))
    observe(largest(lab.expect(psi, gamma) - lab.truth), 1e-12 * size, f"r + gamma V(s') {seed=}")


@claim("T1")
def test_the_next_value_alone_is_no_baseline():
    """Control: V(s_{t+1}) depends on the action, so its expected gradient is not zero."""
    lab = random_laboratory(np.random.default_rng(92), 2, 2, 3, 0.9)
    val, _ = lab.values(lab.solved.V)
    observe(largest(lab.expect(val, 0.9)), 1e-12 * (1 + largest(val)))
    following = lab.solved.V[lab.flat.time + 1, lab.flat.next_state]
    assert largest(lab.expect(following, 0.9)) > 1e-3
    assert largest(lab.truth) > 1e-3


def _pseudo_loss(policy: Policy, theta: NDArray[Any], lab_batch: Any, psi: Any) -> Any:
    """Form the average that frameworks differentiate, -mean(log pi * weight)."""
    return -np.mean(policy.at(theta, lab_batch.obs).log_prob(lab_batch.act) * psi)


@claim(
    name="T2",
    title="The pseudo-loss has the gradient of the objective in one point only",
    statement=r"L(\theta) = -\tfrac1S\textstyle\sum_t \log\pi_\theta(a_t|s_t)\,\Phi_t,"
    r"\qquad \nabla L(\theta_k) = -\hat g, \quad \nabla L(\theta) \ne -\nabla J(\theta)",
    words="the pseudo-loss has minus the estimate as gradient where the batch was taken; elsewhere"
    " it may fall while the return falls",
    assumptions="weights held fixed; division by the number of steps",
    source="Spinning Up, part 3, 'You should know'",
    method="complex step of the mean of log-probabilities; a pinned bandit by hand",
    tolerance=1e-12,
    tolerance_reason="relative to the weights; means of some hundred terms",
    about=("npvpg.gradient.policy_gradient", "npvpg.policy.PolicyAt.log_prob"),
)
@given(SEED)
@example(0)
def test_gradient_of_the_pseudo_loss(seed):
    rng = np.random.default_rng([93, seed])
    lab = random_laboratory(rng, 2, 3, 2)
    psi = rng.standard_normal(lab.batch.n_steps)
    slope = complex_step(lambda x: _pseudo_loss(lab.policy, x, lab.batch, psi), lab.theta)
    pi = lab.policy.at(lab.theta, lab.batch.obs)
    estimate = policy_gradient(pi, lab.batch, psi, per_step=True)
    observe(largest(slope + estimate), 1e-12 * (1 + largest(psi)), f"{seed=}")
    # per trajectory it is the same direction, longer by the mean length
    whole = policy_gradient(pi, lab.batch, psi)
    longer = lab.batch.n_steps / lab.batch.n_trajectories
    observe(largest(whole - longer * estimate), 1e-12 * (1 + largest(psi)), f"{seed=}")


@claim("T2")
def test_elsewhere_it_is_another_gradient():
    """Away from the batch's own parameters the expected slope is not the gradient of J."""
    lab = random_laboratory(np.random.default_rng(94), 2, 3, 2)
    weight = lab.weigh(RewardToGo(0.9)) * lab.flat.step_probability * lab.batch.n_steps
    power = 0.9**lab.flat.time

    def slope(theta):
        return complex_step(lambda x: _pseudo_loss(lab.policy, x, lab.batch, weight * power), theta)

    observe(largest(slope(lab.theta) + lab.truth), 1e-12 * (1 + largest(lab.solved.V)))
    moved = lab.theta + np.eye(len(lab.theta))[0]
    away = laboratory(lab.process, moved).truth
    assert largest(slope(moved) + away) > 0.1 * largest(away)


@claim("T2")
def test_it_falls_while_the_return_falls():
    """Three arms worth 2, 1 and -0.1: to flee the worst for good pays the loss, not the player."""
    policy = Policy(MLP((1, 3)), Categorical(3))
    worth, obs = np.array([2.0, 1.0, -0.1]), np.zeros((3, 1))

    def at(prob):
        theta = np.append(np.zeros(3), np.log(prob))
        log_prob = policy.at(theta, obs).log_prob(np.arange(3))
        return -float(before @ (worth * log_prob)), float(exact.softmax(np.log(prob)) @ worth)

    before = np.array([0.4, 0.3, 0.3])
    after = np.array([0.05, 0.95 - np.exp(-60), np.exp(-60)])
    loss, gain = zip(at(before), at(after), strict=True)
    by_hand = [-float(before @ (worth * np.log(p))) for p in (before, after)]
    observe(largest(np.subtract(loss, by_hand)), 1e-12, f"L {loss}, J {gain}")
    require(loss[1] < loss[0] - 0.4, f"L {loss}")
    require(gain[1] < gain[0] - 0.01, f"J {gain}")


@claim(
    name="T3",
    title="The score of a trajectory is free of the dynamics",
    statement=r"\nabla_\theta \log P(\tau|\theta) = \sum_t \nabla_\theta\log\pi_\theta(a_t|s_t)",
    words="the score of a whole trajectory is the sum of the policy's scores, whatever moves it",
    assumptions="dynamics that do not depend on theta",
    source="Spinning Up, part 3, grad-log-prob of a trajectory",
    method="complex step of the logarithm of the whole probability, dynamics included",
    tolerance=1e-12,
    tolerance_reason="scores of a few steps, each of size one",
    about=("npvpg.policy.PolicyAt.weighted_score", "npvpg.policy.PolicyAt.score"),
)
@given(SEED)
@example(0)
def test_score_of_a_trajectory(seed):
    rng = np.random.default_rng([95, seed])
    lab = random_laboratory(rng, 2, 2, 2)
    other = exact.random_mdp(rng, 2, 2, 2, 0.9)
    unlike = laboratory(replace(lab.process, transition=other.transition), lab.theta)
    ones = np.ones(lab.batch.n_steps)
    scores = lab.each(ones, None)
    for place in (lab, unlike):
        rows = list(trajectories(place.process, place.table(place.theta)))
        assert [e.actions for e in rows] == [
            e.actions for e in trajectories(lab.process, lab.table(lab.theta))
        ]

        def log_chance(theta, rows=rows, place=place):
            pi = place.table(theta)
            chance = [
                e.dynamics * np.prod([pi[s, a] for s, a in zip(e.states, e.actions, strict=False)])
                for e in rows
            ]
            return np.log(np.array(chance))

        slopes = complex_step(log_chance, place.theta)
        observe(largest(slopes - scores), 1e-12 * (1 + largest(scores)), f"{seed=}")


@claim(
    name="T4",
    title="The last reward counts, for every step",
    statement=r"\partial\Phi_t/\partial r_{T-1} = \gamma^{T-1-t}, \qquad "
    r"\partial R(\tau)/\partial r_{T-1} = \gamma^{T-1}",
    words="the return at the last step includes the last reward, and so does every one before",
    assumptions="a trajectory of T steps has T rewards, the last of them for the last action",
    source="Spinning Up, part 3, against sums that stop before the end",
    method="the change of every weight when the last reward grows by one, in powers of two",
    tolerance=0.0,
    tolerance_reason="bitwise: small integers and powers of one half",
    about=(
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.TotalReturn",
        "npvpg.estimators.BaselinedReturn",
        "npvpg.estimators.GAE",
        "npvpg.estimators.NStep",
    ),
)
@given(SEED, st.integers(1, 6), st.sampled_from([0.0, 0.5, 1.0]))
@example(0, 1, 0.5)
@example(0, 1, 0.0)
def test_last_reward(seed, length, gamma):
    rng = np.random.default_rng([96, seed])
    lengths = [int(rng.integers(1, 5)), length, int(rng.integers(1, 5))]
    start = np.concatenate([[0], np.cumsum(lengths)])
    rew = rng.integers(-8, 9, start[-1]).astype(float)
    val = rng.integers(-8, 9, start[-1]).astype(float)
    last_val = rng.integers(-8, 9, 3).astype(float)
    more = rew.copy()
    more[start[2] - 1] += 1
    ahead = length - 1 - np.arange(length)
    for estimator, want in (
        (RewardToGo(gamma), gamma**ahead),
        (BaselinedReturn(gamma), gamma**ahead),
        (GAE(gamma, 1.0), gamma**ahead),
        (GAE(gamma, 0.5), (gamma * 0.5) ** ahead),
        (NStep(gamma, length), gamma**ahead),
        (NStep(gamma, 1), (ahead == 0).astype(float)),
        (TotalReturn(gamma), np.full(length, gamma ** (length - 1))),
    ):
        change = np.subtract(*(estimator(r, val, last_val, start) for r in (more, rew)))
        expected = np.zeros(start[-1])
        expected[start[1] : start[2]] = want
        require(np.array_equal(change, expected), f"{estimator} T={length}")


@claim("T4")
@pytest.mark.parametrize("seed", range(3))
def test_without_the_last_reward_it_is_biased(seed):
    """Control: the gradient of the shortened sums is another, far beyond rounding."""
    lab = random_laboratory(np.random.default_rng([97, seed]), 2, 2, 3, 0.9, final=False)
    last = np.zeros(lab.batch.n_steps)
    last[lab.batch.start[1:] - 1] = 1
    nothing = np.zeros(lab.batch.n_steps), np.zeros(lab.batch.n_trajectories)
    whole = RewardToGo(0.9)(lab.batch.rew, *nothing, lab.batch.start)
    short = RewardToGo(0.9)(lab.batch.rew * (1 - last), *nothing, lab.batch.start)
    with_it = lab.expect(whole, 0.9) - lab.truth
    # returns of integers are exact bit for bit; a gradient is right to rounding
    require(largest(with_it) <= 1e-12, f"{seed=}")
    assert largest(lab.expect(short, 0.9) - lab.truth) > 1e-3 * largest(lab.truth)


@claim(
    name="T5",
    title="Constant reward still teaches; constant return has no gradient but a sampled one",
    statement=r"r_t = 1: \ \nabla J = \nabla E[T] \ne 0, \qquad R(\tau) = c: \ E[\hat g] = 0,\ "
    r" \mathrm{tr\,Cov}\,\hat g = c^2\,E\Bigl\lVert\sum_t\nabla\log\pi(a_t|s_t)\Bigr\rVert^2",
    words="equal rewards teach to live on; equal returns teach nothing, with noise of their size",
    assumptions="episodes whose length varies; gamma 1",
    source="Sutton and Barto, section 13.4, on baselines",
    method="enumeration; the expected length by induction and complex step",
    tolerance=1e-12,
    tolerance_reason="relative to the horizon and the constant",
    about=("npvpg.estimators.TotalReturn", "npvpg.gradient.policy_gradient"),
)
@given(SEED, st.sampled_from([1.0, -3.0]))
@example(0, 1.0)
def test_constants(seed, c):
    lab = random_laboratory(np.random.default_rng([97, seed]), 2, 2, 3, 1.0, final=False)
    process = replace(lab.process, reward=np.ones_like(lab.process.reward))
    living = laboratory(process, lab.theta)
    have = living.expect(living.weigh(TotalReturn(1.0)), None)
    observe(largest(have - exact.gradient(process, lab.table, lab.theta)), 1e-11, f"{seed=}")
    # every return the same: what the first reward gives, the end takes
    psi = np.full(lab.batch.n_steps, c)
    observe(largest(lab.expect(psi, None)), 1e-12 * abs(c), f"{seed=}")
    each = lab.each(psi, None)
    spread = float(lab.flat.probability @ (each**2).sum(axis=1))
    table = lab.score()[lab.flat.state, lab.flat.act]
    summed = np.add.reduceat(table, lab.flat.start[:-1], axis=0)
    due = c**2 * float(lab.flat.probability @ (summed**2).sum(axis=1))
    observe(abs(spread - due), 1e-12 * due, f"{seed=}")
    require(spread > 0, "a sampled gradient is not 0")


def test_living_on_is_something_to_learn() -> None:
    """Control: where every reward is 1 the gradient is not 0, for lengths vary."""
    lab = random_laboratory(np.random.default_rng(98), 2, 2, 3, 1.0, final=False)
    process = replace(lab.process, reward=np.ones_like(lab.process.reward))
    assert largest(laboratory(process, lab.theta).truth) > 1e-3
