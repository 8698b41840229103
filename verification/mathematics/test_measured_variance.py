"""X5: the variance of a gradient, measured on trajectories, is the exact one in expectation."""

from itertools import combinations_with_replacement, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.estimators import GAE, BaselinedReturn, NStep, RewardToGo, TDResidual, TotalReturn
from npvpg.gradient import policy_gradient
from npvpg.lab.variance import gradient_variance, trajectory_gradients
from verification.claims import claim, observe, require
from verification.mathematics.lab import random_laboratory
from verification.mathematics.strategies import SEED

GAMMA = 0.9
WEIGHTS = (
    (TotalReturn(GAMMA), None),
    (RewardToGo(GAMMA), GAMMA),
    (BaselinedReturn(GAMMA), GAMMA),
    (TDResidual(GAMMA), GAMMA),
    (NStep(GAMMA, 2), GAMMA),
    (GAE(GAMMA, 0.5), None),
)


def _each(lab, psi, discount):
    """Gradient of every episode: scores worked out without the library, summed step by step."""
    score, flat = lab.score(), lab.flat
    rows = np.zeros((len(flat.probability), score.shape[-1]))
    for k in range(len(rows)):
        for t in range(flat.start[k], flat.start[k + 1]):
            weight = psi[t] * (1 if discount is None else discount ** (t - flat.start[k]))
            rows[k] += weight * score[flat.state[t], flat.act[t]]
    return rows


@pytest.mark.slow
@claim(
    name="X5",
    title="The measured variance of a gradient is unbiased",
    statement=r"E\Bigl[\tfrac1{n-1}\sum_i\lVert g_i-\bar g\rVert^2\Bigr] = \mathrm{tr\,Cov}(g),"
    r"\qquad E\bigl[\lVert\bar g\rVert^2 - \tfrac1n\widehat{\mathrm{tr\,Cov}}\bigr]"
    r" = \lVert E g\rVert^2",
    words="variance and squared length of a gradient, measured on n trajectories, have no bias",
    assumptions="independent trajectories, at least three",
    source="the sample variance; Efron and Stein 1981 for the jackknife",
    method="sums over every batch of three episodes, against the exact covariance",
    tolerance=1e-11,
    tolerance_reason="relative to the second moment; sums of some ten thousand terms",
    about=("npvpg.lab.variance.trajectory_gradients", "npvpg.lab.variance.gradient_variance"),
)
@pytest.mark.parametrize(("estimator", "discount"), WEIGHTS)
def test_measured_variance(estimator, discount):
    """Every batch of three episodes of a small process, with its probability."""
    lab = random_laboratory(np.random.default_rng(160), 2, 2, 2, GAMMA)
    psi, chance = lab.weigh(estimator), lab.flat.probability
    grads = trajectory_gradients(lab.policy, lab.theta, lab.batch, psi, discount=discount)
    due = _each(lab, psi, discount)
    size = 1 + float((chance @ due**2).sum())
    observe(float(np.abs(grads - due).max()), 1e-12 * size, "every gradient")
    mean = chance @ due
    exact = float(chance @ ((due - mean) ** 2).sum(axis=1)), float(mean @ mean)
    found = np.zeros(2)
    for batch in combinations_with_replacement(range(len(chance)), 3):
        one, orders = gradient_variance(grads[list(batch)]), len(set(permutations(batch)))
        found += orders * chance[list(batch)].prod() * np.array([one.total, one.signal])
    observe(float(np.abs(found - exact).max()), 1e-11 * size, f"{estimator}")


@claim("X5")
@pytest.mark.parametrize("discount", [None, GAMMA])
def test_the_mean_over_trajectories_is_the_gradient(discount):
    lab = random_laboratory(np.random.default_rng(161), 3, 2, 3, GAMMA)
    psi = lab.weigh(GAE(GAMMA, 0.8))
    grads = trajectory_gradients(lab.policy, lab.theta, lab.batch, psi, discount=discount)
    want = policy_gradient(
        lab.policy.at(lab.theta, lab.batch.obs), lab.batch, psi, discount=discount
    )
    observe(float(np.abs(grads.mean(axis=0) - want).max()), 1e-12 * (1 + np.abs(psi).max()))


@claim("X5")
@given(st.integers(3, 9), st.integers(1, 4), st.sampled_from([0.0, 1.0, 10.0]), SEED)
def test_errors_are_those_of_the_jackknife(n, size, shift, seed):
    """The closed form, against all gradients but one, anew for each."""
    grads = shift + np.random.default_rng([162, seed]).standard_normal((n, size))
    found = gradient_variance(grads)
    logs = []
    for i in range(n):
        rest = np.delete(grads, i, axis=0)
        total = ((rest - rest.mean(axis=0)) ** 2).sum() / (n - 2)
        signal = (rest.mean(axis=0) ** 2).sum() - total / (n - 1)
        logs.append((np.log(total), np.log(total / signal) if signal > 0 else np.inf))
    have = found.total_error, found.relative_error
    for column, error in zip(np.array(logs).T, have, strict=True):
        if np.isinf(column).any() or (found.signal <= 0 and error == np.inf):
            require(error == np.inf)
            continue
        want = np.sqrt((n - 1) / n * ((column - column.mean()) ** 2).sum())
        observe(abs(error - want), 1e-6 * (1 + want))  # near 0 a signal keeps few digits
    if found.signal > 0:
        observe(abs(found.relative - found.total / found.signal), 0)
    else:
        require(found.relative == np.inf)
