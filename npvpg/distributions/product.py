r"""
Product of distributions: an action of several independent parts.

.. math:: \log\pi(a_1, \dots, a_n \mid s) = \sum_i \log\pi_i(a_i \mid s)

Given the observation the parts are independent; they share the network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from math import prod
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.distributions.base import Distribution


class _Part(NamedTuple):
    """A distribution, and where its share of parameters and of an action lies."""

    law: Distribution
    params: slice
    act: slice


@final
@dataclass(frozen=True)
class Product(Distribution):
    """
    Independent parts, one after the other.

    An action is a row of numbers, the columns of the parts side by side: a categorical takes one
    column, which holds whole numbers. Parameters and noise are laid out in the same way.

    Parameters
    ----------
    parts : tuple of Distribution
        The parts; at least one.

    Raises
    ------
    ValueError
        If there is no part.

    Examples
    --------
    >>> from npvpg.distributions import Categorical
    >>> two_dice = Product((Categorical(6), Categorical(6)))
    >>> two_dice.log_prob(np.zeros((1, 12)), [[0, 5]])
    array([-3.58351894])
    """

    parts: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts must hold at least 1 distribution, got none")

    def __str__(self) -> str:
        runs = [(name, len(list(same))) for name, same in groupby(map(str, self.parts))]
        return "product of " + ", ".join(f"{n} x {name}" if n > 1 else name for name, n in runs)

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        def slices(sizes: Iterable[int]) -> list[slice]:
            return [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]

        return tuple(
            map(
                _Part,
                self.parts,
                slices(part.n_params for part in self.parts),
                slices(prod(part.event_shape) for part in self.parts),
            )
        )

    @property
    @override
    def event_shape(self) -> tuple[int, ...]:
        return (self._parts[-1].act.stop,)

    @property
    @override
    def n_params(self) -> int:
        return int(self._parts[-1].params.stop)

    @property
    @override
    def scale_columns(self) -> tuple[int, ...]:
        return tuple(p.start + column for law, p, _ in self._parts for column in law.scale_columns)

    @override
    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw the noise of the parts, side by side."""
        return self._side_by_side(n, (part.noise(rng, n) for part in self.parts), np.float64)

    @override
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        """Turn noise into actions, every part by its own share."""
        self._check(params, noise=noise)
        shares = (
            law.sample(
                np.ascontiguousarray(params[:, p]), np.ascontiguousarray(_share(law, noise, a))
            )
            for law, p, a in self._parts
        )
        return self._side_by_side(len(params), shares, params.dtype)

    @override
    def mode(self, params: NDArray[Any]) -> NDArray[Any]:
        """Most probable actions: the parts are independent, so each takes its own."""
        self._check(params)
        modes = (law.mode(params[:, p]) for law, p, _ in self._parts)
        return self._side_by_side(len(params), modes, params.dtype)

    @override
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Log-probability.

        .. math:: \log\pi(a) = \sum_i \log\pi_i(a_i)
        """
        act = self._actions(params, act)
        return _summed(law.log_prob(params[:, p], _share(law, act, a)) for law, p, a in self._parts)

    @override
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """Derivative of the log-probability: every part's score in its own columns."""
        act = self._actions(params, act)
        scores = [law.score(params[:, p], _share(law, act, a)) for law, p, a in self._parts]
        return np.concatenate(scores, axis=1)

    @override
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = \sum_i H_i
        """
        self._check(params)
        return _summed(law.entropy(params[:, p]) for law, p, _ in self._parts)

    @override
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        """Derivative of the entropy, every part's in its own columns."""
        self._check(params)
        return np.concatenate(
            [law.entropy_score(params[:, p]) for law, p, _ in self._parts], axis=1
        )

    @override
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence.

        .. math:: D(p\|q) = \sum_i D(p_i\|q_i)
        """
        self._check(params)
        checks.shape(params.shape, other_params=other_params)
        return _summed(law.kl(params[:, p], other_params[:, p]) for law, p, _ in self._parts)

    @override
    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        """Fisher information times a direction: the parts are independent, so block by block."""
        self._check(params)
        checks.shape(params.shape, d_params=d_params)
        blocks = (law.fisher_product(params[:, p], d_params[:, p]) for law, p, _ in self._parts)
        return np.concatenate(list(blocks), axis=1)

    def _side_by_side(
        self, n_rows: int, shares: Iterable[NDArray[Any]], dtype: DTypeLike
    ) -> NDArray[Any]:
        whole = np.empty((n_rows, *self.event_shape), dtype)
        for part, share in zip(self._parts, shares, strict=True):
            whole[:, part.act] = share.reshape(n_rows, prod(part.law.event_shape))
        return whole


def _share(law: Distribution, rows: NDArray[Any], columns: slice) -> NDArray[Any]:
    """Give a part its share of actions or noise, in the shape it takes."""
    return rows[:, columns].reshape(len(rows), *law.event_shape)


def _summed(terms: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.asarray(np.sum(list(terms), axis=0))
