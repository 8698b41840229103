r"""
Product of distributions: an action of several independent parts.

.. math:: \log\pi(a_1, \dots, a_n \mid s) = \sum_i \log\pi_i(a_i \mid s)

Given the observation the parts are independent; they share the network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvpg import checks
from npvpg.distributions.base import Distribution


class _Part(NamedTuple):
    """A distribution, and where its share of outputs, free parameters and columns lies."""

    law: Distribution
    out: slice
    free: slice
    act: slice


@dataclass(frozen=True)
class Product:
    """
    Independent parts, one after the other.

    An action is a row of numbers, the columns of the parts side by side: a categorical takes one
    column, which holds whole numbers. The outputs of the network, the free parameters and the
    noise are laid out in the same way.

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
    >>> two_dice.log_prob(np.zeros((1, 12)), np.zeros(0), np.array([[0.0, 5.0]]))
    array([-3.58351894])
    """

    parts: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts must hold at least 1 distribution, got none")

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        def slices(sizes: Iterable[int]) -> list[slice]:
            return [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]

        return tuple(
            map(
                _Part,
                self.parts,
                slices(part.n_outputs for part in self.parts),
                slices(part.n_free for part in self.parts),
                slices(prod(part.event_shape) for part in self.parts),
            )
        )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action and of its noise, (D,)."""
        return (self._parts[-1].act.stop,)

    @property
    def n_outputs(self) -> int:
        """Number of network outputs, H: the sum over the parts."""
        return int(self._parts[-1].out.stop)

    @property
    def n_free(self) -> int:
        """Number of free parameters, F: the sum over the parts."""
        return int(self._parts[-1].free.stop)

    def init_free(self) -> NDArray[np.float64]:
        """
        Initial free parameters.

        Returns
        -------
        ndarray of float64, shape (F,)
            Those of the parts.
        """
        return np.concatenate([part.init_free() for part in self.parts])

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """
        Draw the noise of n samples.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        n : int
            Number of samples.

        Returns
        -------
        ndarray of float64, shape (n, D)
            Noise of the parts side by side.
        """
        return self._side_by_side(n, (part.noise(rng, n) for part in self.parts), np.float64)

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[Any]:
        """
        Turn noise into actions, every part by its own share.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        noise : ndarray of float64, shape (S, D)
            Noise of the parts side by side.

        Returns
        -------
        ndarray, shape (S, D)
            Actions of the parts side by side, of the type of `out`.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        self._check(out, free, noise=noise)
        rows = len(out)
        shares = (
            law.sample(
                np.ascontiguousarray(out[:, o]),
                free[f],
                np.ascontiguousarray(noise[:, a]).reshape(rows, *law.event_shape),
            )
            for law, o, f, a in self._parts
        )
        return self._side_by_side(rows, shares, out.dtype)

    def mode(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """
        Most probable actions: the parts are independent, so each takes its own.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        ndarray, shape (S, D)
            Actions of the parts side by side, of the type of `out`.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        self._check(out, free)
        modes = (law.mode(out[:, o], free[f]) for law, o, f, _ in self._parts)
        return self._side_by_side(len(out), modes, out.dtype)

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        r"""
        Log-probability or log-density of actions.

        .. math:: \log\pi(a) = \sum_i \log\pi_i(a_i)

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        act : ndarray, shape (S, D)
            Actions of the parts side by side.

        Returns
        -------
        ndarray, shape (S,)
            Log-probabilities.

        Raises
        ------
        ValueError
            If a shape is not as above, or a part refuses its share of `act`.
        """
        self._check(out, free, act=act)
        terms = [
            law.log_prob(out[:, o], free[f], _share(law, act[:, a])) for law, o, f, a in self._parts
        ]
        return np.asarray(np.sum(terms, axis=0))

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """
        Derivatives of the log-probability: every part's score in its own columns.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        act : ndarray, shape (S, D)
            Actions of the parts side by side.

        Returns
        -------
        d_out : ndarray, shape (S, H)
            Derivative with respect to the output.
        d_free : ndarray, shape (S, F)
            Derivative with respect to the free parameters.

        Raises
        ------
        ValueError
            If a shape is not as above, or a part refuses its share of `act`.
        """
        self._check(out, free, act=act)
        return _joined(
            law.score(out[:, o], free[f], _share(law, act[:, a])) for law, o, f, a in self._parts
        )

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = \sum_i H_i

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        ndarray, shape (S,)
            Entropy [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        self._check(out, free)
        terms = [law.entropy(out[:, o], free[f]) for law, o, f, _ in self._parts]
        return np.asarray(np.sum(terms, axis=0))

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """
        Derivatives of the entropy, every part's in its own columns.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        d_out : ndarray, shape (S, H)
            Derivative with respect to the output.
        d_free : ndarray, shape (S, F)
            Derivative with respect to the free parameters.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        self._check(out, free)
        return _joined(law.entropy_score(out[:, o], free[f]) for law, o, f, _ in self._parts)

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        r"""
        Kullback-Leibler divergence from this distribution to another.

        .. math:: D(p\|q) = \sum_i D(p_i\|q_i)

        Parameters
        ----------
        out, other_out : ndarray, shape (S, H)
            Network outputs of p and of q.
        free, other_free : ndarray, shape (F,)
            Free parameters of p and of q.

        Returns
        -------
        ndarray, shape (S,)
            Divergence [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        self._check(out, free)
        checks.shape(out.shape, other_out=other_out)
        checks.shape(free.shape, other_free=other_free)
        terms = [
            law.kl(out[:, o], free[f], other_out[:, o], other_free[f])
            for law, o, f, _ in self._parts
        ]
        return np.asarray(np.sum(terms, axis=0))

    def _check(self, out: NDArray[Any], free: NDArray[Any], **columns: NDArray[Any]) -> None:
        checks.shape((-1, self.n_outputs), out=out)
        checks.shape((self.n_free,), free=free)
        checks.shape((len(out), *self.event_shape), **columns)

    def _side_by_side(
        self, n_rows: int, shares: Iterable[NDArray[Any]], dtype: DTypeLike
    ) -> NDArray[Any]:
        whole = np.empty((n_rows, *self.event_shape), dtype)
        for part, share in zip(self._parts, shares, strict=True):
            whole[:, part.act] = share.reshape(n_rows, prod(part.law.event_shape))
        return whole


def _share(law: Distribution, columns: NDArray[Any]) -> NDArray[Any]:
    """Give a part its share of the actions, in the shape and the kind of number it takes."""
    if law.event_shape:
        return columns
    whole = columns[:, 0].astype(np.int64)
    if (whole != columns[:, 0]).any():
        raise ValueError(f"act must hold whole numbers for {law}, got {columns[:, 0]}")
    return whole


def _joined(
    scores: Iterable[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    d_outs, d_frees = zip(*scores, strict=True)
    return np.concatenate(d_outs, axis=1), np.concatenate(d_frees, axis=1)
