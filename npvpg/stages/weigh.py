"""How much every step of a batch counts."""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.estimators import Estimator, standardize
from npvpg.kernels import returns
from npvpg.normalize import RunningMoments


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

    def count(self, batch: Batch) -> int:
        """
        Count what the sum over the steps of a batch is divided by.

        Parameters
        ----------
        batch : Batch
            K trajectories, S steps.

        Returns
        -------
        int
            S with `per_step`, or K.
        """
        return batch.n_steps if self.per_step else batch.n_trajectories

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
