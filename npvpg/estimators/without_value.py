"""Weights made of rewards alone."""

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from npvpg import kernels
from npvpg.estimators.base import Array, Estimator, Offsets


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
        return np.asarray(kernels.returns.total_return(rew, start, self.gamma))


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
        n, ret = len(start) - 1, kernels.returns.total_return(rew, start, self.gamma)
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
        return np.asarray(kernels.returns.discounted_sum(rew, last_val, start, self.gamma))
