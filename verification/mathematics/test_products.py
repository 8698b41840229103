"""A7, B7, C6: Bernoulli, squashed Gaussian and products of anything, scored and sampled."""

from functools import partial
from math import prod

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    GreedyCategorical,
    Product,
)
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.laws import (
    DISCRETE,
    LAWS,
    MIXED,
    NESTED,
    outcomes,
    parameters,
    products,
    squashed,
)
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import distributions as reference
from verification.oracles.derivatives import complex_step, relative_error

SCALE = st.sampled_from([0.0, 0.3, 1.0, 3.0])


@claim(
    name="A7",
    title="Scores and entropy gradients of Bernoulli, squashed and product policies",
    statement=r"\partial_{z_i}\log\pi = a_i - p_i,\quad \partial_{z_i} H = -z_i p_i(1-p_i),\quad"
    r"\nabla\log\prod_j\pi_j = (\nabla\log\pi_1, \nabla\log\pi_2, \dots)",
    words="scores and entropy gradients of bits, squashed, greedy and product laws are derivatives",
    assumptions="log sigma inside its clamp",
    source="calculus; the squashing does not depend on the parameters",
    method="complex step, of the distribution and of a whole policy",
    tolerance=1e-12,
    tolerance_reason="relative to the terms of an entry: 1 + z^2 and (1 + |z|) / sigma",
    about=(
        "npvpg.distributions.bernoulli.Bernoulli",
        "npvpg.distributions.bernoulli.Bernoulli.score",
        "npvpg.distributions.bernoulli.Bernoulli.entropy_score",
        "npvpg.distributions.bernoulli.sigmoid",
        "npvpg.distributions.squashed.SquashedGaussian",
        "npvpg.distributions.squashed.SquashedGaussian.entropy_score",
        "npvpg.distributions.product.Product",
        "npvpg.distributions.product.Product.score",
        "npvpg.distributions.product.Product.entropy_score",
        "npvpg.distributions.greedy.GreedyCategorical.score",
        "npvpg.distributions.greedy.GreedyCategorical.entropy_score",
    ),
)
@given(LAWS, st.sampled_from([0.0, 1.0, 8.0]), SEED)
@example(MIXED, 1.0, 0)
@example(Bernoulli(4), 50.0, 0)  # near certainty
@example(squashed(2), 40.0, 0)  # the slope of tanh is rounded to 0
@example(GreedyCategorical(Categorical(3), probability=0.3), 1.0, 0)
def test_derivatives(law, scale, seed):
    rng = np.random.default_rng([120, seed])
    params = parameters(law, rng, scale, 3)
    act = law.sample(params, law.noise(rng, 3))
    score, entropy = law.score(params, act), law.entropy_score(params)
    assert score.shape == entropy.shape == params.shape
    for t in range(3):
        # sigma is at least 1/e and noise rarely above 4: 1 + z^2 and z / sigma are below 30
        want = complex_step(partial(_log_prob, law, act[t : t + 1]), params[t])
        observe(float(np.abs(score[t] - want).max()), 30e-12, lambda: f"{law}")
        want = complex_step(lambda y: law.entropy(y[np.newaxis])[0], params[t])
        observe(float(np.abs(entropy[t] - want).max()), 30e-12, lambda: f"entropy of {law}")


def _log_prob(law, act, params):
    return law.log_prob(params[np.newaxis], act)[0]


@claim("A7")
@given(LAWS, st.booleans(), SEED)
@example(MIXED, False, 0)
@example(MIXED, True, 0)
def test_policies(law, free, seed):
    rng = np.random.default_rng([121, seed])
    n_out = law.n_params - free * len(law.scale_columns)
    policy = Policy(MLP((2, 3, n_out)), law)
    theta = 0.3 * rng.standard_normal(policy.size)
    obs, weight = rng.standard_normal((2, 2)), rng.standard_normal(2)
    act = policy.at(theta, obs).sample(policy.noise(rng, 2))
    rows = complex_step(lambda t: policy.at(t, obs).log_prob(act), theta)
    observe(relative_error(policy.at(theta, obs).score(act), rows, 1.0), 1e-12, lambda: f"{law}")
    have = policy.at(theta, obs).weighted_score(act, weight)
    observe(relative_error(have, weight @ rows, 1.0), 1e-12, lambda: f"weighted {law}")
    rows = complex_step(lambda t: policy.at(t, obs).entropy(), theta)
    have = policy.at(theta, obs).weighted_entropy_score(weight)
    observe(relative_error(have, weight @ rows, 1.0), 1e-12, lambda: f"entropy {law}")


@claim(
    name="C6",
    title="Expected grad-log-prob of bits, squashed normals and products (EGLP)",
    statement=r"E_{a\sim\pi}[\nabla\log\pi(a)] = 0",
    words="averaged over its own actions, the score of any distribution of the library vanishes",
    assumptions="log sigma inside its clamp; the action is scored as it was before squashing",
    source="Spinning Up, part 3, EGLP lemma",
    method="every joint action, and Gauss-Hermite nodes where a part is Gaussian",
    tolerance=1e-13,
    tolerance_reason="relative to the largest score, and to mu / sigma^2",
    about=(
        "npvpg.distributions.bernoulli.Bernoulli.score",
        "npvpg.distributions.squashed.SquashedGaussian",
        "npvpg.distributions.product.Product.score",
        "npvpg.distributions.greedy.GreedyCategorical.score",
    ),
)
@given(LAWS, SCALE, SEED)
@example(MIXED, 1.0, 0)
@example(Bernoulli(4), 30.0, 0)
def test_eglp(law, scale, seed):
    rng = np.random.default_rng([122, seed])
    params = parameters(law, rng, scale)
    act, weight = outcomes(law, params)
    score = law.score(np.repeat(params, len(weight), 0), act)
    size = float(np.abs(score).max()) + 8 * float(np.abs(params).max())
    observe(float(np.abs(weight @ score).max()), 1e-13 * max(size, 1e-300), lambda: f"{law}")


@claim("C3")
@given(LAWS, st.sampled_from([0.0, 0.3, 1.0]), SEED)
@example(MIXED, 1.0, 0)
def test_fisher(law, scale, seed):
    rng = np.random.default_rng([123, seed])
    params = parameters(law, rng, scale)
    act, weight = outcomes(law, params)

    def score(y):
        return law.score(np.tile(y, (len(weight), 1)), act)

    have = score(params[0])
    moment = (weight[:, np.newaxis] * have).T @ have
    hessian = complex_step(score, params[0])
    error = np.abs(moment + np.tensordot(weight, hessian, (0, 0))).max()
    observe(float(error), 1e-12 * (1 + float(np.abs(hessian).max())), lambda: f"{law}")


@claim(
    name="B7",
    title="A product is the joint distribution of independent parts",
    statement=r"\pi(a) = \prod_i\pi_i(a_i),\quad H = \sum_i H_i,\quad "
    r"D(p\|q) = \sum_i D(p_i\|q_i)",
    words="probability, entropy, divergence and sampler of a product are those of the joint law",
    assumptions="finite parameters",
    source="definition of independence",
    method="enumeration of every joint action; stratified noise; each part by itself",
    tolerance=1e-13,
    tolerance_reason="relative to the terms that are added",
    about=(
        "npvpg.distributions.product.Product",
        "npvpg.distributions.product.Product.log_prob",
        "npvpg.distributions.product.Product.entropy",
        "npvpg.distributions.product.Product.kl",
        "npvpg.distributions.product.Product.sample",
        "npvpg.distributions.product.Product.noise",
        "npvpg.distributions.product.Product.mode",
    ),
)
@given(products(DISCRETE), SCALE, SEED)
@example(Product((Categorical(3), Bernoulli(2), Categorical(2))), 1.0, 0)
@example(Product((Product((Categorical(2), Bernoulli(1))), Categorical(3))), 1.0, 0)
def test_joint_law(law, scale, seed):
    rng = np.random.default_rng([124, seed])
    params, other = parameters(law, rng, scale), parameters(law, rng, scale)
    act, p = outcomes(law, params)
    _, q = outcomes(law, other)
    have = law.log_prob(np.repeat(params, len(p), 0), act)
    size = 1 + float(np.abs(have).max())
    observe(float(np.abs(have - np.log(p)).max()), 1e-13 * size, lambda: f"{law}")
    observe(abs(float(np.exp(have).sum()) - 1), 1e-13 * size)
    observe(abs(float(law.entropy(params)[0] - reference.entropy(p))), 1e-13 * size)
    want = float(reference.kl(p, q))
    observe(abs(float(law.kl(params, other)[0]) - want), 1e-13 * (size + want))
    observe(abs(float(law.kl(params, params)[0])), 0)
    observe(float(p.max() - p[(act == law.mode(params)).all(axis=1)][0]), 4 * UNIT)


@claim("B7")
@given(NESTED, SEED)
@example(MIXED, 0)
def test_parts_side_by_side(law, seed):
    rng = np.random.default_rng([125, seed])
    params, other = parameters(law, rng, 1.0, 4), parameters(law, rng, 1.0, 4)
    noise = law.noise(np.random.default_rng(seed), 4)
    same = np.random.default_rng(seed)
    act = law.sample(params, noise)
    assert noise.shape == act.shape == (4, *law.event_shape)
    begin = [0, 0]
    log_prob, entropy, kl = np.zeros((3, 4))
    for part in law.parts:
        sizes = part.n_params, prod(part.event_shape)
        p, a = (slice(i, i + n) for i, n in zip(begin, sizes, strict=True))
        begin = [p.stop, a.stop]
        # every part draws noise of its own, one part after the other
        own = part.noise(same, 4)
        observe(float(np.abs(noise[:, a] - own.reshape(4, -1)).max()), 0)
        alone = part.sample(params[:, p], own)
        observe(float(np.abs(act[:, a] - alone.reshape(4, -1)).max()), 0)
        mode = part.mode(params[:, p]).reshape(4, -1)
        observe(float(np.abs(law.mode(params)[:, a] - mode).max()), 0)
        log_prob += part.log_prob(params[:, p], alone)
        entropy += part.entropy(params[:, p])
        kl += part.kl(params[:, p], other[:, p])
    observe(float(np.abs(law.log_prob(params, act) - log_prob).max()), 1e-13 * 100)
    observe(float(np.abs(law.entropy(params) - entropy).max()), 1e-13 * 10)
    observe(float(np.abs((law.kl(params, other) - kl) / (1 + kl)).max()), 1e-13)


@claim("B7")
@pytest.mark.parametrize("seed", range(3))
def test_joint_sampler(seed):
    """Every cell of a lattice of noise once: the share of an action is its joint probability."""
    n_strata = 60
    rng = np.random.default_rng([126, seed])
    law = Product((Categorical(3), Bernoulli(1), Categorical(2)))
    params = parameters(law, rng, 1.0)
    u = (np.arange(n_strata) + 0.5) / n_strata
    noise = np.stack(np.meshgrid(u, u, u), axis=-1).reshape(-1, 3)
    have = law.sample(np.repeat(params, len(noise), 0), noise)
    act, p = outcomes(law, params)
    share = (have[:, np.newaxis] == act).all(axis=2).mean(axis=0)
    # each axis may err by 2 strata, and the three errors add
    observe(float(np.abs(share - p).max()), 6 / n_strata)


def test_dependent_parts_are_seen() -> None:
    """Negative control: with one noise for all parts the shares are far off."""
    law = Product((Bernoulli(1), Bernoulli(1)))
    u = np.repeat((np.arange(100) + 0.5)[:, np.newaxis] / 100, 2, axis=1)
    have = law.sample(np.zeros((100, 2)), u)
    assert abs((have == 1).all(axis=1).mean() - 0.25) > 0.2


@claim("C2")
def test_a_gaussian_alone_is_the_product_of_itself() -> None:
    """The same score in the columns of a product as by itself, bit for bit."""
    rng = np.random.default_rng(127)
    law = DiagonalGaussian(2)
    params, act = rng.standard_normal((3, 4)), rng.standard_normal((3, 2))
    observe(float(np.abs(law.score(params, act) - Product((law,)).score(params, act)).max()), 0)
