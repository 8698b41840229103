"""Steps along a gradient: plain, with momentum and scale, and what bounds or schedules them."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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


class Optimizer(Protocol):
    """Frozen description of an optimiser; theta and state are arguments."""

    def init(self, theta: NDArray[Any]) -> OptimizerState:
        """State before the first step."""

    def step(
        self, theta: NDArray[Any], grad: NDArray[Any], state: OptimizerState, lr: float
    ) -> tuple[NDArray[Any], OptimizerState]:
        """Climb along the gradient: new parameters and state."""


@dataclass(frozen=True)
class SGD:
    r"""
    Plain gradient ascent, :math:`\theta \leftarrow \theta + \alpha g`.

    Examples
    --------
    >>> theta = np.zeros(1)
    >>> SGD().step(theta, np.array([2.0]), SGD().init(theta), 0.5)[0]
    array([1.])
    """

    def init(self, theta: NDArray[Any]) -> OptimizerState:
        """
        State before the first step.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.

        Returns
        -------
        OptimizerState
            Nothing but that no step was made.
        """
        return OptimizerState(theta[:0].copy(), theta[:0].copy(), 0)

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
            State after the last step.
        lr : float
            Step size :math:`\alpha`; negative to descend.

        Returns
        -------
        theta : ndarray, shape (P,)
            New parameters; the old array is not written to.
        state : OptimizerState
            New state.

        Raises
        ------
        ValueError
            If `grad` has another shape than `theta`.
        """
        checks.shape(theta.shape, grad=grad)
        return theta + lr * grad, state._replace(n_made=state.n_made + 1)


@dataclass(frozen=True)
class Adam:
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
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {value}")
        checks.positive(eps=self.eps)

    def init(self, theta: NDArray[Any]) -> OptimizerState:
        """
        State before the first step.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.

        Returns
        -------
        OptimizerState
            Zeros.
        """
        return OptimizerState(np.zeros_like(theta), np.zeros_like(theta), 0)

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
            State after the last step.
        lr : float
            Step size :math:`\alpha`; negative to descend.

        Returns
        -------
        theta : ndarray, shape (P,)
            New parameters; the old array is not written to.
        state : OptimizerState
            New state.

        Raises
        ------
        ValueError
            If `grad` has another shape than `theta`.
        """
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


def clip_by_global_norm(grad: NDArray[Any], max_norm: float | None) -> tuple[NDArray[Any], float]:
    r"""
    Shorten a gradient that is longer than `max_norm`; its direction stays.

    .. math:: g \leftarrow g \min\bigl(1, c / \lVert g\rVert_2\bigr)

    Parameters
    ----------
    grad : ndarray, shape (P,)
        Gradient.
    max_norm : float or None
        Largest length :math:`c`; None for no bound.

    Returns
    -------
    grad : ndarray, shape (P,)
        The gradient itself, or a shorter copy.
    norm : float
        Its length before.

    Raises
    ------
    ValueError
        If `max_norm` is not positive.

    Examples
    --------
    >>> clip_by_global_norm(np.array([3.0, 4.0]), 1.0)
    (array([0.6, 0.8]), 5.0)
    """
    checks.positive(max_norm=max_norm)
    largest = float(np.abs(grad).max(initial=0.0))
    # divided by the largest entry first: squares of 1e-200 or 1e200 leave the range of floats
    norm = largest * float(np.linalg.norm(grad / largest)) if largest > 0 else 0.0
    if max_norm is None or norm <= max_norm:
        return grad, norm
    return grad * (max_norm / norm), norm


@dataclass(frozen=True)
class Linear:
    """
    Straight line from `start` to `stop` over the run.

    Parameters
    ----------
    start, stop : float
        Values at the beginning and at the end.

    Raises
    ------
    ValueError
        If a value is negative or not finite.

    Examples
    --------
    >>> Linear(1.0, 0.0)(0.25)
    0.75
    """

    start: float
    stop: float

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("stop", self.stop)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be at least 0 and finite, got {value}")

    def __call__(self, fraction: float) -> float:
        """Value after this fraction of the run; constant beyond its end."""
        fraction = min(max(fraction, 0.0), 1.0)
        return self.start + (self.stop - self.start) * fraction
