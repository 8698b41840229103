"""
Gradients of single episodes, and their moments, by plain sums over lists.

The policy is a softmax with a logit for every state and action and a bias for every action, so
the parameters are S A + A numbers, state after state, the biases last.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from verification.oracles.enumeration import Trajectory, trajectories
from verification.oracles.mdp import MDP

Array = NDArray[np.float64]


def score(pi: Array, s: int, a: int) -> Array:
    """Score of an action: the one-hot action less the probabilities, at the state and the bias."""
    n, m = pi.shape
    out = np.zeros(n * m + m)
    for b in range(m):
        out[s * m + b] = out[n * m + b] = float(a == b) - pi[s, b]
    return out


def episode_gradients(
    mdp: MDP, pi: Array, weigh: Callable[[Trajectory], Sequence[float]]
) -> tuple[list[float], list[Array]]:
    """
    Gradient that every episode gives alone.

    Parameters
    ----------
    mdp : MDP
        The process.
    pi : ndarray of float64, shape (S, A)
        Probabilities of the actions.
    weigh : callable
        Gives the weight of every step of an episode.

    Returns
    -------
    probability : list of float
        Of every episode.
    gradient : list of ndarray, shape (P,)
        Sum of weight times score over the steps.
    """
    chances, gradients = [], []
    for episode in trajectories(mdp, pi):
        total = np.zeros(pi.size + pi.shape[1])
        steps = zip(episode.states[:-1], episode.actions, weigh(episode), strict=True)
        for s, a, weight in steps:
            total += weight * score(pi, s, a)
        chances.append(episode.probability)
        gradients.append(total)
    return chances, gradients


def moments(chances: Sequence[float], values: Sequence[Array]) -> tuple[Array, Array]:
    """
    Mean and covariance of vectors that come with probabilities.

    Parameters
    ----------
    chances : sequence of float
        Probabilities, which sum to 1.
    values : sequence of ndarray, shape (P,)
        The vectors.

    Returns
    -------
    mean : ndarray of float64, shape (P,)
        Mean.
    covariance : ndarray of float64, shape (P, P)
        Mean square about the mean.
    """
    mean = np.sum([p * v for p, v in zip(chances, values, strict=True)], axis=0)
    terms = [p * np.outer(v - mean, v - mean) for p, v in zip(chances, values, strict=True)]
    return mean, np.sum(terms, axis=0)


def batch_moments(
    chances: Sequence[float], n: int, estimate: Callable[[tuple[int, ...]], Array]
) -> tuple[Array, Array]:
    """
    Mean and covariance of what is made of n independent episodes, over every such batch.

    Parameters
    ----------
    chances : sequence of float
        Probabilities of the episodes.
    n : int
        Episodes in a batch.
    estimate : callable
        Takes the numbers of the episodes, gives a vector.

    Returns
    -------
    mean, covariance : ndarray of float64
        As of `moments`.
    """
    batches = list(product(range(len(chances)), repeat=n))
    together = [float(np.prod([chances[k] for k in batch])) for batch in batches]
    return moments(together, [estimate(batch) for batch in batches])
