"""A5 and A6: gradients of sums over a batch, and what a sum over a batch must not do."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from npvpg import estimators
from npvpg.batch import Batch
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.value import MLPValue, ZeroValue
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED, TAME, UNIT, Net, nets
from verification.oracles.derivatives import complex_step, relative_error

N_OBS = 2


@claim(
    name="A5",
    title="Gradients of the sums that the loop climbs and descends",
    statement=r"\nabla_\phi \tfrac1{2S}\sum_t (V_\phi(s_t)-y_t)^2,\quad"
    r"\nabla_\theta\Bigl[\tfrac1K\sum_t w_t\log\pi_\theta(a_t|s_t)"
    r" + c\,\tfrac1S\sum_t H(\pi_\theta(\cdot|s_t))\Bigr]",
    words="the gradients of value error, weighted log-probability and entropy, alone and together",
    assumptions="none",
    source="chain rule",
    method="complex step; shapes that broadcast but differ must raise",
    tolerance=1e-12,
    tolerance_reason="relative to the terms of the sum, which may cancel",
    about=(
        "npvpg.value.MLPValue",
        "npvpg.value.MLPValueAt.gradient",
        "npvpg.value.ZeroValue",
        "npvpg.gradient.policy_gradient",
        "npvpg.policy.PolicyAt.weighted_entropy_score",
        "npvpg.checks.shape",
    ),
)
@given(nets(**TAME, n_out=st.just(1)))
@example(Net(hidden=(), n_out=1))
@example(Net(hidden=(4,), n_out=1, n_rows=1))
def test_value_gradient(net):
    rng = net.rng(10)
    value = MLPValue(net.network())
    phi, obs = net.theta(rng, value.size), net.obs(rng)
    target = rng.standard_normal(net.n_rows)
    want = complex_step(
        lambda p: 0.5 * ((value.at(p, obs).values - target) ** 2).sum() / net.n_rows, phi
    )
    observe(relative_error(value.at(phi, obs).gradient(target), want, 1.0), 1e-12, lambda: f"{net}")
    nothing = ZeroValue()
    empty = nothing.init(rng)
    observe(float(np.abs(nothing.at(empty, obs).values).max()), 0)
    observe(float(nothing.at(empty, obs).gradient(target).size + nothing.size), 0)


@claim("A5")
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([None, 0.0, 0.9, 1.0]),
    st.booleans(),
    st.sampled_from([(1.0, 0.0), (0.0, 1.0), (1.0, 0.01)]),
    SEED,
)
@example([3, 1], False, 0.9, False, (1.0, 0.01), 0)
def test_policy_terms(lengths, gaussian, discount, per_step, part, seed):
    rng = np.random.default_rng([11, seed])
    policy, theta, batch = _batch(rng, lengths, gaussian=gaussian)
    psi = rng.standard_normal(batch.n_steps)
    age = np.concatenate([np.arange(n) for n in lengths])
    factor = np.ones(batch.n_steps) if discount is None else np.power(discount, age)
    count = batch.n_steps if per_step else len(lengths)
    main, bonus = part

    def objective(t):
        log_prob = (factor * psi * policy.at(t, batch.obs).log_prob(batch.act)).sum() / count
        return main * log_prob + bonus * policy.at(t, batch.obs).entropy().sum() / batch.n_steps

    pi = policy.at(theta, batch.obs)
    have = main * policy_gradient(
        pi, batch, psi, per_step=per_step, discount=discount
    ) + pi.weighted_entropy_score(np.full(batch.n_steps, bonus / batch.n_steps))
    size = float(np.abs(psi).sum()) * 10
    observe(relative_error(have, complex_step(objective, theta), size), 1e-12)


def _batch(rng, lengths, *, gaussian):
    n = sum(lengths)
    law = DiagonalGaussian(1) if gaussian else Categorical(3)
    n_out = law.n_params - len(law.scale_columns)
    policy = Policy(MLP((N_OBS, 3, n_out)), law)
    theta = 0.7 * rng.standard_normal(policy.size)
    act = rng.standard_normal((n, 1)) if gaussian else rng.integers(3, size=n)
    batch = Batch(
        rng.standard_normal((n, N_OBS)),
        act,
        rng.standard_normal(n),
        np.concatenate([[0], np.cumsum(lengths)]),
        rng.standard_normal((len(lengths), N_OBS)),
        np.ones(len(lengths), bool),
    )
    return policy, theta, batch


@claim("A5")
@given(st.data(), st.integers(1, 4), SEED)
def test_what_broadcasts_but_differs_raises(data, n, seed):
    rng = np.random.default_rng([12, seed])
    policy, theta, batch = _batch(rng, [n], gaussian=False)
    normal, mu, _ = _batch(rng, [n], gaussian=True)
    value = MLPValue(MLP((N_OBS, 1)))
    phi = value.init(rng)
    shapes = mutually_broadcastable_shapes(num_shapes=1, base_shape=(n,), max_dims=2)
    bad = np.zeros(data.draw(shapes.map(lambda s: s.input_shapes[0]).filter(lambda s: s != (n,))))
    zeros = np.zeros(n)
    pi, v, gauss = (
        policy.at(theta, batch.obs),
        value.at(phi, batch.obs),
        normal.at(mu, batch.obs),
    )
    ends, one = np.array([0, n]), np.zeros(1)
    gae, out = estimators.GAE(0.9, 0.9), np.zeros((n, 3))
    _refused(
        lambda: policy_gradient(pi, batch, bad),
        lambda: pi.weighted_score(batch.act, bad),
        lambda: pi.weighted_entropy_score(bad),
        lambda: pi.log_prob(bad.astype(int)),
        lambda: pi.score(bad.astype(int)),
        lambda: pi.sample(bad),
        lambda: v.gradient(bad),
        lambda: gae(bad, zeros, one, ends),
        lambda: gae(zeros, bad, one, ends),
        lambda: estimators.RewardToGo(0.9)(zeros, bad, one, ends),
        lambda: estimators.standardize(np.zeros((n, 1))),
        lambda: gauss.log_prob(zeros),
        lambda: gauss.sample(zeros),
        lambda: DiagonalGaussian(2).log_prob(np.zeros((n, 4)), np.zeros((n, 1))),
        lambda: DiagonalGaussian(2).kl(np.zeros((n, 4)), np.zeros((n, 1))),
        lambda: DiagonalGaussian(2).entropy(np.zeros((n, 2))),
        lambda: Categorical(3).kl(out, out[:, :1]),
        lambda: policy.network.backward(theta, policy.network.layers(theta, batch.obs), out[:, :1]),
    )


def _refused(*calls):
    for number, call in enumerate(calls):
        try:
            call()
        except ValueError:
            require(True)
        else:
            require(False, f"call {number} was let through")


@claim(
    name="A6",
    title="A batch is the sum of its rows",
    statement=r"g(w) = \sum_t w_t g_t,\qquad g_t \text{ depends on row } t \text{ alone}",
    words="linear in the weights, a sum of single rows, blind to their order; weight 0 adds 0",
    assumptions="none",
    source="the definition of the weighted score",
    method="the batch against its rows",
    tolerance=3e-14,
    tolerance_reason="4 (B + 50) roundings of the terms, 3e-14 of their size: B rows, 50 units",
    about=(
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.policy.PolicyAt.weighted_entropy_score",
        "npvpg.policy.PolicyAt.score",
    ),
)
@given(nets(scale=st.sampled_from([1e-3, 1.0, 3.0]), obs_scale=TAME["obs_scale"]), st.booleans())
@example(Net(n_rows=7, weight=1e6), True)
@example(Net(n_rows=7, n_out=4), False)
def test_a_batch_is_the_sum_of_its_rows(net, gaussian):
    rng = net.rng(13)
    law = DiagonalGaussian(net.n_out) if gaussian else Categorical(net.n_out)
    policy = Policy(net.network(law.n_params), law)
    theta, obs, w = net.theta(rng, policy.size), net.obs(rng), net.weights(rng)
    pi = policy.at(theta, obs)
    act = pi.sample(policy.noise(rng, net.n_rows))
    d, sizes = np.abs(law.score(pi.params, act)) + 1, []
    if isinstance(
        law, DiagonalGaussian
    ):  # a rounding of mu weighs 1 / sigma^2, and one of log sigma z^2
        mu, log_sigma, _ = law.split(pi.params)
        terms = (np.abs(act) + np.abs(mu) + np.abs(log_sigma) + 1) * np.exp(-2 * log_sigma)
        d += np.tile(terms, 2)
    for (matrix, _), h in zip(
        reversed(policy.network.unpack(theta)), reversed(pi.layers[:-1]), strict=True
    ):
        sizes.append(d.max() * max(1.0, np.abs(h).max()))
        d = d @ np.abs(matrix).T
    allowed = 4 * (net.n_rows + 50) * UNIT * float(max(sizes) * np.abs(w).sum())

    def weighted(rows, weight):
        return policy.at(theta, obs[rows]).weighted_score(act[rows], weight)

    every = np.arange(net.n_rows)
    whole = weighted(every, w)
    singles = sum(weighted(every[t : t + 1], w[t : t + 1]) for t in every)
    _close(whole, singles, allowed, net)
    _close(whole, w @ pi.score(act), allowed, net)
    order = rng.permutation(net.n_rows)
    _close(whole, weighted(order, w[order]), allowed, net)
    _close(weighted(np.tile(every, 2), np.tile(w, 2)), weighted(every, 2 * w), 2 * allowed, net)
    _close(whole, weighted(every, 3 * w) - weighted(every, 2 * w), 6 * allowed, net)
    _close(weighted(every, 0 * w), np.zeros(policy.size), 0, net)
    # products of other heights round differently: not bitwise, but no row depends on another
    rows = np.concatenate([policy.at(theta, obs[[t]]).log_prob(act[[t]]) for t in every])
    # an output rounds by its terms, weights times units, and its score carries that on
    size = max(sizes) * max(1.0, float(np.abs(theta).max())) + float(np.abs(rows).max())
    _close(pi.log_prob(act), rows, 4 * (net.n_rows + 50) * UNIT * size, net)
    bonus = pi.weighted_entropy_score(w)
    singles = sum(policy.at(theta, obs[[t]]).weighted_entropy_score(w[[t]]) for t in every)
    _close(bonus, singles, allowed, net)


def _close(have, want, allowed, net):
    observe(float(np.abs(have - want).max()), allowed, lambda: f"{net}")


@claim("A6")
@pytest.mark.parametrize("other", [0.0, 1e154])
def test_weight_zero_adds_nothing_however_unlikely_the_action(other):
    law = DiagonalGaussian(1)
    policy = Policy(MLP((1, 1)), law)
    theta, obs = np.zeros(policy.size), np.ones((2, 1))
    act = np.array([[0.5], [other]])  # a log-density of -0.5e308
    have = policy.at(theta, obs).weighted_score(act, np.array([1.0, 0.0]))
    want = policy.at(theta, obs[:1]).weighted_score(act[:1], np.ones(1))
    observe(float(np.abs(have - want).max()), 0)
    flat = Policy(MLP((1, 2)), Categorical(2))
    far = np.array([1e308, -1e308, 0.0, 0.0])
    assert flat.at(far, obs).log_prob([1, 1]).max() < -1e308
    have = flat.at(far, obs).weighted_score([1, 1], np.zeros(2))
    observe(float(np.abs(have).max()), 0)
