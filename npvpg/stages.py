"""
The stages of an update, each with its settings: weigh, step the policy, fit the value.

An algorithm is put together of them, or of some of them and its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.algorithm import Turn
from npvpg.batch import Batch
from npvpg.estimators import BaselinedReturn, Estimator, standardize
from npvpg.gradient import policy_gradient
from npvpg.kernels import returns
from npvpg.normalize import RunningMoments
from npvpg.optimizers import Ascent, Linear, OptimizerState
from npvpg.policy import PolicyAt
from npvpg.surrogate import surrogate_objective
from npvpg.value import Value, ValueAt
from npvpg.world.streams import Purpose


class Seen(NamedTuple):
    """
    Rewards and values of a batch, as every estimator takes them.

    Attributes
    ----------
    rew, val : ndarray of float64, shape (S,)
        Rewards, scaled, and values of the observations [reward].
    last_val : ndarray, shape (K,)
        Value of what each trajectory stopped in; 0 where it terminated [reward].
    start : ndarray of int64, shape (K + 1,)
        Offsets of the trajectories [steps].
    """

    rew: NDArray[np.float64]
    val: NDArray[Any]
    last_val: NDArray[Any]
    start: NDArray[np.int64]


class Weighed(NamedTuple):
    """
    A batch that has been weighed.

    Attributes
    ----------
    psi : ndarray of float64, shape (S,)
        Weight of every step [reward].
    seen : Seen
        What the weights were made of.
    return_moments : RunningMoments
        Statistics of the reward-to-go, this batch among them where rewards are normalised.
    """

    psi: NDArray[np.float64]
    seen: Seen
    return_moments: RunningMoments


@final
@dataclass(frozen=True)
class Weigh:
    """
    How much every step of a batch counts.

    Parameters
    ----------
    estimator : Estimator
        Weight of the score.
    standardize : bool
        Shift and scale the weights of a batch to mean 0 and standard deviation 1: a heuristic
        that makes the step size independent of the scale of rewards.
    per_step : bool
        Divide the gradient by the number of steps in place of trajectories.
    discount_weights : bool
        Weight step t by gamma to the power t: the exact gradient of the discounted objective.
    reward_scale : float
        Constant factor of the rewards that the estimator sees.
    normalize_rewards : bool
        Divide rewards by the running standard deviation of the reward-to-go.

    Raises
    ------
    ValueError
        If a number is out of range, or `estimator` is discounted from time 0 already and
        `discount_weights` is set.
    """

    estimator: Estimator
    standardize: bool = False
    per_step: bool = False
    discount_weights: bool = False
    reward_scale: float = 1.0
    normalize_rewards: bool = False

    def __post_init__(self) -> None:
        checks.settings(self)
        if self.discount_weights and self.estimator.from_start:
            raise ValueError(
                f"discount_weights must be off with {self.estimator.name}: it is discounted from "
                "the start already"
            )

    @property
    def discount(self) -> float | None:
        """The gamma of the factor gamma^t, if there is one."""
        return self.estimator.gamma if self.discount_weights else None

    def __call__(
        self, batch: Batch, val: NDArray[Any], last: NDArray[Any], moments: RunningMoments
    ) -> Weighed:
        """
        Weigh a batch.

        Parameters
        ----------
        batch : Batch
            K trajectories, S steps.
        val : ndarray, shape (S,)
            Values of its observations [reward].
        last : ndarray, shape (K,)
            Values of the observations its trajectories stopped in [reward].
        moments : RunningMoments
            Statistics of the reward-to-go before this batch.

        Returns
        -------
        Weighed
            The weights, and what they were made of.

        Raises
        ------
        ValueError
            If a reward is not finite.
        """
        rew, moments = self._scaled(batch, moments)
        seen = Seen(rew, val, np.where(batch.terminated, 0, last), batch.start)
        psi = self.estimator(*seen)
        return Weighed(standardize(psi) if self.standardize else psi, seen, moments)

    def _scaled(
        self, batch: Batch, moments: RunningMoments
    ) -> tuple[NDArray[np.float64], RunningMoments]:
        """Rewards as the estimator sees them, and the statistics they were scaled by."""
        rew = batch.rew * self.reward_scale
        if not self.normalize_rewards:
            return rew, moments
        nothing = np.zeros(batch.n_trajectories)
        to_go = returns.discounted_sum(rew, nothing, batch.start, self.estimator.gamma)
        moments = moments.update(to_go[:, np.newaxis])
        return rew * moments.inverse_std[0], moments


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
            count = batch.n_steps if weigh.per_step else batch.n_trajectories
            weight = np.full(batch.n_steps, self.entropy_weight / count)
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
            count = batch.n_steps if weigh.per_step else batch.n_trajectories
            value = value + self.entropy_weight / count * pi.entropy().sum()
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


@final
@dataclass(frozen=True)
class ValueFit:
    """
    How the value function is fitted to what was seen.

    Parameters
    ----------
    ascent : Ascent
        Bound, optimiser and schedule; what climbs is minus half the mean squared error.
    value_target : Estimator, optional
        An advantage; the target is that plus V. By default the bootstrapped return,
        `npvpg.estimators.BaselinedReturn`; with `npvpg.estimators.GAE` the lambda-return.
    value_steps : int
        Passes over the batch.
    value_minibatch : int
        Steps of a minibatch; 0 makes a pass one step on the whole batch.
    value_clip : float
        How far V may go from what it was before the passes where that makes it better; what has
        gone farther stays as it is. 0 sets no bound. A heuristic of PPO's first code, which has
        been found to help nowhere; its bound has the scale of the rewards [reward].

    Raises
    ------
    ValueError
        If a number is out of range, or `value_target` is no advantage.
    """

    ascent: Ascent
    value_target: Estimator | None = None
    value_steps: int = 10
    value_minibatch: int = 0
    value_clip: float = 0.0

    def __post_init__(self) -> None:
        checks.settings(self)
        if self.value_target is not None and not self.value_target.is_advantage:
            raise ValueError(f"value_target must be an advantage, got {self.value_target}")

    def target(self, seen: Seen, gamma: float) -> NDArray[np.float64]:
        r"""
        Target of every step, :math:`y_t = \hat A_t + V(s_t)`.

        Parameters
        ----------
        seen : Seen
            Rewards and values of a batch.
        gamma : float
            Discount of the bootstrapped return, where `value_target` is left out.

        Returns
        -------
        ndarray of float64, shape (S,)
            Targets [reward].
        """
        advantage = self.value_target or BaselinedReturn(gamma)
        return np.asarray(advantage(*seen) + seen.val)

    def __call__(
        self,
        value: Value,
        phi: NDArray[Any],
        memory: OptimizerState,
        obs: NDArray[Any],
        v: ValueAt,
        target: NDArray[np.float64],
        turn: Turn,
    ) -> tuple[NDArray[Any], OptimizerState]:
        """
        Fit.

        Parameters
        ----------
        value : Value
            The value function.
        phi : ndarray, shape (P,)
            Its parameters.
        memory : OptimizerState
            What the optimiser remembers.
        obs : ndarray, shape (S, O)
            Observations of the batch.
        v : ValueAt
            The value function with these parameters at them.
        target : ndarray, shape (S,)
            What it is fitted to [reward].
        turn : Turn
            Which update it is.

        Returns
        -------
        phi : ndarray, shape (P,)
            New parameters.
        memory : OptimizerState
            New memory.

        Raises
        ------
        ValueError
            If a gradient is not finite.
        """
        if value.is_zero:
            return phi, memory
        for number, rows in enumerate(self._rows(len(target), turn)):
            known = number == 0 and isinstance(rows, slice)  # the first pass is v itself
            now = v if known else value.at(phi, obs[rows])
            grad = now.gradient(self._clipped(now.values, v.values[rows], target[rows]))
            checks.finite(value_gradient=grad)
            phi, memory = self.ascent.step(phi, -grad, memory, turn.fraction)
        return phi, memory

    def _clipped(
        self, now: NDArray[Any], before: NDArray[Any], target: NDArray[np.float64]
    ) -> NDArray[Any]:
        r"""
        Put V itself for the target of what has gone as far as it may, which takes its gradient.

        .. math:: \max\Bigl((V - y)^2,\;
           \bigl(V_k + \operatorname{clip}(V - V_k, -c, c) - y\bigr)^2\Bigr)
        """
        if not self.value_clip:
            return target
        bound = np.clip(now, before - self.value_clip, before + self.value_clip)
        return np.where(np.abs(bound - target) > np.abs(now - target), now, target)

    def _rows(self, n_rows: int, turn: Turn) -> Iterator[slice | NDArray[np.int64]]:
        """Deal the rows of the batch in every pass."""
        rng = turn.generator(Purpose.MINIBATCH)
        for _ in range(self.value_steps):
            yield from deal(n_rows, self.value_minibatch, rng)


def deal(
    n_rows: int, minibatch: int, rng: np.random.Generator
) -> Iterator[slice | NDArray[np.int64]]:
    """
    Deal the rows of a batch for one pass: all at once, or a random partition of them.

    Parameters
    ----------
    n_rows : int
        Rows of the batch.
    minibatch : int
        Rows of a part, the last of which may have fewer; 0 deals all of them at once.
    rng : numpy.random.Generator
        Source of the order; untouched where all are dealt at once.

    Yields
    ------
    slice or ndarray of int64
        Rows of a part.
    """
    if not 0 < minibatch < n_rows:
        yield slice(None)
        return
    order = rng.permutation(n_rows)
    for begin in range(0, n_rows, minibatch):
        yield order[begin : begin + minibatch]
