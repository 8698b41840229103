r"""
Closed forms for the linear system with quadratic cost: value, gradient, optimum.

The policy :math:`a = K x + b + \sigma\epsilon` is linear in :math:`z = (x, 1)`, with the gain
:math:`L = (K, b)`, and z moves by :math:`F = \bar A + \bar B L`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.distributions import DiagonalGaussian
from npvpg.distributions.gaussian import clamp
from npvpg.lab.analytic.linear_quadratic import LinearQuadratic
from npvpg.mlp import MLP
from npvpg.policy import Policy

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-15
"""Relative change at which the recursion for the optimum counts as settled."""
LARGEST = 1e100
"""Cost at which it counts as settling nowhere."""


class ClosedForm(NamedTuple):
    r"""
    Objective of a policy, its gradient, and the cost to go of which they are made.

    Parameters
    ----------
    J : float
        Objective [reward].
    gradient : ndarray of float64, shape (P,)
        Gradient with respect to theta; the way up.
    P : ndarray of float64, shape (H + 1, X + 1, X + 1)
        Cost to go :math:`z^\top P_t\,z` of every time, the noise left out [reward].
    noise : ndarray of float64, shape (H + 1,)
        What the noise of the actions from then on costs [reward].
    """

    J: float
    gradient: FloatArray
    P: FloatArray
    noise: FloatArray

    def value(self, x: FloatArray) -> FloatArray:
        r"""
        Value of states at every time.

        .. math:: V_t(x) = -z^\top P_t\,z - c_t, \qquad z = (x, 1)

        Parameters
        ----------
        x : ndarray of float64, shape (H + 1, N, X)
            States, as a `npvpg.lab.analytic.Path` has them.

        Returns
        -------
        ndarray of float64, shape (H + 1, N)
            Values [reward].
        """
        z = np.concatenate([x, np.ones((*x.shape[:2], 1))], axis=2)
        return np.asarray(-np.einsum("tni,tij,tnj->tn", z, self.P, z) - self.noise[:, np.newaxis])


def affine(system: LinearQuadratic) -> Policy:
    """
    Affine Gaussian policy for a linear system.

    Parameters
    ----------
    system : LinearQuadratic
        System with X states and D actions.

    Returns
    -------
    Policy
        Its parameters are the gain transposed (X, D) row by row, the offset (D) and
        log sigma (D).
    """
    return Policy(MLP((system.n_state, system.n_act)), DiagonalGaussian(system.n_act))


def closed_form(
    system: LinearQuadratic,
    theta: FloatArray,
    gamma: float,
    horizon: int,
    mean: FloatArray,
    covariance: FloatArray,
) -> ClosedForm:
    r"""
    Objective of an affine Gaussian policy and its gradient.

    With :math:`C = \bar Q + L^\top R L`, backwards from :math:`\bar P_f` and forwards from the
    first states,

    .. math:: P_t = C + \gamma F^\top P_{t+1} F, \qquad
              c_t = \mathrm{tr}\bigl(S_t\Sigma\bigr) + \gamma c_{t+1}, \qquad
              S_t = R + \gamma\bar B^\top P_{t+1}\bar B, \qquad
              M_{t+1} = F M_t F^\top + \bar B\Sigma\bar B^\top,

    .. math:: J = -\mathrm{tr}(P_0 M_0) - c_0, \qquad
              \nabla_L J = -2 \sum_t \gamma^t \bigl(R L + \gamma\bar B^\top P_{t+1} F\bigr) M_t,
              \qquad \frac{\partial J}{\partial\log\sigma_i}
              = -2 \sigma_i^2 \sum_t \gamma^t (S_t)_{ii}

    Parameters
    ----------
    system : LinearQuadratic
        System.
    theta : ndarray of float64, shape (P,)
        Parameters of its `affine` policy.
    gamma : float
        Discount in [0, 1] [per step].
    horizon : int
        Number of steps, H.
    mean : ndarray of float64, shape (X,)
        Mean of the first state.
    covariance : ndarray of float64, shape (X, X)
        Covariance of the first state.

    Returns
    -------
    ClosedForm
        Objective, gradient and cost to go.

    Raises
    ------
    ValueError
        If a shape is not as above, `gamma` lies outside [0, 1] or `horizon` is smaller than 1.

    References
    ----------
    .. [1] M. Fazel, R. Ge, S. Kakade and M. Mesbahi, "Global Convergence of Policy Gradient
       Methods for the Linear Quadratic Regulator", ICML 2018, arXiv:1801.05039, lemma 1, where
       time is not limited.
    """
    n, m = system.n_state, system.n_act
    checks.shape((n * m + 2 * m,), theta=theta)
    checks.unit_interval(gamma=gamma)
    checks.at_least(1, horizon=horizon)
    checks.shape((n,), mean=mean)
    checks.shape((n, n), covariance=covariance)
    log_sigma, inside = clamp(theta[n * m + m :])
    variance = np.exp(2 * log_sigma)
    gain = theta[: n * m + m].reshape(n + 1, m).T  # the offset is the row of the constant 1
    A, B = _bordered(system.A, 1.0), np.vstack([system.B, np.zeros((1, m))])
    F = A + B @ gain
    cost = _bordered(system.Q, 0.0) + gain.T @ system.R @ gain
    P, noise = np.zeros((horizon + 1, n + 1, n + 1)), np.zeros(horizon + 1)
    P[horizon] = _bordered(system.P, 0.0)
    S = np.zeros((horizon, m, m))
    for t in range(horizon - 1, -1, -1):
        P[t] = cost + gamma * F.T @ P[t + 1] @ F
        S[t] = system.R + gamma * B.T @ P[t + 1] @ B
        noise[t] = np.diag(S[t]) @ variance + gamma * noise[t + 1]
    M = _bordered(covariance, 0.0) + np.outer(np.append(mean, 1.0), np.append(mean, 1.0))
    J = -float(np.trace(P[0] @ M)) - float(noise[0])
    d_gain, d_log_sigma = np.zeros((m, n + 1)), np.zeros(m)
    for t in range(horizon):
        d_gain -= 2 * gamma**t * (system.R @ gain + gamma * B.T @ P[t + 1] @ F) @ M
        d_log_sigma -= 2 * gamma**t * np.diag(S[t]) * variance * inside
        M = F @ M @ F.T + (B * variance) @ B.T
    return ClosedForm(J, np.concatenate([d_gain.T.ravel(), d_log_sigma]), P, noise)


def riccati(system: LinearQuadratic, gamma: float) -> tuple[FloatArray, FloatArray]:
    r"""
    Best gain over unlimited time, and what it costs.

    .. math:: K = -\gamma (R + \gamma B^\top P B)^{-1} B^\top P A, \qquad
              P = Q + \gamma A^\top P\,(A + B K)

    Parameters
    ----------
    system : LinearQuadratic
        System; the cost of its last state is not used.
    gamma : float
        Discount in [0, 1] [per step].

    Returns
    -------
    gain : ndarray of float64, shape (D, X)
        The K of the best action :math:`K x`.
    P : ndarray of float64, shape (X, X)
        Its cost :math:`x^\top P\,x`. With this for the cost of the last state, K is best at every
        time of any horizon.

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1] or the cost settles nowhere: the system cannot be held.

    Notes
    -----
    The recursion of dynamic programming from P = Q until it settles.
    """
    checks.unit_interval(gamma=gamma)
    A, B, P = system.A, system.B, system.Q
    for _ in range(100_000):
        S = system.R + gamma * B.T @ P @ B
        gain = -gamma * np.linalg.solve(S, B.T @ P @ A)
        after = system.Q + gamma * A.T @ P @ (A + B @ gain)
        after = (after + after.T) / 2
        if np.abs(after).max() > LARGEST:
            break
        if np.abs(after - P).max() <= TOLERANCE * np.abs(after).max():
            return np.asarray(gain), after
        P = after
    raise ValueError(f"system must be one that actions can hold, got A = {A.tolist()}")


def _bordered(matrix: FloatArray, corner: float) -> FloatArray:
    """Append a row and a column of zeros with a number in the corner."""
    out = np.pad(matrix, (0, 1))
    out[-1, -1] = corner
    return out
