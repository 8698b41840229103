"""The systems that pathwise and score-function gradients are compared on."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import DiagonalGaussian
from npvpg.kernels import returns
from npvpg.lab.analytic import (
    LinearQuadratic,
    Path,
    Pendulum,
    System,
    affine,
    as_batch,
    closed_form,
    riccati,
)
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.streams import Purpose, generator

FloatArray = NDArray[np.float64]

GAMMA = 0.99


class Setting(NamedTuple):
    """
    A system with a policy, its first states, and a baseline for the score.

    Parameters
    ----------
    system : System
        The system.
    policy : Policy
        Gaussian policy.
    theta : ndarray of float64, shape (P,)
        Its parameters.
    first : callable
        Takes a generator and a number, draws so many first states.
    baseline : callable
        Takes trajectories, gives the baseline of every step, shape (H, N).
    """

    system: System
    policy: Policy
    theta: FloatArray
    first: Callable[[np.random.Generator, int], FloatArray]
    baseline: Callable[[Path], FloatArray]


MEAN, COVARIANCE = np.array([1.0, 0.0]), 0.1 * np.eye(2)


def double_integrator() -> tuple[LinearQuadratic, FloatArray]:
    """
    Push a mass to the origin; at the end it costs what going on would cost at best.

    Returns
    -------
    system : LinearQuadratic
        Position and velocity, time step 0.1.
    best : ndarray of float64, shape (P,)
        Parameters of its best affine policy but for log sigma, which is 0.
    """
    A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.0], [0.1]])
    Q, R = np.eye(2), 0.1 * np.eye(1)
    gain, P = riccati(LinearQuadratic(A, B, Q, R), GAMMA)
    return LinearQuadratic(A, B, Q, R, P), np.concatenate([gain.ravel(), [0.0, 0.0]])


def quadratic() -> Setting:
    """
    Set the double integrator up with half of its best gain and the exact V for a baseline.

    Returns
    -------
    Setting
        System, policy and baseline.
    """
    system, best = double_integrator()
    theta = 0.5 * best

    def baseline(path: Path) -> FloatArray:
        horizon = len(path.rew)
        solved = closed_form(system, theta, GAMMA, horizon, MEAN, COVARIANCE)
        return solved.value(path.state)[:-1]

    def first(rng: np.random.Generator, n: int) -> FloatArray:
        return np.asarray(MEAN + np.sqrt(0.1) * rng.standard_normal((n, 2)))

    return Setting(system, affine(system), theta, first, baseline)


def pendulum(seed: int) -> Setting:
    """
    Set the pendulum up with a random network, and the mean return of a time for a baseline.

    Parameters
    ----------
    seed : int
        Seed of the network.

    Returns
    -------
    Setting
        System, policy and baseline.
    """
    policy = Policy(MLP((3, 8, 1)), DiagonalGaussian(1))
    theta = policy.network.init(generator(seed, Purpose.STUDY, 4))

    def baseline(path: Path) -> FloatArray:
        n_steps, n = path.rew.shape
        batch = as_batch(path)
        to_go = returns.discounted_sum(batch.rew, path.final, batch.start, GAMMA)
        return np.repeat(to_go.reshape(n, n_steps).mean(axis=0)[:, np.newaxis], n, axis=1)

    def first(rng: np.random.Generator, n: int) -> FloatArray:
        return rng.uniform(-1, 1, (n, 2)) * [np.pi, 1.0]

    return Setting(Pendulum(), policy, np.append(theta, 0.0), first, baseline)
