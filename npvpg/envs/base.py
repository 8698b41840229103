"""Vector environments whose step is one compiled call."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.envs import arguments
from npvpg.envs.arrays import Arrays
from npvpg.envs.generators import Seeds
from npvpg.envs.played import Bounds, PlayedVectorEnv
from npvpg.kernels.physics import ENDED

Flags = NDArray[np.bool_]
Step = tuple[NDArray[Any], NDArray[np.float64], Flags, Flags, dict[str, Any]]
NO_LIMIT = 2**62


class CompiledVectorEnv(PlayedVectorEnv):
    """
    N sub-environments held in a few arrays and advanced by one compiled call.

    It behaves as a `gymnasium.vector.SyncVectorEnv` of the same autoreset mode. Without autoreset
    `step` returns the true last observation of an episode, and a finished sub-environment must be
    reset by ``reset(options={"reset_mask": mask})`` before the next step. Sub-environment i draws
    its initial states from a generator of its own, the one that ``reset(seed=...)`` gives to the
    Gymnasium environment.

    Parameters
    ----------
    num_envs : int
        Number of sub-environments, N.
    observation_space : Box
        Observations of one sub-environment, of shape (O,).
    action_space : Discrete or Box
        Actions of one sub-environment; a Box has shape (D,).
    state_size : int
        Numbers that make up the state of one sub-environment.
    low, high : array_like, shape (M,)
        An episode starts from M numbers that are uniform between these bounds.
    max_episode_steps : int
        Steps after which an episode is truncated; -1 for never [steps].
    copy : bool
        True: `reset` and `step` return arrays that belong to the caller. False: they return the
        environment's own, which the next call overwrites; a microsecond cheaper.
    autoreset_mode : AutoresetMode or str
        What happens at the end of an episode: nothing, a reset in the next step, or in the same.

    Raises
    ------
    ValueError
        If a number is out of range, a space is of another kind, or there is no such mode.
    """

    def __init__(
        self,
        num_envs: int,
        *,
        observation_space: Box,
        action_space: Box | Discrete,
        state_size: int,
        low: ArrayLike,
        high: ArrayLike,
        max_episode_steps: int,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED,
    ) -> None:
        checks.at_least(1, num_envs=num_envs, state_size=state_size)
        if max_episode_steps != -1:
            checks.at_least(1, max_episode_steps=max_episode_steps)
        if not (isinstance(observation_space, Box) and len(observation_space.shape) == 1):
            raise ValueError(f"observation_space must be a Box (O,), got {observation_space}")
        discrete = isinstance(action_space, Discrete)
        if not discrete and not (isinstance(action_space, Box) and len(action_space.shape) == 1):
            raise ValueError(f"action_space must be Discrete or a Box (D,), got {action_space}")
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self._copy = copy
        self._low = np.array(low, dtype=np.float64)
        self._high = np.array(high, dtype=np.float64)
        self._every = np.arange(num_envs)
        self._act_shape = (num_envs, *(action_space.shape or ()))
        types = (np.int64,) if discrete else (np.float64, np.float32)
        self._act_types = tuple(np.dtype(each) for each in types)
        obs = np.zeros((num_envs, *observation_space.shape), dtype=observation_space.dtype)
        limit = NO_LIMIT if max_episode_steps == -1 else max_episode_steps
        self._arrays = Arrays(num_envs, state_size, obs, limit)

    def _start(self, noise: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
        """Start episodes in `rows` from `noise`: writes state, steps and obs."""
        arrays = self._arrays
        self.reset_kernel(noise, rows, arrays.state, arrays.steps, arrays.obs, *arrays.more)

    def _bounds(self, options: Mapping[str, Any] | None) -> Bounds:
        """Those bounds, with a reset's options."""
        return self.start_bounds

    @override
    def reset(
        self,
        *,
        seed: Seeds | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """
        Start episodes.

        Parameters
        ----------
        seed : int, sequence of int or None, or ndarray of uint64, shape (N,), optional
            One for each generator, or `seed` + i; a generator that gets none goes on.
        options : dict, optional
            "reset_mask", an ndarray of bool, shape (N,): which sub-environments to reset; all of
            them without it. What else there is goes to the environment. It is left as it is.

        Returns
        -------
        obs : ndarray, shape (N, O)
            Observations, the last ones where nothing was reset.
        info : dict
            Empty.

        Raises
        ------
        ValueError, TypeError, gymnasium.error.Error
            Where Gymnasium raises the same: a number of seeds, a seed or a mask that is none.
        """
        rows = self._every
        if options is not None and "reset_mask" in options:
            rows = arguments.rows(options["reset_mask"], self.num_envs)
        low, high = self._bounds(options)
        if seed is not None:
            self._arrays.generators.seed(seed, rows)
        self._start(self._arrays.generators.uniform(low, high, rows), rows)
        return self._arrays.obs.copy() if self._copy else self._arrays.obs, {}

    @override
    def step(self, actions: ArrayLike) -> Step:
        """
        Take one step in every sub-environment.

        Parameters
        ----------
        actions : array_like of int, shape (N,), or of float, shape (N, D)
            Actions; float32 and float64 are taken as they are, and the physics keeps to that
            precision where Gymnasium's does.

        Returns
        -------
        obs : ndarray, shape (N, O)
            Observations of the states reached, or of the first state of the next episode.
        rew : ndarray of float64, shape (N,)
            Rewards.
        terminated, truncated : ndarray of bool, shape (N,)
            Whether the episode ended by itself, and whether it reached the time limit.
        info : dict
            "final_obs" and "final_info" where an episode ended and the next began, else empty.

        Raises
        ------
        AssertionError, gymnasium.error.ResetNeeded
            If an episode is over that nothing resets, or none ever began, as in Gymnasium.
        ValueError
            If the actions have the wrong shape or type, or one is outside a discrete space. No
            error moves any sub-environment.
        """
        if not (
            type(actions) is np.ndarray
            and actions.shape == self._act_shape
            and actions.dtype in self._act_types
            and actions.flags.carray
        ):
            discrete = isinstance(self.single_action_space, Discrete)
            actions = arguments.actions(actions, self._act_shape, discrete=discrete)
        info: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and (self._arrays.steps == ENDED).any():
            self._step_or_start(actions)
        else:
            fault = self._arrays.step(self.step_kernel, actions)
            if fault >= 0:
                raise self._refusal(fault, actions)
            if self.autoreset_mode is AutoresetMode.SAME_STEP:
                info = self._start_again()
        obs, rew, ends = self._arrays.obs, self._arrays.rew, self._arrays.ends
        if self._copy:
            obs, rew, ends = obs.copy(), rew.copy(), ends.copy()
        return obs, rew, ends[0], ends[1], info

    def _step_or_start(self, act: NDArray[Any]) -> None:
        """Take a step where no episode is over, and start the next one where one is."""
        over = self._arrays.steps == ENDED
        rows = np.flatnonzero(~over)
        fault = self._arrays.step_rows(self.step_kernel, act[rows], rows)
        if fault >= 0:
            raise self._refusal(int(rows[fault]), act)
        self._arrays.rew[over], self._arrays.ends[:, over] = 0.0, False
        self._begin(over.nonzero()[0])

    def _start_again(self) -> dict[str, Any]:
        """Start the next episode where one has just ended, and tell how that one ended."""
        over = np.flatnonzero(self._arrays.steps == ENDED)
        info: dict[str, Any] = {}
        for i in over.tolist():
            last = {"final_obs": self._arrays.obs[i].copy(), "final_info": {}}
            info = self._add_info(info, last, i)
        if over.size:
            self._begin(over)
        return info

    def _refusal(self, fault: int, act: NDArray[Any]) -> Exception:
        return arguments.refusal(fault, act, self._arrays.steps, self.single_action_space)

    def _begin(self, rows: NDArray[np.int64]) -> None:
        """Start episodes as without a seed and options."""
        self._start(self._arrays.generators.uniform(*self.start_bounds, rows), rows)

    @override
    def attribute(self, i: int, name: str) -> Any:
        own: dict[str, Any] = {
            "observation_space": self.single_observation_space,
            "action_space": self.single_action_space,
            "render_mode": self.render_mode,
            "state": self._arrays.state[i].copy(),
        }
        if name not in own:
            raise AttributeError(f"sub-environments of {self} have no {name} of their own")
        return own[name]

    def get_state(self) -> dict[str, NDArray[Any]]:
        """
        Everything the next step and the next reset depend on.

        Returns
        -------
        dict of str to ndarray
            "state" (N, ...) float64; "steps" (N,) int64, negative where the episode is over;
            "obs" (N, O), the last observations; "rng" (N, 4) uint64, see `npvpg.kernels.pcg64`.
        """
        return {name: array.copy() for name, array in self._arrays.kept.items()}

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """
        Go back to where `get_state` was called.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As `get_state` returned them; a ValueError if they could not be.
        """
        self._arrays.restore(arrays)
