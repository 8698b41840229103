"""The sampler of a distribution follows its law."""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution
from npvpg.testing import chance
from npvpg.testing.outcomes import Outcomes
from npvpg.testing.theorem import Ledger, Theorem

SAMPLER = Theorem("sampler", "sample(params, noise) has the law π")

Array = NDArray[Any]
WAVES = ((1.0, 1.0), (1.0, -1.0), (2.0, 1.0), (1.0, 2.0))
GRID = 5e-4  # the distribution function is linear between nodes


def follows(
    ledger: Ledger,
    law: Distribution,
    rows: list[Array],
    outcomes: Callable[[Array], Outcomes],
    log_volume: Callable[[Array], Array],
) -> None:
    """
    Hold draws to the law, in two stages.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    rows : list of ndarray, shape (1, H)
        Parameters to draw for.
    outcomes : callable
        Lists the actions, by `npvpg.testing.outcomes.lister`.
    log_volume : callable
        As `check_distribution` takes it.
    """
    for params in rows:
        out = outcomes(params)
        log_p = law.log_prob(np.repeat(params, len(out.act), axis=0), out.act)
        mass = out.weight * np.exp(log_p + log_volume(out.act))
        for error, allowed in chance.two_stages(partial(_compared, law, params, out, mass)):
            ledger.hold(SAMPLER, error, allowed, params=params)


def _compared(
    law: Distribution, params: Array, out: Outcomes, mass: Array, stage: int, n: int, alpha: float
) -> list[chance.Pair]:
    """Compare fresh draws with the probability of every action, or of every node."""
    act = drawn(law, params, n, stage)
    if out.nodes:
        return _measured(act.reshape(n, -1), out, mass, alpha)
    return _counted(act, out.act, mass, alpha)


def drawn(law: Distribution, params: Array, n: int, *key: int) -> Array:
    """
    Draw from a law, with a seed of its own for every key.

    Parameters
    ----------
    law : Distribution
        The law.
    params : ndarray, shape (1, H)
        Its parameters.
    n : int
        Number of draws.
    *key : int
        What the seed is made from, besides the law and its parameters.

    Returns
    -------
    ndarray, shape (n,) or (n, D)
        Actions.
    """
    name = zlib.crc32(str(law).encode() + np.ascontiguousarray(params).tobytes())
    noise = law.noise(np.random.default_rng([name, *key]), n)
    return np.asarray(law.sample(np.repeat(params, n, axis=0), noise))


def _counted(act: Array, every: Array, p: Array, alpha: float) -> list[chance.Pair]:
    """Count how often each action came; another one must not."""
    place = {row.tobytes(): i for i, row in enumerate(every.astype(np.float64))}
    values, count = np.unique(act.astype(np.float64), axis=0, return_counts=True)
    at = np.array([place.get(row.tobytes(), -1) for row in values])
    known = np.zeros(len(every), int)
    known[at[at >= 0]] = count[at >= 0]
    stray = float(count[at < 0].sum()) / len(act)
    return [(stray, 0.0), *chance.counts(known, len(act), p, alpha)]


def _measured(act: Array, out: Outcomes, weight: Array, alpha: float) -> list[chance.Pair]:
    """Compare every component's distribution function, and waves across two components."""
    joint = weight.reshape([len(x) for x in out.nodes])
    pairs = []
    for i, nodes in enumerate(out.nodes):
        mass = joint.sum(axis=tuple(j for j in range(joint.ndim) if j != i))
        below = np.cumsum(mass) - mass / 2
        error, allowed = chance.distances(np.interp(act[:, i], nodes, below), alpha)
        pairs.append((error, allowed + GRID))
    if joint.ndim == 2:
        middle, spread = np.median(act, axis=0), act.std(axis=0) + 1e-300
        for wave in np.array(WAVES):
            swing, wanted = (
                0.5 + 0.5 * np.cos((x - middle) / spread @ wave) for x in (act, out.act)
            )
            pairs.append(chance.bounded_mean_is(swing, float(weight @ wanted), alpha))
    return pairs
