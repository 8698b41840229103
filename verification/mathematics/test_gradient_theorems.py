"""E1, E2 and E4: the expected estimate is the gradient of the objective, or is not."""

import numpy as np
import pytest

from npvpg import estimators
from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.oracles import mdp as exact
from verification.oracles.enumeration import ensemble


def _enumerated(seed, gamma):
    """All trajectories of a small process as one batch, their probabilities, and the truth."""
    rng = np.random.default_rng([52, seed])
    process = exact.random_mdp(rng, 2, 2, 3, gamma)
    policy = Policy(MLP((2, 2)), Categorical(2))
    theta = rng.standard_normal(policy.size)
    eye = np.eye(2)

    def table(t):
        out = policy.network.forward(t, eye)
        e = np.exp(out - out.real.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    flat = ensemble(process, table(theta))
    batch = Batch(
        eye[flat.state],
        flat.act,
        flat.rew,
        flat.start,
        np.zeros((len(flat.probability), 2)),
        np.ones(len(flat.probability), bool),
    )
    solved = exact.solve(process, table(theta))
    truth = exact.gradient(process, table, theta)
    return policy, theta, batch, flat, solved, truth


def _expectation(policy, theta, batch, flat, psi, gamma):
    """Expected gradient: each trajectory weighted by its probability, times their number."""
    weight = psi * flat.step_probability * batch.n_trajectories
    return policy_gradient(policy.at(theta, batch.obs), batch, weight, discount=gamma)


@claim(
    name="E1",
    title="Every weight gives the gradient of the objective",
    statement=r"\nabla J = E\Bigl[\sum_t \gamma^t\,\nabla\log\pi(a_t|s_t)\,\Phi_t\Bigr]",
    words="total return, reward-to-go, baseline, Q, A, TD, n-step and GAE agree with the gradient",
    assumptions="exact time-indexed V; the factor gamma^t, which R(tau) has already",
    source="Spinning Up, part 3 and its two proofs; Schulman et al. 2016, (1)",
    method="enumeration of every trajectory; the gradient by complex step through induction",
    tolerance=1e-12,
    tolerance_reason="relative to the gradient; sums of about 100 terms",
    about=(
        "npvpg.gradient.policy_gradient",
        "npvpg.estimators.TotalReturn",
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.BaselinedReturn",
        "npvpg.estimators.NStep",
        "npvpg.estimators.TDResidual",
        "npvpg.estimators.GAE",
        "npvpg.estimators.ActionValue",
        "npvpg.kernels.returns.discount_weights",
        "npvpg.batch.Batch",
    ),
)
@pytest.mark.parametrize("gamma", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_every_weight(seed, gamma):
    policy, theta, batch, flat, solved, truth = _enumerated(seed, gamma)
    size = float(np.abs(truth).max())
    val = solved.V[flat.time, flat.state]
    last_val = np.where(flat.terminated, 0.0, solved.V[flat.last_time, flat.last_state])
    gae = estimators.GAE(gamma, 0.6)
    for estimator, factor in (
        (estimators.TotalReturn(gamma), None),
        (estimators.RewardToGo(gamma), gamma),
        (estimators.BaselinedReturn(gamma), gamma),
        (estimators.TDResidual(gamma), gamma),
        (estimators.NStep(gamma, 2), gamma),
        (gae, gamma),
        (estimators.ActionValue(gae), gamma),
    ):
        psi = estimator(batch.rew, val, last_val, batch.start)
        have = _expectation(policy, theta, batch, flat, psi, factor)
        observe(float(np.abs(have - truth).max()), 1e-12 * size, f"{estimator} {seed=}")


@claim(
    name="E2",
    title="A baseline leaves the gradient as it is",
    statement=r"E\Bigl[\sum_t\gamma^t\,\nabla\log\pi(a_t|s_t)\,b(s_t,t)\Bigr] = 0",
    words="any function of state and time as the weight has expected gradient zero: V(s) too",
    assumptions="b does not see the action",
    source="Spinning Up, part 3, EGLP lemma",
    method="enumeration of every trajectory",
    tolerance=1e-12,
    tolerance_reason="sums of about 100 terms of size one",
    about=(
        "npvpg.gradient.policy_gradient",
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.estimators.BaselinedReturn",
    ),
)
@pytest.mark.parametrize("seed", range(5))
def test_baseline(seed):
    policy, theta, batch, flat, solved, _ = _enumerated(seed, 0.9)
    rng = np.random.default_rng([53, seed])
    for b in (solved.V[:-1, :2], rng.standard_normal((3, 2))):
        psi = b[flat.time, flat.state]
        have = _expectation(policy, theta, batch, flat, psi, 0.9)
        observe(float(np.abs(have).max()), 1e-12 * (1 + float(np.abs(b).max())))
    seeing = rng.standard_normal((3, 2, 2))[flat.time, flat.state, flat.act]
    control = _expectation(policy, theta, batch, flat, seeing, 0.9)
    assert np.abs(control).max() > 1e-3


@claim("E2")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_return_less_any_baseline(seed, gamma):
    """The estimator itself, with any b(s, t) for V, gives the gradient; b of what follows not."""
    policy, theta, batch, flat, solved, truth = _enumerated(seed, gamma)
    rng = np.random.default_rng([54, seed])
    last_val = np.where(flat.terminated, 0.0, solved.V[flat.last_time, flat.last_state])
    estimator = estimators.BaselinedReturn(gamma)
    for b in (solved.V[:-1, :2], rng.standard_normal((3, 2)), np.full((3, 2), 100.0)):
        val = b[flat.time, flat.state]
        psi = estimator(batch.rew, val, last_val, batch.start)
        have = _expectation(policy, theta, batch, flat, psi, gamma)
        observe(float(np.abs(have - truth).max()), 1e-12 * (1 + float(np.abs(b).max())), f"{seed=}")
    # control: the baseline of the state that follows has seen the action
    later = rng.standard_normal((4, 3))[flat.time + 1, flat.next_state]
    control = _expectation(policy, theta, batch, flat, psi - later, gamma)
    assert np.abs(control - truth).max() > 1e-3


@claim(
    name="E4",
    title="Without gamma^t it is another vector",
    statement=r"E\Bigl[\sum_t \nabla\log\pi(a_t|s_t)\,G_t\Bigr] \ne \nabla J \quad (\gamma < 1)",
    words="the usual semi-gradient misses the gradient by the bias that enumeration predicts",
    assumptions="gamma = 0.7",
    source="Nota and Thomas 2020; Thomas 2014",
    method="enumeration, with and without the factor",
    tolerance=1e-12,
    tolerance_reason="relative to the gradient",
    about=("npvpg.gradient.policy_gradient",),
)
@pytest.mark.parametrize("seed", range(3))
def test_semi_gradient(seed):
    policy, theta, batch, flat, _, truth = _enumerated(seed, 0.7)
    zero = np.zeros(batch.n_steps)
    psi = estimators.RewardToGo(0.7)(batch.rew, zero, np.zeros(batch.n_trajectories), batch.start)
    semi = _expectation(policy, theta, batch, flat, psi, None)
    score = policy.at(theta, batch.obs).score(batch.act)
    bias = ((1 - 0.7**flat.time) * psi * flat.step_probability) @ score
    observe(float(np.abs(semi - truth - bias).max()), 1e-12 * float(np.abs(truth).max()))
    assert np.abs(semi - truth).max() > 1e-3 * np.abs(truth).max()
