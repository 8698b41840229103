"""Vector environments whose step is one compiled call."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numba import config, typeof, types
from numpy.typing import ArrayLike, NDArray

from npvpg import checks
from npvpg.envs.generators import Generators, Seeds
from npvpg.kernels.compiler import Pointer
from npvpg.kernels.physics import NEVER

Step = tuple[
    NDArray[Any], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]
NO_LIMIT = 2**62


class CompiledVectorEnv(VectorEnv[NDArray[Any], NDArray[Any], NDArray[Any]]):
    """
    N sub-environments held in a few arrays and advanced by one compiled call.

    It behaves as a `gymnasium.vector.SyncVectorEnv` without autoreset: `step` returns the true
    last observation of an episode, and a finished sub-environment must be reset by
    ``reset(options={"reset_mask": mask})`` before the next step. Sub-environment i draws its
    initial states from a generator of its own, the one that ``reset(seed=...)`` gives to the
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
        Disabled is the only one there is.

    Raises
    ------
    ValueError
        If a number is out of range, a space is of another kind, or autoreset is asked for.
    """

    single_action_space: Box | Discrete
    reset_kernel: Callable[..., None]
    """Compiled loop that starts episodes, as in `npvpg.kernels.physics`."""
    step_kernel: Callable[..., int]
    """Compiled loop that takes a step."""
    resets_by_hand: ClassVar[bool] = False
    """Whether a reset takes more than `reset_kernel`."""

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
        if AutoresetMode(autoreset_mode) is not AutoresetMode.DISABLED:
            raise ValueError(
                f"autoreset_mode must be AutoresetMode.DISABLED, got {autoreset_mode}: reset the "
                'finished sub-environments by reset(options={"reset_mask": mask})'
            )
        checks.at_least(1, num_envs=num_envs, state_size=state_size)
        if max_episode_steps != -1:
            checks.at_least(1, max_episode_steps=max_episode_steps)
        if not (isinstance(observation_space, Box) and len(observation_space.shape) == 1):
            raise ValueError(f"observation_space must be a Box (O,), got {observation_space}")
        discrete = isinstance(action_space, Discrete)
        if not discrete and not (isinstance(action_space, Box) and len(action_space.shape) == 1):
            raise ValueError(f"action_space must be Discrete or a Box (D,), got {action_space}")
        self.num_envs = num_envs
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self._copy = copy
        self._limit = NO_LIMIT if max_episode_steps == -1 else max_episode_steps
        self._low = np.array(low, dtype=np.float64)
        self._high = np.array(high, dtype=np.float64)
        self._every = np.arange(num_envs)
        self._act_shape = (num_envs, *(action_space.shape or ()))
        self._act_types = tuple(
            np.dtype(t) for t in ((np.int64,) if discrete else (np.float64, np.float32))
        )
        self._state = np.zeros((num_envs, state_size))
        self._steps = np.full(num_envs, NEVER, dtype=np.int64)
        self._generators = Generators(num_envs)
        self._obs = np.zeros((num_envs, *observation_space.shape), dtype=observation_space.dtype)
        self._rew = np.zeros(num_envs)
        self._ends = np.zeros((2, num_envs), dtype=np.bool_)
        self._terminated, self._truncated = self._ends

    @property
    def buffers(self) -> tuple[Any, ...]:
        """What `step_kernel` takes after the actions: state, steps, limit, obs, ..., rng."""
        return (
            self._state,
            self._steps,
            self._limit,
            self._obs,
            self._rew,
            self._ends,
            self._generators.rows,
        )

    @cached_property
    def pointers(self) -> tuple[Any, Any]:
        """`step_kernel` and `reset_kernel` in a form that compiled code takes as an argument."""
        kernels: tuple[Any, Any] = self.step_kernel, self.reset_kernel
        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            return kernels
        low, _ = self.act_bounds
        sent = np.empty((self.num_envs, *low.shape), low.dtype)
        act, noise, rows, *arrays = (
            typeof(x) for x in (sent, np.empty((1, 1)), self._every, *self.buffers)
        )
        state, steps, _, obs, *_ = arrays
        signatures = types.int64(act, *arrays), types.void(noise, rows, state, steps, obs)
        step, reset = map(Pointer, kernels, signatures)
        return step, reset

    @property
    def act_bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Least and greatest action, of the type that `step_kernel` takes."""
        space = self.single_action_space
        if isinstance(space, Box):
            return space.low, space.high
        first = np.asarray(space.start, np.int64)
        return first, np.asarray(first + space.n - 1)

    @property
    def start_bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of the numbers that an episode starts from."""
        return self._low, self._high

    @property
    def observations(self) -> NDArray[Any]:
        """Observations the sub-environments are in, shape (N, O)."""
        return self._obs

    def _start(self, noise: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
        """Start episodes in `rows` from `noise`: writes state, steps and obs."""
        self.reset_kernel(noise, rows, self._state, self._steps, self._obs)

    def _bounds(
        self, options: Mapping[str, Any] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of the numbers that an episode starts from."""
        return self._low, self._high

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
            Of the sub-environments' generators: one each, or `seed`, `seed` + 1, ... for an int;
            a generator that gets none goes on.
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
        ValueError
            If there are more or fewer seeds than sub-environments, or the mask has the wrong
            shape or is empty.
        TypeError
            If the mask is not an array of bool.
        gymnasium.error.Error
            If a seed is not a non-negative int.
        """
        rows = self._every
        if options is not None and "reset_mask" in options:
            rows = self._masked(options["reset_mask"])
        low, high = self._bounds(options)
        if seed is not None:
            self._generators.seed(seed, rows)
        self._start(self._generators.uniform(low, high, rows), rows)
        return self._obs.copy() if self._copy else self._obs, {}

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
            Observations of the states reached; of the last state where an episode ended.
        rew : ndarray of float64, shape (N,)
            Rewards.
        terminated, truncated : ndarray of bool, shape (N,)
            Whether the episode ended by itself, and whether it reached the time limit.
        info : dict
            Empty.

        Raises
        ------
        AssertionError
            If a sub-environment's episode is over, as in Gymnasium.
        gymnasium.error.ResetNeeded
            If a sub-environment was never reset.
        ValueError
            If the actions have the wrong shape or type, or one is outside a discrete space.

        Notes
        -----
        An error leaves every sub-environment as it was.
        """
        if not (
            type(actions) is np.ndarray
            and actions.shape == self._act_shape
            and actions.dtype in self._act_types
            and actions.flags.carray
        ):
            actions = self._as_actions(actions)
        fault = self.step_kernel(actions, *self.buffers)
        if fault >= 0:
            self._refuse(fault, actions)
        if not self._copy:
            return self._obs, self._rew, self._terminated, self._truncated, {}
        terminated, truncated = self._ends.copy()
        return self._obs.copy(), self._rew.copy(), terminated, truncated, {}

    def get_state(self) -> dict[str, NDArray[Any]]:
        """
        Everything the next step and the next reset depend on.

        Returns
        -------
        dict of str to ndarray
            "state" (N, ...) float64; "steps" (N,) int64, negative where the episode is over;
            "obs" (N, O), the last observations; "rng" (N, 4) uint64, see `npvpg.kernels.pcg64`.
        """
        return {name: array.copy() for name, array in self._arrays().items()}

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """
        Go back to where `get_state` was called.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As `get_state` returned them.

        Raises
        ------
        ValueError
            If an array is missing, unknown, or has the wrong shape or type.
        """
        own = self._arrays()
        if set(arrays) != set(own):
            raise ValueError(f"arrays must be named {sorted(own)}, got {sorted(arrays)}")
        for name, array in own.items():
            checks.shape(array.shape, **{name: arrays[name]})
            if arrays[name].dtype != array.dtype:
                raise ValueError(f"{name} must be {array.dtype}, got {arrays[name].dtype}")
        for name, array in own.items():
            array[...] = arrays[name]
        self._generators.restore(arrays["rng"])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        rng = self._generators.rows
        return {"state": self._state, "steps": self._steps, "obs": self._obs, "rng": rng}

    def _masked(self, mask: Any) -> NDArray[np.int64]:
        """Rows that the mask selects; the same checks as Gymnasium's."""
        if not isinstance(mask, np.ndarray):
            raise TypeError(f"reset_mask must be a numpy array, got {type(mask)}")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask must have shape ({self.num_envs},), got {mask.shape}")
        if mask.dtype != np.bool_:
            raise TypeError(f"reset_mask must have dtype bool, got {mask.dtype}")
        rows = mask.nonzero()[0]
        if not rows.size:
            raise ValueError(f"reset_mask must select a sub-environment, got {mask}")
        return rows

    def _as_actions(self, actions: ArrayLike) -> NDArray[Any]:
        """Bring actions of another type or layout into the kernel's, or refuse them."""
        act = np.asarray(actions)
        kinds = "iu" if isinstance(self.single_action_space, Discrete) else "iuf"
        if act.dtype.kind not in kinds:
            rule = "integers" if kinds == "iu" else "numbers"
            raise ValueError(f"actions must be {rule}, got {act.dtype}")
        checks.shape(self._act_shape, actions=act)
        single = act.dtype == np.float32
        return np.array(act, dtype=np.float32 if single else self._act_types[0], order="C")

    def _refuse(self, fault: int, act: NDArray[Any]) -> None:
        """Say why sub-environment `fault` cannot take a step."""
        if self._steps[fault] == NEVER:
            raise ResetNeeded(f"sub-environment {fault} was never reset: call reset() first")
        if self._steps[fault] < 0:
            over = np.flatnonzero(self._steps < 0).tolist()
            raise AssertionError(f"the episodes of sub-environments {over} are over: reset them")
        raise ValueError(
            f"actions must lie in {self.single_action_space}, "
            f"got {act[fault]} for sub-environment {fault}"
        )
