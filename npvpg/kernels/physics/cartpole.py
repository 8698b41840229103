"""CartPole-v1: a pole balanced on a cart that is pushed left or right."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npvpg.kernels.physics import ENDED

GRAVITY = 9.8
TOTAL_MASS = 0.1 + 1.0
POLE_MASS = 0.1
HALF_LENGTH = 0.5
POLE_MASS_LENGTH = POLE_MASS * HALF_LENGTH
FORCE = 10.0
TAU = 0.02
X_LIMIT = 2.4
THETA_LIMIT = 12 * 2 * math.pi / 360


def _draw(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """
    Start an episode.

    Parameters
    ----------
    noise : ndarray of float64, shape (4,)
        The initial state.
    state : ndarray of float64, shape (4,)
        Written: position [m], velocity [m/s], angle [rad], angular velocity [rad/s].
    obs : ndarray of float32, shape (4,)
        Written: the state, rounded.
    """
    for j in range(4):
        state[j] = noise[j]
        obs[j] = state[j]


draw = njit(cache=True)(_draw)


def _move(state: NDArray[np.float64], action: int, obs: NDArray[np.float32]) -> tuple[float, bool]:
    r"""
    Take one explicit Euler step.

    .. math:: \ddot\theta = \frac{g\sin\theta - u\cos\theta}
              {l\,(4/3 - m\cos^2\theta / M)}, \qquad
              \ddot x = u - \frac{m l\,\ddot\theta\cos\theta}{M}, \qquad
              u = \frac{F + m l\,\dot\theta^2\sin\theta}{M}

    Parameters
    ----------
    state : ndarray of float64, shape (4,)
        As `draw` writes it; advanced by 0.02 s.
    action : int
        1 pushes the cart to the right, 0 to the left.
    obs : ndarray of float32, shape (4,)
        Written: the new state, rounded.

    Returns
    -------
    rew : float
        1, on the last step too.
    terminated : bool
        Whether the cart left the track or the pole leans by more than 12 degrees.

    References
    ----------
    .. [1] A. G. Barto, R. S. Sutton and C. W. Anderson, "Neuronlike Adaptive Elements That Can
       Solve Difficult Learning Control Problems", IEEE Trans. SMC 13, 1983.
    .. [2] R. V. Florian, "Correct equations for the dynamics of the cart-pole system", 2007.
    """
    x, x_dot, theta, theta_dot = state[0], state[1], state[2], state[3]
    force = FORCE if action == 1 else -FORCE
    cos, sin = math.cos(theta), math.sin(theta)
    push = (force + POLE_MASS_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL_MASS
    theta_acc = (GRAVITY * sin - cos * push) / (
        HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) / TOTAL_MASS)
    )
    x_acc = push - POLE_MASS_LENGTH * theta_acc * cos / TOTAL_MASS
    x = x + TAU * x_dot
    theta = theta + TAU * theta_dot
    state[0] = x
    state[1] = x_dot + TAU * x_acc
    state[2] = theta
    state[3] = theta_dot + TAU * theta_acc
    for j in range(4):
        obs[j] = state[j]
    return 1.0, x < -X_LIMIT or x > X_LIMIT or theta < -THETA_LIMIT or theta > THETA_LIMIT


move = njit(cache=True)(_move)


def _reset(
    noise: NDArray[np.float64],
    rows: NDArray[np.int64],
    state: NDArray[np.float64],
    steps: NDArray[np.int64],
    obs: NDArray[np.float32],
) -> None:
    """
    Start an episode in some of the sub-environments.

    Parameters
    ----------
    noise : ndarray of float64, shape (R, 4)
        What each of them starts from.
    rows : ndarray of int64, shape (R,)
        Which sub-environments.
    state, steps, obs : ndarray
        Rows of the package's arrays, written.
    """
    for k in range(rows.size):
        i = rows[k]
        draw(noise[k], state[i], obs[i])
        steps[i] = 0


reset = njit(cache=True)(_reset)


def _step(
    act: NDArray[np.int64],
    state: NDArray[np.float64],
    steps: NDArray[np.int64],
    limit: int,
    obs: NDArray[np.float32],
    rew: NDArray[np.float64],
    ends: NDArray[np.bool_],
    rng: NDArray[np.uint64],
) -> int:
    """
    Take one step in every sub-environment, or in none.

    Parameters
    ----------
    act : ndarray of int64, shape (N,)
        Actions.
    state, steps : ndarray
        The package's arrays, updated.
    limit : int
        Steps after which an episode is truncated.
    obs, rew, ends : ndarray
        The package's arrays, written.
    rng : ndarray of uint64, shape (N, 4)
        Not used.

    Returns
    -------
    int
        The first sub-environment that must be reset or got an action that does not exist; -1 if
        all took their step.
    """
    n = steps.size
    for i in range(n):
        if steps[i] < 0 or not 0 <= act[i] < 2:
            return i
    for i in range(n):
        rew[i], ends[0, i] = move(state[i], act[i], obs[i])
        steps[i] += 1
        ends[1, i] = steps[i] >= limit
        if ends[0, i] or ends[1, i]:
            steps[i] = ENDED
    return -1


step = njit(cache=True)(_step)
