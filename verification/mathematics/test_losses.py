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
from verification.claims import claim, observe
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
        "npvpg.value.MLPValue.value",
        "npvpg.value.MLPValue.gradient",
        "npvpg.value.ZeroValue",
        "npvpg.gradient.policy_gradient",
        "npvpg.policy.Policy.weighted_entropy_score",
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
        lambda p: 0.5 * ((value.value(p, obs) - target) ** 2).sum() / net.n_rows, phi
    )
    observe(relative_error(value.gradient(phi, obs, target), want, 1.0), 1e-12, lambda: f"{net}")
    nothing = ZeroValue()
    empty = nothing.init(rng)
    observe(float(np.abs(nothing.value(empty, obs)).max()), 0)
    observe(float(nothing.gradient(empty, obs, target).size + nothing.size), 0)


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
        log_prob = (factor * psi * policy.log_prob(t, batch.obs, batch.act)).sum() / count
        return main * log_prob + bonus * policy.entropy(t, batch.obs).sum() / batch.n_steps

    have = main * policy_gradient(
        policy, theta, batch, psi, per_step=per_step, discount=discount
    ) + policy.weighted_entropy_score(
        theta, batch.obs, np.full(batch.n_steps, bonus / batch.n_steps)
    )
    size = float(np.abs(psi).sum()) * 10
    observe(relative_error(have, complex_step(objective, theta), size), 1e-12)


def _batch(rng, lengths, *, gaussian):
    n = sum(lengths)
    law = DiagonalGaussian(1) if gaussian else Categorical(3)
    policy = Policy(MLP((N_OBS, 3, law.n_outputs)), law)
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
    zeros, free = np.zeros(n), mu[normal.network.size :]
    ends, one = np.array([0, n]), np.zeros(1)
    gae, out = estimators.GAE(0.9, 0.9), np.zeros((n, 3))
    _refused(
        lambda: policy_gradient(policy, theta, batch, bad),
        lambda: policy.weighted_score(theta, batch.obs, batch.act, bad),
        lambda: policy.weighted_entropy_score(theta, batch.obs, bad),
        lambda: policy.log_prob(theta, batch.obs, bad.astype(int)),
        lambda: policy.score(theta, batch.obs, bad.astype(int)),
        lambda: policy.act(theta, batch.obs, bad),
        lambda: value.gradient(phi, batch.obs, bad),
        lambda: gae(bad, zeros, one, ends),
        lambda: gae(zeros, bad, one, ends),
        lambda: estimators.RewardToGo(0.9)(zeros, bad, one, ends),
        lambda: estimators.standardize(np.zeros((n, 1))),
        lambda: normal.log_prob(mu, batch.obs, zeros),
        lambda: normal.act(mu, batch.obs, zeros),
        lambda: DiagonalGaussian(2).log_prob(np.zeros((n, 2)), np.zeros(2), np.zeros((n, 1))),
        lambda: DiagonalGaussian(2).kl(
            np.zeros((n, 2)), np.zeros(2), np.zeros((n, 1)), np.zeros(2)
        ),
        lambda: DiagonalGaussian(2).entropy(np.zeros((n, 2)), free),
        lambda: Categorical(3).kl(out, one[:0], out[:, :1], one[:0]),
        lambda: policy.network.backward(theta, policy.network.layers(theta, batch.obs), out[:, :1]),
    )


def _refused(*calls):
    for number, call in enumerate(calls):
        try:
            call()
        except ValueError:
            observe(0, 0)
        else:
            observe(1, 0, f"call {number} was let through")


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
        "npvpg.policy.Policy.weighted_score",
        "npvpg.policy.Policy.weighted_entropy_score",
        "npvpg.policy.Policy.score",
    ),
)
@given(nets(scale=st.sampled_from([1e-3, 1.0, 3.0]), obs_scale=TAME["obs_scale"]), st.booleans())
@example(Net(n_rows=7, weight=1e6), True)
@example(Net(n_rows=7, n_out=4), False)
def test_a_batch_is_the_sum_of_its_rows(net, gaussian):
    rng = net.rng(13)
    law = DiagonalGaussian(net.n_out, True) if gaussian else Categorical(net.n_out)
    policy = Policy(net.network(law.n_outputs), law)
    theta, obs, w = net.theta(rng, policy.size), net.obs(rng), net.weights(rng)
    act = policy.act(theta, obs, policy.noise(rng, net.n_rows))
    layers = policy.network.layers(theta, obs)
    score, _ = law.score(layers[-1], np.zeros(0), act)
    d, sizes = np.abs(score) + 1, []
    if isinstance(
        law, DiagonalGaussian
    ):  # a rounding of mu weighs 1 / sigma^2, and one of log sigma z^2
        mu, log_sigma, _ = law.split(layers[-1], np.zeros(0))
        terms = (np.abs(act) + np.abs(mu) + np.abs(log_sigma) + 1) * np.exp(-2 * log_sigma)
        d += np.tile(terms, 2)
    for (matrix, _), h in zip(
        reversed(policy.network.unpack(theta)), reversed(layers[:-1]), strict=True
    ):
        sizes.append(d.max() * max(1.0, np.abs(h).max()))
        d = d @ np.abs(matrix).T
    allowed = 4 * (net.n_rows + 50) * UNIT * float(max(sizes) * np.abs(w).sum())

    def weighted(rows, weight):
        return policy.weighted_score(theta, obs[rows], act[rows], weight)

    every = np.arange(net.n_rows)
    whole = weighted(every, w)
    singles = sum(weighted(every[t : t + 1], w[t : t + 1]) for t in every)
    _close(whole, singles, allowed, net)
    _close(whole, w @ policy.score(theta, obs, act), allowed, net)
    order = rng.permutation(net.n_rows)
    _close(whole, weighted(order, w[order]), allowed, net)
    _close(weighted(np.tile(every, 2), np.tile(w, 2)), weighted(every, 2 * w), 2 * allowed, net)
    _close(whole, weighted(every, 3 * w) - weighted(every, 2 * w), 6 * allowed, net)
    _close(weighted(every, 0 * w), np.zeros(policy.size), 0, net)
    # products of other heights round differently: not bitwise, but no row depends on another
    rows = np.concatenate([policy.log_prob(theta, obs[[t]], act[[t]]) for t in every])
    # an output rounds by its terms, weights times units, and its score carries that on
    size = max(sizes) * max(1.0, float(np.abs(theta).max())) + float(np.abs(rows).max())
    _close(policy.log_prob(theta, obs, act), rows, 4 * (net.n_rows + 50) * UNIT * size, net)
    bonus = policy.weighted_entropy_score(theta, obs, w)
    singles = sum(policy.weighted_entropy_score(theta, obs[[t]], w[[t]]) for t in every)
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
    have = policy.weighted_score(theta, obs, act, np.array([1.0, 0.0]))
    want = policy.weighted_score(theta, obs[:1], act[:1], np.ones(1))
    observe(float(np.abs(have - want).max()), 0)
    flat = Policy(MLP((1, 2)), Categorical(2))
    far = np.array([1e308, -1e308, 0.0, 0.0])
    assert flat.log_prob(far, obs, np.ones(2, int)).max() < -1e308
    have = flat.weighted_score(far, obs, np.ones(2, int), np.zeros(2))
    observe(float(np.abs(have).max()), 0)
