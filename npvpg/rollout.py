"""
Collectors: policy and environment to batch.

Two of them, never mixed. `whole_episodes` plays a fixed number of episodes in every
sub-environment; to take the first K that finish would favour short ones. `fixed_horizon` plays a
fixed number of steps and goes on where it stopped; what lies beyond the last step of each
trajectory is left to the value function.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.policy import Policy
from npvpg.streams import Purpose, generator
from npvpg.vector import SeededVectorEnv

Observe = Callable[[NDArray[np.float64]], NDArray[Any]]
Choose = Callable[[NDArray[Any], NDArray[np.float64]], NDArray[Any]]

BLOCK = 128  # noise is drawn for that many steps at a time where the number is not known


class Episode(NamedTuple):
    """
    A finished episode.

    Attributes
    ----------
    step : int
        Environment steps of the run, over all sub-environments, when it ended.
    ret : float
        Undiscounted return, rewards as the environment gave them [reward].
    length : int
        Number of its steps.
    """

    step: int
    ret: float
    length: int


class Position(NamedTuple):
    """
    Where every sub-environment stands between two batches.

    Attributes
    ----------
    episode : ndarray of int64, shape (N,)
        Number of the episode it is in.
    length : ndarray of int64, shape (N,)
        Steps since that began.
    ret : ndarray of float64, shape (N,)
        Return since that began [reward].
    obs : ndarray of float64, shape (N, O)
        Observation it is in, before normalisation; empty if no episode has begun.
    history : ndarray, shape (N, H) or (N, H, D)
        Its last actions, at least as many as the greatest length.
    """

    episode: NDArray[np.int64]
    length: NDArray[np.int64]
    ret: NDArray[np.float64]
    obs: NDArray[np.float64]
    history: NDArray[Any]

    @staticmethod
    def initial(n_envs: int) -> "Position":
        """
        Stand before the first episode.

        Parameters
        ----------
        n_envs : int
            Number of sub-environments, N.

        Returns
        -------
        Position
            Episode 0, not begun.
        """
        zeros = np.zeros(n_envs, np.int64)
        return Position(
            zeros, zeros, np.zeros(n_envs), np.zeros((n_envs, 0)), np.zeros((n_envs, 0))
        )


class Rollout(NamedTuple):
    """
    What a collector returns.

    Attributes
    ----------
    batch : Batch
        The trajectories, observations normalised.
    raw_obs : ndarray of float64, shape (S, O)
        Observations as the environment gave them.
    episodes : tuple of Episode
        The episodes that finished, in the order they did.
    position : Position
        Where to go on.
    """

    batch: Batch
    raw_obs: NDArray[np.float64]
    episodes: tuple[Episode, ...]
    position: Position


def fixed_horizon(
    env: SeededVectorEnv,
    policy: Policy,
    theta: NDArray[Any],
    position: Position,
    *,
    n_steps: int,
    iteration: int,
    observe: Observe | None = None,
    steps_before: int = 0,
) -> Rollout:
    """
    Play a fixed number of steps in every sub-environment, from where it stands.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    policy : Policy
        Policy to act by.
    theta : ndarray, shape (P,)
        Its parameters.
    position : Position
        Where the sub-environments stand.
    n_steps : int
        Steps per sub-environment; the batch has N times as many.
    iteration : int
        Key of the stream that the actions' noise comes from.
    observe : callable, optional
        Map of raw observations to what the policy sees; the identity by default.
    steps_before : int
        Environment steps of the run before this batch, for `Episode.step`.

    Returns
    -------
    Rollout
        Batch, finished episodes, and where to go on.

    Raises
    ------
    ValueError
        If `n_steps` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_steps=n_steps)
    recorder = _Recorder(env, policy, theta, observe, greedy=False)
    rngs = [generator(env.seed, Purpose.ACTION, iteration, i) for i in range(env.n_envs)]
    recorder.begin(position)
    recorder.play(n_steps, rngs)
    return recorder.cut_at_end(position, steps_before)


def whole_episodes(
    env: SeededVectorEnv,
    policy: Policy,
    theta: NDArray[Any],
    position: Position,
    *,
    n_episodes: int,
    iteration: int,
    observe: Observe | None = None,
    steps_before: int = 0,
    greedy: bool = False,
    purpose: Purpose = Purpose.ACTION,
) -> Rollout:
    """
    Play a fixed number of whole episodes in every sub-environment.

    A sub-environment that is through waits for the others; as a vector environment moves all of
    them together it plays on meanwhile, but those steps are neither used nor counted.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    policy : Policy
        Policy to act by.
    theta : ndarray, shape (P,)
        Its parameters.
    position : Position
        Numbers of the episodes to begin with.
    n_episodes : int
        Episodes per sub-environment; the batch has N times as many.
    iteration : int
        Key of the stream that the actions' noise comes from.
    observe : callable, optional
        Map of raw observations to what the policy sees; the identity by default.
    steps_before : int
        Environment steps of the run before this batch, for `Episode.step`.
    greedy : bool
        Take the most probable action in place of a sample.
    purpose : Purpose
        Stream of the noise.

    Returns
    -------
    Rollout
        Batch, its episodes, and where to go on.

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_episodes=n_episodes)
    recorder = _Recorder(env, policy, theta, observe, greedy=greedy)
    rngs = [generator(env.seed, purpose, iteration, i) for i in range(env.n_envs)]
    recorder.begin(Position.initial(env.n_envs)._replace(episode=position.episode))
    while not recorder.play(BLOCK, rngs, n_episodes):
        pass
    return recorder.cut_at_episode(position, steps_before, n_episodes)


def play_episodes(
    env: SeededVectorEnv,
    policy: Policy,
    theta: NDArray[Any],
    *,
    n_episodes: int,
    observe: Observe | None = None,
    greedy: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Play episodes to judge a policy by.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment, best with `Purpose.EVALUATION_EPISODE` for its stream.
    policy : Policy
        Policy to act by.
    theta : ndarray, shape (P,)
        Its parameters.
    n_episodes : int
        Number of episodes, shared out among the sub-environments beforehand.
    observe : callable, optional
        Map of raw observations to what the policy sees; the identity by default.
    greedy : bool
        Take the most probable action in place of a sample.

    Returns
    -------
    returns : ndarray of float64, shape (n_episodes,)
        Undiscounted returns [reward].
    lengths : ndarray of int64, shape (n_episodes,)
        Lengths [steps].

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1, or the environment returns what it must not.
    """
    checks.at_least(1, n_episodes=n_episodes)
    batch = whole_episodes(
        env,
        policy,
        theta,
        Position.initial(env.n_envs),
        n_episodes=-(-n_episodes // env.n_envs),
        iteration=0,
        observe=observe,
        greedy=greedy,
        purpose=Purpose.EVALUATION_ACTION,
    ).batch
    returns = np.add.reduceat(batch.rew, batch.start[:-1])
    return returns[:n_episodes], batch.lengths[:n_episodes]


class _Recorder:
    """Steps all sub-environments together and keeps what happened, axis 0 the time."""

    def __init__(
        self,
        env: SeededVectorEnv,
        policy: Policy,
        theta: NDArray[Any],
        observe: Observe | None,
        *,
        greedy: bool,
    ) -> None:
        self.env, self.policy, self.theta, self.greedy = env, policy, theta, greedy
        self.observe = observe or (lambda obs: obs)
        self.obs: list[NDArray[np.float64]] = []
        self.act: list[NDArray[Any]] = []
        self.rew: list[NDArray[np.float64]] = []
        self.terminated: list[NDArray[np.bool_]] = []
        self.done: list[NDArray[np.bool_]] = []
        self.next_obs: list[NDArray[np.float64]] = []

    def begin(self, position: Position) -> None:
        self.episode = position.episode.copy()
        self.current = position.obs
        if position.obs.size == 0:
            self.current = self.env.reset(np.ones(self.env.n_envs, bool), self.episode)

    def see(self, obs: NDArray[np.float64]) -> NDArray[Any]:
        return self.observe(obs).astype(self.theta.dtype, copy=False)

    def play(self, n: int, rngs: list[np.random.Generator], n_episodes: int | None = None) -> bool:
        """Play n steps; stop and say so when every sub-environment has had its episodes."""
        noise = np.stack([self.policy.noise(rng, n) for rng in rngs], axis=1)
        for t in range(n):
            seen = self.see(self.current)
            if self.greedy:
                act = self.policy.mode(self.theta, seen)
            else:
                act = self.policy.act(self.theta, seen, noise[t])
            next_obs, rew, terminated, truncated = self.env.step(act)
            done = terminated | truncated
            self.obs.append(self.current)
            self.act.append(act)
            self.rew.append(rew)
            self.terminated.append(terminated)
            self.done.append(done)
            self.next_obs.append(next_obs)
            self.current = next_obs
            if done.any():
                self.episode += done
                if n_episodes is not None and np.sum(self.done, axis=0).min() >= n_episodes:
                    return True
                self.current = self.env.reset(done, self.episode)
        return False

    def cut_at_end(self, position: Position, steps_before: int) -> Rollout:
        """Keep every step; the last one ends a trajectory that may go on later."""
        n_steps, n_envs = len(self.rew), self.env.n_envs
        done = np.array(self.done)
        rew = np.array(self.rew)
        episodes = []
        length, ret = position.length.copy(), position.ret.copy()
        for t in range(n_steps):
            length += 1
            ret += rew[t]
            for i in np.flatnonzero(done[t]):
                step = steps_before + (t + 1) * n_envs
                episodes.append(Episode(step, float(ret[i]), int(length[i])))
                length[i], ret[i] = 0, 0.0
        act = np.array(self.act).swapaxes(0, 1)
        history = (
            act
            if position.history.shape[1] == 0
            else np.concatenate([position.history, act], axis=1)
        )
        history = history[:, history.shape[1] - int(length.max()) :].copy()
        keep = np.ones((n_steps, n_envs), bool)
        cut = done.copy()
        cut[-1] = True
        return self._rollout(
            keep, cut, episodes, Position(self.episode, length, ret, self.current, history)
        )

    def cut_at_episode(self, position: Position, steps_before: int, n_episodes: int) -> Rollout:
        """Keep the first episodes of every sub-environment; each of them is a trajectory."""
        done = np.array(self.done)
        keep = np.asarray(np.cumsum(done, axis=0) - done < n_episodes)
        cut = done & keep
        rew = np.array(self.rew)
        episodes = []
        steps = steps_before + np.cumsum(keep.sum(axis=1))
        begun = np.zeros(self.env.n_envs, np.int64)
        for t, i in np.argwhere(cut):
            span = slice(begun[i], t + 1)
            episodes.append(
                Episode(int(steps[t]), float(rew[span, i].sum()), int(t + 1 - begun[i]))
            )
            begun[i] = t + 1
        following = Position.initial(self.env.n_envs)._replace(
            episode=position.episode + n_episodes
        )
        return self._rollout(keep, cut, episodes, following)

    def _rollout(
        self,
        keep: NDArray[np.bool_],
        cut: NDArray[np.bool_],
        episodes: list[Episode],
        position: Position,
    ) -> Rollout:
        """Lay the kept steps end to end, one sub-environment after the other."""

        def flat(steps: list[NDArray[Any]], mask: NDArray[np.bool_]) -> NDArray[Any]:
            return np.array(steps).swapaxes(0, 1)[mask.T]

        raw_obs = flat(self.obs, keep)
        start = np.concatenate([[0], np.flatnonzero(cut.T[keep.T]) + 1])
        batch = Batch(
            obs=self.see(raw_obs),
            act=flat(self.act, keep),
            rew=flat(self.rew, keep),
            start=start,
            last_obs=self.see(flat(self.next_obs, cut)),
            terminated=flat(self.terminated, cut),
        )
        return Rollout(batch, raw_obs, tuple(episodes), position)
