"""Exact mean and covariance of the gradient of a group of episodes from one first state."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.estimators import GroupRelative
from npvpg.lab.exact.laboratory import FloatArray, Laboratory, Moments

LIMIT = 500_000  # groups, whatever their order
_BLOCK = 20_000


def group_moments(lab: Laboratory, estimator: GroupRelative, n_groups: int = 1) -> Moments:
    r"""
    Mean and covariance of the gradient that episodes compared within their group make.

    With the estimate :math:`\hat g(\tau_1 \dots \tau_N)` that one group gives,

    .. math:: E\hat g = \sum_s d_0(s) \sum_{\tau_1 \dots \tau_N \mid s}
              \Pr(\tau_1\mid s) \cdots \Pr(\tau_N\mid s)\, \hat g(\tau_1 \dots \tau_N),

    and likewise the covariance, by the library's own weights of every group there is. The order of
    its episodes changes nothing, so each set of them is weighed once, and counts for all orders.

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    estimator : GroupRelative
        What compares them; its discount may differ from that of the objective.
    n_groups : int
        Independent groups in a batch, by which the covariance is divided.

    Returns
    -------
    Moments
        Mean, covariance, and the gradient of the objective.

    Raises
    ------
    ValueError
        If there are more than half a million groups, or `n_groups` is smaller than 1.
    """
    checks.at_least(1, n_groups=n_groups)
    flat, n = lab.episodes, estimator.group
    summed = np.add.reduceat(lab.score, flat.start[:-1], axis=0)
    first = flat.state[flat.start[:-1]]
    n_listed = sum(math.comb(int(m) + n - 1, n) for m in np.bincount(first) if m)
    if n_listed > LIMIT:
        raise ValueError(f"groups must number at most {LIMIT:,}, got {n_listed:,}")
    mean, second = np.zeros(summed.shape[1]), np.zeros((summed.shape[1], summed.shape[1]))
    for s, initial in enumerate(lab.process.initial):
        for group in _groups(np.flatnonzero(first == s), n):
            chance = initial * np.prod(flat.probability[group] / initial, axis=1) * _orders(group)
            each = (_weights(lab, estimator, group)[..., np.newaxis] * summed[group]).mean(axis=1)
            mean += chance @ each
            second += (each.T * chance) @ each
    return Moments(mean, (second - np.outer(mean, mean)) / n_groups, lab.gradient)


def _groups(episodes: NDArray[np.int64], n: int) -> Iterator[NDArray[np.int64]]:
    """Give every group of n of some episodes, in ascending order, (G, n) at a time."""
    every = itertools.combinations_with_replacement(episodes.tolist(), n)
    while block := list(itertools.islice(every, _BLOCK)):
        yield np.array(block)


def _orders(group: NDArray[np.int64]) -> FloatArray:
    r"""
    Count the orders of ascending groups (G, n) in which an episode may stand more than once.

    .. math:: \frac{N!}{\prod_j m_j!}, \qquad m_j \text{ the times that episode } j \text{ is in it}
    """
    n, repeats = group.shape[1], np.ones(len(group))
    run = np.ones(len(group))  # how often the last one has stood
    for k in range(1, n):
        run = np.where(group[:, k] == group[:, k - 1], run + 1, 1)
        repeats *= run
    return math.factorial(n) / repeats


def _weights(lab: Laboratory, estimator: GroupRelative, group: NDArray[np.int64]) -> FloatArray:
    """Weight of every episode of groups (G, n), by the estimator, which has them end to end."""
    flat, order = lab.episodes, group.ravel()
    length = np.diff(flat.start)[order]
    start = np.concatenate([[0], np.cumsum(length)])
    rows = np.arange(start[-1]) + np.repeat(flat.start[order] - start[:-1], length)
    nothing = np.zeros(len(rows)), np.zeros(len(order))
    psi = estimator(flat.rew[rows], *nothing, start)
    return np.asarray(psi[start[:-1]].reshape(group.shape))
