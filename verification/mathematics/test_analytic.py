"""P1 to P4: gradients through reward and dynamics, and the system that has closed forms."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_are

from npvpg.distributions import DiagonalGaussian
from npvpg.estimators import BaselinedReturn, RewardToGo
from npvpg.gradient import policy_gradient
from npvpg.kernels.physics import pendulum as physics
from npvpg.lab.analytic import (
    LinearQuadratic,
    Pendulum,
    System,
    affine,
    as_batch,
    closed_form,
    pathwise_gradient,
    pathwise_gradients,
    play,
    riccati,
)
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.oracles import control as textbook
from verification.oracles.derivatives import complex_step
from verification.oracles.quadrature import noise_sequences

SEED = st.integers(0, 2**32 - 1)
DETACH = st.sampled_from(["nothing", "reward", "state"])


def largest(x: Any) -> float:
    """Give the largest absolute entry."""
    return float(np.abs(x).max())


def _symmetric(rng: np.random.Generator, n: int) -> np.ndarray:
    half = rng.standard_normal((n, n))
    return half @ half.T


def quadratic(
    rng: np.random.Generator, n: int, m: int
) -> tuple[LinearQuadratic, textbook.Quadratic]:
    """One linear system twice, for the library and for the oracle."""
    A, B = rng.standard_normal((n, n)) / n**0.5, rng.standard_normal((n, m))
    Q, R, P = _symmetric(rng, n), _symmetric(rng, m), _symmetric(rng, n)
    return LinearQuadratic(A, B, Q, R, P), textbook.Quadratic(A, B, Q, R, P)


@claim(
    name="P1",
    title="The pathwise gradient is the derivative of the return with the noise held fixed",
    statement=r"\nabla_\theta R(\theta,\epsilon) = \sum_t\gamma^t"
    r"\Bigl(\frac{\partial a_t}{\partial\theta}\Bigr)^{\!\top}\alpha_t,\qquad"
    r"\alpha_t = r_a + \gamma f_a^\top\lambda_{t+1}",
    words="backpropagation through time is the complex step of every trajectory, detached or not",
    assumptions="no state on the edge of a clip, where there is no derivative",
    source="Heess et al. 2015, (8) to (10)",
    method="complex step through trajectories of another hand; detached states stay those of theta",
    tolerance=1e-12,
    tolerance_reason="relative to the largest derivative; at most six steps of three layers",
    about=(
        "npvpg.lab.analytic.pathwise.play",
        "npvpg.lab.analytic.pathwise.pathwise_gradient",
        "npvpg.lab.analytic.pathwise.pathwise_gradients",
        "npvpg.distributions.gaussian.DiagonalGaussian.sample_back",
        "npvpg.policy.PolicyAt.backward",
        "npvpg.lab.analytic.pendulum.Pendulum",
        "npvpg.lab.analytic.pendulum.Pendulum.observe_back",
        "npvpg.lab.analytic.pendulum.Pendulum.move_back",
        "npvpg.lab.analytic.pendulum.Pendulum.reward_back",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.move",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.move_back",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.reward",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.reward_back",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.final",
        "npvpg.lab.analytic.linear_quadratic.LinearQuadratic.final_back",
    ),
)
@given(
    SEED,
    st.booleans(),
    st.sampled_from([(), (3,), (3, 3)]),
    st.booleans(),
    DETACH,
    st.integers(1, 6),
    st.sampled_from([0.0, 0.5, 1.0]),
)
@example(0, True, (3,), False, "nothing", 6, 0.5)
@example(0, False, (3,), True, "nothing", 6, 0.5)
@example(1, True, (), True, "reward", 4, 1.0)
@example(2, False, (3, 3), False, "reward", 4, 1.0)
@example(3, False, (3,), False, "state", 4, 0.5)
def test_through_time(seed, swings, hidden, dependent, detach, horizon, gamma):
    rng = np.random.default_rng([111, seed])
    system: System = Pendulum()
    model: textbook.Model = textbook.Swing()
    if not swings:
        system, model = quadratic(rng, 1 + seed % 3, 1 + seed % 2)
    n_out = (1 + dependent) * system.n_act
    policy = Policy(MLP((system.n_obs, *hidden, n_out)), DiagonalGaussian(system.n_act))
    theta = 0.7 * rng.standard_normal(policy.size)
    if not dependent and seed % 5 == 0:
        theta[-1] = 2.5  # beyond the clamp of log sigma
    first = rng.uniform(-1, 1, (2, system.n_state)) * ([4.0, 8.0] if swings else 1.0)
    if swings:  # one of the two is beyond half a turn and leaves it: there the angle is wrapped
        first[0] = np.sign(first[0, 0]) * rng.uniform([3.2, 0.0], [4.0, 7.0])
    noise = rng.standard_normal((horizon, 2, system.n_act))
    path = play(system, policy, theta, first, noise)
    each = pathwise_gradients(system, policy, theta, path, gamma, detach=detach)
    mean = pathwise_gradient(system, policy, theta, path, gamma, detach=detach)
    powers = gamma ** np.arange(horizon)
    for i in range(2):
        frozen = None if detach == "nothing" else path.state[:, i].astype(np.complex128)

        def total(z: Any, i: int = i, frozen: Any = frozen) -> Any:
            return textbook.sampled_return(
                model,
                policy.network.sizes,
                z,
                first[i],
                noise[:, i],
                gamma,
                frozen,
                acts_frozen=detach == "state",
            )[0]

        want = complex_step(total, theta)
        size = 1 + largest(want)
        told = f"{seed=} {swings=} {hidden=} {dependent=} {detach=} {horizon=} {gamma=}"
        observe(largest(each[i] - want), 1e-12 * size, told)
        have = powers @ path.rew[:, i] + gamma**horizon * path.final[i]
        observe(abs(have - total(theta).real), 1e-12 * (1 + abs(have)), told)
    observe(largest(each.mean(axis=0) - mean), 1e-13 * (1 + largest(each)), "mean of the rows")


@claim(
    name="P2",
    title="The differentiable pendulum is the compiled one",
    statement=r"f(x, a),\ r(x, a),\ o(x) \text{ equal those of Pendulum-v1}",
    words="states, rewards and observations are those of the environment's kernel, clips included",
    assumptions="actions in float64",
    source="Gymnasium, classic_control/pendulum.py",
    method="the kernel that is proved equal to Gymnasium, on states and torques beyond the bounds",
    tolerance=1e-13,
    tolerance_reason="a square by pow and by product differ in the last bit; angles up to 40",
    about=(
        "npvpg.lab.analytic.pendulum.Pendulum",
        "npvpg.lab.analytic.pendulum.Pendulum.reward",
        "npvpg.lab.analytic.pendulum.Pendulum.move",
    ),
)
@given(SEED)
@example(0)
def test_pendulum(seed):
    rng = np.random.default_rng([112, seed])
    x = rng.uniform(-1, 1, (6, 2)) * [40.0, 8.0]
    a = rng.uniform(-4, 4, (6, 1))
    system = Pendulum()
    after, rew, obs = system.move(x, a), system.reward(x, a), system.observe(x)
    for i in range(len(x)):
        state, seen = np.zeros(3), np.zeros(3, np.float32)
        physics.draw(x[i], state, seen)
        observe(largest(obs[i] - seen), 1e-6, "observations of the kernel are float32")
        want, ended = physics.move(state, a[i], seen)
        observe(largest(after[i] - state[:2]), 1e-13, f"{x[i]} {a[i]}")
        observe(abs(float(rew[i]) - want) + float(ended), 1e-13 * (1 + abs(want)), f"{x[i]} {a[i]}")


@claim(
    name="P3",
    title="Closed forms of a linear system with quadratic cost, and three gradients that agree",
    statement=r"\nabla_L J = -2\sum_t\gamma^t\bigl(RL+\gamma\bar B^\top P_{t+1}F\bigr)M_t"
    r" = E[\hat g^{path}] = E[\hat g^{score}]",
    words="value and gradient in closed form, and the means of pathwise and score gradients",
    assumptions="affine Gaussian policy; limited time with a cost of the last state",
    source="Fazel et al. 2018, lemma 1; Heess et al. 2015",
    method="complex step through moments of the state; three Gauss-Hermite nodes a step",
    tolerance=1e-11,
    tolerance_reason="relative to the gradient; up to 81 trajectories of alternating weight",
    about=(
        "npvpg.lab.analytic.control.closed_form",
        "npvpg.lab.analytic.control.affine",
        "npvpg.lab.analytic.control.ClosedForm.value",
        "npvpg.lab.analytic.pathwise.pathwise_gradient",
        "npvpg.lab.analytic.pathwise.as_batch",
        "npvpg.gradient.policy_gradient",
    ),
)
@given(
    SEED, st.sampled_from([(1, 1, 3), (2, 1, 3), (2, 2, 2), (1, 2, 2)]), st.sampled_from([0.6, 1])
)
@example(0, (2, 2, 2), 0.6)
@example(975, (1, 1, 3), 0.6)  # log sigma drawn beyond the clamp
def test_closed_form(seed, sizes, gamma):
    rng = np.random.default_rng([113, seed])
    n, m, horizon = sizes
    system, model = quadratic(rng, n, m)
    policy = affine(system)
    theta = 0.5 * rng.standard_normal(policy.size)
    free = theta[policy.network.size :]
    np.minimum(free, 1.9, out=free)  # the textbook's sigma knows no clamp
    mean = rng.standard_normal(n)
    spread = _symmetric(rng, n)
    solved = closed_form(system, theta, gamma, horizon, mean, spread)

    def objective(z: Any) -> Any:
        return textbook.quadratic_objective(model, z, gamma, horizon, mean, spread)

    size = 1 + abs(solved.J) + largest(solved.gradient)
    told = f"{seed=} {sizes=} {gamma=}"
    observe(abs(solved.J - objective(theta)), 1e-12 * size, told)
    observe(largest(solved.gradient - complex_step(objective, theta)), 1e-12 * size, told)

    noise, chance = noise_sequences(3, m, horizon)
    first = np.tile(mean, (len(noise), 1))
    path = play(system, policy, theta, first, np.swapaxes(noise, 0, 1))
    start = closed_form(system, theta, gamma, horizon, mean, np.zeros((n, n)))
    each = pathwise_gradients(system, policy, theta, path, gamma)
    observe(largest(chance @ each - start.gradient), 1e-11 * size, told)
    values = start.value(path.state)
    for t in range(horizon + 1):
        left = horizon - t
        want = textbook.quadratic_objective(
            model, theta, gamma, left, path.state[t, 0], np.zeros((n, n))
        )
        observe(abs(values[t, 0] - want), 1e-12 * (size + abs(want)), f"{told} {t=}")
    batch = as_batch(path)
    val = values[:-1].T.ravel()
    for estimator in (RewardToGo(gamma), BaselinedReturn(gamma)):
        psi = estimator(batch.rew, val, path.final, batch.start)
        weight = psi * np.repeat(chance * len(chance), horizon)
        have = policy_gradient(policy.at(theta, batch.obs), batch, weight, discount=gamma)
        observe(largest(have - start.gradient), 1e-11 * size * (1 + largest(psi)), told)


@claim(
    name="P4",
    title="The best gain, where the gradient vanishes",
    statement=r"K^* = -\gamma(R+\gamma B^\top PB)^{-1}B^\top PA, \qquad \nabla_K J(K^*) = 0",
    words="the recursion settles where scipy's Riccati solver does, and no gain does better",
    assumptions="a system that can be held; the cost of the last state is that of going on",
    source="Bertsekas, Dynamic Programming and Optimal Control I, 4.1; Fazel et al. 2018",
    method="scipy.linalg.solve_discrete_are of the discounted system; gains nearby",
    tolerance=1e-9,
    tolerance_reason="relative to the cost; both iterate to their own precision",
    about=("npvpg.lab.analytic.control.riccati", "npvpg.lab.analytic.control.closed_form"),
)
@given(SEED, st.integers(1, 3), st.integers(1, 2), st.sampled_from([0.5, 0.9, 1.0]))
@example(0, 2, 1, 0.9)
def test_optimum(seed, n, m, gamma):
    rng = np.random.default_rng([114, seed])
    drawn, _ = quadratic(rng, n, m)
    system = LinearQuadratic(0.8 * drawn.A, drawn.B, drawn.Q + np.eye(n), drawn.R + np.eye(m))
    gain, P = riccati(system, gamma)
    root = gamma**0.5
    want = solve_discrete_are(root * system.A, root * system.B, system.Q, system.R)
    observe(largest(P - want), 1e-9 * (1 + largest(want)), f"{seed=}")
    system = LinearQuadratic(system.A, system.B, system.Q, system.R, P)
    theta = np.concatenate([gain.T.ravel(), np.zeros(m), np.full(m, -1.0)])
    mean, spread = rng.standard_normal(n), _symmetric(rng, n)
    best = closed_form(system, theta, gamma, 5, mean, spread)
    observe(largest(best.gradient[:-m]), 1e-9 * (1 + abs(best.J)), f"{seed=}")
    for _ in range(3):
        other = theta + 0.1 * np.append(rng.standard_normal(n * m + m), np.zeros(m))
        worse = closed_form(system, other, gamma, 5, mean, spread).J
        observe(max(0.0, worse - best.J), 1e-9 * (1 + abs(best.J)), f"{seed=}")


@claim("P4")
def test_what_cannot_be_held_is_refused() -> None:
    """An unstable state that no action reaches has no optimum."""
    A, B = np.diag([2.0, 0.5]), np.array([[0.0], [1.0]])
    with pytest.raises(ValueError, match="system must be one that actions can hold"):
        riccati(LinearQuadratic(A, B, np.eye(2), np.eye(1)), 1.0)
    require(True)
