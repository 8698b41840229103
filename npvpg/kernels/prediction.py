"""
Tabular prediction: values of states, learnt from trajectories one update after another.

Unlike the weights in `npvpg.kernels.returns`, which hold V fixed, these updates read the values
that the updates before them have changed. What is not said here is as there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit


def _n_step_td(
    state: NDArray[np.int64],
    rew: NDArray[Any],
    last_val: NDArray[Any],
    start: NDArray[np.int64],
    value: NDArray[Any],
    gamma: float,
    alpha: float,
    n: int,
) -> NDArray[Any]:
    r"""
    Values of states by n-step temporal-difference learning.

    Step after step, with the values as they are by then,

    .. math:: V(s_t) \leftarrow V(s_t) + \alpha \Bigl( \sum_{l=0}^{m-1} \gamma^l r_{t+l}
              + \gamma^m V(s_{t+m}) - V(s_t) \Bigr), \qquad m = \min(n, T - t)

    Parameters
    ----------
    state : ndarray of int64, shape (S,)
        States :math:`s_t` in [0, M), trajectory after trajectory.
    rew, last_val, start, gamma : ndarray and float
        As in `npvpg.kernels.returns`.
    value : ndarray of float64, shape (M,)
        Values before the first update [reward]; not written.
    alpha : float
        Step size :math:`\alpha` in [0, 1] [dimensionless].
    n : int
        Number of rewards to look ahead, at least 1 [steps].

    Returns
    -------
    ndarray of float64, shape (K, M)
        Values after every trajectory [reward].

    Notes
    -----
    Equations (7.1) and (7.2) of Sutton and Barto; time O(S n). The algorithm there makes the update
    of step t at time t + n, and those that the end of the episode left over after it. In both cases
    the updates come in the order of t, and none reads what a later one writes: so it makes no
    difference that the whole trajectory is known here.

    Examples
    --------
    From state 0 to state 1 and out, with reward 1 on leaving:

    >>> n_step_td(np.array([0, 1]), np.array([0.0, 1.0]), np.zeros(1), np.array([0, 2]),
    ...           np.zeros(2), 1.0, 0.5, 2)
    array([[0.5, 0.5]])
    """
    now = value.copy()
    table = np.empty((start.size - 1, value.size), value.dtype)
    for k in range(start.size - 1):
        end = start[k + 1]
        for t in range(start[k], end):
            stop = min(t + n, end)
            following = now[state[stop]] if stop < end else last_val[k]
            for i in range(stop - 1, t - 1, -1):
                following = rew[i] + gamma * following
            now[state[t]] += alpha * (following - now[state[t]])
        table[k] = now
    return table


n_step_td = jit(_n_step_td)
