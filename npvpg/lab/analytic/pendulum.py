r"""
Pendulum-v1 as a differentiable system: the physics of `npvpg.kernels.physics.pendulum`.

The state is the angle from upright and the angular velocity. Torque and velocity are clipped as in
the environment, and a clip has derivative 1 within its bounds and 0 beyond; the angle is wrapped
in the reward only, which is a shift by whole turns and has derivative 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.physics.pendulum import (
    GRAVITY,
    LENGTH,
    MASS,
    MAX_SPEED,
    MAX_TORQUE,
    TIME_STEP,
)

PULL = 3 * GRAVITY / (2 * LENGTH)
PUSH = 3 / (MASS * LENGTH**2)


def _clip(x: NDArray[Any], bound: float) -> NDArray[Any]:
    """Clip to [-bound, bound] by the real part, so that complex numbers pass."""
    return np.where(x.real > bound, bound, np.where(x.real < -bound, -bound, x))


@dataclass(frozen=True)
class Pendulum:
    r"""
    Swing a pendulum up and hold it.

    .. math:: \dot\theta' = \operatorname{clip}_8\Bigl(\dot\theta + \bigl(\tfrac{3g}{2l}\sin\theta
              + \tfrac{3}{ml^2}\,u\bigr)\Delta t\Bigr), \qquad
              \theta' = \theta + \dot\theta'\,\Delta t, \qquad u = \operatorname{clip}_2(a)

    Examples
    --------
    >>> Pendulum().move(np.zeros((1, 2)), np.array([[1.0]]))
    array([[0.0075, 0.15  ]])
    """

    @property
    def n_state(self) -> int:
        """Angle and angular velocity, 2."""
        return 2

    @property
    def n_obs(self) -> int:
        """Cosine and sine of the angle, and the velocity, 3."""
        return 3

    @property
    def n_act(self) -> int:
        """Torque, 1."""
        return 1

    def observe(self, x: NDArray[Any]) -> NDArray[Any]:
        """
        Cosine and sine of the angle, and the angular velocity.

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            Angle [rad] and angular velocity [rad/s].

        Returns
        -------
        ndarray, shape (N, 3)
            Observations.
        """
        return np.column_stack([np.cos(x[:, 0]), np.sin(x[:, 0]), x[:, 1]])

    def observe_back(self, x: NDArray[Any], d_obs: NDArray[Any]) -> NDArray[Any]:
        r"""
        Carry derivatives from observations to states.

        .. math:: d_\theta = -\sin\theta\, d_1 + \cos\theta\, d_2, \qquad d_{\dot\theta} = d_3

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.
        d_obs : ndarray, shape (N, 3)
            Derivative with respect to the observations.

        Returns
        -------
        ndarray, shape (N, 2)
            Derivative with respect to the states.
        """
        d_angle = -np.sin(x[:, 0]) * d_obs[:, 0] + np.cos(x[:, 0]) * d_obs[:, 1]
        return np.column_stack([d_angle, d_obs[:, 2]])

    def move(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        """
        Take one semi-implicit Euler step.

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.
        a : ndarray, shape (N, 1)
            Torques, clipped to [-2, 2] [N m].

        Returns
        -------
        ndarray, shape (N, 2)
            States after 0.05 s.
        """
        speed = _clip(self._speed(x, a), MAX_SPEED)
        return np.column_stack([x[:, 0] + speed * TIME_STEP, speed])

    def move_back(
        self, x: NDArray[Any], a: NDArray[Any], d_next: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Carry derivatives from next states to states and actions.

        With :math:`d = [|\dot\theta'| < 8]\,(d_{\dot\theta'} + \Delta t\, d_{\theta'})`,

        .. math:: d_\theta = d_{\theta'} + \tfrac{3g}{2l}\cos\theta\,\Delta t\, d, \qquad
                  d_{\dot\theta} = d, \qquad d_a = [|a| < 2]\,\tfrac{3}{ml^2}\,\Delta t\, d

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.
        a : ndarray, shape (N, 1)
            Torques.
        d_next : ndarray, shape (N, 2)
            Derivative with respect to the next states.

        Returns
        -------
        d_x : ndarray, shape (N, 2)
            Derivative with respect to the states.
        d_a : ndarray, shape (N, 1)
            Derivative with respect to the torques.
        """
        free = np.abs(self._speed(x, a).real) < MAX_SPEED
        d = np.where(free, d_next[:, 1] + TIME_STEP * d_next[:, 0], 0)
        d_angle = d_next[:, 0] + PULL * np.cos(x[:, 0]) * TIME_STEP * d
        d_torque = np.where(np.abs(a[:, 0].real) < MAX_TORQUE, PUSH * TIME_STEP * d, 0)
        return np.column_stack([d_angle, d]), d_torque[:, np.newaxis]

    def reward(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        r"""
        Cost of the state before the step and of the torque, with its sign changed.

        .. math:: r = -\bigl(\theta^2 + 0.1\,\dot\theta^2 + 0.001\,u^2\bigr),
                  \qquad \theta \in [-\pi, \pi)

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.
        a : ndarray, shape (N, 1)
            Torques.

        Returns
        -------
        ndarray, shape (N,)
            Rewards.
        """
        u = _clip(a[:, 0], MAX_TORQUE)
        return np.asarray(-(_wrap(x[:, 0]) ** 2 + 0.1 * x[:, 1] ** 2 + 0.001 * u**2))

    def reward_back(self, x: NDArray[Any], a: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the reward.

        .. math:: \Bigl(-2\theta, \; -0.2\,\dot\theta\Bigr), \qquad -0.002\,a\,[|a| < 2]

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.
        a : ndarray, shape (N, 1)
            Torques.

        Returns
        -------
        d_x : ndarray, shape (N, 2)
            With respect to the states.
        d_a : ndarray, shape (N, 1)
            With respect to the torques.
        """
        d_x = np.column_stack([-2 * _wrap(x[:, 0]), -0.2 * x[:, 1]])
        return d_x, np.where(np.abs(a.real) < MAX_TORQUE, -0.002 * a, 0)

    def final(self, x: NDArray[Any]) -> NDArray[Any]:
        """
        Nothing: a trajectory is cut by the clock.

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.

        Returns
        -------
        ndarray, shape (N,)
            Zeros.
        """
        return np.zeros(len(x), x.dtype)

    def final_back(self, x: NDArray[Any]) -> NDArray[Any]:
        """
        Nothing.

        Parameters
        ----------
        x : ndarray, shape (N, 2)
            States.

        Returns
        -------
        ndarray, shape (N, 2)
            Zeros.
        """
        return np.zeros_like(x)

    def _speed(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        """Angular velocity after the step, before it is clipped."""
        u = _clip(a[:, 0], MAX_TORQUE)
        return np.asarray(x[:, 1] + (PULL * np.sin(x[:, 0]) + PUSH * u) * TIME_STEP)


def _wrap(angle: NDArray[Any]) -> NDArray[Any]:
    """Shift angles by whole turns into [-pi, pi)."""
    return np.asarray(angle - 2 * np.pi * np.floor((angle.real + np.pi) / (2 * np.pi)))
