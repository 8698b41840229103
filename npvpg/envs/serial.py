"""Gymnasium's own environments side by side, at little cost beyond their steps."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from numpy.typing import NDArray

Ends = NDArray[np.bool_]


class SerialVectorEnv(VectorEnv[Any, Any, Any]):
    """
    Environments that are stepped one after the other, and reset when the caller says so.

    Parameters
    ----------
    make : callable
        Makes one environment.
    num_envs : int
        Number of sub-environments, N.

    Notes
    -----
    It behaves as a `gymnasium.vector.SyncVectorEnv` without autoreset, with two differences: infos
    are dropped, and what it returns are its own buffers, which the next call overwrites. That
    saves time where a step costs little.

    Examples
    --------
    >>> envs = SerialVectorEnv(lambda: gym.make("CartPole-v1"), 2)
    >>> obs, _ = envs.reset(seed=[3, 4])
    >>> obs, rew, terminated, truncated, _ = envs.step(np.array([0, 1]))
    >>> obs.shape, rew
    ((2, 4), array([1., 1.]))
    >>> envs.close()
    """

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], num_envs: int) -> None:
        self.envs = [make() for _ in range(num_envs)]
        first = self.envs[0]
        self.num_envs = num_envs
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._env_obs: list[Any] = [None] * num_envs
        self._obs: Any = create_empty_array(self.single_observation_space, num_envs, np.zeros)
        self._rew = np.zeros(num_envs)
        self._terminated, self._truncated = np.zeros((2, num_envs), bool)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """
        Begin episodes.

        Parameters
        ----------
        seed : int, list of int or None, or None
            Seed of each sub-environment; one number stands for itself and those that follow.
        options : dict, optional
            Under ``reset_mask``, which sub-environments to reset, (N,) of bool; by default all.
            The rest is handed on.

        Returns
        -------
        obs : object
            Observations in the batched space.
        infos : dict
            Nothing.
        """
        rest = dict(options or {})
        mask = rest.pop("reset_mask", np.ones(self.num_envs, bool))
        if seed is None or isinstance(seed, int):
            seed = [None if seed is None else seed + i for i in range(self.num_envs)]
        for i in np.flatnonzero(mask).tolist():
            self._env_obs[i], _ = self.envs[i].reset(seed=seed[i], options=rest)
        return self._gathered(), {}

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Ends, Ends, dict[str, Any]]:
        """
        Take one action in every sub-environment.

        Parameters
        ----------
        actions : object
            Actions in the batched space.

        Returns
        -------
        obs : object
            Observations in the batched space; the true final one where an episode ended.
        rew : ndarray of float64, shape (N,)
            Rewards [reward].
        terminated, truncated : ndarray of bool, shape (N,)
            Whether the episode ended for good, or was cut.
        infos : dict
            Nothing.
        """
        array = isinstance(actions, np.ndarray)
        each = actions if array else iterate(self.action_space, actions)
        for i, (env, action) in enumerate(zip(self.envs, each, strict=True)):
            (
                self._env_obs[i],
                self._rew[i],
                self._terminated[i],
                self._truncated[i],
                _,
            ) = env.step(action)
        return self._gathered(), self._rew, self._terminated, self._truncated, {}

    def close_extras(self, **kwargs: Any) -> None:
        """Close every sub-environment."""
        for env in self.envs:
            env.close()

    def _gathered(self) -> Any:
        """Copy the observations into the buffer."""
        space = self.single_observation_space
        if not isinstance(space, Box):
            self._obs = concatenate(space, self._env_obs, self._obs)
            return self._obs
        for i, obs in enumerate(self._env_obs):
            if np.shape(obs) != space.shape:
                raise ValueError(f"observation must have shape {space.shape}, got {np.shape(obs)}")
            self._obs[i] = obs
        return self._obs
