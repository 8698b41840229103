"""MountainCarContinuous-v0: the mountain car with an engine that takes any force."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.loops import loops

POWER = 0.0015
GRAVITY = 0.0025
MIN_POSITION, MAX_POSITION = -1.2, 0.6
MAX_SPEED = 0.07
GOAL = 0.45


def _draw(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """
    Start an episode at rest: noise (1,), state (3,), observed (2,).

    The state is position, velocity [length, length per step], and 1 if both are in single
    precision: from the first step on, as in Gymnasium. Observed are the first two, rounded.
    """
    state[0], state[1], state[2] = noise[0], 0.0, 0.0
    obs[0], obs[1] = state[0], state[1]


draw = jit(_draw)


def _rounded(x: float, single: bool) -> float:
    """
    Round to single precision, if asked.

    A sum or product of two singles, formed in double precision and rounded, is the one that single
    precision gives.
    """
    return float(np.float32(x)) if single else x


rounded = jit(_rounded)


def _move(
    state: NDArray[np.float64],
    action: NDArray[Any],
    obs: NDArray[np.float32],
    goal_velocity: float = 0.0,
) -> tuple[float, bool]:
    r"""
    Take one step; the action (1,), float32 or float64, is a force, clipped to [-1, 1].

    .. math:: v \leftarrow v + 0.0015\,a - 0.0025 \cos 3x, \qquad x \leftarrow x + v

    Velocity and position are clipped, and the car stops dead at the left wall. The reward is 100 on
    reaching the flag, less a tenth of the squared force as it was before clipping; it terminates at
    the flag, if the car is at least as fast as ``goal_velocity``.

    Gymnasium's step mixes numbers of NumPy with numbers of Python, which take the precision of
    the NumPy number they meet. So an intermediate result is single where everything that entered
    it was single or a Python number, and a clipped quantity is a Python number.
    The exponent is in a form that the compiler cannot know, see `npvpg.kernels.physics.acrobot`.
    """
    position, velocity, single = state[0], state[1], state[2] == 1.0
    force = float(action[0])
    slope = GRAVITY * math.cos(rounded(3 * position, single))
    if force < -1.0 or force > 1.0:
        push = math.copysign(1.0, force) * POWER - slope
        narrow = single
        push = rounded(push, narrow)
    elif action.itemsize == 4:
        push = rounded(rounded(force * rounded(POWER, True), True) - rounded(slope, True), True)
        narrow = single
    else:
        push = force * POWER - slope
        narrow = False
    velocity = rounded(velocity + push, narrow)
    top = rounded(MAX_SPEED, narrow)
    fast = velocity >= rounded(goal_velocity, narrow)
    if velocity > top or velocity < -top:
        velocity = math.copysign(MAX_SPEED, velocity)
        fast = velocity >= goal_velocity
        narrow = single
    velocity = rounded(velocity, narrow)
    position = rounded(position + velocity, narrow)
    left, right = rounded(MIN_POSITION, narrow), rounded(MAX_POSITION, narrow)
    position = min(position, right)
    position = max(position, left)
    if position == left and velocity < 0:
        velocity = 0.0
    terminated = position >= rounded(GOAL, narrow) and fast
    state[0], state[1], state[2] = np.float32(position), np.float32(velocity), 1.0
    obs[0], obs[1] = state[0], state[1]
    effort = math.pow(float(action[0]), float(action.size + 1)) * 0.1
    return (100.0 if terminated else 0.0) - effort, terminated


move = jit(_move)

reset, step = loops(draw, move, n_actions=0)
