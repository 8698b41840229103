"""How the policy steps."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.algorithm import Turn
from npvpg.batch import Batch
from npvpg.gradient import policy_gradient
from npvpg.optimizers import Ascent, Linear, OptimizerState
from npvpg.policy import PolicyAt
from npvpg.stages.weigh import Weigh
from npvpg.surrogate import surrogate_objective


class Stepped(NamedTuple):
    """
    What a step of the policy did.

    Attributes
    ----------
    theta : ndarray, shape (P,)
        New parameters.
    memory : OptimizerState
        New memory.
    grad : ndarray, shape (P,)
        Gradient of the objective where the step began.
    lr : float
        Factor of the direction that was taken, the step size.
    """

    theta: NDArray[Any]
    memory: OptimizerState
    grad: NDArray[Any]
    lr: float


class PolicyStage(ABC):
    """
    How the policy follows what a batch says: a frozen description.

    A subclass is a dataclass that has the two settings below, and says what a step is.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    entropy_weight: float
    """Weight of the entropy in the objective [reward per nat]. It is averaged as the gradient is:
    summed over the steps of a trajectory and divided by the number of trajectories, or with
    `Weigh.per_step` by that of steps, which alone makes it the weight of the mean entropy."""
    greedy: Linear | None
    """Probability of taking the mode in place of a draw, over the run, in [0, 1); for a
    `npvpg.distributions.Categorical` policy only. None draws every action."""

    def __post_init__(self) -> None:
        checks.settings(self)
        if self.greedy is not None and max(self.greedy.start, self.greedy.stop) >= 1:
            raise ValueError(f"greedy must stay below 1, got {self.greedy}")

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
            What the step begins with.
        """

    @abstractmethod
    def __call__(
        self,
        theta: NDArray[Any],
        pi: PolicyAt,
        batch: Batch,
        psi: NDArray[np.float64],
        weigh: Weigh,
        memory: OptimizerState,
        turn: Turn,
    ) -> Stepped:
        """
        Step.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters of the policy that acted.
        pi : PolicyAt
            That policy at the batch's observations.
        batch : Batch
            The trajectories.
        psi : ndarray of float64, shape (S,)
            Weight of every step [reward].
        weigh : Weigh
            How the sum over steps is averaged.
        memory : OptimizerState
            What the last step left.
        turn : Turn
            Which update it is.

        Returns
        -------
        Stepped
            New parameters and memory, the gradient and the step size.

        Raises
        ------
        ValueError
            If a gradient is not finite.
        """

    def gradient(
        self, pi: PolicyAt, batch: Batch, psi: NDArray[np.float64], weigh: Weigh
    ) -> NDArray[Any]:
        r"""
        Gradient of the objective with its entropy.

        .. math:: \hat g + \frac\beta K\sum_t \nabla_\theta H(\pi_\theta(\cdot\mid s_t))

        Parameters
        ----------
        pi : PolicyAt
            The policy at the batch's observations.
        batch : Batch
            The trajectories.
        psi : ndarray, shape (S,)
            Weight of every step [reward].
        weigh : Weigh
            How the sum over steps is averaged.

        Returns
        -------
        ndarray, shape (P,)
            Gradient; the way up.

        Raises
        ------
        ValueError
            If it is not finite.
        """
        grad = policy_gradient(pi, batch, psi, per_step=weigh.per_step, discount=weigh.discount)
        if self.entropy_weight:
            weight = np.full(batch.n_steps, self.entropy_weight / weigh.count(batch))
            grad = grad + pi.weighted_entropy_score(weight)
        checks.finite(gradient=grad)
        return grad

    def objective(
        self,
        pi: PolicyAt,
        batch: Batch,
        psi: NDArray[np.float64],
        old_log_prob: NDArray[Any],
        weigh: Weigh,
    ) -> float:
        r"""
        Objective that a step climbs, as far as the batch can say: surrogate and entropy.

        .. math:: \hat L(\theta) + \frac\beta K\sum_t H(\pi_\theta(\cdot\mid s_t))

        Parameters
        ----------
        pi : PolicyAt
            A policy at the batch's observations.
        batch : Batch
            The trajectories.
        psi : ndarray, shape (S,)
            Weight of every step [reward].
        old_log_prob : ndarray, shape (S,)
            Logarithms of the actions' probabilities by the policy that acted.
        weigh : Weigh
            How the sum over steps is averaged.

        Returns
        -------
        float
            The objective; its gradient at the policy that acted is `gradient` [reward].
        """
        value = surrogate_objective(
            pi, batch, psi, old_log_prob, per_step=weigh.per_step, discount=weigh.discount
        )
        if self.entropy_weight:
            value = value + self.entropy_weight / weigh.count(batch) * pi.entropy().sum()
        return float(value)


@final
@dataclass(frozen=True)
class PolicyStep(PolicyStage):
    """
    One step along the gradient.

    Parameters
    ----------
    ascent : Ascent
        Bound, optimiser and schedule.
    entropy_weight : float
        As in `PolicyStage`.
    greedy : Linear, optional
        As in `PolicyStage`.
    """

    ascent: Ascent
    entropy_weight: float = 0.0
    greedy: Linear | None = None

    @override
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        return self.ascent.init(theta)

    @override
    def __call__(
        self,
        theta: NDArray[Any],
        pi: PolicyAt,
        batch: Batch,
        psi: NDArray[np.float64],
        weigh: Weigh,
        memory: OptimizerState,
        turn: Turn,
    ) -> Stepped:
        grad = self.gradient(pi, batch, psi, weigh)
        theta, memory = self.ascent.step(theta, grad, memory, turn.fraction)
        return Stepped(theta, memory, grad, self.ascent.lr(turn.fraction))
