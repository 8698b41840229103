"""Gymnasium's own environments side by side, at little cost beyond their steps."""

import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from numpy.typing import NDArray

from npvpg.envs.contract import declared, kept, reset_result, step_result
from npvpg.envs.faults import EnvError, raised, shown
from npvpg.envs.fitting import LEAVES, fitted

Ends = NDArray[np.bool_]
Env = gym.Env[Any, Any]


class SerialVectorEnv(VectorEnv[Any, Any, Any]):
    """
    Environments that are stepped one after the other, and reset when the caller says so.

    Parameters
    ----------
    make : callable or sequence of gymnasium.Env
        Makes one environment; or all of them.
    num_envs : int, optional
        Number of sub-environments, N, where they are to be made.

    Raises
    ------
    EnvError
        If an environment declares no spaces, or others than the first.

    Notes
    -----
    It behaves as a `gymnasium.vector.SyncVectorEnv` without autoreset, but that infos are dropped,
    and that every environment is held to what it declared, see `npvpg.envs.contract`. What goes in
    or comes out is a copy.

    Examples
    --------
    >>> envs = SerialVectorEnv(lambda: gym.make("CartPole-v1"), 2)
    >>> obs, _ = envs.reset(seed=[3, 4])
    >>> obs, rew, terminated, truncated, _ = envs.step(np.array([0, 1]))
    >>> obs.shape, rew
    ((2, 4), array([1., 1.]))
    >>> envs.close()
    """

    def __init__(self, make: Callable[[], Env] | Sequence[Env], num_envs: int = 1) -> None:
        self.envs = [make() for _ in range(num_envs)] if callable(make) else list(make)
        first = self.envs[0]
        self.num_envs = len(self.envs)
        self.single_observation_space, self.single_action_space = _agreed(self.envs)
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.render_mode = first.render_mode
        self.spec = first.spec
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        empty = create_empty_array(self.single_observation_space, self.num_envs, np.zeros)
        self._rows: list[Any] = [None] * self.num_envs
        self._is_leaf = isinstance(self.single_observation_space, LEAVES)
        self._shape = self.single_observation_space.shape
        is_box = isinstance(self.single_observation_space, spaces.Box)
        self._box_type = self.single_observation_space.dtype if is_box else np.dtype("V1")
        self._obs: Any = empty

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """
        Begin episodes.

        Parameters
        ----------
        seed : int, sequence of int or None, or None
            Seed of each sub-environment; one number stands for itself and those that follow.
        options : dict, optional
            Under ``reset_mask``, which sub-environments to reset, (N,) of bool; by default all.
            The rest is handed on, None if there is nothing else.

        Returns
        -------
        obs : object
            Observations in the batched space.
        infos : dict
            What `npvpg.envs.contract.kept` leaves of theirs.

        Raises
        ------
        EnvError
            If a sub-environment fails, or returns what it must not.
        """
        rest = dict(options or {})
        mask = rest.pop("reset_mask", np.ones(self.num_envs, bool))
        if seed is None or isinstance(seed, int):
            seed = [None if seed is None else seed + i for i in range(self.num_envs)]
        i, infos = 0, dict[str, Any]()
        try:
            for i in np.flatnonzero(mask).tolist():
                returned = self.envs[i].reset(seed=seed[i], options=deepcopy(rest) or None)
                self._keep(i, reset_result(returned))
                infos |= kept(returned[1])
        except (Exception, SystemExit) as error:
            fault = raised(error, "reset")
            raise fault.placed(i, "at reset") from fault.__cause__
        return self._gathered(), infos

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

        Raises
        ------
        ValueError
            If there are more or fewer actions than sub-environments.
        EnvError
            If a sub-environment fails, or returns what it must not.
        """
        if not isinstance(actions, np.ndarray):
            actions = list(iterate(self.action_space, deepcopy(actions)))
        elif actions.ndim > 1:
            actions = actions.copy()  # numbers need none
        n = self.num_envs
        if len(actions) != n:
            raise ValueError(f"actions must be {n}, one a sub-environment, got {len(actions)}")
        rew, terminated, truncated = np.empty(n), np.empty(n, bool), np.empty(n, bool)
        i = 0
        try:
            for i, env in enumerate(self.envs):
                obs, rew[i], terminated[i], truncated[i] = step_result(env.step(actions[i]))
                self._keep(i, obs)
        except (Exception, SystemExit) as error:
            fault = raised(error, "step")
            raise fault.placed(i, "at step") from fault.__cause__
        return self._gathered(), rew, terminated, truncated, {}

    def render(self) -> tuple[Any, ...]:
        """
        Draw every sub-environment.

        Returns
        -------
        tuple
            What each of them draws.
        """
        return tuple(env.render() for env in self.envs)

    def close_extras(self, **kwargs: Any) -> None:
        """Close every sub-environment; one that fails at it spoils nothing that was done before."""
        for i, env in enumerate(self.envs):
            close(env, i)

    def _keep(self, i: int, obs: Any) -> None:
        """Copy an observation at once: the environment may write into it soon."""
        if type(obs) is np.ndarray and obs.dtype == self._box_type and obs.shape == self._shape:
            self._obs[i] = obs
        elif self._is_leaf:
            self._obs[i] = fitted(self.single_observation_space, obs)
        else:
            self._rows[i] = fitted(self.single_observation_space, obs)

    def _gathered(self) -> Any:
        """Give the last observations of all, as the caller's own."""
        if self._is_leaf:
            return self._obs.copy()
        if any(row is None for row in self._rows):
            raise ResetNeeded("every sub-environment must be reset before some of them are")
        space = self.single_observation_space
        empty: Any = create_empty_array(space, self.num_envs, np.zeros)
        return concatenate(space, self._rows, empty)


def close(env: Env | VectorEnv[Any, Any, Any], index: int | None = None) -> None:
    """
    Close an environment; if it fails at that, say so and go on.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
        The environment.
    index : int, optional
        Its number among others.

    Warns
    -----
    RuntimeWarning
        If it fails.
    """
    try:
        env.close()
    except (Exception, SystemExit) as error:
        fault = raised(error, "close").placed(index, "at close")
        warnings.warn(str(fault), RuntimeWarning, stacklevel=2)


def _agreed(envs: list[Env]) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Give the spaces that all environments declare."""
    found = []
    for i, env in enumerate(envs):
        try:
            found.append(declared(env))
        except EnvError as fault:
            raise fault.placed(i, "as it was made") from None
        for name, have, want in zip(("observation", "action"), found[i], found[0], strict=True):
            if have != want:
                raise EnvError(
                    f"{name}_space must be the same in every sub-environment, "
                    f"got {shown(want)} in the first and {shown(have)}",
                    index=i,
                )
    return found[0]
