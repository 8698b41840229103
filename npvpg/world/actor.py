"""Who chooses the actions: a policy, its parameters, and how observations are shown to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.play import choose
from npvpg.normalize import BOUND, RunningMoments
from npvpg.policy import Policy

Choose = Callable[[NDArray[Any], NDArray[np.float64]], NDArray[Any]]


@final
@dataclass(frozen=True)
class Actor:
    """
    A policy that acts.

    It has two backends, which give the same bits: NumPy, for any policy, and for those whose law
    names a compiled sampler one kernel call a step, which a compiled rollout makes as well.

    Parameters
    ----------
    policy : Policy
        Policy to act by.
    theta : ndarray, shape (P,)
        Its parameters.
    moments : RunningMoments or None
        What observations are normalised by; nothing by default.
    by_mode : bool
        Take the most probable action in place of a draw.
    """

    policy: Policy
    theta: NDArray[Any]
    moments: RunningMoments | None = None
    by_mode: bool = False

    def see(self, obs: NDArray[np.float64]) -> NDArray[Any]:
        """
        Show observations as the policy sees them.

        Parameters
        ----------
        obs : ndarray of float64, shape (S, O)
            Observations as the environment gave them.

        Returns
        -------
        ndarray, shape (S, O)
            Normalised, of the type of `theta`.
        """
        if self.moments is not None:
            obs = self.moments.normalize(obs)
        return obs.astype(self.theta.dtype, copy=False)

    def act(self, obs: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[Any]:
        """
        Choose actions, by NumPy.

        Parameters
        ----------
        obs : ndarray of float64, shape (S, O)
            Observations as the environment gave them.
        noise : ndarray of float64, shape (S,) or (S, D)
            Noise, as `npvpg.policy.Policy.noise` draws it.

        Returns
        -------
        ndarray of int64, shape (S,), or of float, shape (S, D)
            Actions.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        params = self.policy.params(self.theta, self.see(obs))
        law = self.policy.distribution
        return law.mode(params) if self.by_mode else law.sample(params, noise)

    @property
    def compiles(self) -> bool:
        """Whether the compiled backend serves: the law has a sampler, and actions are drawn."""
        return self.policy.distribution.sampler is not None and not self.by_mode

    def chooser(self, n_rows: int) -> Choose:
        """
        Give the faster backend.

        Parameters
        ----------
        n_rows : int
            Observations to act in at a time, N.

        Returns
        -------
        callable
            Takes observations (N, O) and noise, returns actions, as `act` does.
        """
        if not self.compiles:
            return self.act
        law, dtype = self.policy.distribution, self.theta.dtype
        shape, kind = (n_rows, *law.event_shape), dtype if law.event_shape else np.int64
        # what the environment gets of an action is left to its driver
        far = np.inf if law.event_shape else 0
        columns = shape[1:] or 1
        bounds = np.full(columns, -far, kind), np.full(columns, far, kind)
        units = np.zeros(columns), np.ones(columns)
        network, moments = self.network, self.linear_map
        seen = np.empty((n_rows, self.policy.n_obs), dtype)
        out, sent = np.empty((n_rows, self.policy.network.sizes[-1]), dtype), np.empty(shape, kind)

        def compiled(obs: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
            act = np.empty(shape, kind)
            choose(obs, network, moments, noise, (*bounds, *units, sent), (seen, out), act)
            return act

        return compiled

    @property
    def network(self) -> tuple[NDArray[Any], NDArray[np.int64], bool, int]:
        """Policy as the kernels take it."""
        network = self.policy.network
        theta = self.theta.copy()  # they are compiled for arrays that may be written to
        return theta, network.sizes_array, network.activation == "relu", network.size

    @property
    def linear_map(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Mean, one over the standard deviation, and bound of normalised observations."""
        n_obs = self.policy.n_obs
        if self.moments is None or self.moments.n_rows == 0:
            return np.zeros(n_obs), np.ones(n_obs), np.inf
        return self.moments.mean, self.moments.inverse_std, BOUND
