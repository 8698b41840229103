"""K1 to K4: ratios of probabilities, and the surrogate that is made of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.distributions import Categorical, DiagonalGaussian, Distribution
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.surrogate import importance_ratio, surrogate_gradient, surrogate_objective
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, laboratory, largest
from verification.mathematics.laws import MIXED, parameters
from verification.mathematics.strategies import SEED
from verification.oracles import distributions as reference
from verification.oracles.derivatives import complex_step, relative_error
from verification.oracles.quadrature import hermite

STEP = st.sampled_from([1e-3, 0.1, 0.5, 1.0])


@claim(
    name="K1",
    title="Ratios of probabilities carry expectations to another policy",
    statement=r"E_{\pi_k}\bigl[\rho f\bigr] = E_{\pi_\theta}[f], \qquad"
    r" \rho = \pi_\theta(a)/\pi_k(a)",
    words="weighed by its ratio, what an old policy did averages as if the new one had done it",
    assumptions="the old policy may take every action; logits of any finite size",
    source="importance sampling; Precup, Sutton and Singh 2000",
    method="sums over the actions, of a random f and of 1; quotients of densities by scipy",
    tolerance=1e-12,
    tolerance_reason="relative to the sum of the terms; logarithms of up to a hundred cancel",
    about=("npvpg.surrogate.importance_ratio",),
)
@given(st.integers(1, 6), st.sampled_from([1e-3, 1.0, 8.0]), SEED)
@example(1, 8.0, 0)
@example(6, 8.0, 1)
def test_ratios(n, scale, seed):
    rng = np.random.default_rng([200, seed])
    law, (old, new) = Categorical(n), scale * rng.standard_normal((2, 1, n))
    every = np.arange(n)
    rows = [np.repeat(params, n, axis=0) for params in (new, old)]
    ratio = importance_ratio(*(law.log_prob(params, every) for params in rows))
    p, q = np.exp(reference.log_softmax(new[0])), np.exp(reference.log_softmax(old[0]))
    for f in (np.ones(n), rng.standard_normal(n)):
        observe(
            largest(q @ (ratio * f) - p @ f), 1e-12 * float(p @ np.abs(f)), lambda: f"{n=} {scale=}"
        )
    # an action that is hopeless under both is as probable under both
    far = importance_ratio(np.array([-1e5, -1e5, 0.0]), np.array([-1e5, -1e5 - 1, 1e5]))
    require(far[0] == 1 and far[2] == 0)
    observe(abs(far[1] - np.e), 1e-9)


@claim("K1")
@given(st.integers(1, 3), SEED)
def test_ratios_of_densities(dim, seed):
    rng = np.random.default_rng([201, seed])
    law, act = DiagonalGaussian(dim), rng.standard_normal((5, dim))
    new, old = rng.uniform(-1.5, 1.5, (2, 2 * dim))
    log_prob = [law.log_prob(np.tile(params, (5, 1)), act) for params in (new, old)]
    theirs = [
        reference.normal_log_prob(act, params[:dim], np.exp(params[dim:])) for params in (new, old)
    ]
    have, want = importance_ratio(*log_prob), np.exp(theirs[0] - theirs[1])
    size = 1 + largest(log_prob)
    observe(largest(have / want - 1), 1e-14 * size, lambda: f"{dim=} {seed=}")


@claim("K1")
def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match="old_log_prob must have shape"):
        importance_ratio(np.zeros(3), np.zeros((3, 1)))
    require(np.isinf(importance_ratio(np.array([0.0]), np.array([-1e4]))[0]))


def _flat_batch(
    lengths: list[int], law: Distribution, rng: np.random.Generator
) -> tuple[Policy, Batch]:
    """Draw a policy and a batch of steps that nothing of the claim depends on."""
    n = sum(lengths)
    policy = Policy(MLP((2, 3, law.n_params - len(law.scale_columns))), law)
    obs = rng.standard_normal((n, 2))
    act = law.sample(parameters(law, rng, 1.0, n), law.noise(rng, n))
    start = np.concatenate([[0], np.cumsum(lengths)])
    stop = np.zeros((len(lengths), 2)), np.ones(len(lengths), bool)
    return policy, Batch(obs, act, np.zeros(n), start, *stop)


@claim(
    name="K2",
    title="The surrogate's gradient, and where it is that of the objective",
    statement=r"\nabla\hat L(\theta) = \tfrac1K\sum_t \rho_t\Phi_t\nabla\log\pi_\theta(a_t|s_t),"
    r" \qquad E[\nabla\hat L(\theta_k)] = \nabla J(\theta_k)",
    words="written by hand it is the derivative everywhere, and the policy gradient at the old one",
    assumptions="exact advantages, and the factor gamma^t, for the second part",
    source="Kakade and Langford 2002; Schulman et al. 2015, (3) and (4)",
    method="complex step through the surrogate; enumeration against backward induction",
    tolerance=1e-12,
    tolerance_reason="relative to the terms of the sum",
    about=(
        "npvpg.surrogate.surrogate_gradient",
        "npvpg.surrogate.surrogate_objective",
        "npvpg.surrogate.importance_ratio",
    ),
)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.sampled_from([Categorical(3), DiagonalGaussian(2), MIXED]),
    st.sampled_from([None, 0.0, 0.9, 1.0]),
    st.booleans(),
    STEP,
    SEED,
)
@example([3, 1], Categorical(3), 0.9, False, 0.5, 0)
@example([1, 2], MIXED, None, True, 0.5, 0)
def test_gradient_of_the_surrogate(lengths, law, discount, per_step, step, seed):
    rng = np.random.default_rng([202, seed])
    policy, batch = _flat_batch(lengths, law, rng)
    old = 0.5 * rng.standard_normal(policy.size)
    theta = old + step * rng.standard_normal(policy.size)
    psi = rng.standard_normal(batch.n_steps)
    log_prob = policy.at(old, batch.obs).log_prob(batch.act)
    how = {"per_step": per_step, "discount": discount}

    def objective(t):
        ratio = np.exp(policy.at(t, batch.obs).log_prob(batch.act) - log_prob)
        age = np.concatenate([np.arange(n) for n in lengths])
        factor = 1.0 if discount is None else np.power(discount, age)
        return (factor * ratio * psi).sum() / (batch.n_steps if per_step else len(lengths))

    pi = policy.at(theta, batch.obs)
    value = surrogate_objective(pi, batch, psi, log_prob, **how)
    size = float(np.abs(psi) @ (1 + importance_ratio(pi.log_prob(batch.act), log_prob)))
    observe(abs(value - objective(theta)), 1e-12 * size, lambda: f"{law} {seed=}")
    have = surrogate_gradient(pi, batch, psi, log_prob, **how)
    error = relative_error(have, complex_step(objective, theta), 1 + 10 * size)
    observe(error, 1e-12, lambda: f"{law} {seed=}")
    at_old = policy.at(old, batch.obs)
    same = surrogate_gradient(at_old, batch, psi, log_prob, **how)
    require(np.array_equal(same, policy_gradient(at_old, batch, psi, **how)))


def _moved(case: Case, step: float) -> tuple[Lab, Table, Table, Table]:
    """Give the old policy's laboratory, its exact advantages weighed, logarithms, new theta."""
    lab = case.lab
    flat = lab.flat
    advantage = lab.solved.A[flat.time, flat.state, flat.act]
    weighed = advantage * flat.step_probability * lab.batch.n_trajectories
    log_prob = lab.policy.at(lab.theta, lab.batch.obs).log_prob(lab.batch.act)
    theta = lab.theta + step * case.rng.standard_normal(lab.theta.size)
    return lab, weighed, log_prob, theta


@claim("K2")
@given(cases())
@example(Case())
def test_at_the_old_policy_it_is_the_policy_gradient(case):
    lab, weighed, log_prob, _ = _moved(case, 0.0)
    pi = lab.policy.at(lab.theta, lab.batch.obs)
    have = surrogate_gradient(pi, lab.batch, weighed, log_prob, discount=case.gamma)
    observe(largest(have - lab.truth), 1e-12 * lab.size, lambda: f"{case}")


@claim(
    name="K3",
    title="How far the surrogate is from the objective, elsewhere",
    statement=r"J(\theta) - J(\theta_k) - E[\hat L(\theta)] = \sum_t \gamma^t \sum_s"
    r" \bigl(d^\theta_t(s) - d^{\theta_k}_t(s)\bigr) \sum_a \pi_\theta(a|s)\,A^{\theta_k}_t(s,a)",
    words="the surrogate is off by how much more likely the new policy makes the states it likes",
    assumptions="exact advantages of the old policy, and the factor gamma^t",
    source="performance difference lemma, Kakade and Langford 2002",
    method="enumeration under the old policy; occupancies and objectives by induction, of both",
    tolerance=1e-12,
    tolerance_reason="relative to one and the largest value",
    about=("npvpg.surrogate.surrogate_objective", "npvpg.surrogate.surrogate_gradient"),
)
@given(cases(), STEP)
@example(Case(), 1.0)
@example(Case(gamma=1.0), 0.5)
def test_error_of_the_surrogate(case, step):
    lab, weighed, log_prob, theta = _moved(case, step)
    new, power = laboratory(lab.process, theta), case.gamma ** np.arange(case.horizon)
    pi = lab.policy.at(theta, lab.batch.obs)
    gain = surrogate_objective(pi, lab.batch, weighed, log_prob, discount=case.gamma)
    shift = new.occupancy().sum(axis=2) - lab.occupancy().sum(axis=2)
    liked = np.einsum("sa,tsa->ts", new.table(theta), lab.solved.A)
    off = float(power @ (shift * liked).sum(axis=1))
    error = abs(new.solved.J - lab.solved.J - gain - off)
    observe(error, 1e-12 * max(lab.size, new.size), lambda: f"{case} {step=}")


@claim("K3")
@given(cases(), STEP)
@example(Case(), 1.0)
def test_its_gradient_is_of_the_states_of_the_old_policy(case, step):
    """What it lacks of the gradient is the new policy's states and values for the old's."""
    lab, weighed, log_prob, theta = _moved(case, step)
    new, power = laboratory(lab.process, theta), case.gamma ** np.arange(case.horizon)
    pi = lab.policy.at(theta, lab.batch.obs)
    have = surrogate_gradient(pi, lab.batch, weighed, log_prob, discount=case.gamma)
    slope = new.table(theta)[:, :, np.newaxis] * new.score()
    theirs, ours = (
        np.einsum("t,ts,tsa,sap->p", power, at.occupancy().sum(axis=2), at.solved.Q, slope)
        for at in (new, lab)
    )
    size = 10 * max(lab.size, new.size)
    observe(largest(have - ours), 1e-12 * size, lambda: f"{case} {step=}")
    observe(largest(new.truth - have - (theirs - ours)), 1e-12 * size, lambda: f"{case} {step=}")


def test_away_from_the_old_policy_it_is_another_gradient() -> None:
    """Negative control: the difference is no rounding, and it grows with the step."""
    for seed in range(3):
        off = []
        for step in (0.01, 0.1, 1.0):
            lab, weighed, log_prob, theta = _moved(Case(seed), step)
            pi = lab.policy.at(theta, lab.batch.obs)
            have = surrogate_gradient(pi, lab.batch, weighed, log_prob, discount=0.9)
            off.append(largest(have - laboratory(lab.process, theta).truth))
        assert 1e-6 < off[0] < off[1] < off[2]
        assert off[2] > 1e-4


@claim(
    name="K4",
    title="The variance of the ratio grows with the distance",
    statement=r"\log E_{\pi_k}[\rho^2] = \psi(2h) - 2\psi(h), \quad"
    r" \psi(h) = \log E_{\pi_k}[e^{h d(a)}]; \qquad"
    r" E[\rho^2] = e^{\delta^2/\sigma^2} \text{ of Gaussians}",
    words="its mean square never falls along a line, and grows as an exponent of the square",
    assumptions="logits moved along a line by h; means that are delta apart",
    source="importance sampling; Cortes, Mansour and Mohri 2010",
    method="sums over the actions, and 64 Gauss-Hermite nodes; cumulants by scipy",
    tolerance=1e-11,
    tolerance_reason="of logarithms whose terms are of size ten",
    about=("npvpg.surrogate.importance_ratio",),
)
@given(st.integers(2, 6), SEED)
@example(2, 0)
def test_second_moment_of_the_ratio(n, seed):
    rng = np.random.default_rng([203, seed])
    law, every = Categorical(n), np.arange(n)
    old, along = rng.standard_normal((2, n))
    log_q = reference.log_softmax(old)
    old_log_prob = law.log_prob(np.tile(old, (n, 1)), every)
    seen = []
    for h in (0.0, 0.1, 0.5, 1.0, 2.0):
        rows = np.tile(old + h * along, (n, 1))
        ratio = importance_ratio(law.log_prob(rows, every), old_log_prob)
        seen.append(float(np.log(np.exp(log_q) @ ratio**2)))
        once, twice = (np.log(np.exp(log_q) @ np.exp(k * h * along)) for k in (1, 2))
        observe(abs(seen[-1] - (twice - 2 * once)), 1e-11, f"{n=} {h=}")
    require(all(b >= a - 1e-12 for a, b in pairwise(seen)), f"{seen}")


@claim("K4")
@given(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(-1, 1))
def test_second_moment_between_gaussians(apart, log_sigma):
    law, (noise, weight) = DiagonalGaussian(1), hermite(64, 1)
    old = np.tile([0.3, log_sigma], (len(noise), 1))
    new = old + np.array([apart * np.exp(log_sigma), 0.0])
    act = law.sample(old, noise)
    ratio = importance_ratio(law.log_prob(new, act), law.log_prob(old, act))
    observe(abs(weight @ ratio - 1), 1e-11)
    observe(abs(np.log(weight @ ratio**2) - apart**2), 1e-11)
