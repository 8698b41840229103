"""A: the hand-written derivatives are the derivatives of the forward pass."""

from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN, Categorical, DiagonalGaussian
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.strategies import SEED, TAME, Net, nets
from verification.oracles import distributions as reference
from verification.oracles.derivatives import central_difference, complex_step, relative_error
from verification.oracles.network import tanh_network


@claim(
    name="A1",
    title="Backpropagation is the derivative of the forward pass",
    statement=r"\nabla_{\theta,x} \langle C, f_\theta(x)\rangle = \mathrm{backward}(C)",
    words="backward equals the complex-step derivative in every parameter and input",
    assumptions="ReLU away from its kink",
    source="chain rule; Martins, Sturdza and Alonso 2003 for the complex step",
    method="complex step; central difference; 50 digits at pinned points",
    tolerance=1e-12,
    tolerance_reason="norm-wise; where tanh saturates, relative to the derivative without it; "
    "1e-13 at the points computed to 50 digits, 1e-7 for central differences",
    about=(
        "npvpg.mlp.MLP",
        "npvpg.mlp.MLP.forward",
        "npvpg.mlp.MLP.backward",
        "npvpg.mlp.MLP.backward_samples",
        "npvpg.mlp.MLP.backward_input",
        "npvpg.kernels.network.add_bias",
        "npvpg.kernels.network.through_tanh",
    ),
)
@given(nets())
@example(Net(hidden=(4, 4)))  # square layers: W for W.T would fit
@example(Net(hidden=(), n_rows=1, n_obs=1, n_out=1))
@example(Net(hidden=(8, 8, 8), n_rows=7, scale=30.0, obs_scale=1e3))
@example(Net(hidden=(3,), activation="relu", obs_scale=0.0))
def test_backpropagation(net):
    rng = net.rng(1)
    network = net.network()
    theta, x = net.theta(rng, network.size), net.obs(rng)
    d_out = rng.standard_normal((net.n_rows, net.n_out)) * net.weights(rng)[:, np.newaxis]
    layers = network.layers(theta, x)
    rows = complex_step(lambda t: (network.forward(t, x) * d_out).sum(axis=1), theta)
    size = 0.0 if net.tame else _unsaturated(network, theta, x, d_out)
    have = network.backward_samples(theta, layers, d_out)
    observe(relative_error(have, rows, size), 1e-12, lambda: f"rows {net}")
    # the rows may cancel in their sum
    size = max(size, float(np.linalg.norm(np.abs(rows).sum(axis=0))))
    have = network.backward(theta, layers, d_out)
    observe(relative_error(have, rows.sum(axis=0), size), 1e-12, lambda: f"sum {net}")
    inputs = complex_step(lambda y: (network.forward(theta, y) * d_out).sum(), x)
    have = network.backward_input(theta, layers, d_out)
    size = _unsaturated(network, theta, np.ones_like(x), d_out)
    observe(relative_error(have, inputs, size), 1e-12, lambda: f"inputs {net}")


def _unsaturated(network, theta, x, weight):
    """Size of the derivative with phi' = 1: where tanh saturates, 1 - h^2 cancels beside it."""
    d, size = np.abs(weight), float(np.abs(weight).max())
    for matrix, _ in reversed(network.unpack(theta)):
        d = d @ np.abs(matrix).T
        size = max(size, float(d.max()))
    return size * max(1.0, float(np.abs(x).max()))


@claim("A1")
@given(nets(**TAME, activation=st.just("tanh"), weight=st.just(None)))
def test_backpropagation_in_real_numbers(net):
    rng = net.rng(2)
    network = net.network()
    theta, x = net.theta(rng, network.size), net.obs(rng)
    d_out = rng.standard_normal((net.n_rows, net.n_out))
    have = network.backward(theta, network.layers(theta, x), d_out)
    want = central_difference(lambda t: (network.forward(t, x) * d_out).sum(), theta)
    observe(relative_error(have, want), 1e-7, lambda: f"{net}")


@claim("A1")
@pytest.mark.parametrize("seed", range(10))
def test_network_with_fifty_digits(seed):
    net = Net(hidden=[(3, 3), (4,), ()][seed % 3], seed=seed)
    rng = net.rng(3)
    network = net.network()
    theta, x = net.theta(rng, network.size), rng.standard_normal((1, net.n_obs))
    d_out = rng.standard_normal((1, net.n_out))
    value, d_theta, d_x = tanh_network(network.sizes, theta, x[0], d_out[0])
    layers = network.layers(theta, x)
    observe(abs(float((layers[-1] * d_out).sum()) - value), 1e-13, f"forward {net}")
    have = network.backward(theta, layers, d_out)
    observe(relative_error(have, np.array(d_theta)), 1e-13, f"{net}")
    have = network.backward_input(theta, layers, d_out)
    observe(relative_error(have[0], np.array(d_x)), 1e-13, f"input {net}")


@claim(
    name="A2",
    title="Score and entropy gradient of the categorical policy",
    statement=r"\partial_{z_b}\log\pi(a) = [a=b] - p_b,\quad"
    r"\partial_{z_a} H = -p_a(\log p_a + H)",
    words="the categorical score and entropy gradient equal their complex-step derivatives",
    assumptions="finite logits",
    source="Sutton and Barto 2018, chapter 13",
    method="complex step, and the closed form with scipy's probabilities",
    tolerance=1e-12,
    tolerance_reason="relative to the terms that make up an entry, which are of size 1",
    about=(
        "npvpg.distributions.categorical.Categorical",
        "npvpg.distributions.categorical.Categorical.score",
        "npvpg.distributions.categorical.Categorical.entropy_score",
        "npvpg.policy.Policy",
        "npvpg.policy.PolicyAt",
        "npvpg.policy.PolicyAt.score",
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.policy.PolicyAt.weighted_entropy_score",
    ),
)
@given(st.integers(1, 7), st.sampled_from([0.0, 1.0, 8.0, 50.0]), SEED)
@example(1, 50.0, 0)  # one action: the score is exactly 0
@example(4, 0.0, 0)  # all tied
def test_categorical_derivatives(n, scale, seed):
    rng = np.random.default_rng([4, seed])
    law = Categorical(n)
    logits, act = scale * rng.standard_normal((5, n)), rng.integers(n, size=5)
    logits[0] = logits[0, 0]
    score = law.score(logits, act)
    p = np.exp(reference.log_softmax(logits))
    observe(float(np.abs(score - (np.eye(n)[act] - p)).max()), 1e-12 if n > 1 else 0)
    for t in range(5):
        row, action = logits[t], act[t : t + 1]
        want = complex_step(partial(_of_one_row, law.log_prob, action), row)
        observe(float(np.abs(score[t] - want).max()), 1e-12)
        want = complex_step(partial(_of_one_row, law.entropy), row)
        have = law.entropy_score(row[np.newaxis])[0]
        observe(float(np.abs(have - want).max()), 1e-12)


def _of_one_row(f, *arguments):
    *act, logits = arguments
    return f(logits[np.newaxis], *act)[0]


@claim("A2")
@given(nets(obs_scale=st.sampled_from([0.0, 1.0]), n_out=st.integers(1, 5)))
@example(Net(hidden=(), n_rows=1, n_out=1))
def test_categorical_policy(net):
    policy = Policy(net.network(), Categorical(net.n_out))
    rng = net.rng(5)
    theta = net.theta(rng, policy.size)
    _check_policy(net, policy, theta, rng, rng.integers(net.n_out, size=net.n_rows))


@claim(
    name="A3",
    title="Score and entropy gradient of the Gaussian policy",
    statement=r"\partial_\mu\log\pi = \frac{a-\mu}{\sigma^2},\quad"
    r"\partial_{\log\sigma}\log\pi = \frac{(a-\mu)^2}{\sigma^2} - 1",
    words="the Gaussian score equals its complex-step derivative, for both sources of sigma",
    assumptions="log sigma inside its clamp",
    source="Spinning Up, part 1, diagonal Gaussian policies",
    method="complex step, through the network or theta's tail for sigma",
    tolerance=1e-12,
    tolerance_reason="relative to z / sigma and to 1 + z^2, z = (a - mu) / sigma",
    about=(
        "npvpg.distributions.gaussian.DiagonalGaussian",
        "npvpg.distributions.gaussian.DiagonalGaussian.score",
        "npvpg.distributions.gaussian.DiagonalGaussian.entropy_score",
        "npvpg.policy.PolicyAt.score",
    ),
)
@given(st.integers(1, 4), st.floats(LOG_SIGMA_MIN, LOG_SIGMA_MAX), st.floats(-40, 40), SEED)
@example(1, LOG_SIGMA_MIN, 40.0, 0)
@example(4, LOG_SIGMA_MAX, 0.0, 0)
def test_gaussian_derivatives(dim, log_sigma, z, seed):
    rng = np.random.default_rng([6, seed])
    law = DiagonalGaussian(dim)
    mu = rng.standard_normal((3, dim))
    log_sigma = np.clip(log_sigma + rng.standard_normal((3, dim)), LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    sigma, params = np.exp(log_sigma), np.concatenate([mu, log_sigma], axis=1)
    act = mu + sigma * (z * rng.uniform(-1, 1, (3, dim)))
    far = np.abs(act - mu) / sigma
    rows = complex_step(lambda y: law.log_prob(y, act), params)
    want = np.stack([rows[t, t] for t in range(3)])
    size = np.concatenate([far / sigma, 1 + far**2], axis=1) + 1e-300
    observe(float((np.abs(law.score(params, act) - want) / size).max()), 1e-12)
    rows = complex_step(law.entropy, params)
    have = law.entropy_score(params)
    observe(float(np.abs(have - rows[np.arange(3), np.arange(3)]).max()), 1e-12)


@claim("A3")
@given(nets(scale=st.sampled_from([1e-3, 1.0]), **{"obs_scale": TAME["obs_scale"]}), st.booleans())
@example(Net(n_out=4), False)
@example(Net(n_out=4), True)
def test_gaussian_policy(net, state):
    policy = Policy(net.network((1 + state) * net.n_out), DiagonalGaussian(net.n_out))
    rng = net.rng(7)
    theta, act = net.theta(rng, policy.size), rng.standard_normal((net.n_rows, net.n_out))
    _check_policy(net, policy, theta, rng, act)


def _check_policy(net, policy, theta, rng, act):
    """Compare a whole policy with complex steps of its log-probability and entropy."""
    obs, weight = net.obs(rng), net.weights(rng)
    rows = complex_step(lambda t: policy.at(t, obs).log_prob(act), theta)
    pi = policy.at(theta, obs)
    score, _ = policy._parted(policy.distribution.score(pi.params, act))
    # what an entry of the score is a sum of: 1 - p, and 1 - h^2, may cancel
    size = _unsaturated(policy.network, theta[: policy.network.size], obs, np.abs(score) + 1)
    have = pi.score(act)
    observe(relative_error(have, rows, size), 1e-12, lambda: f"{net}")
    # cancelling weights leave the size of the terms, not of their sum
    total = size * float(np.abs(weight).sum())
    have = pi.weighted_score(act, weight)
    observe(relative_error(have, weight @ rows, total), 1e-12, lambda: f"weighted {net}")
    rows = complex_step(lambda t: policy.at(t, obs).entropy(), theta)
    have = pi.weighted_entropy_score(weight)
    observe(relative_error(have, weight @ rows, total), 1e-12, lambda: f"entropy {net}")


@claim(
    name="A4",
    title="The clamp of log sigma has the derivative it is said to have",
    statement=r"\partial\,\mathrm{clamp} = [-20 \le \log\sigma \le 2]",
    words="inside the clamp the score is the derivative; outside it is exactly zero",
    assumptions="none",
    source="definition of the clamp",
    method="complex step away from the bounds; neighbouring floats of both bounds",
    tolerance=0.0,
    tolerance_reason="exact",
    about=("npvpg.distributions.gaussian.clamp",),
)
def test_clamp():
    law = DiagonalGaussian(1)
    for bound, beyond in ((-20.0, -np.inf), (2.0, np.inf)):
        sides = [np.nextafter(bound, beyond), bound, np.nextafter(bound, -beyond)]
        for log_sigma, factor in zip(sides, (0.0, 1.0, 1.0), strict=True):
            params = np.array([[0.0, log_sigma]])
            observe(float(abs(law.score(params, np.zeros((1, 1)))[0, 1] + factor)), 0)
            observe(float(abs(law.entropy_score(params)[0, 1] - factor)), 0)
        both = [law.log_prob(np.array([[0.0, s]]), np.ones((1, 1)))[0] for s in sides[:2]]
        observe(float(abs(both[0] - both[1])), 0)


@claim("A4")
@given(st.floats(-40, 10), st.floats(-3, 3))
@example(-19.0, 0.5)
@example(3.0, 0.5)
@example(-21.0, 0.5)
def test_clamp_by_complex_step(log_sigma, z):
    law, params = DiagonalGaussian(1), np.array([[0.0, log_sigma]])
    sigma = float(np.exp(np.clip(log_sigma, LOG_SIGMA_MIN, LOG_SIGMA_MAX)))
    act = np.array([[z * sigma]])
    score, entropy = law.score(params, act)[0], law.entropy_score(params)[0]
    inside = LOG_SIGMA_MIN <= log_sigma <= LOG_SIGMA_MAX
    want = complex_step(lambda y: law.log_prob(y, act)[0], params)[0]
    observe(float(abs(score[0] - want[0])), 1e-12 / sigma)
    observe(float(abs(score[1] - want[1])), 1e-12 * (1 + z * z) if inside else 0)
    want = complex_step(lambda y: law.entropy(y)[0], params)[0]
    observe(float(np.abs(entropy - want).max()), 1e-15)
