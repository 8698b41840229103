"""n-step temporal-difference prediction as the textbook's box has it, time step by time step."""

from collections.abc import Sequence
from typing import Any


def n_step_td(
    states: Sequence[int],
    rewards: Sequence[Any],
    tail: Any,
    values: Sequence[Any],
    gamma: Any,
    alpha: Any,
    n: int,
) -> list[Any]:
    r"""
    Learn from one episode while it goes on.

    At time :math:`t` the next reward and state are seen, then :math:`\tau = t - n + 1` is updated
    by :math:`G = \sum_{i=\tau+1}^{\min(\tau+n,T)} \gamma^{i-\tau-1} R_i`, to which
    :math:`\gamma^n V(S_{\tau+n})` is added if :math:`\tau + n < T`.

    Parameters
    ----------
    states : sequence of int
        :math:`S_0 ... S_{T-1}`.
    rewards : sequence
        :math:`R_1 ... R_T`.
    tail : number
        Value of :math:`S_T`, which the box takes for 0 because it is terminal there.
    values : sequence
        V before the episode.
    gamma, alpha : number
        Discount and step size.
    n : int
        Steps to look ahead.

    Returns
    -------
    list
        V after the episode.

    References
    ----------
    .. [1] R. S. Sutton and A. G. Barto, "Reinforcement Learning: An Introduction", 2nd ed.,
       MIT Press, 2018, section 7.1.
    """
    V = list(values)
    S: dict[int, int] = {0: states[0]}
    R: dict[int, Any] = {}
    T: float = float("inf")
    t = 0
    while True:
        if t < T:
            R[t + 1] = rewards[t]
            if t + 1 == len(states):
                T = t + 1
            else:
                S[t + 1] = states[t + 1]
        tau = t - n + 1
        if tau >= 0:
            last = int(min(tau + n, T))
            G = sum(gamma ** (i - tau - 1) * R[i] for i in range(tau + 1, last + 1))
            G += gamma ** (last - tau) * (V[S[last]] if last < T else tail)
            V[S[tau]] += alpha * (G - V[S[tau]])
        if tau == T - 1:
            return V
        t += 1
