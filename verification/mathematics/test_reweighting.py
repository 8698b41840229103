"""U2: what an update would be if some steps weighed otherwise is what it then is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.lab.reweighting import WHOLE, reweighting
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.strategies import HIDDEN, SEED
from verification.oracles.derivatives import complex_step

LAW = st.sampled_from([Categorical(3), DiagonalGaussian(1), DiagonalGaussian(2)])


@claim(
    name="U2",
    title="An update whose steps weigh otherwise, without making it again",
    statement=r"\lVert g'_b\rVert^2 = \lVert g_b\rVert^2 + 2\,\delta\cdot c_b"
    r" + \delta^\top G_b\,\delta,\qquad g_b \cdot g'_b = \lVert g_b\rVert^2 + \delta\cdot c_b,"
    r"\qquad c'_i = g' \cdot (\Phi'_i u_i + e_i) / \lVert g'\rVert^2",
    words="lengths of the blocks of the gradient, their products with those before, and the shares "
    "of the steps are those of the gradient that is made with the new weights",
    assumptions="neither gradient is zero",
    source="linearity of the gradient in its weights",
    method="both gradients, and every step's term, by complex steps through the forward pass alone",
    tolerance=1e-12,
    tolerance_reason="relative to the square of the summed lengths of what is added up, by block",
    about=(
        "npvpg.lab.reweighting.reweighting",
        "npvpg.lab.reweighting.Reweighting.at",
        "npvpg.lab.reweighting.blocks",
    ),
)
@given(
    LAW,
    HIDDEN,
    st.integers(1, 6),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([0, 0.3]),
    SEED,
)
@example(Categorical(3), (4,), 5, 2, False, 0.0, 0)
@example(DiagonalGaussian(2), (3, 2), 3, 0, True, 0.3, 1)
@example(DiagonalGaussian(1), (), 1, 0, False, 0.3, 2)
def test_other_weights(law, hidden, n, others, free, beta, seed):
    rng = np.random.default_rng([151, seed])
    n_out = law.n_params - free * len(law.scale_columns)
    policy = Policy(MLP((2, *hidden, n_out)), law)
    theta, obs = 0.7 * rng.standard_normal(policy.size), rng.standard_normal((n + others, 2))
    act = policy.at(theta, obs).sample(law.noise(rng, n + others))
    psi, factor = rng.standard_normal(n + others), rng.uniform(0.1, 1, n + others)
    changed = psi.copy()
    changed[:n] += 3 * rng.standard_normal(n) * rng.integers(0, 2, n)

    def objective(weight):
        def summed(t):
            at = policy.at(t, obs)
            return (factor * weight * at.log_prob(act) + beta * at.entropy()).sum()

        return complex_step(summed, theta)

    before, after = objective(psi), objective(changed)
    terms = complex_step(
        lambda t: (
            factor * changed * policy.at(t, obs).log_prob(act) + beta * policy.at(t, obs).entropy()
        )[:n],
        theta,
    )
    scores = complex_step(lambda t: policy.at(t, obs[:n]).log_prob(act[:n]), theta)
    added = np.abs((changed - psi) * factor)[:n, np.newaxis] * np.abs(scores)
    asked = reweighting(policy.at(theta, obs[:n]), act[:n], psi[:n], factor[:n], before, beta)
    found = asked.at(changed[:n])

    widths = [2, *hidden, n_out]
    counts = [k for a, b in pairwise(widths) for k in (a * b, b)]
    cuts = np.cumsum([0, *counts, free * len(law.scale_columns)])
    ends = [*((a, b) for a, b in pairwise(cuts) if a < b), (0, cuts[-1])]
    require(asked.sizes == tuple(b - a for a, b in ends) and asked.blocks[-1] == WHOLE)
    for number, (a, b) in enumerate(ends):
        size = np.linalg.norm(before[a:b]) + np.linalg.norm(added[:, a:b], axis=1).sum()
        allowed = 1e-12 * size**2
        observe(abs(found.squared[number] - after[a:b] @ after[a:b]), allowed)
        observe(abs(found.inner[number] - before[a:b] @ after[a:b]), allowed)
    size = np.linalg.norm(before) + np.linalg.norm(added, axis=1).sum()
    pulled = np.linalg.norm(terms, axis=1)
    shared = found.share * found.squared[-1]
    observe(float((np.abs(shared - terms @ after) / (size * (size + pulled))).max()), 1e-12)


def test_another_number_of_weights_is_refused():
    policy = Policy(MLP((1, 2)), Categorical(2))
    pi, one = policy.at(np.zeros(4), np.zeros((1, 1))), np.ones(1)
    with pytest.raises(ValueError, match=r"factor must have shape \(1,\)"):
        reweighting(pi, np.array([0]), one, np.ones(2), np.ones(4))
    with pytest.raises(ValueError, match=r"grad must have shape \(4,\)"):
        reweighting(pi, np.array([0]), one, one, np.ones(3))
    with pytest.raises(ValueError, match=r"weight must have shape \(1,\)"):
        reweighting(pi, np.array([0]), one, one, np.ones(4)).at(np.ones(2))
