r"""
Sums over time of a batch of trajectories laid end to end.

Trajectory ``k`` is the half-open range ``start[k]:start[k + 1]`` of the flat arrays. What lies
beyond its last step is one number per trajectory, ``last_val[k]``: 0 if it terminated, the value
of the state it stopped in otherwise. So no formula here needs a flag.

Common to all: rewards ``rew`` :math:`r_t` and values ``val`` :math:`V(s_t)`, (S,) float64 [reward];
``last_val`` :math:`V(s_T)`, (K,) [reward]; offsets ``start``, (K + 1,) int64 [steps]; ``gamma``,
:math:`\gamma` in [0, 1] [per step]. The result is one number a step, (S,) [reward].
`npvpg.estimators` holds the checked forms.

Every function is plain Python first (``_gae``) and compiled second (``gae``): the plain form runs
on `fractions.Fraction` and complex numbers, and both give the same bits.

References
----------
.. [1] R. S. Sutton and A. G. Barto, "Reinforcement Learning: An Introduction", 2nd ed., MIT Press,
   2018.
.. [2] J. Achiam, "Spinning Up in Deep Reinforcement Learning", 2018, part 3.
.. [3] J. Schulman, P. Moritz, S. Levine, M. I. Jordan and P. Abbeel, "High-Dimensional Continuous
   Control Using Generalized Advantage Estimation", ICLR 2016, arXiv:1506.02438.
.. [4] C. Nota and P. S. Thomas, "Is the Policy Gradient a Gradient?", AAMAS 2020, arXiv:1906.07073.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit


def _discounted_sum(
    x: NDArray[Any], last: NDArray[Any], start: NDArray[np.int64], gamma: float
) -> NDArray[Any]:
    r"""
    Discounted sum of the entries from every step to the end of its trajectory.

    .. math:: y_t = \sum_{k=t}^{T-1} \gamma^{k-t} x_k + \gamma^{T-t}\, y_T

    With rewards for the entries ``x`` (S,) this is the reward-to-go, also called the future return,
    equation (3.8) of [1]_; ``last`` (K,) is :math:`y_T`. Evaluated backwards by
    :math:`y_t = x_t + \gamma y_{t+1}`: time O(S).

    Examples
    --------
    >>> discounted_sum(np.ones(3), np.array([8.0]), np.array([0, 3]), 0.5)
    array([2.75, 3.5 , 5.  ])
    """
    y = np.empty_like(x)
    for k in range(start.size - 1):
        following = last[k]
        for t in range(start[k + 1] - 1, start[k] - 1, -1):
            following = x[t] + gamma * following
            y[t] = following
    return y


def _total_return(rew: NDArray[Any], start: NDArray[np.int64], gamma: float) -> NDArray[Any]:
    r"""
    Discounted return of the whole trajectory, at each of its steps.

    .. math:: R(\tau) = \sum_{t=0}^{T-1} \gamma^t r_t

    The weight of the simplest policy gradient of [2]_. Discounted from time 0, so it never gets a
    further factor :math:`\gamma^t`.

    Examples
    --------
    >>> total_return(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 3]), 0.5)
    array([2., 2., 4.])
    """
    ret = np.empty_like(rew)
    for k in range(start.size - 1):
        total = 0 * gamma
        for t in range(start[k + 1] - 1, start[k] - 1, -1):
            total = rew[t] + gamma * total
        for t in range(start[k], start[k + 1]):
            ret[t] = total
    return ret


def _td_residual(
    rew: NDArray[Any],
    val: NDArray[Any],
    last_val: NDArray[Any],
    start: NDArray[np.int64],
    gamma: float,
) -> NDArray[Any]:
    r"""
    Temporal-difference residual of every step, equation (6.5) of [1]_.

    .. math:: \delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)

    Examples
    --------
    >>> td_residual(np.ones(2), np.array([2.0, 4.0]), np.zeros(1), np.array([0, 2]), 0.5)
    array([ 1., -3.])
    """
    delta = np.empty_like(rew)
    for k in range(start.size - 1):
        next_val = last_val[k]
        for t in range(start[k + 1] - 1, start[k] - 1, -1):
            delta[t] = rew[t] + gamma * next_val - val[t]
            next_val = val[t]
    return delta


def _n_step(
    rew: NDArray[Any],
    val: NDArray[Any],
    last_val: NDArray[Any],
    start: NDArray[np.int64],
    gamma: float,
    n: int,
) -> NDArray[Any]:
    r"""
    Advantage estimated from the next n rewards and the value that follows them.

    .. math:: \hat A^{(n)}_t = \sum_{l=0}^{m-1} \gamma^l r_{t+l} + \gamma^m V(s_{t+m}) - V(s_t),
              \qquad m = \min(n, T - t)

    Equation (7.1) of [1]_ less :math:`V(s_t)`; ``n`` is at least 1 [steps], time O(S n). The sum is
    formed afresh for every step: a sliding window would subtract what left it and lose digits.

    Examples
    --------
    >>> n_step(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]), 0.5, 2)
    array([1.125, 1.   , 0.5  ])
    """
    adv = np.empty_like(rew)
    for k in range(start.size - 1):
        end = start[k + 1]
        for t in range(start[k], end):
            stop = min(t + n, end)
            following = val[stop] if stop < end else last_val[k]
            for i in range(stop - 1, t - 1, -1):
                following = rew[i] + gamma * following
            adv[t] = following - val[t]
    return adv


def _gae(
    rew: NDArray[Any],
    val: NDArray[Any],
    last_val: NDArray[Any],
    start: NDArray[np.int64],
    gamma: float,
    lam: float,
) -> NDArray[Any]:
    r"""
    Generalised advantage estimate of every step of a batch.

    With the temporal-difference residual

    .. math:: \delta_t = r_t + \gamma V(s_{t+1}) - V(s_t),

    the estimate is the discounted sum of the residuals up to the end
    :math:`T` of the trajectory that contains step :math:`t`,

    .. math:: \hat A_t = \sum_{l=0}^{T-t-1} (\gamma\lambda)^l \, \delta_{t+l}.

    Equation (16) of [3]_, cut at the end of the trajectory and evaluated from its last step
    backwards by :math:`\hat A_t = \delta_t + \gamma\lambda\hat A_{t+1}`: time O(S), no state
    carried from one trajectory to the next. ``lam``, :math:`\lambda` in [0, 1]: 0 gives
    :math:`\delta_t`, 1 the discounted return minus :math:`V(s_t)`.

    Examples
    --------
    One trajectory of three unit rewards that terminates, V = 1/2 throughout:

    >>> gae(np.ones(3), np.full(3, 0.5), np.zeros(1), np.array([0, 3]), 0.5, 0.5)
    array([0.96875, 0.875  , 0.5    ])
    """
    adv = np.empty_like(rew)
    for k in range(start.size - 1):
        next_val, next_adv = last_val[k], 0 * gamma
        for t in range(start[k + 1] - 1, start[k] - 1, -1):
            delta = rew[t] + gamma * next_val - val[t]
            next_adv = delta + gamma * lam * next_adv
            adv[t] = next_adv
            next_val = val[t]
    return adv


def _discount_weights(start: NDArray[np.int64], gamma: float) -> NDArray[np.float64]:
    r"""
    Discount of every step, counted from the start of its trajectory [dimensionless].

    .. math:: w_t = \gamma^{t}

    The factor that turns the usual "semi-gradient" into the exact gradient of the discounted
    objective [4]_. A product of two powers: multiplying step by step would lose a digit every few
    steps, and a power each would take many times as long.

    Examples
    --------
    >>> discount_weights(np.array([0, 3, 5]), 0.5)
    array([1.  , 0.5 , 0.25, 1.  , 0.5 ])
    """
    n, high = 64, 1.0
    low = np.empty(n)
    for t in range(n):
        low[t] = gamma ** float(t)
    weight = np.empty(start[-1])
    for k in range(start.size - 1):
        for t in range(start[k + 1] - start[k]):
            if t % n == 0:
                high = gamma ** float(t)
            weight[start[k] + t] = high * low[t % n]
    return weight


discounted_sum = jit(_discounted_sum)
total_return = jit(_total_return)
td_residual = jit(_td_residual)
n_step = jit(_n_step)
gae = jit(_gae)
discount_weights = jit(_discount_weights)
