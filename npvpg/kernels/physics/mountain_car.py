"""MountainCar-v0: an engine too weak for the hill must first drive the other way."""

import math

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.loops import loops

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


draw = jit(_draw)


def _move(
    state: NDArray[np.float64],
    action: int,
    obs: NDArray[np.float32],
    goal_velocity: float = 0.0,
) -> tuple[float, bool]:
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
    goal_velocity : float
        Least velocity at the flag.

    Returns
    -------
    rew : float
        -1.
    terminated : bool
        Whether the car reached the flag, as fast as it must.

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
    return -1.0, position >= GOAL and velocity >= goal_velocity


move = jit(_move)

reset, step = loops(draw, move, n_actions=3)
