"""MountainCar-v0: an engine too weak for the hill must first drive the other way."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npvpg.kernels.physics import ENDED

FORCE = 0.001
GRAVITY = 0.0025
MIN_POSITION, MAX_POSITION = -1.2, 0.6
MAX_SPEED = 0.07
GOAL = 0.5


def _draw(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """
    Start an episode at rest.

    Parameters
    ----------
    noise : ndarray of float64, shape (1,)
        The initial position.
    state : ndarray of float64, shape (2,)
        Written: position and velocity [length, length per step].
    obs : ndarray of float32, shape (2,)
        Written: the state, rounded.
    """
    state[0], state[1] = noise[0], 0.0
    obs[0], obs[1] = state[0], state[1]


draw = njit(cache=True)(_draw)


def _move(state: NDArray[np.float64], action: int, obs: NDArray[np.float32]) -> tuple[float, bool]:
    r"""
    Take one step; the car stops dead at the left wall.

    .. math:: v \leftarrow v + 0.001\,(a - 1) - 0.0025 \cos 3x, \qquad x \leftarrow x + v

    Parameters
    ----------
    state : ndarray of float64, shape (2,)
        As `draw` writes it; advanced by one step, velocity and position clipped.
    action : int
        0, 1, 2: accelerate to the left, not at all, to the right.
    obs : ndarray of float32, shape (2,)
        Written: the new state, rounded.

    Returns
    -------
    rew : float
        -1.
    terminated : bool
        Whether the car reached the flag.

    References
    ----------
    .. [1] A. W. Moore, "Efficient Memory-based Learning for Robot Control", PhD thesis,
       University of Cambridge, 1990.
    """
    position, velocity = state[0], state[1]
    velocity += (action - 1) * FORCE + math.cos(3 * position) * (-GRAVITY)
    velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
    position += velocity
    position = min(max(position, MIN_POSITION), MAX_POSITION)
    if position == MIN_POSITION and velocity < 0:
        velocity = 0.0
    state[0], state[1] = position, velocity
    obs[0], obs[1] = position, velocity
    return -1.0, position >= GOAL and velocity >= 0


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
    noise : ndarray of float64, shape (R, 1)
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
        if steps[i] < 0 or not 0 <= act[i] < 3:
            return i
    for i in range(n):
        rew[i], ends[0, i] = move(state[i], act[i], obs[i])
        steps[i] += 1
        ends[1, i] = steps[i] >= limit
        if ends[0, i] or ends[1, i]:
            steps[i] = ENDED
    return -1


step = njit(cache=True)(_step)
