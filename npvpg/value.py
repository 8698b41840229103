"""Value functions: what return to expect from a state."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvpg import checks
from npvpg.mlp import MLP
from npvpg.workspace import Workspace


class Value(Protocol):
    """A value function V of observations; its parameters phi are an argument."""

    @property
    def size(self) -> int:
        """Number of parameters, P."""

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Draw initial parameters, shape (P,)."""

    def value(self, phi: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """Values of observations, shape (S,)."""

    def layers(
        self, phi: NDArray[Any], obs: NDArray[Any], work: Workspace | None = None
    ) -> list[NDArray[Any]]:
        """Observations, hidden layers, values (S, 1)."""

    def gradient(
        self,
        phi: NDArray[Any],
        obs: NDArray[Any],
        target: NDArray[Any],
        work: Workspace | None = None,
        layers: list[NDArray[Any]] | None = None,
    ) -> NDArray[Any]:
        """Gradient of half the mean squared error, shape (P,)."""


@dataclass(frozen=True)
class MLPValue:
    """
    Value function by a network with one output; linear if the network has no hidden layer.

    Parameters
    ----------
    network : MLP
        From observations to one number.

    Raises
    ------
    ValueError
        If the network has not exactly one output.

    Examples
    --------
    >>> linear = MLPValue(MLP((2, 1)))
    >>> linear.value(np.array([1.0, 2.0, 0.5]), np.array([[1.0, 1.0]]))
    array([3.5])
    """

    network: MLP

    def __post_init__(self) -> None:
        if self.network.sizes[-1] != 1:
            raise ValueError(f"network must have 1 output, got {self.network.sizes[-1]}")

    @property
    def size(self) -> int:
        """Number of parameters, P."""
        return self.network.size

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """
        Draw initial parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        dtype : dtype
            Type of the result.

        Returns
        -------
        ndarray, shape (P,)
            Parameters, orthogonal, the last layer with gain 1.
        """
        return self.network.init(rng, dtype=dtype)

    def value(self, phi: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """
        Values of observations.

        Parameters
        ----------
        phi : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.

        Returns
        -------
        ndarray, shape (S,)
            Values [reward].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.network.forward(phi, obs)[:, 0]

    def layers(
        self, phi: NDArray[Any], obs: NDArray[Any], work: Workspace | None = None
    ) -> list[NDArray[Any]]:
        """
        Run the network and keep every layer, for the values and the first gradient.

        Parameters
        ----------
        phi : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        work : Workspace, optional
            Where the hidden layers are kept.

        Returns
        -------
        list of ndarray
            What `npvpg.mlp.MLP.layers` returns; the last one, (S, 1), holds the values [reward].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.network.layers(phi, obs, work)

    def gradient(
        self,
        phi: NDArray[Any],
        obs: NDArray[Any],
        target: NDArray[Any],
        work: Workspace | None = None,
        layers: list[NDArray[Any]] | None = None,
    ) -> NDArray[Any]:
        r"""
        Gradient of half the mean squared error.

        .. math::
           \nabla_\phi\, \frac{1}{2S}\sum_t \bigl(V_\phi(s_t) - y_t\bigr)^2
           = \frac1S \sum_t \bigl(V_\phi(s_t) - y_t\bigr)\nabla_\phi V_\phi(s_t)

        Parameters
        ----------
        phi : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        target : ndarray, shape (S,)
            Targets :math:`y_t` [reward].
        work : Workspace, optional
            Memory for the layers.
        layers : list of ndarray, optional
            What `layers` returned for `phi` and `obs`, to save that pass.

        Returns
        -------
        ndarray, shape (P,)
            Gradient; the way down is its negative.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        if layers is None:
            layers = self.network.layers(phi, obs, work)
        checks.shape((len(obs),), target=target)
        error = layers[-1] - target[:, np.newaxis].astype(phi.dtype, copy=False)
        error /= len(obs)
        return self.network.backward(phi, layers, error, work)


@dataclass(frozen=True)
class ZeroValue:
    """
    The value function that is 0 everywhere and has no parameters.

    With it every advantage becomes a plain return.

    Examples
    --------
    >>> ZeroValue().value(np.zeros(0), np.ones((2, 3)))
    array([0., 0.])
    """

    @property
    def size(self) -> int:
        """Number of parameters, 0."""
        return 0

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """
        Draw nothing.

        Parameters
        ----------
        rng : numpy.random.Generator
            Not used.
        dtype : dtype
            Type of the result.

        Returns
        -------
        ndarray, shape (0,)
            No parameters.
        """
        return np.zeros(0, dtype=dtype)

    def value(self, phi: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """
        Values of observations.

        Parameters
        ----------
        phi : ndarray, shape (0,)
            No parameters.
        obs : ndarray, shape (S, O)
            Observations.

        Returns
        -------
        ndarray, shape (S,)
            Zeros [reward].
        """
        return np.zeros(len(obs), dtype=phi.dtype)

    def layers(
        self, phi: NDArray[Any], obs: NDArray[Any], work: Workspace | None = None
    ) -> list[NDArray[Any]]:
        """
        Observations and values, with nothing in between.

        Parameters
        ----------
        phi : ndarray, shape (0,)
            No parameters.
        obs : ndarray, shape (S, O)
            Observations.
        work : Workspace, optional
            Not used.

        Returns
        -------
        list of ndarray
            The observations, and zeros of shape (S, 1) [reward].
        """
        return [obs, np.zeros((len(obs), 1), dtype=phi.dtype)]

    def gradient(
        self,
        phi: NDArray[Any],
        obs: NDArray[Any],
        target: NDArray[Any],
        work: Workspace | None = None,
        layers: list[NDArray[Any]] | None = None,
    ) -> NDArray[Any]:
        """
        Gradient of half the mean squared error.

        Parameters
        ----------
        phi : ndarray, shape (0,)
            No parameters.
        obs : ndarray, shape (S, O)
            Observations.
        target : ndarray, shape (S,)
            Targets [reward].
        work : Workspace, optional
            Not used.
        layers : list of ndarray, optional
            Not used.

        Returns
        -------
        ndarray, shape (0,)
            Nothing.
        """
        return np.zeros(0, dtype=phi.dtype)
