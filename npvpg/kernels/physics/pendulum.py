"""Pendulum-v1: swing a pendulum up and hold it, with a motor too weak to lift it at once."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.loops import loops

GRAVITY = 10.0
TIME_STEP = 0.05
MASS = LENGTH = 1.0
MAX_TORQUE = 2.0
MAX_SPEED = 8.0


def _draw(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """
    Start an episode: noise (2,), state (3,), observed (3,).

    The state is the angle from upright [rad], the angular velocity [rad/s], and the torque of the
    last step [N m], which a drawing shows; 0 before the first. Observed are cosine and sine of the
    angle, and the velocity.
    """
    state[0], state[1], state[2] = noise[0], noise[1], 0.0
    obs[0], obs[1], obs[2] = math.cos(state[0]), math.sin(state[0]), state[1]


draw = jit(_draw)


def _move(
    state: NDArray[np.float64],
    action: NDArray[Any],
    obs: NDArray[np.float32],
    g: float = GRAVITY,
) -> tuple[float, bool]:
    r"""
    Take one semi-implicit Euler step of 0.05 s; the action (1,), of either precision, is a torque.

    .. math:: \dot\theta \leftarrow \dot\theta
              + \left(\frac{3g}{2l}\sin\theta + \frac{3}{ml^2}\,u\right)\Delta t, \qquad
              \theta \leftarrow \theta + \dot\theta\,\Delta t

    The torque is clipped to [-2, 2] N m, the velocity to [-8, 8]; ``g`` is gravity [m/s^2]. The
    reward is :math:`-(\theta^2 + 0.1\,\dot\theta^2 + 0.001\,u^2)` of the state before the step,
    with the angle in [-pi, pi); it never terminates.

    What depends on the torque alone is in the precision of the action. The exponent is in a form
    that the compiler cannot know, see `npvpg.kernels.physics.acrobot`.
    """
    theta, theta_dot = state[0], state[1]
    torque = float(action[0])
    torque = min(torque, MAX_TORQUE)
    torque = max(torque, -MAX_TORQUE)
    two = float(action.size + 1)
    if action.itemsize == 4:
        square = np.float32(torque) ** np.float32(two)
        effort = float(np.float32(np.float32(0.001) * square))
        push = float(np.float32(3.0 / (MASS * LENGTH**2) * torque))
    else:
        effort = 0.001 * math.pow(torque, two)
        push = 3.0 / (MASS * LENGTH**2) * torque
    angle = (theta + math.pi) % (2 * math.pi) - math.pi
    cost = math.pow(angle, two) + 0.1 * math.pow(theta_dot, two) + effort
    pull = 3 * g / (2 * LENGTH) * math.sin(theta)
    theta_dot = theta_dot + (pull + push) * TIME_STEP
    theta_dot = min(theta_dot, MAX_SPEED)
    theta_dot = max(theta_dot, -MAX_SPEED)
    theta = theta + theta_dot * TIME_STEP
    state[0], state[1], state[2] = theta, theta_dot, torque
    obs[0], obs[1], obs[2] = math.cos(theta), math.sin(theta), theta_dot
    return -cost, False


move = jit(_move)

reset, step = loops(draw, move, n_actions=0)
