r"""
Weights of the score: how much better each action was than expected.

Every estimator makes one :math:`\Phi_t` per step of the policy gradient

.. math:: \hat g = \frac1K \sum_t \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

and is called the same way, ``estimator(rew, val, last_val, start)``, whatever it reads of it. The
base class checks the arguments, a subclass gives the formula and says what it is; most formulas
are kernels of `npvpg.kernels.returns`. `NAMED` is the one list of all estimators by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.kernels import returns

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


def standardize(psi: NDArray[Any]) -> Array:
    r"""
    Shift and scale the weights of a batch to mean 0 and standard deviation 1.

    .. math:: \Phi_t \mapsto \frac{\Phi_t - \bar\Phi}{\operatorname{std}(\Phi) + 10^{-8}}

    Parameters
    ----------
    psi : ndarray, shape (S,)
        Weights.

    Returns
    -------
    ndarray of float64, shape (S,)
        Standardised weights; zeros if all are equal, nothing if there are none.

    Notes
    -----
    A heuristic, not an unbiased baseline: the mean includes the step's own weight, and the
    division changes the scale of the gradient from batch to batch.

    Where the weights agree to a part in a million, rounding of their mean would be seen: there
    their differences from the first, which are exact, take their place. Equal weights of any size
    so give zeros, and weights that differ in their last digits what those digits say.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0]))
    array([-0.99999999,  0.99999999])
    """
    checks.shape((-1,), psi=psi)
    if psi.size == 0:
        return np.zeros(0)
    largest = np.abs(psi).max()
    scale = np.ldexp(1.0, -max(int(np.frexp(largest)[1]), 0))  # lest a square overflows
    psi = psi * scale
    if psi.max() - psi.min() <= 1e-6 * largest * scale:
        psi = psi - psi[0]
    centred = psi - psi.mean()
    return np.asarray(centred / (centred.std() + 1e-8 * scale), np.float64)


@final
@dataclass(frozen=True)
class TotalReturn(Estimator):
    r"""
    Return of the whole trajectory: the weight of REINFORCE in its first form.

    .. math:: \Phi_t = R(\tau) = \sum_{k=0}^{T-1} \gamma^k r_k

    Examples
    --------
    >>> TotalReturn(0.5)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    array([1.5, 1.5])
    """

    name = "total-return"
    formula = "Φₜ = R(τ) = Σₖ γᵏ rₖ"
    uses_value = False
    from_start = True
    needs_whole_episodes = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.total_return(rew, start, self.gamma))


@final
@dataclass(frozen=True)
class LeaveOneOut(Estimator):
    r"""
    Return of the trajectory less the mean return of the other ones: a baseline without a network.

    .. math:: \Phi_t = R(\tau_k) - \frac1{K-1} \sum_{j \ne k} R(\tau_j)

    Notes
    -----
    The mean of all K returns would include the trajectory's own, which is no baseline: the
    expected gradient is then :math:`1 - 1/K` times what it should be.

    References
    ----------
    .. [1] W. Kool, H. van Hoof and M. Welling, "Buy 4 REINFORCE Samples, Get a Baseline for
       Free!", ICLR workshop on Deep RL Meets Structured Prediction, 2019.

    Examples
    --------
    >>> LeaveOneOut(0.5)(np.array([1.0, 1.0, 3.0]), np.zeros(3), np.zeros(2), np.array([0, 2, 3]))
    array([-1.5, -1.5,  1.5])
    """

    name = "leave-one-out"
    formula = "Φₜ = R(τₖ) − Σⱼ≠ₖ R(τⱼ) / (K − 1)"
    uses_value = False
    from_start = True
    needs_whole_episodes = True
    compares_trajectories = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        n, ret = len(start) - 1, returns.total_return(rew, start, self.gamma)
        others = ret[start[:-1]].sum() - ret
        return np.asarray(ret - others / (n - 1))


@final
@dataclass(frozen=True)
class RewardToGo(Estimator):
    r"""
    Reward-to-go, also called the future return.

    .. math:: \Phi_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T)

    Examples
    --------
    >>> RewardToGo(0.5)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    array([1.5, 1. ])
    """

    name = "reward-to-go"
    formula = "Φₜ = Ĝₜ = Σₖ₌ₜ γᵏ⁻ᵗ rₖ"
    uses_value = False
    from_start = False
    needs_whole_episodes = False

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


@final
@dataclass(frozen=True)
class BaselinedReturn(Estimator):
    r"""
    Reward-to-go less the value of the state.

    .. math:: \Phi_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T) - V(s_t)

    Examples
    --------
    >>> BaselinedReturn(0.5)(np.ones(2), np.ones(2), np.zeros(1), np.array([0, 2]))
    array([0.5, 0. ])
    """

    name = "baseline"
    formula = "Φₜ = Ĝₜ − V(sₜ)"
    uses_value = True
    from_start = False
    needs_whole_episodes = False
    is_advantage = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma) - val)


@final
@dataclass(frozen=True)
class TDResidual(Estimator):
    r"""
    Temporal-difference residual: the one-step actor-critic.

    .. math:: \Phi_t = \delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)

    Examples
    --------
    >>> TDResidual(0.5)(np.ones(2), np.array([2.0, 4.0]), np.zeros(1), np.array([0, 2]))
    array([ 1., -3.])
    """

    name = "td"
    formula = "Φₜ = δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)"
    uses_value = True
    from_start = False
    needs_whole_episodes = False
    is_advantage = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.td_residual(rew, val, last_val, start, self.gamma))


@final
@dataclass(frozen=True)
class NStep(Estimator):
    r"""
    Advantage by n rewards and a bootstrapped value.

    .. math:: \Phi_t = \sum_{l=0}^{n-1} \gamma^l r_{t+l} + \gamma^n V(s_{t+n}) - V(s_t)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    n : int
        Number of rewards to look ahead, at least 1, cut at the end of the trajectory [steps].

    Examples
    --------
    >>> NStep(0.5, 2)(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]))
    array([1.125, 1.   , 0.5  ])
    """

    name = "n-step"
    formula = "Φₜ = Σₗ₌₀ⁿ⁻¹ γˡ rₜ₊ₗ + γⁿ V(sₜ₊ₙ) − V(sₜ)"
    uses_value = True
    from_start = False
    needs_whole_episodes = False
    is_advantage = True
    n: int

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.at_least(1, n=self.n)

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.n_step(rew, val, last_val, start, self.gamma, self.n))


@final
@dataclass(frozen=True)
class GAE(Estimator):
    r"""
    Generalised advantage estimate.

    .. math:: \Phi_t = \hat A_t = \sum_{l=0}^{T-t-1} (\gamma\lambda)^l \delta_{t+l}

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    lam : float
        Mixing weight in [0, 1]: 0 is `TDResidual`, 1 is `BaselinedReturn`.

    Examples
    --------
    >>> GAE(0.5, 0.5)(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]))
    array([0.96875, 0.875  , 0.5    ])
    """

    name = "gae"
    formula = "Φₜ = Âₜ = Σₗ (γλ)ˡ δₜ₊ₗ,  δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)"
    uses_value = True
    from_start = False
    needs_whole_episodes = False
    is_advantage = True
    lam: float

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.unit_interval(lam=self.lam)

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.gae(rew, val, last_val, start, self.gamma, self.lam))


@final
@dataclass(frozen=True)
class ActionValue(Estimator):
    r"""
    Action value: an advantage with the value of the state added back.

    .. math:: \Phi_t = \hat Q_t = \hat A_t + V(s_t)

    Parameters
    ----------
    advantage : Estimator
        Estimator that subtracts the value; with `GAE` the sum is the lambda-return.

    Examples
    --------
    >>> ActionValue(TDResidual(0.5))(
    ...     np.ones(2), np.array([2.0, 4.0]), np.zeros(1), np.array([0, 2]))
    array([3., 1.])
    """

    name = "q"
    formula = "Φₜ = Q̂ₜ = Âₜ + V(sₜ)"
    uses_value = True
    from_start = False
    needs_whole_episodes = False
    gamma: float = field(init=False, repr=False)  # that of the advantage
    advantage: Estimator

    def __post_init__(self) -> None:
        if not self.advantage.is_advantage:
            raise ValueError(f"advantage must be one with V subtracted, got {self.advantage}")
        object.__setattr__(self, "gamma", self.advantage.gamma)

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return self.advantage.weigh(rew, val, last_val, start) + val

    @property
    @override
    def constants(self) -> dict[str, float]:
        return self.advantage.constants

    @classmethod
    @override
    def from_constants(cls, **constants: float) -> Self:
        return cls(GAE.from_constants(**constants))


NAMED: Mapping[str, type[Estimator]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            TotalReturn,
            LeaveOneOut,
            RewardToGo,
            BaselinedReturn,
            TDResidual,
            NStep,
            GAE,
            ActionValue,
        )
    }
    | {"advantage": GAE}
)
"""Every estimator by its name, from the plainest to the most refined; "advantage" is a synonym."""


def named(name: str, *, gamma: float, lam: float, n: int) -> Estimator:
    """
    Make an estimator by its name.

    Parameters
    ----------
    name : str
        One of `NAMED`.
    gamma : float
        Discount in [0, 1] [per step].
    lam : float
        Lambda in [0, 1], where the estimator has one.
    n : int
        Number of rewards to look ahead, where the estimator looks so far.

    Returns
    -------
    Estimator
        The estimator.

    Raises
    ------
    ValueError
        If there is no such name, or a constant is out of range.

    Examples
    --------
    >>> named("gae", gamma=0.99, lam=0.95, n=5)
    GAE(gamma=0.99, lam=0.95)
    """
    if name not in NAMED:
        raise ValueError(f"estimator must be one of {', '.join(NAMED)}, got {name!r}")
    return NAMED[name].from_constants(gamma=gamma, lam=lam, n=n)
