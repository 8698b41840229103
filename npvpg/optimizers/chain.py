"""The whole way from a gradient to a step: bound, optimiser, schedule."""

from dataclasses import dataclass, field
from typing import Any, final

from numpy.typing import NDArray

from npvpg import checks
from npvpg.optimizers.clipping import clip_by_global_norm
from npvpg.optimizers.steps import Adam, Optimizer, OptimizerState


@final
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


@final
@dataclass(frozen=True)
class Ascent:
    """
    The whole way from a gradient to a step, in one chain: bound, optimiser, schedule.

    Parameters
    ----------
    lr : Linear
        Step size over the run.
    optimizer : Optimizer
        How to step.
    max_grad_norm : float
        Bound on the length of the gradient; 0 sets none.

    Raises
    ------
    ValueError
        If `max_grad_norm` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from npvpg.optimizers import SGD
    >>> chain, theta = Ascent(Linear(1.0, 0.0), SGD(), max_grad_norm=1.0), np.zeros(2)
    >>> chain.step(theta, np.array([3.0, 4.0]), chain.init(theta), 0.5)[0]
    array([0.3, 0.4])
    """

    lr: Linear
    optimizer: Optimizer = field(default_factory=Adam)
    max_grad_norm: float = 0.0

    def __post_init__(self) -> None:
        checks.settings(self)

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
            What the optimiser begins with.
        """
        return self.optimizer.init(theta)

    def step(
        self, theta: NDArray[Any], grad: NDArray[Any], state: OptimizerState, fraction: float
    ) -> tuple[NDArray[Any], OptimizerState]:
        """
        Climb along the gradient.

        Parameters
        ----------
        theta, grad : ndarray, shape (P,)
            Parameters and gradient.
        state : OptimizerState
            Memory after the last step.
        fraction : float
            Steps taken, by steps of the whole run.

        Returns
        -------
        theta : ndarray, shape (P,)
            New parameters.
        state : OptimizerState
            New memory.

        Raises
        ------
        ValueError
            If `grad` has another shape than `theta`; if it is to be bounded and is not finite.
        """
        if self.max_grad_norm:
            grad = clip_by_global_norm(grad, self.max_grad_norm)
        return self.optimizer.step(theta, grad, state, self.lr(fraction))
