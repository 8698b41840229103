"""A batch of experience: K trajectories laid end to end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks


@dataclass(frozen=True)
class Batch:
    """
    K trajectories laid end to end: flat arrays of S steps and the offsets of the trajectories.

    ``rew[t]`` is the reward of taking ``act[t]`` in ``obs[t]``. A trajectory ends because it
    terminated, was truncated or the collector stopped; the last two are one case, in which the
    value of ``last_obs`` stands for the rewards that were not seen.

    Parameters
    ----------
    obs : ndarray, shape (S, O)
        Observations as the policy saw them.
    act : ndarray of int64, shape (S,), or of float, shape (S, D)
        Actions as they were sampled, before any clipping.
    rew : ndarray of float64, shape (S,)
        Rewards [reward].
    start : ndarray of int64, shape (K + 1,)
        Trajectory k is ``start[k]:start[k + 1]`` [steps].
    last_obs : ndarray, shape (K, O)
        The observation each trajectory stopped in.
    terminated : ndarray of bool, shape (K,)
        Whether the environment ended the trajectory for good.

    Raises
    ------
    ValueError
        If the shapes disagree, `start` is no list of offsets, or `rew` or `obs` is not finite.

    Examples
    --------
    >>> batch = Batch(np.zeros((3, 1)), np.zeros(3, int), np.ones(3), np.array([0, 1, 3]),
    ...               np.zeros((2, 1)), np.array([True, False]))
    >>> batch.n_steps, batch.n_trajectories, batch.lengths
    (3, 2, array([1, 2]))
    """

    obs: NDArray[Any]
    act: NDArray[Any]
    rew: NDArray[np.float64]
    start: NDArray[np.int64]
    last_obs: NDArray[Any]
    terminated: NDArray[np.bool_]

    def __post_init__(self) -> None:
        checks.shape((-1, -1), obs=self.obs)
        n_steps, n_obs = self.obs.shape
        checks.shape((n_steps,), rew=self.rew)
        checks.shape((n_steps, -1)[: max(self.act.ndim, 1)], act=self.act)
        checks.offsets(self.start, n_steps)
        checks.shape((self.n_trajectories, n_obs), last_obs=self.last_obs)
        checks.shape((self.n_trajectories,), terminated=self.terminated)
        if self.terminated.dtype != np.bool_:
            raise ValueError(f"terminated must be of dtype bool, got {self.terminated.dtype}")
        checks.finite(rew=self.rew, obs=self.obs)
        for name in ("obs", "act", "rew", "start", "last_obs", "terminated"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def n_steps(self) -> int:
        """Number of steps, S."""
        return len(self.rew)

    @property
    def n_trajectories(self) -> int:
        """Number of trajectories, K."""
        return len(self.start) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of every trajectory, shape (K,) [steps]."""
        return np.diff(self.start)
