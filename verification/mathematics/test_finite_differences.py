"""A8: every gradient that a user meets is a difference quotient, in real numbers alone."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.policy import Policy
from npvpg.testing import differences
from npvpg.testing.policy import operations, pattern
from npvpg.value import MLPValue
from verification.claims import claim, observe, require
from verification.mathematics.strategies import TAME, Net, nets
from verification.oracles.derivatives import central_difference, complex_step

KINDS = ("categorical", "Gaussian, free sigma", "Gaussian, sigma by the network")
KIND = st.sampled_from(KINDS)
NETS = nets(**TAME, weight=st.sampled_from([None, 0.0, -1.0]))


def _policy(net: Net, kind: str) -> Policy:
    """Give a policy of `net.n_out` actions, or of as many components."""
    if kind == "categorical":
        return Policy(net.network(), Categorical(net.n_out))
    outputs = net.n_out if kind == "Gaussian, free sigma" else 2 * net.n_out
    return Policy(net.network(outputs), DiagonalGaussian(net.n_out))


def _resolved(pi):
    """Whether the finest step is small beside every sigma, so that the quotient is a slope."""
    law = pi.policy.distribution
    return isinstance(law, Categorical) or bool((law.split(pi.params)[1] > -8).all())


def _bends(policy, obs):
    """Tell whether between two parameters a unit goes on or off, or log sigma leaves its clamp."""

    def pieces(theta):
        clamped = b""
        if isinstance(policy.distribution, DiagonalGaussian):
            clamped = policy.distribution.split(policy.at(theta, obs).params)[2].tobytes()
        return pattern(policy, theta, obs) + clamped

    return lambda x, y: pieces(x) != pieces(y)


def _observe(net, told, have, slope, allowed):
    """Hold every entry to the bound of its own; at a kink nothing is claimed."""
    apart, smooth = np.abs(have - slope), np.isfinite(allowed)
    with np.errstate(invalid="ignore"):
        worst = float(np.where(smooth, apart / allowed, 0.0).max())
    observe(worst, 1.0, lambda: f"{told}: {net}")
    return smooth


@claim(
    name="A8",
    title="Gradients against finite differences",
    statement=r"\Bigl|\nabla_\theta f - \frac{f(\theta+h)-f(\theta-h)}{2h}\Bigr|"
    r" \le |D(2h)-D(h)| + \frac{nu}{h}\Bigl(1+|f|+\sum_j|\theta_j\partial_jf|\Bigr)",
    words="score, weighted score, entropy and value gradients are difference quotients",
    assumptions="float64; ReLU away from its kink, log sigma from the bounds of its clamp, and"
    " above -8: steps are no finer",
    source="Taylor's theorem; Higham 2002, section 3.1, for rounding",
    method="central differences of step eps^(1/3), with a bound for each entry: truncation by the"
    " quotient of twice the step, rounding by the number n of operations",
    tolerance=1.0,
    tolerance_reason="error over the bound derived for the entry",
    about=(
        "npvpg.policy.PolicyAt.score",
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.policy.PolicyAt.weighted_entropy_score",
        "npvpg.value.MLPValueAt.gradient",
        "npvpg.distributions.categorical.Categorical.score",
        "npvpg.distributions.gaussian.DiagonalGaussian.score",
    ),
)
@given(NETS, KIND)
@example(Net(hidden=(4, 4, 4), n_rows=5, activation="tanh"), KINDS[0])
@example(Net(hidden=(4, 4, 4), n_rows=5, activation="relu"), KINDS[1])
@example(Net(hidden=(4, 4), n_out=3), KINDS[2])
@example(Net(hidden=(), n_out=1, n_rows=1, n_obs=1), KINDS[1])
def test_policy_gradients_are_difference_quotients(net, kind):
    rng = net.rng(80)
    policy = _policy(net, kind)
    theta, obs, weight = net.theta(rng, policy.size), net.obs(rng), net.weights(rng)
    pi = policy.at(theta, obs)
    assume(_resolved(pi))
    act = pi.sample(policy.noise(rng, net.n_rows))
    for told, have, f in (
        ("score", pi.score(act), lambda t: policy.at(t, obs).log_prob(act)),
        (
            "weighted score",
            pi.weighted_score(act, weight),
            lambda t: weight @ policy.at(t, obs).log_prob(act),
        ),
        (
            "entropy",
            pi.weighted_entropy_score(weight),
            lambda t: weight @ policy.at(t, obs).entropy(),
        ),
    ):
        n = operations(policy) + net.n_rows
        slope, allowed = differences.central(f, theta, n_operations=n, bends=_bends(policy, obs))
        _observe(net, f"{told} of {kind}", have, slope, allowed)


@claim("A8")
@given(nets(**TAME, n_out=st.just(1)))
@example(Net(hidden=(4, 4), n_out=1, activation="relu"))
@example(Net(hidden=(), n_out=1))
def test_value_gradients_are_difference_quotients(net):
    rng = net.rng(81)
    value = MLPValue(net.network())
    phi, obs = net.theta(rng, value.size), net.obs(rng)
    target = rng.standard_normal(net.n_rows)
    # the same network, so the same kinks
    policy = Policy(net.network(), Categorical(1))
    slope, allowed = differences.central(
        lambda p: 0.5 * ((value.at(p, obs).values - target) ** 2).mean(),
        phi,
        n_operations=operations(policy) + net.n_rows,
        bends=_bends(policy, obs),
    )
    _observe(net, "value", value.at(phi, obs).gradient(target), slope, allowed)


@claim("A8")
@given(nets(activation=st.just("relu"), obs_scale=st.just(1.0), scale=st.just(1.0)))
def test_few_parameters_are_near_a_kink(net):
    """What is left out is little: units are on or off, and none is at 0 by chance."""
    rng = net.rng(82)
    policy = _policy(net, KINDS[0])
    theta, obs = net.theta(rng, policy.size), net.obs(rng)
    _, allowed = differences.central(
        lambda t: policy.at(t, obs).entropy(), theta, n_operations=1, bends=_bends(policy, obs)
    )
    require(bool(np.isfinite(allowed).mean() > 0.9), lambda: f"{net}")


@claim("A8")
@given(nets(**TAME, activation=st.just("tanh")), KIND)
def test_the_bound_holds_of_exact_derivatives(net, kind):
    """The quotient is within its bound of the complex step, which knows no truncation."""
    rng = net.rng(83)
    policy = _policy(net, kind)
    theta, obs = net.theta(rng, policy.size), net.obs(rng)
    slope, allowed = differences.central(
        lambda t: policy.at(t, obs).entropy(), theta, n_operations=operations(policy)
    )
    exact = complex_step(lambda t: policy.at(t, obs).entropy(), theta)
    _observe(net, "bound", exact, slope, allowed)
    plain = central_difference(lambda t: policy.at(t, obs).entropy(), theta)
    observe(float(np.abs(slope - plain).max()), 0, lambda: f"{net}")  # the oracle's own quotient


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_a_millionth_too_long_is_out_of_bounds(kind):
    """Negative control: the bound is not so wide that it holds of anything."""
    net = Net(hidden=(4, 4), n_out=2)
    rng = net.rng(84)
    policy = _policy(net, kind)
    theta, obs = net.theta(rng, policy.size), net.obs(rng)
    pi = policy.at(theta, obs)
    act = pi.sample(policy.noise(rng, net.n_rows))
    slope, allowed = differences.central(
        lambda t: policy.at(t, obs).log_prob(act), theta, n_operations=operations(policy)
    )
    have = pi.score(act)
    assert (np.abs(have - slope) <= allowed).all()
    assert not (np.abs(have * (1 + 1e-6) - slope) <= allowed).all()
    assert float(allowed.max()) < 1e-6
