"""A: the hand-written derivatives are the derivatives of the forward pass."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.value import MLPValue
from verification.claims import claim, observe
from verification.oracles.derivatives import central_difference, complex_step, relative_error

HIDDEN = st.lists(st.integers(1, 6), max_size=3).map(tuple)
SCALE = st.sampled_from([1e-3, 1.0, 3.0])
SEED = st.integers(0, 2**32 - 1)


@claim(
    name="A1",
    title="Backpropagation is the derivative of the forward pass",
    statement=r"\nabla_{\theta,x} \langle C, f_\theta(x)\rangle = \mathrm{backward}(C)",
    words="backward equals the complex-step derivative in every parameter and input",
    assumptions="tanh network; ReLU away from its kink",
    source="chain rule; Martins, Sturdza and Alonso 2003 for the complex step",
    method="complex step",
    tolerance=1e-12,
    tolerance_reason="norm-wise, relative to the derivative without saturation",
    about=(
        "npvpg.mlp.MLP",
        "npvpg.mlp.MLP.forward",
        "npvpg.mlp.MLP.backward",
        "npvpg.mlp.MLP.backward_samples",
        "npvpg.mlp.MLP.backward_input",
    ),
)
@given(HIDDEN, st.integers(1, 5), SCALE, st.sampled_from(["tanh", "relu"]), SEED)
@example((4, 4), 3, 1.0, "tanh", 0)  # square layers: W for W.T would fit
def test_backpropagation(hidden, n_rows, scale, activation, seed):
    rng = np.random.default_rng([1, seed])
    network = MLP((3, *hidden, 2), activation)
    theta = scale * rng.standard_normal(network.size)
    x = rng.standard_normal((n_rows, 3))
    weight = rng.standard_normal((n_rows, 2))
    layers = network.layers(theta, x)
    rows = complex_step(lambda t: (network.forward(t, x) * weight).sum(axis=1), theta)
    size = _unsaturated(network, theta, x, weight)
    observe(relative_error(network.backward_samples(theta, layers, weight), rows, size), 1e-12)
    total = network.backward(theta, layers, weight)
    observe(relative_error(total, rows.sum(axis=0), size), 1e-12)
    inputs = complex_step(lambda y: (network.forward(theta, y) * weight).sum(), x)
    have = network.backward_input(theta, layers, weight)
    observe(relative_error(have, inputs, size), 1e-12)


def _unsaturated(network, theta, x, weight):
    """Size of the derivative with phi' = 1: where tanh saturates, 1 - h^2 cancels beside it."""
    d, size = np.abs(weight), float(np.abs(weight).max())
    for matrix, _ in reversed(network.unpack(theta)):
        d = d @ np.abs(matrix).T
        size = max(size, float(d.max()))
    return size * max(1.0, float(np.abs(x).max()))


@claim("A1")
def test_a_second_voice_in_real_numbers() -> None:
    rng = np.random.default_rng(11)
    network = MLP((3, 5, 2))
    theta, x = rng.standard_normal(network.size), rng.standard_normal((4, 3))
    weight = rng.standard_normal((4, 2))
    have = network.backward(theta, network.layers(theta, x), weight)
    want = central_difference(lambda t: (network.forward(t, x) * weight).sum(), theta)
    observe(relative_error(have, want), 1e-7)


@claim(
    name="A2",
    title="Score and entropy gradient of the categorical policy",
    statement=r"\partial_{z_b}\log\pi(a) = [a=b] - p_b,\quad"
    r"\partial_{z_a} H = -p_a(\log p_a + H)",
    words="the categorical score and entropy gradient equal their complex-step derivatives",
    assumptions="finite logits",
    source="Sutton and Barto 2018, chapter 13",
    method="complex step",
    tolerance=1e-12,
    tolerance_reason="norm-wise, as A1",
    about=(
        "npvpg.distributions.categorical.Categorical",
        "npvpg.distributions.categorical.Categorical.score",
        "npvpg.distributions.categorical.Categorical.entropy_score",
        "npvpg.policy.Policy",
        "npvpg.policy.Policy.score",
        "npvpg.policy.Policy.weighted_score",
        "npvpg.policy.Policy.weighted_entropy_score",
    ),
)
@given(HIDDEN, st.integers(1, 5), SCALE, SEED)
@example((), 1, 1.0, 0)
def test_categorical_score(hidden, n_actions, scale, seed):
    rng = np.random.default_rng([2, seed])
    policy = Policy(MLP((2, *hidden, n_actions)), Categorical(n_actions))
    _check_policy(policy, rng, scale, rng.integers(n_actions, size=4))


@claim(
    name="A3",
    title="Score and entropy gradient of the Gaussian policy",
    statement=r"\partial_\mu\log\pi = \frac{a-\mu}{\sigma^2},\quad"
    r"\partial_{\log\sigma}\log\pi = \frac{(a-\mu)^2}{\sigma^2} - 1",
    words="the Gaussian score equals its complex-step derivative, for both kinds of sigma",
    assumptions="log sigma inside its clamp",
    source="Spinning Up, part 1, diagonal Gaussian policies",
    method="complex step",
    tolerance=1e-12,
    tolerance_reason="norm-wise, as A1",
    about=(
        "npvpg.distributions.gaussian.DiagonalGaussian",
        "npvpg.distributions.gaussian.DiagonalGaussian.score",
        "npvpg.distributions.gaussian.DiagonalGaussian.entropy_score",
        "npvpg.policy.Policy.score",
    ),
)
@given(HIDDEN, st.integers(1, 3), st.booleans(), st.floats(-4, 1.9), SEED)
def test_gaussian_score(hidden, dim, state, log_sigma, seed):
    rng = np.random.default_rng([3, seed])
    law = DiagonalGaussian(dim, state, 0.0)
    policy = Policy(MLP((2, *hidden, law.n_outputs)), law)
    act = rng.standard_normal((4, dim))
    _check_policy(policy, rng, 0.5, act, None if state else log_sigma)


def _check_policy(policy, rng, scale, act, log_sigma=None):
    theta = scale * rng.standard_normal(policy.size)
    if log_sigma is not None:
        theta[policy.network.size :] = log_sigma
    obs, weight = rng.standard_normal((4, 2)), rng.standard_normal(4)
    score = complex_step(lambda t: policy.log_prob(t, obs, act), theta)
    size = float(np.abs(score).max()) + 1e-300
    observe(relative_error(policy.score(theta, obs, act), score, size), 1e-12)
    have = policy.weighted_score(theta, obs, act, weight)
    observe(relative_error(have, weight @ score, size), 1e-12)
    entropy = complex_step(lambda t: policy.entropy(t, obs), theta)
    have = policy.weighted_entropy_score(theta, obs, weight)
    # near determinism the entropy gradient is a difference of terms as large as p log p
    observe(relative_error(have, weight @ entropy, max(size, 1.0)), 1e-12)


@claim(
    name="A4",
    title="The clamp of log sigma has the derivative it is said to have",
    statement=r"\partial\,\mathrm{clamp} = [-20 \le \log\sigma \le 2]",
    words="inside the clamp the score is the derivative; outside it is exactly zero",
    assumptions="none",
    source="definition of the clamp",
    method="neighbouring floats of both bounds",
    tolerance=0.0,
    tolerance_reason="exact",
    about=("npvpg.distributions.gaussian.clamp",),
)
def test_clamp() -> None:
    law = DiagonalGaussian(1)
    for bound, beyond in ((-20.0, -np.inf), (2.0, np.inf)):
        outside, inside = np.nextafter(bound, beyond), bound
        for log_sigma, factor in ((outside, 0.0), (inside, 1.0)):
            free = np.array([log_sigma])
            _, d_free = law.score(np.zeros((1, 1)), free, np.zeros((1, 1)))
            observe(float(abs(d_free[0, 0] + factor)), 0)
            _, d_entropy = law.entropy_score(np.zeros((1, 1)), free)
            observe(float(abs(d_entropy[0, 0] - factor)), 0)
        at_bound = law.log_prob(np.zeros((1, 1)), np.array([inside]), np.zeros((1, 1)))
        past = law.log_prob(np.zeros((1, 1)), np.array([outside]), np.zeros((1, 1)))
        observe(float(abs(at_bound - past)[0]), 0)


@claim(
    name="A5",
    title="Gradient of the value function's error",
    statement=r"\nabla_\phi \tfrac1{2S}\sum_t (V_\phi(s_t)-y_t)^2",
    words="the gradient of half the mean squared error equals its complex-step derivative",
    assumptions="none",
    source="chain rule",
    method="complex step",
    tolerance=1e-12,
    tolerance_reason="norm-wise, as A1",
    about=("npvpg.value.MLPValue", "npvpg.value.MLPValue.gradient"),
)
@given(HIDDEN, st.integers(1, 6), SEED)
def test_value_gradient(hidden, n_rows, seed):
    rng = np.random.default_rng([5, seed])
    value = MLPValue(MLP((2, *hidden, 1)))
    phi, obs = rng.standard_normal(value.size), rng.standard_normal((n_rows, 2))
    target = rng.standard_normal(n_rows)
    want = complex_step(lambda p: 0.5 * ((value.value(p, obs) - target) ** 2).sum() / n_rows, phi)
    observe(relative_error(value.gradient(phi, obs, target), want, 1.0), 1e-12)
