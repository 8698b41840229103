"""
A Gymnasium vector environment as the collectors use it: flat observations, seeded episodes.

Every episode starts from a seed of its own, keyed by sub-environment and number of the episode, so
where a sub-environment stands follows from that seed and the actions since.
"""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.envs.base import CompiledVectorEnv
from npvpg.envs.contract import MASK, MASK_RULE, five, reset_result
from npvpg.envs.faults import EnvError, name_of, raised, shown
from npvpg.envs.processes import culprit
from npvpg.envs.serial import SerialVectorEnv
from npvpg.world import spaces
from npvpg.world.actor import Actor
from npvpg.world.engine import Engine, Played, Task
from npvpg.world.origin import Origin
from npvpg.world.player import Player
from npvpg.world.position import Position, put_back, replay
from npvpg.world.squash import BoundAction, reach
from npvpg.world.streams import SEED_BITS, Purpose, Streams

HOW_TO_BUILD = (
    "gymnasium.make_vec(id, num_envs=N, "
    'vector_kwargs={"autoreset_mode": gymnasium.vector.AutoresetMode.DISABLED}), '
    "or without vector_kwargs if it is compiled"
)


class SeededVectorEnv(Engine):
    """
    Vector environment with autoreset disabled, whose every episode is seeded.

    Nothing is shared with the environment: what it gets and what comes back is a copy.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment of N sub-environments; observations and actions in Box, Discrete,
        MultiDiscrete, MultiBinary, or Tuple or Dict of these.
    seed : int
        Seed of the run, at least 0.
    purpose : Purpose
        Stream of the episodes' seeds.
    seed_bits : int
        Length of the episodes' seeds, see `npvpg.world.streams.Streams.seeds`.
    repeat : int
        Episodes of a sub-environment, one after the other, that begin with the same seed.
    first : int
        Number of the first sub-environment in the run, if others are stepped elsewhere.

    Raises
    ------
    ValueError
        If autoreset is not disabled, a space is not supported, or `seed` is negative.

    Notes
    -----
    Gymnasium's `SyncVectorEnv` writes observations into arrays of the declared type whether they
    fit or not, and only after all have been made; its sub-environments are stepped by
    `npvpg.envs.serial.SerialVectorEnv`.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        seed: int,
        purpose: Purpose = Purpose.EPISODE,
        seed_bits: int = SEED_BITS,
        repeat: int = 1,
        first: int = 0,
    ) -> None:
        metadata = getattr(env, "metadata", None) or {}
        mode = metadata.get("autoreset_mode")
        if mode != AutoresetMode.DISABLED:
            raise ValueError(
                f"env must have autoreset disabled, got {mode}; build it by {HOW_TO_BUILD}"
            )
        spaces.check(env.single_observation_space, env.single_action_space)
        self.env = SerialVectorEnv(env.envs) if type(env) is SyncVectorEnv else env
        self.purpose, self.seed_bits = purpose, seed_bits
        self.n_envs = env.num_envs
        self.streams = Streams(seed, self.n_envs, repeat, first)
        self.origin = Origin(name_of(env), self.streams, purpose, seed_bits)
        self.obs_space, self.act_space = env.single_observation_space, env.single_action_space
        self.n_obs = gym.spaces.flatdim(self.obs_space)
        self._row_shape = (self.n_envs,)
        self._act_shape: tuple[int, ...] = (self.n_envs,)
        space = self.act_space
        self._is_plain = isinstance(space, gym.spaces.Discrete) and space.start == 0
        self._reach = reach(env)
        self._clips = np.isfinite(self._reach).any(axis=0)
        if not isinstance(space, gym.spaces.Discrete):
            self._act_shape = (self.n_envs, spaces.n_columns(self.act_space))

    def reset(self, mask: NDArray[np.bool_], episode: NDArray[np.int64]) -> NDArray[np.float64]:
        """
        Begin an episode in the sub-environments that the mask names.

        Parameters
        ----------
        mask : ndarray of bool, shape (N,)
            Which ones; at least one.
        episode : ndarray of int64, shape (N,)
            Number of the episode that each of them begins.

        Returns
        -------
        ndarray of float64, shape (N, O)
            Observations of all sub-environments; those outside the mask are unchanged.

        Raises
        ------
        EnvError
            If a sub-environment fails, or an observation does not fit its space or is not finite.
        """
        rows = np.flatnonzero(mask)
        seeds: list[int | None] = [None] * self.n_envs
        derived = self.streams.seeds(self.purpose, rows, episode[rows], self.seed_bits)
        for i, seed in zip(rows.tolist(), derived.tolist(), strict=True):
            seeds[i] = seed
        self.origin.begin(rows, episode[rows])
        try:
            given: Any = {"seed": seeds, "options": {"reset_mask": mask.copy()}}
            returned = self.env.reset(**given)
            obs = reset_result(returned)
        except (Exception, SystemExit) as error:
            raise self._told(error, "reset") from error
        if MASK in returned[1]:
            warnings.warn(f"{name_of(self.env)}: {MASK_RULE}", RuntimeWarning, stacklevel=2)
        return self._flat(obs)

    @property
    def held(self) -> CompiledVectorEnv | None:
        """The environment itself, if it is held in arrays."""
        env = self.env.env if isinstance(self.env, BoundAction) else self.env
        return env if isinstance(env, CompiledVectorEnv) else None

    @override
    def play(self, actor: Actor, position: Position, task: Task) -> Played:
        player = Player(self, actor, task.purpose, task.iteration)
        if task.n_steps:
            player.begin(position.episode, position.obs)
            record, _ = player.play(task.n_steps)
        else:
            player.begin(position.episode)
            record = player.whole(task.n_episodes)
        held = self.held
        return Played(record, player.episode, player.current, held.get_state() if held else {})

    @override
    def return_to(self, position: Position) -> None:
        if position.obs.size and not put_back(self, position):
            replay(self, position)

    def clipped(self, act: NDArray[Any]) -> float | None:
        """
        Give the share of what was chosen for bounded Boxes that lay outside, and was clipped.

        Parameters
        ----------
        act : ndarray, shape (S,) or (S, D)
            Actions as they were sampled.

        Returns
        -------
        float or None
            From 0 to 1; None if nothing is ever clipped.
        """
        if not self._clips.any():
            return None
        low, high = (bound[self._clips] for bound in self._reach)
        chosen = act[:, self._clips]
        return float(((chosen < low) | (chosen > high)).mean())

    def step(
        self, act: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """
        Take one action in every sub-environment.

        Parameters
        ----------
        act : ndarray of int64, shape (N,), or of float, shape (N, D)
            Actions as they were sampled, (N,) for Discrete alone; `npvpg.world.spaces.unflatten`
            makes of them what the environment gets.

        Returns
        -------
        obs : ndarray of float64, shape (N, O)
            Observations; the true final one where an episode ended.
        rew : ndarray of float64, shape (N,)
            Rewards [reward].
        terminated, truncated : ndarray of bool, shape (N,)
            Whether the episode ended for good, or was cut.

        Raises
        ------
        ValueError
            If `act` has the wrong shape.
        EnvError
            If a sub-environment fails, or what it returns is of another kind or not finite; the
            sub-environment, the step and the seed of its episode are named.
        """
        if act.shape != self._act_shape:
            checks.shape(self._act_shape, act=act)
        self.origin.n_stepped += 1
        # by far the most common actions need nothing done to them
        plain = self._is_plain and act.dtype == np.int64
        to_env = act.copy() if plain else spaces.unflatten(self.act_space, act)
        try:
            obs, rew, terminated, truncated, _ = five(self.env.step(to_env))
        except (Exception, SystemExit) as error:
            raise self._told(error, "step") from error
        rew = self._row("reward", rew, "biuf", np.float64)
        terminated = self._row("terminated", terminated, "b", np.bool_)
        truncated = self._row("truncated", truncated, "b", np.bool_)
        self.origin.check("reward", rew)
        return self._flat(obs), rew, terminated, truncated

    def _row(self, name: str, given: Any, kinds: str, kind: type[Any]) -> NDArray[Any]:
        """Copy what must be one number or bool of each sub-environment."""
        if type(given) is np.ndarray and given.dtype == kind and given.shape == self._row_shape:
            return given.copy()
        try:
            row = np.array(given)
        except ValueError:  # of different lengths
            row = np.empty(0, object)
        if row.shape != self._row_shape or row.dtype.kind not in kinds:
            what = "one bool" if kinds == "b" else "one real number"
            got = f"shape {row.shape} of {row.dtype}" if row.dtype != object else shown(given)
            told = f"{name} must hold {what} for each sub-environment, got {got}"
            raise EnvError(told, when=self.origin.when(None))
        return row if row.dtype == kind else row.astype(kind)

    def _flat(self, obs: Any) -> NDArray[np.float64]:
        try:
            flat = spaces.flatten(self.obs_space, obs, self.n_envs)
        except EnvError as fault:
            raise self._told(fault, "step") from None
        self.origin.check("observation", flat)
        return flat

    def _told(self, error: BaseException, method: str) -> EnvError:
        """Name the sub-environment, the step and the seed behind an exception."""
        fault = raised(error, method)
        if fault.index is None:
            fault = culprit(self.env.unwrapped, fault)
        return fault.placed(None, self.origin.when(fault.index))
