"""
One actor in one vector environment: steps taken and written down, nothing yet cut or counted.

Two ways lead to the same record. Where the environment and the actor are compiled, all steps are
one call; anywhere else the environment is stepped from here.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from npvpg.envs.arrays import Share
from npvpg.envs.base import CompiledVectorEnv
from npvpg.kernels import pcg64
from npvpg.kernels.play import play
from npvpg.world.actor import Actor
from npvpg.world.engine import Record
from npvpg.world.squash import ScaleAction, origin_and_unit
from npvpg.world.streams import Purpose

if TYPE_CHECKING:
    from npvpg.world.vector import SeededVectorEnv

BLOCK = 128  # noise is drawn for that many steps at a time where the number is not known


class Player:
    """
    Steps all sub-environments together and writes down what happens.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    actor : Actor
        What chooses the actions.
    purpose : Purpose
        Stream of the noise.
    iteration : int
        Key of the stream.

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
        self, env: "SeededVectorEnv", actor: Actor, purpose: Purpose, iteration: int
    ) -> None:
        self.env, self.actor = env, actor
        # the uniform noise of many short streams: drawn by NumPy it costs more than acting on it
        self._uniform = actor.policy.distribution.sampler == "categorical"
        if self._uniform:
            self._states = env.streams.states(purpose, iteration)
        else:
            self._rngs = env.streams.generators(purpose, iteration)
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
        env = self.env.env
        inner = env.env if isinstance(env, ScaleAction) else env  # the kernel scales as well
        if isinstance(inner, CompiledVectorEnv) and self.actor.compiles:
            record = self._play_compiled(inner, noise, n_episodes)
        else:
            record = self._play_stepwise(noise, n_episodes)
        return record, bool(n_episodes) and int(self.finished.min()) >= n_episodes

    def whole(self, n_episodes: int) -> Record:
        """
        Go on until every sub-environment has finished so many episodes.

        A sub-environment that is through plays on until all are, as they move all together.

        Parameters
        ----------
        n_episodes : int
            Episodes of each.

        Returns
        -------
        Record
            The steps.
        """
        blocks, through = [], False
        while not through:
            block, through = self.play(BLOCK, n_episodes)
            blocks.append(block)
        return Record(*(np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)))

    def _noise(self, n_steps: int) -> NDArray[np.float64]:
        """Draw the noise of the next steps, (T, N) or (T, N, D)."""
        if self._uniform:
            return np.asarray(pcg64.standard_uniform(self._states, n_steps))
        return np.stack([self.actor.policy.noise(rng, n_steps) for rng in self._rngs], axis=1)

    def _play_stepwise(self, noise: NDArray[np.float64], n_episodes: int) -> Record:
        """Step the environment from here."""
        n_steps, n_envs = noise.shape[:2]
        obs, next_obs = np.empty((2, n_envs, n_steps, self.env.n_obs))
        rew = np.empty((n_envs, n_steps))
        terminated, done = np.empty((2, n_envs, n_steps), bool)
        choose = self.actor.chooser(n_envs)
        acts = []
        for t in range(n_steps):
            act = choose(self.current, noise[t])
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

    def _play_compiled(
        self, inner: CompiledVectorEnv, noise: NDArray[np.float64], n_episodes: int
    ) -> Record:
        """Let one call do all steps; only resets that no kernel can do come back here."""
        n_steps, n_envs = noise.shape[:2]
        low, _ = inner.act_bounds
        kind = self.actor.theta.dtype if low.ndim else np.int64
        record = Record(
            np.empty((n_envs, n_steps, self.env.n_obs)),
            np.empty((n_envs, n_steps, *low.shape), kind),
            np.empty((n_envs, n_steps)),
            np.empty((n_envs, n_steps), bool),
            np.empty((n_envs, n_steps), bool),
            np.empty((n_envs, n_steps, self.env.n_obs)),
        )
        shares = inner.shares
        if len(shares) == 1:
            taken = self._play_share(inner, shares[0], noise, n_episodes, record)
        else:
            for part in tuple[Any, ...](record):
                part[...] = 0  # of what a share does not play, since it is through, nothing is kept
            play_ = partial(self._play_share, inner)
            taken = max(
                inner.side_by_side(
                    [partial(play_, share, noise, n_episodes, record) for share in shares]
                )
            )
            self._follow(record, slice(taken))
        if taken < n_steps:
            record = Record(*(part[:, :taken] for part in tuple[Any, ...](record)))
        self.current = np.array(inner.observations, np.float64)
        self.env.origin.check("observation", self.current)
        return record

    def _play_share(
        self,
        inner: CompiledVectorEnv,
        share: Share,
        noise: NDArray[np.float64],
        n_episodes: int,
        record: Record,
    ) -> int:
        """Let one call do all steps of a share of the sub-environments; say how many."""
        rows, whole = share.rows, len(inner.shares) == 1
        mine = Record(*(part[rows] for part in tuple[Any, ...](record)))
        noise = np.ascontiguousarray(noise[:, rows])
        finished = self.finished[rows]
        n_steps, n_envs = noise.shape[:2]
        if n_episodes and not whole and finished.min() >= n_episodes:
            return 0
        policy, moments = self.actor.network, self.actor.linear_map
        low, high = inner.act_bounds
        units = np.zeros(low.shape or 1), np.ones(low.shape or 1)
        box = inner.single_action_space
        if isinstance(box, Box) and inner is not self.env.env:
            units = origin_and_unit(box)
        sent = np.empty((n_envs, *low.shape), low.dtype)
        streams = self.env.streams
        which = streams.repeat, streams.first + rows.start
        keys = streams.entropy, int(self.env.purpose), self.env.seed_bits, *which
        start = (*inner.start_bounds, *keys, inner.resets_by_hand)
        taken = 0
        while taken < n_steps:
            before = taken
            taken += play(
                *inner.pointers,
                share.buffers,
                start,
                (np.atleast_1d(low), np.atleast_1d(high), *units, sent),
                policy,
                moments,
                noise[taken:],
                self.episode[rows],
                finished,
                n_episodes,
                taken,
                mine,
            )
            if whole:
                self._follow(record, slice(before, taken))
            if n_episodes and finished.min() >= n_episodes:
                break
            ended = mine.done[:, taken - 1]
            if inner.resets_by_hand and ended.any():
                self.env.reset(ended, self.episode)
        return taken

    def _follow(self, record: Record, new: slice) -> None:
        """Take note of new steps that compiled code took."""
        self.env.origin.follow(
            record.obs[:, new], record.rew[:, new], record.done[:, new], record.next_obs[:, new]
        )
