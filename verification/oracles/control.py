r"""
Returns of continuous systems, one trajectory and one number at a time, on complex numbers.

Nothing is differentiated here: the complex step through `sampled_return` and `quadratic_objective`
does that. A policy is a tanh network with a Gaussian on top, its parameters layer after layer the
matrix (in, out) row by row and the bias, and last the free log standard deviations, if any.
"""

import cmath
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Model(Protocol):
    """A system, one state at a time."""

    def observe(self, x: Array) -> Array:
        """Observation of a state."""

    def move(self, x: Array, a: Array) -> Array:
        """Next state."""

    def reward(self, x: Array, a: Array) -> Any:
        """Reward of an action."""

    def final(self, x: Array) -> Any:
        """What the last state is worth."""


class Quadratic(NamedTuple):
    """
    Linear dynamics, quadratic cost.

    Parameters
    ----------
    A, B, Q, R, P : ndarray of float64
        Dynamics and costs of states, actions and the last state.
    """

    A: Array
    B: Array
    Q: Array
    R: Array
    P: Array

    def observe(self, x: Array) -> Array:
        """Give the state."""
        return x

    def move(self, x: Array, a: Array) -> Array:
        """Give A x + B a."""
        return np.asarray(self.A @ x + self.B @ a)

    def reward(self, x: Array, a: Array) -> Any:
        """Give the cost with its sign changed."""
        return -(x @ self.Q @ x) - a @ self.R @ a

    def final(self, x: Array) -> Any:
        """Give the last cost with its sign changed."""
        return -(x @ self.P @ x)


class Swing(NamedTuple):
    """Pendulum-v1 with g = 10 and m = l = 1, as Gymnasium's source has it."""

    def observe(self, x: Array) -> Array:
        """Give cosine, sine, velocity."""
        return np.array([cmath.cos(x[0]), cmath.sin(x[0]), x[1]])

    def move(self, x: Array, a: Array) -> Array:
        """Velocity first, clipped to 8; the angle follows with the new one."""
        speed = x[1] + (15 * cmath.sin(x[0]) + 3 * _bounded(a[0], 2)) * 0.05
        speed = _bounded(speed, 8)
        return np.array([x[0] + speed * 0.05, speed])

    def reward(self, x: Array, a: Array) -> Any:
        """Cost of the angle within half a turn, the velocity and the torque."""
        turns = math.floor((x[0].real + math.pi) / (2 * math.pi))
        angle = x[0] - 2 * math.pi * turns
        return -(angle * angle + 0.1 * x[1] * x[1] + 0.001 * _bounded(a[0], 2) ** 2)

    def final(self, x: Array) -> Any:
        """Nothing."""
        return 0


def _bounded(x: Any, bound: float) -> Any:
    return x if abs(x.real) <= bound else complex(math.copysign(bound, x.real))


def gaussian(sizes: Sequence[int], dim: int, theta: Array, obs: Array) -> tuple[Array, Array]:
    """
    Mean and standard deviation of the actions.

    Parameters
    ----------
    sizes : sequence of int
        Sizes of the network; its output is the mean, and log sigma if it is twice `dim`.
    dim : int
        Size of an action.
    theta : ndarray
        Parameters.
    obs : ndarray
        One observation.

    Returns
    -------
    mu, sigma : ndarray
        Log sigma is clamped to [-20, 2].
    """
    h, at = obs, 0
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        weight = theta[at : at + n_in * n_out].reshape(n_in, n_out)
        at += n_in * n_out
        h = h @ weight + theta[at : at + n_out]
        at += n_out
        if layer < len(sizes) - 2:
            h = np.tanh(h)
    log_sigma = h[dim:] if sizes[-1] == 2 * dim else theta[at:]
    clamped = [x if -20 <= x.real <= 2 else complex(min(max(x.real, -20), 2)) for x in log_sigma]
    return h[:dim], np.exp(np.array(clamped))


def sampled_return(
    model: Model,
    sizes: Sequence[int],
    theta: Array,
    first: Array,
    noise: Array,
    gamma: float,
    frozen: Sequence[Array] | None = None,
    *,
    acts_frozen: bool = False,
) -> tuple[Any, list[Array]]:
    """
    Discounted return of one trajectory with given noise.

    Parameters
    ----------
    model : Model
        The system.
    sizes : sequence of int
        Sizes of the network.
    theta : ndarray
        Parameters, possibly complex.
    first : ndarray, shape (X,)
        First state.
    noise : ndarray, shape (H, D)
        Noise of the actions.
    gamma : float
        Discount.
    frozen : sequence of ndarray, optional
        H + 1 states that the reward is to see in place of those of the trajectory.
    acts_frozen : bool
        Whether the policy sees those, too.

    Returns
    -------
    total : number
        The return, the worth of the last state with it.
    states : list of ndarray
        The H + 1 states.
    """
    states = [np.asarray(first, np.complex128)]
    total: Any = 0
    for t, epsilon in enumerate(noise):
        x = states[-1]
        seen = x if frozen is None else frozen[t]
        mu, sigma = gaussian(sizes, len(epsilon), theta, model.observe(seen if acts_frozen else x))
        a = mu + sigma * epsilon
        total = total + gamma**t * model.reward(seen, a)
        states.append(model.move(x, a))
    last = states[-1] if frozen is None else frozen[-1]
    return total + gamma ** len(noise) * model.final(last), states


def quadratic_objective(
    model: Quadratic,
    theta: Array,
    gamma: float,
    horizon: int,
    mean: Array,
    covariance: Array,
) -> Any:
    """
    Objective of an affine Gaussian policy, by the mean and covariance of the state at every time.

    Parameters
    ----------
    model : Quadratic
        The system.
    theta : ndarray
        Gain (X, D), offset (D) and log sigma (D), possibly complex.
    gamma : float
        Discount.
    horizon : int
        Number of steps.
    mean, covariance : ndarray
        Of the first state.

    Returns
    -------
    number
        The objective.
    """
    n, m = model.B.shape
    K, b = theta[: n * m].reshape(n, m).T, theta[n * m : n * m + m]
    spread = np.diag(np.exp(theta[n * m + m :]) ** 2)
    mu, V = mean, covariance
    total: Any = 0
    for t in range(horizon):
        act, act_V = K @ mu + b, K @ V @ K.T + spread
        cost = mu @ model.Q @ mu + np.trace(model.Q @ V)
        cost = cost + act @ model.R @ act + np.trace(model.R @ act_V)
        total = total - gamma**t * cost
        loop = model.A + model.B @ K
        mu, V = loop @ mu + model.B @ b, loop @ V @ loop.T + model.B @ spread @ model.B.T
    return total - gamma**horizon * (mu @ model.P @ mu + np.trace(model.P @ V))
