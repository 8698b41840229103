"""CartPole-v1: a pole balanced on a cart that is pushed left or right."""

import math

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.loops import loops

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
    Start an episode: noise and state (4,), observed (4,).

    The state is position [m], velocity [m/s], angle [rad] and angular velocity [rad/s]. What is
    observed is the state, rounded.
    """
    for j in range(4):
        state[j] = noise[j]
        obs[j] = state[j]


draw = jit(_draw)


def _move(
    state: NDArray[np.float64],
    action: int,
    obs: NDArray[np.float32],
    sutton_barto_reward: bool = False,
) -> tuple[float, bool]:
    r"""
    Take one explicit Euler step of 0.02 s; action 1 pushes the cart to the right, 0 to the left.

    .. math:: \ddot\theta = \frac{g\sin\theta - u\cos\theta}
              {l\,(4/3 - m\cos^2\theta / M)}, \qquad
              \ddot x = u - \frac{m l\,\ddot\theta\cos\theta}{M}, \qquad
              u = \frac{F + m l\,\dot\theta^2\sin\theta}{M}

    The reward is 1, on the last step too; with ``sutton_barto_reward`` it is -1 on the last step
    and 0 before. It terminates when the cart has left the track or the pole leans by more than 12
    degrees.

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
    over = x < -X_LIMIT or x > X_LIMIT or theta < -THETA_LIMIT or theta > THETA_LIMIT
    if sutton_barto_reward:
        return -1.0 if over else 0.0, over
    return 1.0, over


move = jit(_move)

reset, step = loops(draw, move, n_actions=2)
