"""The claims about a distribution of actions, for a class of one's own."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg.distributions import Distribution
from npvpg.testing import law_calculus, law_form, law_integrals, law_sampled, law_sampler
from npvpg.testing.outcomes import Support, is_sampled, lister
from npvpg.testing.search import need, search
from npvpg.testing.theorem import Ledger, Margin, Theorem

Array = NDArray[Any]


def check_distribution(
    law: Distribution,
    *,
    support: Support = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    log_volume: Callable[[Array], Array] | None = None,
    max_examples: int = 50,
) -> dict[Theorem, Margin]:
    r"""
    Hold a distribution to everything that the library claims of its own.

    Parameters
    ----------
    law : Distribution
        The law: an instance of a class of one's own.
    support : ndarray, tuple of float or "sampled", optional
        All its actions, (A,) or (A, D); or the bounds of each component of a density; or
        "sampled" if there is neither list nor density, as for a product of both kinds. If not
        given: 0, 1, ... up to the first that `log_prob` refuses for actions that are whole
        numbers, otherwise the real line in every component.
    low, high : array_like, shape () or (H,), optional
        Bounds of the parameters that are tried; -4 and 4 if not given, -1.5 and 1.5 in
        ``law.scale_columns``.
    log_volume : callable, optional
        Logarithm of the volume that a unit of action stands for, (A,) or (A, D) -> (A,), of a law
        whose density is not with respect to the action itself; 0 if not given.
    max_examples : int
        Inputs that are tried for every theorem.

    Returns
    -------
    dict of Theorem to Margin
        How close each came to failing.

    Raises
    ------
    TheoremError
        Of the first theorem that breaks, with the smallest input found.
    ImportError
        If hypothesis or scipy is missing.

    Notes
    -----
    Expectations are sums over all actions, or quadrature of a density in one or two dimensions.
    Where there are more they are sampled, with fixed seeds and false alarms below 1e-11 a
    statistic, and see only errors of about a tenth of a standard deviation: check the law in fewer
    dimensions too.

    Examples
    --------
    >>> from npvpg.distributions import Categorical
    >>> margins = check_distribution(Categorical(3), max_examples=5)
    >>> max(margin.ratio for margin in margins.values()) <= 1
    True
    """
    need("scipy.stats")
    ledger = Ledger(str(law))
    draws = _Draws(law, *_bounds(law, low, high))
    volume = log_volume or _nothing
    law_form.refusals(ledger, law)
    for holds in (law_form.form, law_calculus.slopes):
        search(draws.inputs(), partial(_apart, holds, ledger, law), max_examples)
    if is_sampled(law, support):
        law_sampled.expectations(ledger, law, draws.some(4), volume)
        return ledger.margins
    list_outcomes = lister(law, support)

    def integrals(given: tuple[Array, Array]) -> None:
        law_integrals.integrals(ledger, law, *given, list_outcomes, volume)

    search(draws.pairs(), integrals, max(5, max_examples // (4 if law.event_shape else 1)))
    law_sampler.follows(ledger, law, draws.some(4), list_outcomes, volume)
    return ledger.margins


def _apart(holds: Callable[..., None], ledger: Ledger, law: Distribution, given: Any) -> None:
    holds(ledger, law, *given)


def _nothing(act: Array) -> Array:
    return np.zeros(len(act))


def _bounds(
    law: Distribution, low: ArrayLike | None, high: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of the parameters, one each."""
    widest = np.full(law.n_params, 4.0)
    widest[list(law.scale_columns)] = 1.5
    return (
        np.broadcast_to(-widest if low is None else np.asarray(low, float), widest.shape),
        np.broadcast_to(widest if high is None else np.asarray(high, float), widest.shape),
    )


class _Draws(NamedTuple):
    """Inputs on a grid of tenths, moved off it so that no two are equal and none is 0."""

    law: Distribution
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def row(self) -> Any:
        """Parameters of one row: they shrink to the nearest to 0."""
        st = need("hypothesis.strategies")
        off = (np.arange(self.law.n_params) % 64 + 1) / 1000
        first = np.ceil((self.low - off) * 10).astype(int)
        last = np.maximum(first, np.floor((self.high - off) * 10).astype(int))
        tenths = st.tuples(*(st.integers(int(a), int(b)) for a, b in zip(first, last, strict=True)))
        return tenths.map(lambda k: np.round(np.array(k) / 10 + off, 3))

    def inputs(self) -> Any:
        """Rows of parameters, rows of others, and actions that the law itself draws."""
        st = need("hypothesis.strategies")

        def filled(rows: list[tuple[Array, Array]], seed: int) -> tuple[Array, Array, Array]:
            params, other = (np.stack(each) for each in zip(*rows, strict=True))
            noise = self.law.noise(np.random.default_rng(seed), len(params))
            return params, other, noise

        pair = st.tuples(self.row(), self.row())
        return st.builds(filled, st.lists(pair, min_size=1, max_size=3), st.integers(0, 999))

    def pairs(self) -> Any:
        """One row of parameters, and one of others."""
        st = need("hypothesis.strategies")
        one = self.row().map(lambda row: row[np.newaxis])
        return st.tuples(one, one)

    def some(self, n: int) -> list[Array]:
        """Give a few rows, always the same, the first near 0."""
        rng = np.random.default_rng(n)
        share = np.concatenate(
            [[np.full(self.law.n_params, 0.5)], rng.random((n - 1, len(self.low)))]
        )
        off = (np.arange(self.law.n_params) % 64 + 1) / 1000
        rows = np.round(self.low + share * (self.high - self.low) + off, 3)
        return list(rows[:, np.newaxis, :])
