"""Value functions: what return to expect from a state."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.mlp import MLP


class ValueAt(ABC):
    """
    A value function at S observations: made by `Value.at`.

    Attributes
    ----------
    values : ndarray, shape (S,)
        Values of the observations [reward].
    """

    values: NDArray[Any]

    @abstractmethod
    def gradient(self, target: NDArray[Any]) -> NDArray[Any]:
        """
        Gradient of half the mean squared error.

        Parameters
        ----------
        target : ndarray, shape (S,)
            Targets [reward].

        Returns
        -------
        ndarray, shape (P,)
            Gradient; the way down is its negative.

        Raises
        ------
        ValueError
            If `target` is of another shape.
        """


class Value(ABC):
    """
    A value function V of observations; its parameters phi are an argument.

    Attributes
    ----------
    is_zero : bool
        Whether it is 0 everywhere: there is nothing to train, and no tail to bootstrap from it.
    """

    is_zero: ClassVar[bool] = False

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of parameters, P."""

    @abstractmethod
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
            Parameters.
        """

    @abstractmethod
    def at(self, phi: NDArray[Any], obs: NDArray[Any]) -> ValueAt:
        """
        Run the value function once, for its values and its gradient.

        Parameters
        ----------
        phi : ndarray, shape (P,)
            Parameters; kept, not copied.
        obs : ndarray, shape (S, O)
            Observations; taken in the precision of `phi`.

        Returns
        -------
        ValueAt
            The value function at its observations.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """


@final
@dataclass(frozen=True)
class MLPValue(Value):
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
    >>> linear.at(np.array([1.0, 2.0, 0.5]), np.array([[1.0, 1.0]])).values
    array([3.5])
    """

    network: MLP

    def __post_init__(self) -> None:
        if self.network.sizes[-1] != 1:
            raise ValueError(f"network must have 1 output, got {self.network.sizes[-1]}")

    @property
    @override
    def size(self) -> int:
        return self.network.size

    @override
    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Draw an orthogonal network, the last layer with gain 1."""
        return self.network.init(rng, dtype=dtype)

    @override
    def at(self, phi: NDArray[Any], obs: NDArray[Any]) -> ValueAt:
        return MLPValueAt(self.network, phi, self.network.layers(phi, obs))


@final
class MLPValueAt(ValueAt):
    """
    A network at its observations.

    Parameters
    ----------
    network : MLP
        The network.
    phi : ndarray, shape (P,)
        Its parameters.
    layers : list of ndarray
        What `npvpg.mlp.MLP.layers` gave for them.
    """

    def __init__(self, network: MLP, phi: NDArray[Any], layers: list[NDArray[Any]]) -> None:
        self._network, self._phi, self._layers = network, phi, layers
        self.values = layers[-1][:, 0]

    @override
    def gradient(self, target: NDArray[Any]) -> NDArray[Any]:
        r"""
        Gradient of half the mean squared error.

        .. math::
           \nabla_\phi\, \frac{1}{2S}\sum_t \bigl(V_\phi(s_t) - y_t\bigr)^2
           = \frac1S \sum_t \bigl(V_\phi(s_t) - y_t\bigr)\nabla_\phi V_\phi(s_t)
        """
        checks.shape(self.values.shape, target=target)
        error = self._layers[-1] - target[:, np.newaxis].astype(self._phi.dtype, copy=False)
        error /= len(error)
        return self._network.backward(self._phi, self._layers, error)


@final
@dataclass(frozen=True)
class ZeroValue(Value):
    """
    The value function that is 0 everywhere and has no parameters.

    With it every advantage becomes a plain return.

    Examples
    --------
    >>> ZeroValue().at(np.zeros(0), np.ones((2, 3))).values
    array([0., 0.])
    """

    is_zero: ClassVar[bool] = True

    @property
    @override
    def size(self) -> int:
        return 0

    @override
    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Draw nothing."""
        return np.zeros(0, dtype=dtype)

    @override
    def at(self, phi: NDArray[Any], obs: NDArray[Any]) -> ValueAt:
        checks.shape((0,), phi=phi)
        return _ZeroAt(np.zeros(len(obs), dtype=phi.dtype))


@final
class _ZeroAt(ValueAt):
    """Zeros."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    @override
    def gradient(self, target: NDArray[Any]) -> NDArray[Any]:
        checks.shape(self.values.shape, target=target)
        return self.values[:0].copy()
