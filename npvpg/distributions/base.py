"""What every distribution of actions offers: the contract, which the laws fill with formulas."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg import checks


class Distribution(ABC):
    """
    A family of distributions of actions.

    Its parameters are an argument, one row a step: float32, float64 or complex128, and what is
    returned has their type. No argument is written to; what is returned is fresh. An array of
    another shape, and actions that are none, are refused with a ValueError.

    A law is final: one that modifies a law wraps it.

    Attributes
    ----------
    sampler : {"categorical", "gaussian"} or None
        Compiled sampler of `npvpg.kernels.play` that draws what `sample` does, to the bit.
    pathwise : bool
        Whether samples can be differentiated by `sample_back`.
    """

    sampler: ClassVar[Literal["categorical", "gaussian"] | None] = None
    pathwise: ClassVar[bool] = False

    @property
    @abstractmethod
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action, and of its noise: (), or (D,)."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Number of parameters of one action, H."""

    @property
    def scale_columns(self) -> tuple[int, ...]:
        """Columns that hold log sigma, which a policy may fill without looking: none."""
        return ()

    @abstractmethod
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
        ndarray of float64, shape (n,) or (n, D)
            What `sample` takes.
        """

    @abstractmethod
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        """
        Turn noise into actions.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.
        noise : ndarray of float64, shape (S,) or (S, D)
            Noise, as `noise` draws it.

        Returns
        -------
        ndarray of int64, shape (S,), or of the type of `params`, shape (S, D)
            Actions.
        """

    @abstractmethod
    def mode(self, params: NDArray[Any]) -> NDArray[Any]:
        """
        Most probable actions.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.

        Returns
        -------
        ndarray of int64, shape (S,), or of the type of `params`, shape (S, D)
            Actions.
        """

    @abstractmethod
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """
        Log-probability, or log-density, of actions.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.
        act : array_like, shape (S,) or (S, D)
            Actions.

        Returns
        -------
        ndarray, shape (S,)
            Logarithms.
        """

    @abstractmethod
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """
        Derivative of the log-probability with respect to the parameters.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.
        act : array_like, shape (S,) or (S, D)
            Actions.

        Returns
        -------
        ndarray, shape (S, H)
            Derivative.
        """

    @abstractmethod
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        """
        Entropy.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.

        Returns
        -------
        ndarray, shape (S,)
            Entropy [nat].
        """

    @abstractmethod
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        """
        Derivative of the entropy with respect to the parameters.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.

        Returns
        -------
        ndarray, shape (S, H)
            Derivative [nat].
        """

    @abstractmethod
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        """
        Kullback-Leibler divergence from one of the family to another.

        Parameters
        ----------
        params, other_params : ndarray, shape (S, H)
            Parameters of p and of q.

        Returns
        -------
        ndarray, shape (S,)
            Divergence D(p || q) [nat].
        """

    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Fisher information of the parameters times a direction, never forming the matrix.

        .. math:: M v = E\bigl[\nabla\log p(a)\,\nabla\log p(a)^\top\bigr]\, v
                  = \nabla^2_q\, D(p \| q)\big|_{q=p}\, v

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.
        d_params : ndarray, shape (S, H)
            Direction :math:`v` in every row.

        Returns
        -------
        ndarray, shape (S, H)
            Products.

        Raises
        ------
        ValueError
            If the law does not know its information, as one of your own that leaves this out.
        """
        raise ValueError(f"distribution must have a fisher_product, got {self}")

    def sample_back(
        self, params: NDArray[Any], act: NDArray[Any], d_act: NDArray[Any]
    ) -> NDArray[Any]:
        """
        Carry a derivative with respect to samples back to the parameters, the noise held fixed.

        Parameters
        ----------
        params : ndarray, shape (S, H)
            Parameters.
        act : ndarray, shape (S, D)
            What `sample` made of them.
        d_act : ndarray, shape (S, D)
            Derivative with respect to that.

        Returns
        -------
        ndarray, shape (S, H)
            Derivative with respect to the parameters.

        Raises
        ------
        ValueError
            If the law is not `pathwise`.
        """
        raise ValueError(f"distribution must be one that can be differentiated, got {self}")

    def __str__(self) -> str:
        """Name the law in a few words."""
        return type(self).__name__

    def _check(self, params: NDArray[Any], **rows: NDArray[Any]) -> None:
        """Refuse parameters, and what goes with them row by row, of another shape."""
        checks.shape((-1, self.n_params), params=params)
        checks.shape((len(params), *self.event_shape), **rows)

    def _actions(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """Take actions in the precision of the parameters; complex ones stay complex."""
        act = np.asarray(act)
        if act.dtype.kind not in "iufc":
            raise ValueError(f"act must hold numbers, got {act.dtype}")
        self._check(params, act=act)
        return act if act.dtype.kind == "c" else act.astype(params.real.dtype, copy=False)
