"""
One policy in one vector environment: steps taken and written down, nothing yet cut or counted.

Two ways lead to the same record. Where the environment and the policy are compiled, all steps are
one call; anywhere else the environment is stepped from here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.envs.base import CompiledVectorEnv
from npvpg.kernels import pcg64
from npvpg.kernels.play import choose, play
from npvpg.mlp import SMALL_BATCH
from npvpg.normalize import BOUND, RunningMoments
from npvpg.policy import Policy
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv


class Record(NamedTuple):
    """
    Steps of N sub-environments, axis 1 the time.

    Attributes
    ----------
    obs : ndarray of float64, shape (N, T, O)
        Observations as the environment gave them.
    act : ndarray, shape (N, T) or (N, T, D)
        Actions as they were sampled.
    rew : ndarray of float64, shape (N, T)
        Rewards [reward].
    terminated, done : ndarray of bool, shape (N, T)
        Whether the step ended its episode for good, and at all.
    next_obs : ndarray of float64, shape (N, T, O)
        Observation after the step; where the episode went on, not defined.
    """

    obs: NDArray[np.float64]
    act: NDArray[Any]
    rew: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    done: NDArray[np.bool_]
    next_obs: NDArray[np.float64]


class Player:
    """
    Steps all sub-environments together and writes down what happens.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    policy : Policy
        Policy to act by.
    theta : ndarray, shape (P,)
        Its parameters.
    moments : RunningMoments or None
        What observations are normalised by.
    purpose : Purpose
        Stream of the noise.
    iteration : int
        Key of the stream.
    greedy : bool
        Take the most probable action in place of a sample.

    Attributes
    ----------
    current : ndarray of float64, shape (N, O)
        Observations the sub-environments are in.
    episode : ndarray of int64, shape (N,)
        Number of the episode each of them is in.
    finished : ndarray of int64, shape (N,)
        Episodes that each of them has finished here.
    """

    def __init__(
        self,
        env: SeededVectorEnv,
        policy: Policy,
        theta: NDArray[Any],
        moments: RunningMoments | None,
        purpose: Purpose,
        iteration: int,
        *,
        greedy: bool = False,
    ) -> None:
        self.env, self.policy, self.theta, self.moments = env, policy, theta, moments
        self.greedy = greedy
        self._known = policy.distribution.sampler is not None
        # the uniform noise of many short streams: drawn by NumPy it costs more than acting on it
        self._uniform = policy.distribution.sampler == "categorical"
        if self._uniform:
            self._states = env.states(purpose, iteration)
        else:
            self._rngs = env.generators(purpose, iteration)
        self.finished = np.zeros(env.n_envs, np.int64)

    def begin(self, episode: NDArray[np.int64], current: NDArray[np.float64] | None = None) -> None:
        """
        Stand where the sub-environments stand, or begin their episodes.

        Parameters
        ----------
        episode : ndarray of int64, shape (N,)
            Number of the episode each of them is in or begins.
        current : ndarray of float64, shape (N, O), optional
            Observations they are in; without it, or if it is empty, they begin.
        """
        self.episode = episode.copy()
        if current is None or current.size == 0:
            current = self.env.reset(np.ones(self.env.n_envs, bool), self.episode)
        self.current = current

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

    def play(self, n_steps: int, n_episodes: int = 0) -> tuple[Record, bool]:
        """
        Go on from where the sub-environments stand.

        Parameters
        ----------
        n_steps : int
            Steps to take.
        n_episodes : int
            Stop when each of them has finished that many since `begin`; 0 for never.

        Returns
        -------
        record : Record
            The steps.
        through : bool
            Whether it stopped for the number of episodes.
        """
        noise = self._noise(n_steps)
        inner = self.env.env
        if isinstance(inner, CompiledVectorEnv) and self._is_small and not self.greedy:
            record = self._play_compiled(inner, noise, n_episodes)
        else:
            record = self._play_stepwise(noise, n_episodes)
        return record, bool(n_episodes) and int(self.finished.min()) >= n_episodes

    def _noise(self, n_steps: int) -> NDArray[np.float64]:
        """Draw the noise of the next steps, (T, N) or (T, N, D)."""
        if self._uniform:
            return np.asarray(pcg64.standard_uniform(self._states, n_steps))
        return np.stack([self.policy.noise(rng, n_steps) for rng in self._rngs], axis=1)

    @property
    def _is_small(self) -> bool:
        """Whether the policy samples by the kernels that the compiled loop uses as well."""
        return self._known and self.env.n_envs <= SMALL_BATCH

    def _play_stepwise(self, noise: NDArray[np.float64], n_episodes: int) -> Record:
        """Step the environment from here."""
        n_steps, n_envs = noise.shape[:2]
        obs, next_obs = np.empty((2, n_envs, n_steps, self.env.n_obs))
        rew = np.empty((n_envs, n_steps))
        terminated, done = np.empty((2, n_envs, n_steps), bool)
        choose = self._choose_small() if self._is_small and not self.greedy else self._choose
        acts = []
        for t in range(n_steps):
            act = choose(noise[t])
            acts.append(act)
            obs[:, t] = self.current
            self.current, rew[:, t], terminated[:, t], truncated = self.env.step(act)
            ended = terminated[:, t] | truncated
            done[:, t] = ended
            if np.count_nonzero(ended):  # faster than `any` for a few
                next_obs[:, t] = self.current
                self.episode += ended
                self.finished += ended
                if n_episodes and self.finished.min() >= n_episodes:
                    break
                self.current = self.env.reset(ended, self.episode)
        taken = slice(len(acts))
        return Record(
            obs[:, taken],
            np.stack(acts, axis=1),
            rew[:, taken],
            terminated[:, taken],
            done[:, taken],
            next_obs[:, taken],
        )

    def _choose(self, noise: NDArray[np.float64]) -> NDArray[Any]:
        """Act in the current observations."""
        seen = self.see(self.current)
        if self.greedy:
            return self.policy.at(self.theta, seen).mode()
        return self.policy.distribution.sample(self.policy.params(self.theta, seen), noise)

    def _choose_small(self) -> Callable[[NDArray[np.float64]], NDArray[Any]]:
        """Do as `_choose` does, by the kernel of the compiled loop: one call in place of many."""
        n_envs, law = self.env.n_envs, self.policy.distribution
        shape, kind = (n_envs, *law.event_shape), self.theta.dtype if law.event_shape else np.int64
        # what the environment gets is left to its driver
        far = np.inf if law.event_shape else 0
        bounds = np.full(shape[1:] or 1, -far, kind), np.full(shape[1:] or 1, far, kind)
        policy, moments = self._network(), self._linear_map()
        scratch = (
            np.empty((n_envs, self.env.n_obs), self.theta.dtype),
            np.empty((n_envs, self.policy.network.sizes[-1]), self.theta.dtype),
        )
        sent = np.empty(shape, kind)

        def choose_(noise: NDArray[np.float64]) -> NDArray[Any]:
            act = np.empty(shape, kind)
            choose(self.current, policy, moments, noise, (*bounds, sent), scratch, act)
            return act

        return choose_

    def _play_compiled(
        self, inner: CompiledVectorEnv, noise: NDArray[np.float64], n_episodes: int
    ) -> Record:
        """Let one call do all steps; only resets that no kernel can do come back here."""
        n_steps, n_envs = noise.shape[:2]
        policy = self._network()
        low, high = inner.act_bounds
        sent = np.empty((n_envs, *low.shape), low.dtype)
        record = Record(
            np.empty((n_envs, n_steps, self.env.n_obs)),
            np.empty((n_envs, n_steps, *low.shape), self.theta.dtype if low.ndim else np.int64),
            np.empty((n_envs, n_steps)),
            np.empty((n_envs, n_steps), bool),
            np.empty((n_envs, n_steps), bool),
            np.empty((n_envs, n_steps, self.env.n_obs)),
        )
        taken = 0
        while taken < n_steps:
            taken += play(
                *inner.pointers,
                inner.buffers,
                (*inner.start_bounds, *self.env.key, inner.resets_by_hand),
                (np.atleast_1d(low), np.atleast_1d(high), sent),
                policy,
                self._linear_map(),
                noise[taken:],
                self.episode,
                self.finished,
                n_episodes,
                taken,
                record,
            )
            if n_episodes and self.finished.min() >= n_episodes:
                break
            ended = record.done[:, taken - 1]
            if inner.resets_by_hand and ended.any():
                self.env.reset(ended, self.episode)
        if taken < n_steps:
            record = Record(*(part[:, :taken] for part in tuple[Any, ...](record)))
        self.current = self.env.arrive(
            record.rew, record.obs, record.done, record.next_obs, inner.observations
        )
        return record

    def _network(self) -> tuple[NDArray[Any], NDArray[np.int64], bool, int]:
        """Policy as the kernels take it."""
        network = self.policy.network
        theta = self.theta.copy()  # they are compiled for arrays that may be written to
        return theta, network.sizes_array, network.activation == "relu", network.size

    def _linear_map(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Mean, one over the standard deviation, and bound of normalised observations."""
        if self.moments is None or self.moments.n_rows == 0:
            return np.zeros(self.env.n_obs), np.ones(self.env.n_obs), np.inf
        return self.moments.mean, self.moments.inverse_std, BOUND
