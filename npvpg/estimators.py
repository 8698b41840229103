r"""
Weights of the score: how much better each action was than expected.

Every estimator makes one :math:`\Phi_t` per step of the policy gradient

.. math:: \hat g = \frac1K \sum_t \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

and is called the same way, ``estimator(rew, val, last_val, start)``, whatever it reads of it. An
estimator checks its arguments; the formula is in `npvpg.kernels.returns`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.kernels import returns

FloatArray = NDArray[np.float64]


class Estimator(Protocol):
    """Anything that turns rewards and values into one weight per step."""

    formula: ClassVar[str]
    uses_value: ClassVar[bool]

    @property
    def gamma(self) -> float:
        """Discount in [0, 1] [per step]."""

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""


def _checked(
    rew: NDArray[Any], val: NDArray[Any], last_val: NDArray[Any], start: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """Refuse what would broadcast or read out of bounds; sums over time are in float64."""
    checks.shape((-1,), rew=rew)
    checks.shape(rew.shape, val=val)
    checks.offsets(start, len(rew))
    checks.shape((len(start) - 1,), last_val=last_val)
    checks.finite(rew=rew)
    rew, val, last_val = (np.ascontiguousarray(x, np.float64) for x in (rew, val, last_val))
    return rew, val, last_val, np.ascontiguousarray(start, np.int64)


def standardize(psi: NDArray[Any]) -> FloatArray:
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

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0]))
    array([-0.99999999,  0.99999999])
    """
    checks.shape((-1,), psi=psi)
    if psi.size == 0:
        return np.zeros(0)
    centred = psi - psi.mean()
    return np.asarray(centred / (centred.std() + 1e-8), np.float64)


@dataclass(frozen=True)
class TotalReturn:
    r"""
    Return of the whole trajectory: the weight of REINFORCE in its first form.

    .. math:: \Phi_t = R(\tau) = \sum_{k=0}^{T-1} \gamma^k r_k

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1]; on a call, if the shapes disagree or a reward is not
        finite.

    Examples
    --------
    >>> TotalReturn(0.5)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    array([1.5, 1.5])
    """

    formula: ClassVar[str] = "Φₜ = R(τ) = Σₖ γᵏ rₖ"
    uses_value: ClassVar[bool] = False
    gamma: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,); `val` and `last_val` are not used."""
        rew, _, _, start = _checked(rew, val, last_val, start)
        return np.asarray(returns.total_return(rew, start, self.gamma))


@dataclass(frozen=True)
class LeaveOneOut:
    r"""
    Return of the trajectory less the mean return of the other ones: a baseline without a network.

    .. math:: \Phi_t = R(\tau_k) - \frac1{K-1} \sum_{j \ne k} R(\tau_j)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1]; on a call, if the shapes disagree, a reward is not finite
        or there are fewer than two trajectories.

    Notes
    -----
    The mean of all K returns would include the trajectory's own, which is no baseline: the
    expected gradient is then :math:`1 - 1/K` times what it should be. As `TotalReturn`, it is
    discounted from time 0 and needs whole, independent episodes.

    References
    ----------
    .. [1] W. Kool, H. van Hoof and M. Welling, "Buy 4 REINFORCE Samples, Get a Baseline for
       Free!", ICLR workshop on Deep RL Meets Structured Prediction, 2019.

    Examples
    --------
    >>> LeaveOneOut(0.5)(np.array([1.0, 1.0, 3.0]), np.zeros(3), np.zeros(2), np.array([0, 2, 3]))
    array([-1.5, -1.5,  1.5])
    """

    formula: ClassVar[str] = "Φₜ = R(τₖ) − Σⱼ≠ₖ R(τⱼ) / (K − 1)"
    uses_value: ClassVar[bool] = False
    gamma: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,); `val` and `last_val` are not used."""
        rew, _, _, start = _checked(rew, val, last_val, start)
        n = len(start) - 1
        if n < 2:
            raise ValueError(f"trajectories must number at least 2, got {n}")
        ret = returns.total_return(rew, start, self.gamma)
        others = ret[start[:-1]].sum() - ret
        return np.asarray(ret - others / (n - 1))


@dataclass(frozen=True)
class RewardToGo:
    r"""
    Reward-to-go, also called the future return.

    .. math:: \Phi_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1]; on a call, if the shapes disagree or a reward is not
        finite.

    Notes
    -----
    :math:`V(s_T)` is ``last_val``: 0 where the trajectory terminated, and everywhere if the
    value function is `npvpg.value.ZeroValue`.

    Examples
    --------
    >>> RewardToGo(0.5)(np.ones(2), np.zeros(2), np.zeros(1), np.array([0, 2]))
    array([1.5, 1. ])
    """

    formula: ClassVar[str] = "Φₜ = Ĝₜ = Σₖ₌ₜ γᵏ⁻ᵗ rₖ"
    uses_value: ClassVar[bool] = False
    gamma: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,); `val` is not used."""
        rew, _, last_val, start = _checked(rew, val, last_val, start)
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


@dataclass(frozen=True)
class BaselinedReturn:
    r"""
    Reward-to-go less the value of the state.

    .. math:: \Phi_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T) - V(s_t)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1]; on a call, if the shapes disagree or a reward is not
        finite.

    Examples
    --------
    >>> BaselinedReturn(0.5)(np.ones(2), np.ones(2), np.zeros(1), np.array([0, 2]))
    array([0.5, 0. ])
    """

    formula: ClassVar[str] = "Φₜ = Ĝₜ − V(sₜ)"
    uses_value: ClassVar[bool] = True
    gamma: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""
        rew, val, last_val, start = _checked(rew, val, last_val, start)
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma) - val)


@dataclass(frozen=True)
class TDResidual:
    r"""
    Temporal-difference residual: the one-step actor-critic.

    .. math:: \Phi_t = \delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1]; on a call, if the shapes disagree or a reward is not
        finite.

    Examples
    --------
    >>> TDResidual(0.5)(np.ones(2), np.array([2.0, 4.0]), np.zeros(1), np.array([0, 2]))
    array([ 1., -3.])
    """

    formula: ClassVar[str] = "Φₜ = δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)"
    uses_value: ClassVar[bool] = True
    gamma: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""
        return np.asarray(returns.td_residual(*_checked(rew, val, last_val, start), self.gamma))


@dataclass(frozen=True)
class NStep:
    r"""
    Advantage by n rewards and a bootstrapped value.

    .. math:: \Phi_t = \sum_{l=0}^{n-1} \gamma^l r_{t+l} + \gamma^n V(s_{t+n}) - V(s_t)

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    n : int
        Number of rewards to look ahead, cut at the end of the trajectory [steps].

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1] or `n` is smaller than 1; on a call, if the shapes
        disagree or a reward is not finite.

    Examples
    --------
    >>> NStep(0.5, 2)(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]))
    array([1.125, 1.   , 0.5  ])
    """

    formula: ClassVar[str] = "Φₜ = Σₗ₌₀ⁿ⁻¹ γˡ rₜ₊ₗ + γⁿ V(sₜ₊ₙ) − V(sₜ)"
    uses_value: ClassVar[bool] = True
    gamma: float
    n: int

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma)
        checks.at_least(1, n=self.n)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""
        arrays = _checked(rew, val, last_val, start)
        return np.asarray(returns.n_step(*arrays, self.gamma, self.n))


@dataclass(frozen=True)
class GAE:
    r"""
    Generalised advantage estimate.

    .. math:: \Phi_t = \hat A_t = \sum_{l=0}^{T-t-1} (\gamma\lambda)^l \delta_{t+l}

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    lam : float
        Mixing weight in [0, 1]: 0 is `TDResidual`, 1 is `BaselinedReturn`.

    Raises
    ------
    ValueError
        If `gamma` or `lam` lies outside [0, 1]; on a call, if the shapes disagree or a reward
        is not finite.

    Examples
    --------
    >>> GAE(0.5, 0.5)(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]))
    array([0.96875, 0.875  , 0.5    ])
    """

    formula: ClassVar[str] = "Φₜ = Âₜ = Σₗ (γλ)ˡ δₜ₊ₗ,  δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)"
    uses_value: ClassVar[bool] = True
    gamma: float
    lam: float

    def __post_init__(self) -> None:
        checks.unit_interval(gamma=self.gamma, lam=self.lam)

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""
        arrays = _checked(rew, val, last_val, start)
        return np.asarray(returns.gae(*arrays, self.gamma, self.lam))


@dataclass(frozen=True)
class ActionValue:
    r"""
    Action value: an advantage with the value of the state added back.

    .. math:: \Phi_t = \hat Q_t = \hat A_t + V(s_t)

    Parameters
    ----------
    advantage : Estimator
        Estimator of the advantage; with `GAE` the sum is the lambda-return.

    Raises
    ------
    ValueError
        If `advantage` subtracts no value; on a call, if the shapes disagree or a reward is not
        finite.

    Examples
    --------
    >>> ActionValue(TDResidual(0.5))(
    ...     np.ones(2), np.array([2.0, 4.0]), np.zeros(1), np.array([0, 2]))
    array([3., 1.])
    """

    formula: ClassVar[str] = "Φₜ = Q̂ₜ = Âₜ + V(sₜ)"
    uses_value: ClassVar[bool] = True
    advantage: Estimator

    def __post_init__(self) -> None:
        if not self.advantage.uses_value or isinstance(self.advantage, ActionValue):
            raise ValueError(f"advantage must be one with V subtracted, got {self.advantage}")

    @property
    def gamma(self) -> float:
        """Discount in [0, 1] [per step]."""
        return self.advantage.gamma

    def __call__(
        self,
        rew: NDArray[Any],
        val: NDArray[Any],
        last_val: NDArray[Any],
        start: NDArray[np.int64],
    ) -> FloatArray:
        """Weight of every step, shape (S,)."""
        return np.asarray(self.advantage(rew, val, last_val, start) + val)
