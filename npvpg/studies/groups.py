"""Exact bias and variance of episodes compared in groups, beside what play gives."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.estimators import Estimator, GroupRelative, TotalReturn
from npvpg.lab.exact import Laboratory, Moments, group_moments
from npvpg.world.streams import Purpose, generator

PLAYED = 20_000  # groups


class Played(NamedTuple):
    """
    Episodes of a process end to end, as they were played.

    Parameters
    ----------
    rew : ndarray of float64, shape (S,)
        Rewards [reward].
    start : ndarray of int64, shape (K + 1,)
        Offsets of the episodes.
    score : ndarray of float64, shape (K, P)
        Score of every episode, summed over its steps.
    """

    rew: NDArray[np.float64]
    start: NDArray[np.int64]
    score: NDArray[np.float64]


def estimators(gamma: float, group: int) -> dict[str, GroupRelative]:
    """
    List what compares the episodes of a group, by its label.

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    group : int
        Episodes of a group, N.

    Returns
    -------
    dict of str to GroupRelative
        From the unbiased one on.
    """
    return {
        "others' mean (RLOO)": GroupRelative(gamma, group),
        "mean": GroupRelative(gamma, group, "mean"),
        "others' mean, / length": GroupRelative(gamma, group, per_length=True),
        "mean, / std": GroupRelative(gamma, group, "standardized"),
        "mean, / std / length (GRPO)": GroupRelative(gamma, group, "standardized", per_length=True),
    }


def play(lab: Laboratory, first: NDArray[np.int64], rng: np.random.Generator) -> Played:
    """
    Play episodes of a process step by step, all at once.

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    first : ndarray of int64, shape (K,)
        First state of every episode.
    rng : numpy.random.Generator
        Source of actions and transitions.

    Returns
    -------
    Played
        The episodes.
    """
    process = lab.process
    n, state, alive = process.n_states, first.copy(), np.arange(len(first))
    score = np.zeros((len(first), lab.theta.size))
    steps = []
    for _ in range(process.horizon):
        pi = lab.policy.at(lab.theta, np.eye(n)[state])
        act = pi.sample(lab.policy.noise(rng, len(state)))
        score[alive] += pi.score(act)
        ways = np.cumsum(process.transition[state, act], axis=1)
        after = (rng.random((len(state), 1)) * ways[:, -1:] >= ways).sum(axis=1)
        steps.append((alive, process.reward[state, act, after]))
        alive, state = alive[after < n], after[after < n]
    whose = np.concatenate([who for who, _ in steps])
    rew = np.concatenate([rewards for _, rewards in steps])
    start = np.concatenate([[0], np.cumsum(np.bincount(whose, minlength=len(first)))])
    return Played(rew[np.argsort(whose, kind="stable")], start, score)


def sampled(lab: Laboratory, estimator: Estimator, group: int, seed: int) -> Moments:
    """
    Estimate mean and covariance of the gradient of a group from groups that were played.

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    estimator : Estimator
        What weighs the steps; it reads no values.
    group : int
        Episodes of a group.
    seed : int
        Seed of the play.

    Returns
    -------
    Moments
        Of one group; the mean is itself uncertain by the square root of covariance / 20,000.
    """
    rng = generator(seed, Purpose.STUDY, 3)
    first = rng.choice(lab.process.n_states, PLAYED, p=lab.process.initial)
    played = play(lab, np.repeat(first, group), rng)
    nothing = np.zeros(len(played.rew)), np.zeros(len(played.score))
    psi = estimator(played.rew, *nothing, played.start)[played.start[:-1]]
    each = (psi[:, np.newaxis] * played.score).reshape(PLAYED, group, -1).mean(axis=1)
    return Moments(each.mean(axis=0), np.cov(each.T), lab.gradient)


def table(lab: Laboratory, group: int, episodes: int, seed: int) -> str:
    r"""
    Set exact and played bias and deviation of every comparison in columns.

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    group : int
        Episodes of a group, N.
    episodes : int
        Episodes in a batch, of which there are so many whole groups as fit in.
    seed : int
        Seed of the play.

    Returns
    -------
    str
        A line each, in units of :math:`\lVert\nabla J\rVert`: how much of the gradient is left in
        the expected estimate, its bias, the deviation of a batch; bias and deviation as played,
        and the uncertainty of that bias.

    Raises
    ------
    ValueError
        If there are too many groups to list, or a batch has none.
    """
    truth, n_groups = lab.gradient, episodes // group
    size, gamma = float(np.linalg.norm(truth)), lab.process.gamma
    head = ("gradient left", "bias", "std", "played bias", "± by chance", "played std")
    lines = [f"{'in units of |grad J|':30}" + "".join(f"{name:>14}" for name in head)]
    rows: list[tuple[str, Estimator, Moments]] = [
        (
            "return itself, no group",
            TotalReturn(gamma),
            lab.moments(TotalReturn(gamma), n_trajectories=n_groups * group),
        )
    ]
    for name, comparing in estimators(gamma, group).items():
        rows.append((name, comparing, group_moments(lab, comparing, n_groups)))
    for label, each, exact in rows:
        alone = not isinstance(each, GroupRelative)
        found = sampled(lab, each, 1 if alone else group, seed)
        batch = n_groups * group if alone else n_groups
        values = (
            float(exact.mean @ truth) / size**2,
            float(np.linalg.norm(exact.bias)) / size,
            exact.variance**0.5 / size,
            float(np.linalg.norm(found.bias)) / size,
            (found.variance / PLAYED) ** 0.5 / size,
            (found.variance / batch) ** 0.5 / size,
        )
        cells = "".join(f"{0.0 if abs(value) < 1e-12 else value:14.4f}" for value in values)
        lines.append(f"{label:30}{cells}")
    return "\n".join(lines)
