"""Acrobot-v1: two links that hang from a joint, with a motor in the elbow."""

import math

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.loops import loops

GRAVITY = 9.8
TIME_STEP = 0.2
MAX_VELOCITY_1 = 4 * math.pi
MAX_VELOCITY_2 = 9 * math.pi
MASS_1 = MASS_2 = LENGTH_1 = INERTIA_1 = INERTIA_2 = 1.0
CENTRE_1 = CENTRE_2 = 0.5


def _draw(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """
    Start an episode: noise and state (4,), rounded to single precision.

    The state is the angle of the first link from hanging down, the angle of the second from the
    first [rad], and their velocities [rad/s].

    Gymnasium takes these first cosines and sines in single precision, where NumPy uses its own
    vectorised functions; the ones here are rounded from double precision and may differ in the last
    bit. `npvpg.envs.AcrobotVectorEnv` asks NumPy.
    """
    for j in range(4):
        state[j] = np.float32(noise[j])
    observe(state, obs)


def _observe(state: NDArray[np.float64], obs: NDArray[np.float32]) -> None:
    """Observe (6,): cosine and sine of each angle, then the velocities."""
    obs[0], obs[1] = math.cos(state[0]), math.sin(state[0])
    obs[2], obs[3] = math.cos(state[1]), math.sin(state[1])
    obs[4], obs[5] = state[2], state[3]


observe = jit(_observe)
draw = jit(_draw)


def _accelerations(
    theta1: float, theta2: float, dtheta1: float, dtheta2: float, torque: float, two: float
) -> tuple[float, float]:
    """
    Angular accelerations of both links [rad/s^2], the second's relative to the first.

    The equations of the book [1]_, section 11.3 of its first edition; ``torque`` is that of the
    motor in the elbow [N m], ``two`` the number 2 in a form that the compiler cannot know.

    References
    ----------
    .. [1] R. S. Sutton and A. G. Barto, "Reinforcement Learning: An Introduction", MIT Press, 1998.
    """
    cos2, sin2 = math.cos(theta2), math.sin(theta2)
    d1 = (
        MASS_1 * CENTRE_1**2
        + MASS_2 * (LENGTH_1**2 + CENTRE_2**2 + 2 * LENGTH_1 * CENTRE_2 * cos2)
        + INERTIA_1
        + INERTIA_2
    )
    d2 = MASS_2 * (CENTRE_2**2 + LENGTH_1 * CENTRE_2 * cos2) + INERTIA_2
    phi2 = MASS_2 * CENTRE_2 * GRAVITY * math.cos(theta1 + theta2 - math.pi / 2.0)
    phi1 = (
        -MASS_2 * LENGTH_1 * CENTRE_2 * math.pow(dtheta2, two) * sin2
        - 2 * MASS_2 * LENGTH_1 * CENTRE_2 * dtheta2 * dtheta1 * sin2
        + (MASS_1 * CENTRE_1 + MASS_2 * LENGTH_1) * GRAVITY * math.cos(theta1 - math.pi / 2)
        + phi2
    )
    ddtheta2 = (
        torque
        + d2 / d1 * phi1
        - MASS_2 * LENGTH_1 * CENTRE_2 * math.pow(dtheta1, two) * sin2
        - phi2
    ) / (MASS_2 * CENTRE_2**2 + INERTIA_2 - math.pow(d2, two) / d1)
    return -(d2 * ddtheta2 + phi1) / d1, ddtheta2


accelerations = jit(_accelerations)


def _wrap(angle: float) -> float:
    """Bring a finite angle into [-pi, pi] by whole turns [rad]."""
    while angle > math.pi:
        angle = angle - 2 * math.pi
    while angle < -math.pi:
        angle = angle + 2 * math.pi
    return angle


wrap = jit(_wrap)


def _move(state: NDArray[np.float64], action: int, obs: NDArray[np.float32]) -> tuple[float, bool]:
    """
    Take one step of the classic Runge-Kutta method, 0.2 s; actions 0, 1, 2: torque -1, 0, 1 N m.

    Then the angles are brought into [-pi, pi] and the velocities clipped. The reward is -1, and 0
    on reaching the goal, where it terminates: the tip above the height of one link over the joint.

    ``two`` hides the exponent: knowing it, the compiler replaces pow(x, 2) by x * x, and the C
    library's power differs from the product in the last bit for one number in 1,200.
    """
    torque = float(action - 1)
    two = float(state.size - 2)
    half, sixth = TIME_STEP / 2.0, TIME_STEP / 6.0
    a, b, c, d = state[0], state[1], state[2], state[3]
    # k1 = (c, d, e1, f1), and so on for k2 ... k4.
    e1, f1 = accelerations(a, b, c, d, torque, two)
    c2, d2 = c + half * e1, d + half * f1
    e2, f2 = accelerations(a + half * c, b + half * d, c2, d2, torque, two)
    c3, d3 = c + half * e2, d + half * f2
    e3, f3 = accelerations(a + half * c2, b + half * d2, c3, d3, torque, two)
    c4, d4 = c + TIME_STEP * e3, d + TIME_STEP * f3
    e4, f4 = accelerations(a + TIME_STEP * c3, b + TIME_STEP * d3, c4, d4, torque, two)
    state[0] = wrap(a + sixth * (c + 2 * c2 + 2 * c3 + c4))
    state[1] = wrap(b + sixth * (d + 2 * d2 + 2 * d3 + d4))
    velocity1 = c + sixth * (e1 + 2 * e2 + 2 * e3 + e4)
    velocity2 = d + sixth * (f1 + 2 * f2 + 2 * f3 + f4)
    state[2] = min(max(velocity1, -MAX_VELOCITY_1), MAX_VELOCITY_1)
    state[3] = min(max(velocity2, -MAX_VELOCITY_2), MAX_VELOCITY_2)
    observe(state, obs)
    terminated = -math.cos(state[0]) - math.cos(state[1] + state[0]) > 1.0
    return 0.0 if terminated else -1.0, terminated


move = jit(_move)

reset, step = loops(draw, move, n_actions=3)
