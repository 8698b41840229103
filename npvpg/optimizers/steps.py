"""
Steps along a gradient: plain, or with momentum and scale.

Everything here climbs. Where a loss is to fall, its gradient comes in with the opposite sign.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.kernels.adam import adam


class OptimizerState(NamedTuple):
    """
    What an optimiser remembers between steps.

    Attributes
    ----------
    first : ndarray, shape (P,)
        Running mean of the gradient; empty for `SGD`.
    second : ndarray, shape (P,)
        Running mean of its square; empty for `SGD`.
    n_made : int
        Number of steps made.
    """

    first: NDArray[Any]
    second: NDArray[Any]
    n_made: int


class Optimizer(ABC):
    """How a gradient becomes a step: a frozen description; parameters and memory are arguments."""

    @abstractmethod
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        """
        Memory before the first step.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.

        Returns
        -------
        OptimizerState
            Zeros of their type.
        """

    @abstractmethod
    def step(
        self, theta: NDArray[Any], grad: NDArray[Any], state: OptimizerState, lr: float
    ) -> tuple[NDArray[Any], OptimizerState]:
        r"""
        Climb along the gradient.

        Parameters
        ----------
        theta, grad : ndarray, shape (P,)
            Parameters and gradient.
        state : OptimizerState
            Memory after the last step.
        lr : float
            Step size :math:`\alpha`.

        Returns
        -------
        theta : ndarray, shape (P,)
            New parameters, of the same type; the old array is not written to.
        state : OptimizerState
            New memory.

        Raises
        ------
        ValueError
            If `grad` has another shape than `theta`.
        """


@final
@dataclass(frozen=True)
class SGD(Optimizer):
    r"""
    Plain gradient ascent, :math:`\theta \leftarrow \theta + \alpha g`.

    Examples
    --------
    >>> theta = np.zeros(1)
    >>> SGD().step(theta, np.array([2.0]), SGD().init(theta), 0.5)[0]
    array([1.])
    """

    @override
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        return OptimizerState(theta[:0].copy(), theta[:0].copy(), 0)

    @override
    def step(
        self, theta: NDArray[Any], grad: NDArray[Any], state: OptimizerState, lr: float
    ) -> tuple[NDArray[Any], OptimizerState]:
        checks.shape(theta.shape, grad=grad)
        grad = grad.astype(theta.dtype, copy=False)
        return theta + float(lr) * grad, state._replace(n_made=state.n_made + 1)


@final
@dataclass(frozen=True)
class Adam(Optimizer):
    r"""
    Gradient ascent with running moments of the gradient.

    .. math::
       m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad
       v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2, \qquad
       \theta_t = \theta_{t-1} + \alpha\,
       \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}

    Parameters
    ----------
    beta1, beta2 : float
        Decay of the two moments, in [0, 1).
    eps : float
        Positive number that keeps the quotient finite.

    Raises
    ------
    ValueError
        If a parameter lies outside its range.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
       arXiv:1412.6980, algorithm 1.

    Examples
    --------
    The first step has the length of the step size, whatever the gradient:

    >>> theta = np.zeros(2)
    >>> Adam(eps=1e-300).step(theta, np.array([1e-9, -4.0]), Adam().init(theta), 0.5)[0]
    array([ 0.5, -0.5])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        checks.settings(self)

    @override
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        return OptimizerState(np.zeros_like(theta), np.zeros_like(theta), 0)

    @override
    def step(
        self, theta: NDArray[Any], grad: NDArray[Any], state: OptimizerState, lr: float
    ) -> tuple[NDArray[Any], OptimizerState]:
        checks.shape(theta.shape, grad=grad)
        n_made = state.n_made + 1
        decay = (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2)
        theta, first, second = adam(
            theta,
            grad.astype(theta.dtype, copy=False),
            state.first,
            state.second,
            np.array(decay, theta.dtype),
            lr / (1 - self.beta1**n_made),
            1 - self.beta2**n_made,
            self.eps,
        )
        return theta, OptimizerState(first, second, n_made)
