"""E5: a baseline made of the batch, with and without the sample itself."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.estimators import LeaveOneOut, TotalReturn, standardize
from npvpg.gradient import policy_gradient
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, largest

# one state and few steps: the batches of K episodes are as many as episodes to the power of K
SIZES = st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)])


def _every_batch(lab: Lab, n: int) -> tuple[Batch, Table]:
    """Every batch of n episodes there is, end to end, and the probability of each."""
    n_episodes, start = lab.batch.n_trajectories, lab.batch.start
    chosen = np.array(list(product(range(n_episodes), repeat=n)))
    flat = chosen.ravel()
    rows = np.concatenate([np.arange(start[k], start[k + 1]) for k in flat])
    batch = Batch(
        lab.batch.obs[rows],
        lab.batch.act[rows],
        lab.batch.rew[rows],
        np.concatenate([[0], np.cumsum(np.diff(start)[flat])]),
        lab.batch.last_obs[flat],
        lab.batch.terminated[flat],
    )
    return batch, lab.flat.probability[chosen].prod(axis=1)


def _expected(lab: Lab, n: int, gamma: float) -> dict[str, Table]:
    """Expected gradient of batches of n, by weights that are made batch by batch."""
    batch, chance = _every_batch(lab, n)
    found: dict[str, list[Table]] = {"alone": [], "mean": [], "standardised": []}
    for first in range(0, batch.n_trajectories, n):
        start = batch.start[first : first + n + 1]
        rew, start = batch.rew[start[0] : start[-1]], start - start[0]
        nothing = np.full(len(rew), np.nan), np.full(n, np.nan)  # values are not read
        total = TotalReturn(gamma)(rew, *nothing, start)
        found["alone"].append(LeaveOneOut(gamma)(rew, *nothing, start))
        found["mean"].append(total - total[start[:-1]].mean())
        found["standardised"].append(standardize(total))
    pi = lab.policy.at(lab.theta, batch.obs)
    # the gradient divides by the number of all trajectories, each batch by its own n
    weight = len(chance) * np.repeat(np.repeat(chance, n), np.diff(batch.start))
    return {
        name: policy_gradient(pi, batch, np.concatenate(psi) * weight)
        for name, psi in found.items()
    }


@claim(
    name="E5",
    title="A baseline that includes the sample shrinks the gradient; leave-one-out does not",
    statement=r"E\bigl[\hat g\,|\,\Phi = R_k - \tfrac1K\textstyle\sum_j R_j\bigr]"
    r" = (1-\tfrac1K)\nabla J, \qquad E[\hat g_{\mathrm{leave\ one\ out}}] = \nabla J",
    words="the mean return of the batch shrinks the gradient by 1 - 1/K, of the others not",
    assumptions="K independent whole episodes",
    source="Kool, van Hoof and Welling 2019; Williams 1992 for the baseline",
    method="enumeration of every tuple of K trajectories",
    tolerance=1e-12,
    tolerance_reason="relative to the returns; sums of up to 10000 weighted terms",
    about=("npvpg.estimators.LeaveOneOut", "npvpg.estimators.TotalReturn"),
)
@given(cases(n_states=st.just(1), n_actions=st.just(2)), SIZES)
@example(Case(gamma=0.5), (2, 2))
@example(Case(gamma=1.0), (3, 2))
def test_batch_baselines(case, sizes):
    n, horizon = sizes
    lab = case._replace(n_states=1, horizon=horizon).lab.bare
    found, size = _expected(lab, n, case.gamma), 1 + largest(lab.batch.rew)
    observe(largest(found["alone"] - lab.truth), 1e-12 * size, lambda: f"alone {case} {sizes}")
    shrunk = (1 - 1 / n) * lab.truth
    observe(largest(found["mean"] - shrunk), 1e-12 * size, lambda: f"mean {case} {sizes}")


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_mean_of_all_is_no_baseline(n: int) -> None:
    """Negative control; and standardising is a heuristic: it ascends here, by another length."""
    lab = Case(n_states=1, horizon=2 if n < 4 else 1).lab.bare
    found = _expected(lab, n, 0.9)
    assert largest(found["mean"] - lab.truth) > 1e-3 * largest(lab.truth)
    assert found["standardised"] @ lab.truth > 0
    assert largest(found["standardised"] - lab.truth) > 1e-3 * largest(lab.truth)


@claim("E5")
def test_leave_one_out_needs_another():
    """One trajectory has no others; the error says how many there were."""
    with pytest.raises(ValueError, match="trajectories must number at least 2, got 1"):
        LeaveOneOut(0.9)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    psi = LeaveOneOut(0.5)(np.array([1.0, 1.0, 3.0]), np.zeros(3), np.zeros(2), np.array([0, 2, 3]))
    require(psi.tolist() == [-1.5, -1.5, 1.5])
