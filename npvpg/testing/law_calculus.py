"""The scores of a distribution are the derivatives they are called."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution
from npvpg.testing import differences
from npvpg.testing.theorem import Ledger, Theorem

SCORE = Theorem("score", "score = ∂ log π(a) / ∂ params, in every column")
ENTROPY_SCORE = Theorem("entropy score", "entropy_score = ∂H / ∂ params, in every column")

Array = NDArray[Any]


def slopes(ledger: Ledger, law: Distribution, params: Array, other: Array, noise: Array) -> None:
    """
    Hold both scores to differences, and to complex steps where the law takes complex numbers.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    params, other : ndarray, shape (S, H)
        Parameters; the second are not looked at.
    noise : ndarray, shape (S, ...)
        Noise of the actions.
    """
    acts = np.asarray(law.sample(params, noise))
    scores, entropy_scores = law.score(params, acts), law.entropy_score(params)
    for i, x in enumerate(params):
        act = acts[i : i + 1]
        compare(ledger, SCORE, _of(law.log_prob, act), x, scores[i], params=x, act=act[0])
        compare(ledger, ENTROPY_SCORE, _of(law.entropy), x, entropy_scores[i], params=x)


def compare(
    ledger: Ledger,
    theorem: Theorem,
    f: Callable[[Array], Array],
    x: Array,
    gradient: Array,
    **told: Any,
) -> None:
    """
    Hold a gradient to the differences of its function, and to complex steps if it takes them.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    theorem : Theorem
        What is spoken of.
    f : callable
        The function, from (H,) to a number.
    x : ndarray, shape (H,)
        Where.
    gradient : ndarray, shape (H,)
        What its derivatives are said to be.
    **told : Any
        What was tried.
    """
    slope, allowed = differences.central(f, x, n_operations=4 * (x.size + 4))
    ledger.hold(theorem, gradient - slope, allowed, **told, by="central differences")
    exact = differences.imaginary(f, x)
    if exact is not None:
        size = 1 + np.abs(exact) + np.abs(exact * x).sum() + np.abs(f(x))
        ledger.hold(theorem, gradient - exact, 1e-12 * size, **told, by="complex steps")


def _of(method: Callable[..., Array], *rest: Array) -> Callable[[Array], Array]:
    """Give a method of one row as a function of (H,) alone."""
    return lambda x: np.asarray(method(x[np.newaxis], *rest))[0]
