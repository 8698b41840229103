"""
A Gymnasium vector environment as the collectors use it: flat observations, seeded episodes.

Every episode starts from a seed of its own, keyed by sub-environment and number of the episode.
So where a sub-environment stands follows from that seed and the actions since: a run can be taken
up again in mid-episode by replaying them, with any environment and nothing pickled.
"""

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from npvpg import checks
from npvpg.kernels import pcg64
from npvpg.world import spaces
from npvpg.world.streams import Purpose, entropy_words

HOW_TO_BUILD = (
    "gymnasium.make_vec(id, num_envs=N, "
    'vector_kwargs={"autoreset_mode": gymnasium.vector.AutoresetMode.DISABLED})'
)


class SeededVectorEnv:
    """
    Vector environment with autoreset disabled, whose every episode is seeded.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment of N sub-environments; observations and actions in Box, Discrete,
        MultiDiscrete, MultiBinary, or Tuple or Dict of these.
    seed : int
        Seed of the run, at least 0.
    purpose : Purpose
        Stream of the episodes' seeds.

    Raises
    ------
    ValueError
        If autoreset is not disabled, a space is not supported, or `seed` is negative.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], seed: int, purpose: Purpose = Purpose.EPISODE
    ) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.DISABLED:
            raise ValueError(
                f"env must have autoreset disabled, got {mode}; build it by {HOW_TO_BUILD}"
            )
        obs_space, act_space = env.single_observation_space, env.single_action_space
        for name, space in (("observations", obs_space), ("actions", act_space)):
            if not spaces.is_supported(space):
                raise ValueError(f"{name} must lie in {spaces.SUPPORTED}, got {space}")
        checks.at_least(0, seed=seed)
        self.env = env
        self.seed = seed
        self.purpose = purpose
        self._entropy = entropy_words(seed)
        self.n_envs = env.num_envs
        self._generators: list[np.random.Generator] = []
        self.n_obs = gym.spaces.flatdim(obs_space)
        self.obs_space, self.act_space = obs_space, act_space
        if isinstance(act_space, gym.spaces.Discrete):
            self._act_shape: tuple[int, ...] = (self.n_envs,)
            # by far the most common actions need nothing done to them
            self._as_it_is = act_space == gym.spaces.Discrete(act_space.n)
        else:
            self._act_shape = (self.n_envs, spaces.n_columns(act_space))
            self._as_it_is = False
        self._n_stepped = 0

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
        ValueError
            If an observation has the wrong shape or is not finite.
        """
        rows = np.flatnonzero(mask)
        seeds: Any = [None] * self.n_envs
        derived = pcg64.child_seeds(self._entropy, int(self.purpose), rows, episode[rows])
        for i, seed in zip(rows.tolist(), derived.tolist(), strict=True):
            seeds[i] = seed
        try:
            obs, _ = self.env.reset(seed=seeds, options={"reset_mask": mask.copy()})
        except (ValueError, KeyError) as error:  # a Dict may lack a key
            raise self._explained(error) from error
        return self._flat(obs)

    def step(
        self, act: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """
        Take one action in every sub-environment.

        Parameters
        ----------
        act : ndarray of int64, shape (N,), or of float, shape (N, D)
            Actions as they were sampled, (N,) for Discrete alone: for a Box they are clipped here
            and nowhere else, whole numbers count from 0.

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
            If `act` or what the environment returns has the wrong shape, or an observation or
            a reward is not finite; the sub-environment and the step are named.
        """
        self._n_stepped += 1
        to_env = self._to_env(act)
        try:
            obs, rew, terminated, truncated, _ = self.env.step(to_env)
        except (ValueError, KeyError) as error:  # a Dict may lack a key
            raise self._explained(error) from error
        rew = np.array(rew, np.float64)  # copies: the environment may reuse its buffers
        terminated, truncated = np.array(terminated, bool), np.array(truncated, bool)
        if not rew.shape == terminated.shape == truncated.shape == (self.n_envs,):
            checks.shape((self.n_envs,), reward=rew, terminated=terminated, truncated=truncated)
        self._require_finite("reward", rew)
        return self._flat(obs), rew, terminated, truncated

    def states(self, purpose: Purpose, iteration: int) -> NDArray[np.uint64]:
        """
        Open one stream of noise for each sub-environment, for `npvpg.kernels.pcg64`.

        Parameters
        ----------
        purpose : Purpose
            What the noise is for.
        iteration : int
            Second part of the key; the third is the number of the sub-environment.

        Returns
        -------
        ndarray of uint64, shape (N, 4)
            The generators that `generators` gives as objects of NumPy.
        """
        return np.asarray(pcg64.child_states(self._entropy, int(purpose), iteration, self.n_envs))

    def generators(self, purpose: Purpose, iteration: int) -> list[np.random.Generator]:
        """
        Open one stream of noise for each sub-environment.

        Parameters
        ----------
        purpose : Purpose
            What the noise is for.
        iteration : int
            Second part of the key; the third is the number of the sub-environment.

        Returns
        -------
        list of numpy.random.Generator
            What `npvpg.world.streams.generator` opens, faster; the same objects in every call.
        """
        if not self._generators:
            self._generators = [np.random.Generator(np.random.PCG64(0)) for _ in range(self.n_envs)]
        states = self.states(purpose, iteration)
        for rng, row in zip(self._generators, states.tolist(), strict=True):
            rng.bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": row[0] << 64 | row[1], "inc": row[2] << 64 | row[3]},
                "has_uint32": 0,
                "uinteger": 0,
            }
        return self._generators

    @property
    def key(self) -> tuple[NDArray[np.uint64], int]:
        """What keys the seeds of the episodes: the words of the run's seed, and the purpose."""
        return self._entropy, int(self.purpose)

    def arrive(
        self,
        rew: NDArray[np.float64],
        obs: NDArray[np.float64],
        done: NDArray[np.bool_],
        next_obs: NDArray[np.float64],
        current: NDArray[Any],
    ) -> NDArray[np.float64]:
        """
        Take note of steps that compiled code took in the environment itself.

        Parameters
        ----------
        rew : ndarray of float64, shape (N, T)
            Their rewards.
        obs : ndarray of float64, shape (N, T, O)
            Observations before every step.
        done : ndarray of bool, shape (N, T)
            Whether the step ended its episode.
        next_obs : ndarray of float64, shape (N, T, O)
            The observation after it, if so.
        current : ndarray, shape (N, O)
            Observations after the last step.

        Returns
        -------
        ndarray of float64, shape (N, O)
            The last ones.

        Raises
        ------
        ValueError
            If one of them is not finite; the sub-environment and the step are named.
        """
        # One sum says whether a look at every step is worth it.
        if all(math.isfinite(np.vdot(x, x)) for x in (rew, obs, next_obs[done])):
            self._n_stepped += rew.shape[1]
        else:
            for t in range(rew.shape[1]):
                self._require_finite("observation", obs[:, t])
                self._n_stepped += 1
                self._require_finite("reward", rew[:, t])
                ended = done[:, t, np.newaxis]
                self._require_finite("observation", np.where(ended, next_obs[:, t], 0.0))
        return self._flat(current)

    def replay(
        self,
        episode: NDArray[np.int64],
        length: NDArray[np.int64],
        history: NDArray[Any],
        obs: NDArray[np.float64],
    ) -> None:
        """
        Bring every sub-environment to where it stood: `length` steps into an episode.

        Parameters
        ----------
        episode : ndarray of int64, shape (N,)
            Number of the episode.
        length : ndarray of int64, shape (N,)
            Steps since it began.
        history : ndarray, shape (N, H) or (N, H, D)
            Last actions of every sub-environment, H at least the greatest length.
        obs : ndarray of float64, shape (N, O)
            Observations to arrive at.

        Raises
        ------
        ValueError
            If an observation differs: then the environment does not follow from its seed.
        """
        longest = int(length.max(initial=0))
        # Whoever begins later plays old actions meanwhile: all must be stepped together.
        mask = np.ones(self.n_envs, bool)
        for t in range(longest):
            mask |= length == longest - t
            if mask.any():
                self.reset(mask, episode)
            _, _, terminated, truncated = self.step(history[:, history.shape[1] - longest + t])
            mask = terminated | truncated
        mask = length == 0
        arrived = self.reset(mask, episode) if mask.any() else self._last_obs
        if not np.array_equal(arrived, obs):
            i = int(np.argmax((arrived != obs).any(axis=1)))
            raise ValueError(
                f"env must follow from its seed to be resumed, but sub-environment {i} is not "
                f"where it was after {length[i]} steps of the same actions"
            )

    def _to_env(self, act: NDArray[Any]) -> Any:
        if act.shape != self._act_shape:
            checks.shape(self._act_shape, act=act)
        if self._as_it_is and act.dtype == np.int64:
            return act.copy()
        return spaces.unflatten(self.act_space, act)

    def _flat(self, obs: Any) -> NDArray[np.float64]:
        try:
            flat = spaces.flatten(self.obs_space, obs, self.n_envs)
        except ValueError as error:
            raise ValueError(f"{error} at step {self._n_stepped}") from None
        self._require_finite("observation", flat)
        self._last_obs = flat
        return flat

    def _require_finite(self, name: str, x: NDArray[np.float64]) -> None:
        # Cheaper than a look at every entry, which then follows; unlike a sum it does not warn.
        flat = x.ravel()
        if math.isfinite(np.vdot(flat, flat)):
            return
        bad = ~np.isfinite(x).reshape(self.n_envs, -1).all(axis=1)
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"{name} must be finite, got {x[i]} from sub-environment {i} "
                f"at step {self._n_stepped}"
            )

    def _explained(self, error: ValueError | KeyError) -> ValueError:
        """Name the sub-environment whose observation Gymnasium could not stack."""
        env, want = self.env.unwrapped, self.obs_space.shape
        for i, obs in enumerate(getattr(env, "_env_obs", ())):
            if obs is not None and want is not None and np.shape(obs) != want:
                return ValueError(
                    f"observation must have shape {want}, got {np.shape(obs)} "
                    f"from sub-environment {i} at step {self._n_stepped}"
                )
        # An asynchronous environment drops the pipe of the worker that failed.
        failed = [i for i, p in enumerate(getattr(env, "parent_pipes", ())) if p is None]
        where = f"sub-environment {failed[0]}" if failed else "env"
        what = repr(error) if isinstance(error, KeyError) else error
        return ValueError(f"{where} failed at step {self._n_stepped}: {what}")
