"""An environment that follows a script and keeps a log of what happened."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import strategies as st

ENDS = ("terminated", "truncated", "both")


class Script(NamedTuple):
    """
    What happens in every sub-environment, again and again.

    Parameters
    ----------
    lengths : tuple of tuple of int
        Steps of its episodes.
    ends : tuple of tuple of str
        How they end.
    """

    # ends of every kind, one of them on the last step of a horizon of six
    lengths: tuple[tuple[int, ...], ...] = ((3, 1, 2, 9), (2, 9, 1))
    ends: tuple[tuple[str, ...], ...] = (ENDS, ENDS[::-1])

    def played(self, n_episodes: int) -> list[list[int]]:
        """Give the lengths of the first episodes of every sub-environment."""
        return [[n[e % len(n)] for e in range(n_episodes)] for n in self.lengths]

    def finished(self, n_steps: int) -> list[int]:
        """Give the lengths of all episodes that end within so many steps of each."""
        every = self.played(n_steps)
        return [n for row in every for e, n in enumerate(row) if sum(row[: e + 1]) <= n_steps]


def scripts(least: int = 1) -> st.SearchStrategy[Script]:
    """
    Draw scripts.

    Parameters
    ----------
    least : int
        Least number of sub-environments; three at most.

    Returns
    -------
    strategy
        Of `Script`.
    """

    def of(n: int) -> st.SearchStrategy[Script]:
        lengths = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)
        ends = st.lists(st.sampled_from(ENDS), min_size=1, max_size=4).map(tuple)
        return st.builds(Script, st.tuples(*[lengths] * n), st.tuples(*[ends] * n))

    return st.integers(least, 3).flatmap(of)


class Scripted(VectorEnv[Any, Any, Any]):
    """Episodes of given lengths and ends; every observation is a number of its own."""

    def __init__(self, lengths, ends, actions):
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs = len(lengths)
        self.lengths, self.ends = lengths, ends
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.single_action_space = actions
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(actions, self.num_envs)
        self.episode = np.full(self.num_envs, -1)
        self.t = np.zeros(self.num_envs, int)
        self.buffer = np.zeros((self.num_envs, 1))  # reused, as some environments do
        self.log: list[list[tuple[Any, ...]]] = [[] for _ in lengths]

    def _observe(self):
        for i in range(self.num_envs):
            self.buffer[i] = 4096 * i + 64 * self.episode[i] + self.t[i]
        return self.buffer

    def reset(self, *, seed=None, options=None):
        """Begin the next episode where the mask says so."""
        mask = options["reset_mask"]
        self.episode[mask] += 1
        self.t[mask] = 0
        return self._observe(), {}

    def step(self, actions):
        """Move along the script and write down what happened."""
        before = self._observe().copy()
        self.t += 1
        last = np.array([n[e % len(n)] for n, e in zip(self.lengths, self.episode, strict=True)])
        kind = [k[e % len(k)] for k, e in zip(self.ends, self.episode, strict=True)]
        end = self.t == last
        terminated = end & np.array([k != "truncated" for k in kind])
        truncated = end & np.array([k != "terminated" for k in kind])
        rew = np.round(before[:, 0] / 7) + 3 * np.asarray(actions, float).reshape(self.num_envs)
        after = self._observe()
        for i in range(self.num_envs):
            row = (before[i, 0], float(np.ravel(actions[i])[0]), rew[i], after[i, 0])
            self.log[i].append((*row, bool(terminated[i]), bool(end[i])))
        return after, rew, terminated, truncated, {}
