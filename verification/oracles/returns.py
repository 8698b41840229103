r"""
Returns and advantages as the textbooks define them: sums over lists.

Every function speaks of one trajectory: `rewards` and `values` are lists, `tail` is
:math:`V(s_T)`, 0 if the trajectory terminated. Numbers may be `float` or `fractions.Fraction`;
with fractions every answer is exact. Nothing is recursive and nothing is reused, at the price of
double and triple loops.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Segment(NamedTuple):
    """One trajectory: its rewards, the values of its states, and the value of what follows."""

    rewards: list[Any]
    values: list[Any]
    tail: Any


def segments(
    rewards: Sequence[Any],
    values: Sequence[Any],
    next_values: Sequence[Any],
    end: Sequence[bool],
    terminated: Sequence[bool],
) -> list[Segment]:
    """
    Cut flat lists into trajectories at the steps that are marked as ends.

    Parameters
    ----------
    rewards, values : sequence
        Of every step.
    next_values : sequence
        Value of the state after every step; read at ends that did not terminate only.
    end, terminated : sequence of bool
        Whether the trajectory ended with the step, and whether it did because it terminated.

    Returns
    -------
    list of Segment
        The trajectories in order.
    """
    out, begin = [], 0
    for t, last in enumerate(end):
        if last:
            tail = 0 if terminated[t] else next_values[t]
            out.append(Segment(list(rewards[begin : t + 1]), list(values[begin : t + 1]), tail))
            begin = t + 1
    return out


def total_return(rewards: Sequence[Any], gamma: Any) -> list[Any]:
    r"""Give :math:`R(\tau) = \sum_k \gamma^k r_k`, once for every step."""
    total = sum(gamma**k * r for k, r in enumerate(rewards))
    return [total for _ in rewards]


def reward_to_go(rewards: Sequence[Any], tail: Any, gamma: Any) -> list[Any]:
    r"""Give :math:`\sum_{k \ge t} \gamma^{k-t} r_k + \gamma^{T-t} V(s_T)` for every step."""
    T = len(rewards)
    return [
        sum(gamma ** (k - t) * rewards[k] for k in range(t, T)) + gamma ** (T - t) * tail
        for t in range(T)
    ]


def discounted_magnitude(rewards: Sequence[Any], tail: Any, gamma: Any) -> list[Any]:
    """Give the sum of the absolute terms of `reward_to_go`: what rounding errors scale with."""
    return reward_to_go([abs(r) for r in rewards], abs(tail), gamma)


def truncated_sum(x: Sequence[Any], gamma: Any, n: int) -> list[Any]:
    r"""Give :math:`\sum_{l < n} \gamma^l x_{t+l}`, cut at the end, for every step."""
    T = len(x)
    return [sum(gamma**i * x[t + i] for i in range(n) if t + i < T) for t in range(T)]


def n_step(
    rewards: Sequence[Any], values: Sequence[Any], tail: Any, gamma: Any, n: int
) -> list[Any]:
    r"""
    Give the n-step advantage of every step.

    .. math:: \sum_{i<m} \gamma^i r_{t+i} + \gamma^m V(s_{t+m}) - V(s_t), \quad m = \min(n, T-t)
    """
    T = len(rewards)
    states = [*values, tail]
    out = []
    for t in range(T):
        m = n if t + n < T else T - t
        out.append(
            sum(gamma**i * rewards[t + i] for i in range(m)) + gamma**m * states[t + m] - values[t]
        )
    return out


def td_residual(rewards: Sequence[Any], values: Sequence[Any], tail: Any, gamma: Any) -> list[Any]:
    r"""Give :math:`r_t + \gamma V(s_{t+1}) - V(s_t)` for every step."""
    after = [*values[1:], tail]
    return [r + gamma * after_t - v for r, after_t, v in zip(rewards, after, values, strict=True)]


def gae(
    rewards: Sequence[Any], values: Sequence[Any], tail: Any, gamma: Any, lam: Any
) -> list[Any]:
    r"""
    Give the generalised advantage of every step by its definition, a mixture of n-step ones.

    With m steps left, the estimates of m and more steps are the same, so they share the rest of
    the geometric weight:

    .. math:: (1-\lambda) \sum_{n=1}^{m-1} \lambda^{n-1} \hat A^{(n)}_t
              + \lambda^{m-1} \hat A^{(m)}_t
    """
    T = len(rewards)
    estimates = [n_step(rewards, values, tail, gamma, n) for n in range(1, T + 1)]
    out = []
    for t in range(T):
        m = T - t
        mixture = sum(lam ** (n - 1) * estimates[n - 1][t] for n in range(1, m))
        out.append((1 - lam) * mixture + lam ** (m - 1) * estimates[m - 1][t])
    return out
