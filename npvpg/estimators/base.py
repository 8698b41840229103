"""What an estimator is: arguments checked in one place, a formula, and what it says of itself."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

Array = NDArray[np.float64]
Offsets = NDArray[np.int64]


@dataclass(frozen=True)
class Estimator(ABC):
    r"""
    Anything that turns rewards and values into one weight per step.

    A subclass writes `weigh` and declares what it is; every user of an estimator, from the loop to
    the exact laboratory, asks these declarations and nothing else.

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Attributes
    ----------
    name : str
        Name on the command line and in figures.
    formula : str
        The formula in one line of plain text.
    uses_value : bool
        Whether a weight depends on `val`.
    from_start : bool
        Whether the weight is discounted from the start of the episode. It then holds the factor
        :math:`\gamma^t` of the exact gradient already, and nobody applies it once more.
    needs_whole_episodes : bool
        Whether rewards that a cut tail hides are missed: ``last_val`` does not stand for them.
    is_advantage : bool
        Whether :math:`V(s_t)` is subtracted, so that :math:`\Phi_t + V(s_t)` estimates
        :math:`Q(s_t, a_t)`; False unless said.
    compares_trajectories : bool
        Whether a weight depends on the other trajectories of the batch, of which there must then
        be at least two; False unless said.

    Raises
    ------
    TypeError
        As a class with a formula is defined, if it leaves a declaration out.
    ValueError
        If `gamma` lies outside [0, 1].

    Examples
    --------
    >>> class LastReward(Estimator):
    ...     name, formula = "last-reward", "Φₜ = r_{T−1}"
    ...     uses_value = False
    ...     from_start = False
    ...     needs_whole_episodes = True
    ...
    ...     def weigh(self, rew, val, last_val, start):
    ...         return np.repeat(rew[start[1:] - 1], np.diff(start))
    >>> LastReward(0.9)(np.array([1.0, 2.0, 3.0]), np.zeros(3), np.zeros(2), np.array([0, 2, 3]))
    array([2., 2., 3.])
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    uses_value: ClassVar[bool]
    from_start: ClassVar[bool]
    needs_whole_episodes: ClassVar[bool]
    is_advantage: ClassVar[bool] = False
    compares_trajectories: ClassVar[bool] = False
    gamma: float

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if getattr(cls.weigh, "__isabstractmethod__", False):
            return
        declared = ("name", "formula", "uses_value", "from_start", "needs_whole_episodes")
        missing = [word for word in declared if not hasattr(cls, word)]
        if missing:
            raise TypeError(f"{cls.__name__} must declare {', '.join(missing)}")

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self, rew: NDArray[Any], val: NDArray[Any], last_val: NDArray[Any], start: NDArray[Any]
    ) -> Array:
        r"""
        Weight of every step of a batch of S steps in K trajectories.

        Parameters
        ----------
        rew : ndarray, shape (S,)
            Rewards, trajectory after trajectory [reward].
        val : ndarray, shape (S,)
            State values :math:`V(s_t)` [reward].
        last_val : ndarray, shape (K,)
            :math:`V(s_T)` of the state each trajectory stopped in [reward]; 0 if it terminated.
        start : ndarray of int, shape (K + 1,)
            Offsets of the trajectories [steps].

        Returns
        -------
        ndarray of float64, shape (S,)
            Weights :math:`\Phi_t` [reward]; sums over time are in float64, whatever was given.

        Raises
        ------
        ValueError
            If the shapes disagree, a reward is not finite, or there are fewer than two
            trajectories where they are compared.
        """
        checks.shape((-1,), rew=rew)
        checks.shape(rew.shape, val=val)
        checks.offsets(start, len(rew))
        checks.shape((len(start) - 1,), last_val=last_val)
        checks.finite(rew=rew)
        if self.compares_trajectories and len(start) < 3:
            raise ValueError(f"trajectories must number at least 2, got {len(start) - 1}")
        rew, val, last_val = (np.ascontiguousarray(x, np.float64) for x in (rew, val, last_val))
        psi = np.asarray(
            self.weigh(rew, val, last_val, np.ascontiguousarray(start, np.int64)), np.float64
        )
        checks.shape(rew.shape, psi=psi)
        return psi

    @abstractmethod
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        """
        Carry out the formula on arrays that are checked, contiguous, and float64 or int64.

        Parameters
        ----------
        rew, val, last_val, start : ndarray
            As `__call__` is given them.

        Returns
        -------
        ndarray of float64, shape (S,)
            Weights.
        """

    @property
    def constants(self) -> dict[str, float]:
        """Numbers in the formula by name: gamma, and what else the estimator is made with."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def label(self) -> str:
        """Name and the constants besides gamma: "n-step(5)"."""
        besides = [f"{value:g}" for name, value in self.constants.items() if name != "gamma"]
        return self.name + (f"({', '.join(besides)})" if besides else "")

    @classmethod
    def from_constants(cls, **constants: float) -> Self:
        """
        Make an estimator from constants by name.

        Parameters
        ----------
        **constants : float
            Gamma, lam, n and the like; those that the estimator has not are left out.

        Returns
        -------
        Estimator
            The estimator.
        """
        return cls(**{each.name: constants[each.name] for each in fields(cls)})
