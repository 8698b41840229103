"""K5 to K9: forward mode, Fisher information without its matrix, and the system it solves."""

import numpy as np
import pytest
import scipy.sparse.linalg
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution
from npvpg.fisher import conjugate_gradient, fisher_product, score_product
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy, PolicyAt
from npvpg.tangent import tangent
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Table, cases, largest
from verification.mathematics.laws import GREEDY, LAWS, MIXED, outcomes, parameters
from verification.mathematics.strategies import SEED, Net, nets
from verification.oracles.derivatives import (
    central_difference,
    complex_step,
    complex_step_along,
    relative_error,
)

EVERY_LAW: st.SearchStrategy[Distribution] = (
    LAWS
    | GREEDY
    | st.builds(Categorical, st.integers(1, 5))
    | st.builds(DiagonalGaussian, st.integers(1, 3))
)


@claim(
    name="K5",
    title="Forward mode is the derivative along a direction, and the transpose of backward",
    statement=r"\dot y = \frac{\partial y}{\partial\theta} v, \qquad"
    r" \langle d, \dot y\rangle = \langle \mathrm{backward}(d), v\rangle",
    words="how outputs move with the parameters, by hand forwards, agrees with backwards",
    assumptions="none",
    source="chain rule; Pearlmutter 1994",
    method="complex step along the direction; the transpose by backpropagation",
    tolerance=1e-12,
    tolerance_reason="relative to the derivative, or the terms of the scalar product",
    about=("npvpg.tangent.tangent", "npvpg.policy.PolicyAt.tangent"),
)
@given(nets(weight=st.just(None), scale=st.sampled_from([1e-3, 1.0, 3.0])))
@example(Net(hidden=(), n_out=1))
@example(Net(hidden=(3,), activation="relu"))
@example(Net(hidden=(4, 4, 4)))
def test_forward_mode(net):
    rng = net.rng(60)
    network = net.network()
    theta, obs = net.theta(rng, network.size), net.obs(rng)
    v, d = rng.standard_normal(network.size), rng.standard_normal((net.n_rows, net.n_out))
    layers = network.layers(theta, obs)
    have = tangent(network, theta, layers, v)
    want = complex_step_along(lambda t: network.forward(t, obs), theta, v)
    observe(relative_error(have, want, 1.0), 1e-12, lambda: f"{net}")
    back = network.backward(theta, layers, d)
    size = 1 + float(np.abs(d * have).sum() + np.abs(back * v).sum())
    observe(abs(float((d * have).sum() - back @ v)), 1e-12 * size, lambda: f"{net}")


@claim("K5")
@given(SEED, st.booleans())
def test_forward_mode_of_a_policy(seed, state):
    """With its free log sigmas, which no observation moves, or none."""
    rng = np.random.default_rng([210, seed])
    n_out = MIXED.n_params - (0 if state else len(MIXED.scale_columns))
    policy = Policy(MLP((2, 3, n_out)), MIXED)
    theta, v = rng.standard_normal((2, policy.size))
    obs, d = rng.standard_normal((3, 2)), rng.standard_normal((3, MIXED.n_params))
    pi = policy.at(theta, obs)
    want = complex_step_along(lambda t: policy.at(t, obs).params, theta, v)
    observe(relative_error(pi.tangent(v), want, 1.0), 1e-12, f"{seed=}")
    error = abs(float((d * pi.tangent(v)).sum() - pi.backward(d) @ v))
    observe(error, 1e-11, f"{seed=}")
    with pytest.raises(ValueError, match="must have shape"):
        pi.tangent(v[:-1])


@claim(
    name="K6",
    title="The information of a law, times a direction",
    statement=r"M v = E[\nabla\log p\,(\nabla\log p^\top v)] = \nabla^2_q D(p\|q)\big|_{q=p}\, v",
    words="the head's product is the mean square of its scores, and the curvature of divergence",
    assumptions="finite logits; log sigma inside its clamp for the second part",
    source="Kullback 1959; Amari 1998",
    method="every action, or three quadrature nodes; complex step of expected scores; differences",
    tolerance=1e-11,
    tolerance_reason="relative to the largest product; what a - mu cancels",
    about=(
        "npvpg.distributions.categorical.Categorical.fisher_product",
        "npvpg.distributions.greedy.GreedyCategorical.fisher_product",
        "npvpg.distributions.gaussian.DiagonalGaussian.fisher_product",
        "npvpg.distributions.bernoulli.Bernoulli.fisher_product",
        "npvpg.distributions.squashed.SquashedGaussian.fisher_product",
        "npvpg.distributions.product.Product.fisher_product",
        "npvpg.distributions.base.Distribution.fisher_product",
    ),
)
@given(EVERY_LAW, SEED, st.sampled_from([0.3, 1.0, 3.0]))
@example(MIXED, 0, 1.0)
@example(Categorical(1), 0, 1.0)
@example(Bernoulli(3), 0, 3.0)
def test_information_of_a_law(law, seed, scale):
    rng = np.random.default_rng([211, seed])
    params = parameters(law, rng, scale)
    v = rng.standard_normal(params.shape)
    have = law.fisher_product(params, v)[0]
    act, weight = outcomes(law, params)
    score = law.score(np.repeat(params, len(weight), axis=0), act)
    want = (weight * (score @ v[0])) @ score
    size = 1 + float(weight @ (score**2).sum(axis=1)) * largest(v)
    observe(largest(have - want), 1e-11 * size, lambda: f"{law} {seed=}")

    def pull(q):  # minus the gradient of D(p || q) in q
        return -weight @ law.score(np.repeat(q[np.newaxis], len(weight), axis=0), act)

    curved = complex_step_along(pull, params[0], v[0])
    observe(largest(have - curved), 1e-11 * size, lambda: f"curvature {law} {seed=}")


@claim("K6")
@given(EVERY_LAW, SEED)
@example(MIXED, 0)
def test_it_is_the_curvature_of_the_divergence_of_the_library(law, seed):
    """Second derivatives of `kl`: complex step once, a central difference once."""
    rng = np.random.default_rng([212, seed])
    params = parameters(law, rng, 1.0)
    v = rng.standard_normal(params.shape)

    def slope(q):
        return complex_step(lambda x: law.kl(params, x[np.newaxis])[0], q)

    want = central_difference(lambda h: slope(params[0] + h[0] * v[0]), np.zeros(1))[:, 0]
    have = law.fisher_product(params, v)[0]
    # a difference quotient, divided by sigma squared
    observe(largest(have - want), 1e-7 * (1 + largest(want)), lambda: f"{law} {seed=}")


@claim("K6")
@pytest.mark.parametrize("law", [Categorical(3), Bernoulli(2), DiagonalGaussian(2), MIXED])
def test_directions_of_another_shape_are_refused(law):
    params = np.zeros((2, law.n_params))
    with pytest.raises(ValueError, match="d_params must have shape"):
        law.fisher_product(params, params[:1])
    beyond = DiagonalGaussian(1).fisher_product(np.array([[0.0, 3.0]]), np.ones((1, 2)))
    require(beyond[0, 1] == 0 and beyond[0, 0] == np.exp(-4))


def _at(law: Distribution, rng: np.random.Generator, n_rows: int = 4) -> tuple[PolicyAt, Table]:
    """Draw a policy at observations, with free log sigmas, and its parameters."""
    policy = Policy(MLP((2, 3, law.n_params - len(law.scale_columns))), law)
    theta = np.clip(0.7 * rng.standard_normal(policy.size), -1.5, 1.5)
    return policy.at(theta, rng.standard_normal((n_rows, 2))), theta


def _fisher(pi: PolicyAt, theta: Table) -> Table:
    """Form Fisher's matrix from the scores of every action, or of quadrature nodes."""
    F = np.zeros((pi.policy.size, pi.policy.size))
    for row in range(pi.n_rows):
        obs = pi.layers[0][row : row + 1]
        act, weight = outcomes(pi.policy.distribution, pi.params[row : row + 1])
        score = pi.policy.at(theta, np.repeat(obs, len(weight), axis=0)).score(act)
        F += (score.T * weight) @ score / pi.n_rows
    return F


SMALL = st.sampled_from([Categorical(3), Bernoulli(2), DiagonalGaussian(2), MIXED])


@claim(
    name="K7",
    title="Fisher information of a policy times a vector",
    statement=r"\tfrac1S\textstyle\sum_t J_t^\top M_t J_t\, v = F v"
    r" = \nabla^2 \bar D(\pi_\theta\|\pi_{\theta'})\, v, \qquad v^\top F v \ge 0, \quad"
    r" F_\phi = L^\top F_{L\phi} L",
    words="one pass forward and one back give Fisher's matrix times a vector, however written down",
    assumptions="log sigma inside its clamp",
    source="Kakade 2001; Schulman et al. 2015, appendix C",
    method="the matrix from the scores of all actions; complex step of the divergence's gradient",
    tolerance=1e-11,
    tolerance_reason="relative to the trace of the matrix times the vector",
    about=("npvpg.fisher.fisher_product", "npvpg.fisher.score_product"),
)
@given(SMALL, SEED)
@example(MIXED, 0)
def test_products_with_fishers_matrix(law, seed):
    rng = np.random.default_rng([213, seed])
    pi, theta = _at(law, rng)
    F = _fisher(pi, theta)
    u, v = rng.standard_normal((2, pi.policy.size))
    Fv = fisher_product(pi, v)
    size = 1 + float(np.trace(F)) * largest(v)
    observe(largest(Fv - F @ v), 1e-11 * size, lambda: f"{law} {seed=}")
    # symmetric, and never negative
    observe(abs(float(u @ Fv - v @ fisher_product(pi, u))), 1e-10 * size, lambda: f"{law} {seed=}")
    require(v @ Fv >= -1e-12 * size, lambda: f"{law} {seed=}")

    # curvature of the mean divergence to another policy, of which the score is the gradient
    def pull(other: Table) -> Table:
        total = np.zeros(pi.policy.size, other.dtype)
        for row in range(pi.n_rows):
            obs = pi.layers[0][row : row + 1]
            act, weight = outcomes(law, pi.params[row : row + 1])
            at = pi.policy.at(other, np.repeat(obs, len(weight), axis=0))
            total -= at.weighted_score(act, weight) / pi.n_rows
        return total

    curved = complex_step_along(pull, theta, v)
    observe(largest(Fv - curved), 1e-11 * size, lambda: f"curvature {law} {seed=}")


@pytest.mark.slow
@claim("K7")
@given(SMALL, SEED)
def test_products_of_the_scores_of_actions(law, seed):
    """Averaged over all actions they are the same; of given ones, the sum of their squares."""
    rng = np.random.default_rng([214, seed])
    pi, theta = _at(law, rng, 1)
    v = rng.standard_normal(pi.policy.size)
    act, weight = outcomes(law, pi.params)
    rows = pi.policy.at(theta, np.repeat(pi.layers[0], len(weight), axis=0))
    score = rows.score(act)
    size = 1 + float(weight @ (score**2).sum(axis=1)) * largest(v)
    have = score_product(rows, act, v)
    want = score.T @ (score @ v) / len(weight)
    observe(largest(have - want), 1e-12 * (1 + largest(score**2) * largest(v) * v.size))
    each = [
        w * score_product(pi.policy.at(theta, pi.layers[0]), act[i : i + 1], v)
        for i, w in enumerate(weight)
    ]
    observe(largest(sum(each) - fisher_product(pi, v)), 1e-11 * size, lambda: f"{law} {seed=}")


@claim("K7")
@given(st.sampled_from([Categorical(3), DiagonalGaussian(1)]), SEED)
def test_another_way_to_write_a_policy_down(law, seed):
    """Observations in another basis: the first layer's weights are a linear map of the old ones."""
    rng = np.random.default_rng([215, seed])
    pi, theta = _at(law, rng)
    basis = np.eye(2) + 0.3 * rng.standard_normal((2, 2))
    L = np.eye(pi.policy.size)
    L[:6, :6] = np.kron(basis, np.eye(3))  # theta = L phi: the first W is basis times that of phi
    phi = np.linalg.solve(L, theta)
    other = pi.policy.at(phi, pi.layers[0] @ basis)
    observe(largest(other.params - pi.params), 1e-12 * (1 + largest(phi)))
    v = rng.standard_normal(pi.policy.size)
    want = L.T @ fisher_product(pi, L @ v)
    observe(largest(fisher_product(other, v) - want), 1e-10 * (1 + largest(want)), f"{seed=}")


@claim(
    name="K8",
    title="Conjugate gradients solve the system",
    statement=r"A x_P = b, \qquad \lVert x_k - x\rVert_A"
    r" \le 2\Bigl(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\Bigr)^k \lVert x\rVert_A",
    words="as many steps as different eigenvalues solve it; each step is the best of its kind",
    assumptions="symmetric and positive definite",
    source="Hestenes and Stiefel 1952; Trefethen and Bau 1997, theorem 38.5",
    method="dense solution and SciPy's own, on matrices of drawn eigenvalues",
    tolerance=1e-8,
    tolerance_reason="relative to x; rounding times the condition, at most ten thousand",
    about=("npvpg.fisher.conjugate_gradient",),
)
@given(st.integers(1, 12), st.integers(1, 5), st.sampled_from([1.0, 10.0, 1e4]), SEED)
@example(1, 1, 1.0, 0)
@example(12, 3, 1e4, 0)
def test_conjugate_gradients(size, n_levels, condition, seed):
    rng = np.random.default_rng([216, seed])
    levels = np.geomspace(1, condition, n_levels)
    values = levels[np.arange(size) % n_levels]
    q, _ = np.linalg.qr(rng.standard_normal((size, size)))
    A, b = (q * values) @ q.T, rng.standard_normal(size)
    x = np.linalg.solve(A, b)
    have = conjugate_gradient(lambda d: A @ d, b, n_steps=n_levels)
    observe(largest(have - x), 1e-8 * largest(x), lambda: f"{size=} {n_levels=} {condition=}")
    observe(largest(b - A @ have), 1e-8 * condition * largest(x), lambda: f"{size=}")
    ratio = (np.sqrt(condition) - 1) / (np.sqrt(condition) + 1)
    whole = float(np.sqrt(x @ A @ x))
    for k in range(1, n_levels + 1):
        part = conjugate_gradient(lambda d: A @ d, b, n_steps=k, tolerance=0.0)
        off = float(np.sqrt((part - x) @ A @ (part - x)))
        require(off <= (2 * ratio**k + 1e-8) * whole, lambda: f"{size=} {k=}")  # noqa: B023
        if k == min(n_levels, size):  # where nothing is left SciPy divides 0 by 0
            break
        theirs, _ = scipy.sparse.linalg.cg(A, b, rtol=0, atol=0, maxiter=k)
        observe(largest(part - theirs), 1e-8 * (largest(x) + largest(part)), f"{size=} {k=}")


@claim("K8")
def test_it_stops_where_nothing_is_left():
    asked = []

    def product(d: Table) -> Table:
        asked.append(1)
        return 2 * d

    require(conjugate_gradient(product, np.ones(3), n_steps=9).tolist() == [0.5] * 3)
    require(len(asked) == 1, "a second product of a solved system")
    require(conjugate_gradient(product, np.zeros(3), n_steps=9).tolist() == [0.0] * 3)
    flat = conjugate_gradient(lambda d: 0 * d, np.ones(3), n_steps=9)
    require(flat.tolist() == [0.0] * 3, "no curvature, no step")
    with pytest.raises(ValueError, match="n_steps must be at least 1, got 0"):
        conjugate_gradient(product, np.ones(3), n_steps=0)


@claim(
    name="K9",
    title="The least-squares fit of the advantage on the score is the natural gradient",
    statement=r"\arg\min_w E\bigl[(A - w^\top\nabla\log\pi)^2\bigr] = F^{-1}\,E[A\,\nabla\log\pi]",
    words="compatible features: regressing the advantage on the score gives the natural gradient",
    assumptions="expectations over one law of states; the least one where F is singular",
    source="Sutton et al. 2000, theorem 2; Kakade 2001, theorem 1",
    method="weighted least squares over every step of every episode, by LAPACK",
    tolerance=1e-8,
    tolerance_reason="relative to the largest entry; squares the condition of the scores",
    about=("npvpg.fisher.fisher_product", "npvpg.fisher.conjugate_gradient"),
)
@given(cases(n_actions=st.just(2), horizon=st.integers(1, 2)))
@example(Case(horizon=2))
def test_compatible_features(case):
    lab = case.lab
    flat, batch = lab.flat, lab.batch
    pi = lab.policy.at(lab.theta, batch.obs)
    advantage = lab.solved.A[flat.time, flat.state, flat.act]
    chance = flat.step_probability / flat.step_probability.sum()
    # the library's products are means over rows: one row a state, times the state's share
    share = np.bincount(flat.state, chance, lab.process.n_states)
    states = [lab.policy.at(lab.theta, row[np.newaxis]) for row in np.eye(len(share))]

    def product(v: Table) -> Table:
        parts = [w * fisher_product(s, v) for w, s in zip(share, states, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    grad = policy_gradient(pi, batch, advantage * chance * batch.n_trajectories)
    have = conjugate_gradient(product, grad, n_steps=20, tolerance=1e-12)
    root = np.sqrt(chance)
    score = lab.score()[flat.state, flat.act]
    want, *_ = np.linalg.lstsq(score * root[:, np.newaxis], advantage * root, rcond=1e-10)
    observe(largest(have - want), 1e-8 * (1 + largest(want)), lambda: f"{case}")
