"""Weights that compare with the value of the state, and that value added back."""

from dataclasses import dataclass, field
from typing import Self, final

import numpy as np
from typing_extensions import override

from npvpg import checks, kernels
from npvpg.estimators.base import Array, Estimator, Offsets


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
        return np.asarray(kernels.returns.discounted_sum(rew, last_val, start, self.gamma) - val)


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
        return np.asarray(kernels.returns.td_residual(rew, val, last_val, start, self.gamma))


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
        return np.asarray(kernels.returns.n_step(rew, val, last_val, start, self.gamma, self.n))


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
        return np.asarray(kernels.returns.gae(rew, val, last_val, start, self.gamma, self.lam))


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
