"""Expectations of a distribution whose actions can be neither listed nor put on a grid."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution
from npvpg.testing import chance
from npvpg.testing.law_integrals import EGLP, ENTROPY, KL, MODE
from npvpg.testing.law_sampler import drawn
from npvpg.testing.theorem import Ledger, Theorem

BALANCE = Theorem("balance", "E_p[q / (p + q)] = E_q[p / (p + q)]: draws follow the density")

Array = NDArray[Any]


def expectations(
    ledger: Ledger, law: Distribution, rows: list[Array], log_volume: Callable[[Array], Array]
) -> None:
    """
    Hold a law to its expectations by draws, in two stages.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    rows : list of ndarray, shape (1, H)
        Parameters to draw for.
    log_volume : callable
        As `check_distribution` takes it.
    """
    step = np.random.default_rng(7).uniform(0.2, 0.8, law.n_params)
    for params in rows:
        other = params + step
        for theorem, terms in ((EGLP, _scores), (ENTROPY, _surprise), (KL, _ratio)):
            of_these = partial(_terms, law, params, other, terms)
            for error, allowed in chance.two_stages(of_these):
                ledger.hold(theorem, error, allowed, params=params, other_params=other)
        _balance(ledger, law, params, other)
        _balance(ledger, law, params, params - step)
        ledger.hold(KL, np.maximum(0, -law.kl(params, other)), 1e-12, params=params)
        ledger.hold(KL, law.kl(params, params), 1e-12, params=params, other_params=params)
        act, mode = drawn(law, params, 1000, 3), np.asarray(law.mode(params))
        logs = law.log_prob(np.repeat(params, len(act), axis=0), act) + log_volume(act)
        at_mode = float((law.log_prob(params, mode) + log_volume(mode))[0])
        excess = max(0.0, float(logs.max()) - at_mode)
        ledger.hold(MODE, excess, 1e-12 * (1 + abs(at_mode)), params=params, mode=mode[0])


def _balance(ledger: Ledger, law: Distribution, params: Array, other: Array) -> None:
    """Compare how often draws of each of two laws could be of the other."""

    def taken(ours: Array, theirs: Array, n: int, *key: int) -> Array:
        act = drawn(law, ours, n, *key)
        log_ratio = law.log_prob(np.repeat(theirs, n, 0), act) - law.log_prob(
            np.repeat(ours, n, 0), act
        )
        return np.asarray(0.5 * (1 + np.tanh(log_ratio / 2)))

    def pairs(stage: int, n: int, alpha: float) -> list[chance.Pair]:
        x, y = taken(params, other, n, stage, 1), taken(other, params, n, stage, 2)
        return [chance.bounded_means_agree(x, y, alpha)]

    for error, allowed in chance.two_stages(pairs):
        ledger.hold(BALANCE, error, allowed, params=params, other_params=other)


def _terms(
    law: Distribution,
    params: Array,
    other: Array,
    terms: Callable[..., Array],
    stage: int,
    n: int,
    alpha: float,
) -> list[chance.Pair]:
    """Compare terms that average to 0 with another sample of them."""
    x, spread = (terms(law, params, other, drawn(law, params, n, stage, k)) for k in range(2))
    return list(zip(*chance.mean_is_zero(x, spread, alpha), strict=True))


def _scores(law: Distribution, params: Array, other: Array, act: Array) -> Array:
    return law.score(np.repeat(params, len(act), axis=0), act)


def _surprise(law: Distribution, params: Array, other: Array, act: Array) -> Array:
    logs = law.log_prob(np.repeat(params, len(act), axis=0), act)
    return np.asarray(logs + law.entropy(params))[:, np.newaxis]


def _ratio(law: Distribution, params: Array, other: Array, act: Array) -> Array:
    ours = law.log_prob(np.repeat(params, len(act), axis=0), act)
    theirs = law.log_prob(np.repeat(other, len(act), axis=0), act)
    return np.asarray(ours - theirs - law.kl(params, other))[:, np.newaxis]
