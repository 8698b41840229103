r"""
Linear dynamics with quadratic cost.

.. math:: x_{t+1} = A x_t + B a_t, \qquad r_t = -(x_t^\top Q\,x_t + a_t^\top R\,a_t), \qquad
          v(x_H) = -x_H^\top P_f\,x_H

`npvpg.lab.analytic.control` has its closed forms.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LinearQuadratic:
    """
    Linear system with quadratic cost; what is observed is the state.

    Parameters
    ----------
    A : ndarray of float64, shape (X, X)
        Dynamics.
    B : ndarray of float64, shape (X, D)
        Effect of actions.
    Q : ndarray of float64, shape (X, X)
        Cost of states, symmetric.
    R : ndarray of float64, shape (D, D)
        Cost of actions, symmetric.
    P : ndarray of float64, shape (X, X), optional
        Cost of the last state, symmetric; 0 if not given.

    Raises
    ------
    ValueError
        If shapes disagree, an entry is not finite or a cost is not symmetric.

    Examples
    --------
    >>> one = np.eye(1)
    >>> LinearQuadratic(one, one, one, one).reward(2 * one, 3 * one)
    array([-13.])
    """

    A: FloatArray
    B: FloatArray
    Q: FloatArray
    R: FloatArray
    P: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        checks.shape((-1, -1), B=self.B)
        n, m = self.B.shape
        if self.P.size == 0:
            object.__setattr__(self, "P", np.zeros((n, n)))
        checks.shape((n, n), A=self.A, Q=self.Q, P=self.P)
        checks.shape((m, m), R=self.R)
        checks.finite(A=self.A, B=self.B, Q=self.Q, R=self.R, P=self.P)
        for name in ("Q", "R", "P"):
            cost = getattr(self, name)
            if not np.array_equal(cost, cost.T):
                raise ValueError(f"{name} must be symmetric, got {cost.tolist()}")

    @property
    def n_state(self) -> int:
        """Size of a state, X."""
        return len(self.A)

    @property
    def n_obs(self) -> int:
        """Size of an observation, that of a state."""
        return len(self.A)

    @property
    def n_act(self) -> int:
        """Size of an action, D."""
        return len(self.R)

    def observe(self, x: NDArray[Any]) -> NDArray[Any]:
        """
        Give the states themselves.

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.

        Returns
        -------
        ndarray, shape (N, X)
            The same.
        """
        return x

    def observe_back(self, x: NDArray[Any], d_obs: NDArray[Any]) -> NDArray[Any]:
        """
        Carry derivatives from observations to states: unchanged.

        Parameters
        ----------
        x, d_obs : ndarray, shape (N, X)
            States, and derivatives with respect to what is observed of them.

        Returns
        -------
        ndarray, shape (N, X)
            The derivatives.
        """
        return d_obs

    def move(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        r"""
        States after actions.

        .. math:: x' = A x + B a

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.
        a : ndarray, shape (N, D)
            Actions.

        Returns
        -------
        ndarray, shape (N, X)
            Next states.
        """
        return np.asarray(x @ self.A.T + a @ self.B.T)

    def move_back(
        self, x: NDArray[Any], a: NDArray[Any], d_next: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Carry derivatives from next states to states and actions.

        .. math:: d_x = A^\top d, \qquad d_a = B^\top d

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.
        a : ndarray, shape (N, D)
            Actions.
        d_next : ndarray, shape (N, X)
            Derivative with respect to the next states, d.

        Returns
        -------
        d_x : ndarray, shape (N, X)
            Derivative with respect to the states.
        d_a : ndarray, shape (N, D)
            Derivative with respect to the actions.
        """
        return d_next @ self.A, d_next @ self.B

    def reward(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        r"""
        Cost of states and actions, with its sign changed.

        .. math:: r = -(x^\top Q\,x + a^\top R\,a)

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.
        a : ndarray, shape (N, D)
            Actions.

        Returns
        -------
        ndarray, shape (N,)
            Rewards.
        """
        return np.asarray(-((x @ self.Q) * x).sum(axis=1) - ((a @ self.R) * a).sum(axis=1))

    def reward_back(self, x: NDArray[Any], a: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivative of the reward.

        .. math:: -2 Q\,x, \qquad -2 R\,a

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.
        a : ndarray, shape (N, D)
            Actions.

        Returns
        -------
        d_x : ndarray, shape (N, X)
            With respect to the states.
        d_a : ndarray, shape (N, D)
            With respect to the actions.
        """
        return -2 * x @ self.Q, -2 * a @ self.R

    def final(self, x: NDArray[Any]) -> NDArray[Any]:
        r"""
        Cost of the last states, with its sign changed.

        .. math:: v = -x^\top P_f\,x

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.

        Returns
        -------
        ndarray, shape (N,)
            What they are worth.
        """
        return np.asarray(-((x @ self.P) * x).sum(axis=1))

    def final_back(self, x: NDArray[Any]) -> NDArray[Any]:
        r"""
        Derivative of what the last states are worth.

        .. math:: -2 P_f\,x

        Parameters
        ----------
        x : ndarray, shape (N, X)
            States.

        Returns
        -------
        ndarray, shape (N, X)
            Derivative.
        """
        return np.asarray(-2 * x @ self.P)
