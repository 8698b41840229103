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
    Start an episode at rest: noise (1,), state (2,), observed (2,).

    The state is position and velocity [length, length per step]. What is observed is the state,
    rounded.
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
    Take one step; actions 0, 1, 2 accelerate to the left, not at all, to the right.

    .. math:: v \leftarrow v + 0.001\,(a - 1) - 0.0025 \cos 3x, \qquad x \leftarrow x + v

    Velocity and position are clipped, and the car stops dead at the left wall. The reward is -1; it
    terminates at the flag, if the car is at least as fast as ``goal_velocity``.

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
