"""U1: what every step has in an update adds up to the update."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.gradient import policy_gradient
from npvpg.lab.contributions import contributions
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.strategies import HIDDEN, SEED
from verification.oracles.derivatives import complex_step

LAW = st.sampled_from([Categorical(2), Categorical(3), DiagonalGaussian(1), DiagonalGaussian(2)])


@claim(
    name="U1",
    title="An update is the sum of its steps",
    statement=r"\sum_t c_t = 1,\qquad c_t = g \cdot \bigl(w_t\nabla_\theta\log\pi_\theta(a_t|s_t)"
    r" + \beta\nabla_\theta H_t\bigr) / \lVert g\rVert^2",
    words="the shares of the steps sum to the whole gradient, and each is the derivative of its "
    "own term along it",
    assumptions="the gradient is not zero",
    source="linearity of the gradient",
    method="complex step along the gradient, step by step, through the forward pass alone; lengths "
    "of scores by complex steps in every parameter",
    tolerance=1e-12,
    tolerance_reason="relative to the sum of the sizes of the shares",
    about=("npvpg.lab.contributions.contributions",),
)
@given(LAW, HIDDEN, st.integers(1, 9), st.booleans(), st.sampled_from([0.0, 0.3]), SEED)
@example(Categorical(2), (4,), 5, False, 0.0, 0)
@example(DiagonalGaussian(2), (), 3, True, 0.3, 1)
@example(Categorical(3), (2,), 300, False, 0.3, 2)  # more rows than are formed at a time
def test_shares(law, hidden, n, per_step, beta, seed):
    rng = np.random.default_rng([150, seed])
    policy = Policy(MLP((2, *hidden, law.n_params - len(law.scale_columns))), law)
    theta, obs = 0.7 * rng.standard_normal(policy.size), rng.standard_normal((n, 2))
    pi = policy.at(theta, obs)
    act = pi.sample(law.noise(rng, n))
    start = np.unique([0, n // 2, n])
    k = len(start) - 1
    batch = Batch(obs, act, np.zeros(n), start, np.zeros((k, 2)), np.ones(k, bool))
    psi = rng.standard_normal(n)
    count = n if per_step else k
    grad = policy_gradient(pi, batch, psi, per_step=per_step)
    grad = grad + pi.weighted_entropy_score(np.full(n, beta / count))
    found = contributions(pi, batch, psi / count, grad, beta / count)
    size = float(np.abs(found.share).sum())
    observe(abs(float(found.share.sum()) - 1) / size, 1e-12)

    def terms(step):
        at = policy.at(theta + step[0] * grad, obs)
        return psi / count * at.log_prob(act) + beta / count * at.entropy()

    want = complex_step(terms, np.zeros(1))[:, 0] / (grad @ grad)
    observe(float(np.abs(found.share - want).max()) / size, 1e-12)
    scores = complex_step(lambda t: policy.at(t, obs).log_prob(act), theta)
    lengths = np.sqrt((scores**2).sum(axis=1))
    observe(float((np.abs(found.score_norm - lengths) / (1 + lengths)).max()), 1e-12)
    observe(float(np.abs(found.log_prob - pi.log_prob(act)).max()), 0)


def test_nothing_is_no_part_of_nothing():
    policy = Policy(MLP((1, 2)), Categorical(2))
    one, start = np.zeros((1, 1)), np.array([0, 1])
    batch = Batch(one, np.array([0]), np.ones(1), start, one, np.ones(1, bool))
    pi = policy.at(np.zeros(4), batch.obs)
    with pytest.raises(ValueError, match="grad must not be zero"):
        contributions(pi, batch, np.zeros(1), np.zeros(4))
    with pytest.raises(ValueError, match=r"weight must have shape \(1,\)"):
        contributions(pi, batch, np.zeros(2), np.ones(4))
