"""The claims about an estimator, for weights of one's own."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.estimators import Estimator
from npvpg.kernels import returns
from npvpg.lab.exact import Laboratory, random_process
from npvpg.testing.search import need, search
from npvpg.testing.theorem import Ledger, Margin, Theorem

SHAPES = Theorem("shapes", "one finite weight a step, float64")
ORDER = Theorem("order", "the order of the trajectories only permutes the weights")
COMPARES = Theorem(
    "compares_trajectories", "a weight depends on other trajectories only if declared"
)
USES_VALUE = Theorem("uses_value", "a weight depends on val just if declared")
GRADIENT = Theorem("gradient", "E[Σₜ γᵗ Φₜ ∇ log π(aₜ|sₜ)] = ∇J, no γᵗ if from_start")
FROM_START = Theorem("from_start", "a weight is discounted from time 0 just if declared")
WHOLE = Theorem(
    "needs_whole_episodes", "last_val stands for the rewards after a cut, unless declared"
)
ADVANTAGE = Theorem("is_advantage", "E[Φₜ + V(sₜ) | sₜ, aₜ] = Q(sₜ, aₜ) if declared")

ROUNDING = 1e-12
Array = NDArray[Any]
Args = tuple[Array, Array, Array, Array]


class _Sums(NamedTuple):
    """An expected gradient, and the size of its terms."""

    mean: Array
    size: float


def check_estimator(estimator: Estimator, *, max_examples: int = 40) -> dict[Theorem, Margin]:
    r"""
    Hold an estimator to what it declares, and its expected gradient to that of the objective.

    Parameters
    ----------
    estimator : Estimator
        The estimator.
    max_examples : int
        Random processes that are tried.

    Returns
    -------
    dict of Theorem to Margin
        How close each came to failing.

    Raises
    ------
    TheoremError
        Of the first theorem that breaks, with the smallest process found.
    ImportError
        If hypothesis is missing.

    Notes
    -----
    Nothing is sampled: every trajectory of a process of at most 2 states and 3 steps is listed,
    with the exact V, and every pair of trajectories where they are compared. An estimate that is
    biased even with the exact V breaks the theorem "gradient", whether it is meant to be or not.
    With gamma = 1 nothing tells whether a weight is discounted.

    Examples
    --------
    >>> from npvpg.estimators import GAE
    >>> margins = check_estimator(GAE(0.9, 0.95), max_examples=5)
    >>> max(margin.ratio for margin in margins.values()) <= 1
    True
    """
    st = need("hypothesis.strategies")
    ledger, seen = Ledger(str(estimator)), dict.fromkeys((USES_VALUE, WHOLE), False)
    # pairs of trajectories are many, so a process whose trajectories are compared is smaller
    few = estimator.compares_trajectories
    sizes = st.tuples(st.integers(1, 1 if few else 2), st.integers(1, 2 if few else 3))
    for holds in (_whole, _cut):  # what breaks in both is told of whole episodes
        drawn = st.tuples(sizes, st.integers(0, 999))
        search(drawn, partial(holds, ledger, estimator, seen), max_examples)
    if estimator.uses_value:
        ledger.require(USES_VALUE, seen[USES_VALUE], found="no weight that depends on val")
    if estimator.needs_whole_episodes:
        ledger.require(WHOLE, seen[WHOLE], found="no bias where episodes are cut")
    return ledger.margins


def _whole(
    ledger: Ledger, estimator: Estimator, seen: dict[Theorem, bool], drawn: tuple[Any, int]
) -> None:
    """Hold one random process whose time limit hides nothing."""
    lab, rng, told = _lab(estimator, drawn)
    _form(ledger, estimator, seen, lab, rng, told)
    _unbiased(ledger, estimator, lab, told)


def _cut(
    ledger: Ledger, estimator: Estimator, seen: dict[Theorem, bool], drawn: tuple[Any, int]
) -> None:
    """Hold one random process in which a state is worth something where time is up."""
    lab, rng, told = _lab(estimator, drawn)
    worth = replace(lab.process, final=rng.standard_normal(lab.process.n_states))
    lab = Laboratory(worth, lab.theta)
    have = _expected(estimator, lab, estimator.from_start)
    error, allowed = float(np.abs(have.mean - lab.gradient).max()), ROUNDING * have.size
    if estimator.needs_whole_episodes:
        seen[WHOLE] |= error > 1e3 * allowed
        return
    ledger.hold(WHOLE, error, allowed, **told)
    if estimator.is_advantage:
        _advantage(ledger, estimator, lab, told)


def _lab(
    estimator: Estimator, drawn: tuple[Any, int]
) -> tuple[Laboratory, np.random.Generator, dict[str, Any]]:
    (n_states, horizon), seed = drawn
    rng = np.random.default_rng(seed)
    process = random_process(rng, n_states, 2, horizon, estimator.gamma)
    lab = Laboratory(process, rng.standard_normal(n_states * 2 + 2))
    return lab, rng, {"states": n_states, "steps": horizon, "seed": seed}


def _form(
    ledger: Ledger,
    estimator: Estimator,
    seen: dict[Theorem, bool],
    lab: Laboratory,
    rng: np.random.Generator,
    told: dict[str, Any],
) -> None:
    """Shapes, and what a weight depends on."""
    rew, val, last_val, start = args = _args(lab)
    try:
        psi = estimator(*args)
    except ValueError as error:
        ledger.require(SHAPES, False, **told, raised=error)
        return
    good = psi.shape == rew.shape and psi.dtype == np.float64 and bool(np.isfinite(psi).all())
    ledger.require(SHAPES, good, **told, shape=psi.shape, dtype=psi.dtype)
    allowed = ROUNDING * (1 + np.abs(psi))
    order = rng.permutation(len(last_val))
    steps = np.concatenate([np.arange(start[k], start[k + 1]) for k in order])
    lengths = np.diff(start)[order]
    moved = (rew[steps], val[steps], last_val[order], np.concatenate([[0], np.cumsum(lengths)]))
    ledger.hold(ORDER, estimator(*moved) - psi[steps], allowed[steps], **told, order=order)
    if not estimator.compares_trajectories:
        one = start[1]
        alone = estimator(rew[:one], val[:one], last_val[:1], start[:2])
        ledger.hold(COMPARES, alone - psi[:one], allowed[:one], **told)
    other = estimator(rew, val + rng.standard_normal(len(val)), last_val, start)
    if estimator.uses_value:
        seen[USES_VALUE] |= not np.array_equal(other, psi)
    else:
        ledger.require(USES_VALUE, np.array_equal(other, psi), **told)


def _unbiased(ledger: Ledger, estimator: Estimator, lab: Laboratory, told: dict[str, Any]) -> None:
    """Hold the expected gradient to that of the objective, and say if a declaration is at fault."""
    have = _expected(estimator, lab, estimator.from_start)
    error, allowed = np.abs(have.mean - lab.gradient), ROUNDING * have.size
    told = {**told, "rewards": lab.process.reward, "expected": have.mean, "gradient": lab.gradient}
    if error.max() > allowed:
        otherwise = _expected(estimator, lab, not estimator.from_start)
        if np.abs(otherwise.mean - lab.gradient).max() <= ROUNDING * otherwise.size:
            ledger.hold(FROM_START, error, allowed, declared=estimator.from_start, **told)
    ledger.hold(GRADIENT, error, allowed, **told)


def _advantage(ledger: Ledger, estimator: Estimator, lab: Laboratory, told: dict[str, Any]) -> None:
    """Hold the weight's mean at every time, state and action to the exact advantage."""
    flat, Q = lab.episodes, lab.solution.Q
    args = _args(lab)
    lengths = np.diff(flat.start)
    chance = np.repeat(flat.probability, lengths)
    at = (flat.time, flat.state, flat.act)
    mass, total, size = (np.zeros(Q.shape) for _ in range(3))
    estimate = estimator(*args) + args[1]
    for table, terms in ((mass, 1.0), (total, estimate), (size, 1 + np.abs(estimate))):
        np.add.at(table, at, chance * terms)
    ledger.hold(ADVANTAGE, total - mass * Q, ROUNDING * (size + mass * np.abs(Q)), **told)


def _args(lab: Laboratory) -> Args:
    """Give every trajectory once, as an estimator takes them."""
    flat, V = lab.episodes, lab.solution.V
    last_val = np.where(flat.terminated, 0.0, V[flat.last_time, flat.last_state])
    return flat.rew, V[flat.time, flat.state], last_val, flat.start


def _expected(estimator: Estimator, lab: Laboratory, from_start: bool) -> _Sums:
    """Expected gradient of one trajectory, or of two that are compared."""
    flat = lab.episodes
    factor = np.ones(len(flat.rew))
    if not from_start:
        factor = returns.discount_weights(flat.start, lab.process.gamma)
    weigh = _of_pairs if estimator.compares_trajectories else _of_each
    psi = weigh(estimator, _args(lab), flat.probability) * factor
    chance = np.repeat(flat.probability, np.diff(flat.start))
    return _Sums(
        (chance * psi) @ lab.score, float(1 + np.abs(chance * psi) @ np.abs(lab.score).max(1))
    )


def _of_each(estimator: Estimator, args: Args, chance: Array) -> Array:
    return estimator(*args)


def _of_pairs(estimator: Estimator, args: Args, chance: Array) -> Array:
    """Mean weight of every step, over all trajectories that its own may be compared with."""
    rew, val, last_val, start = args
    mean = np.zeros(len(rew))
    spans = [np.arange(a, b) for a, b in pairwise(start)]
    for k, mine in enumerate(spans):
        for j, others in enumerate(spans):
            both = np.concatenate([mine, others])
            offsets = np.array([0, len(mine), len(both)])
            psi = estimator(rew[both], val[both], last_val[[k, j]], offsets)
            mean[mine] += chance[j] * psi[: len(mine)]
    return mean
