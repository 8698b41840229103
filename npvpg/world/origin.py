"""Where a number comes from: which step of which episode of which sub-environment."""

import numpy as np
from numpy.typing import NDArray

from npvpg.envs.faults import EnvError
from npvpg.world.streams import Purpose, Streams

LARGEST = 1e18  # of an observation or a reward: its square fits single precision
_LARGEST_SQUARE = LARGEST**2


class Origin:
    """
    Counts the steps of N sub-environments, and holds what they return to finite numbers.

    Parameters
    ----------
    name : str
        Name of the environment.
    streams : Streams
        What the seeds of the episodes come from.
    purpose : Purpose
        Their purpose.
    bits : int
        Their length.
    """

    def __init__(self, name: str, streams: Streams, purpose: Purpose, bits: int) -> None:
        self.name, self.streams, self.purpose, self.bits = name, streams, purpose, bits
        self.n_stepped = 0
        self.began, self.episode = np.zeros((2, streams.n_envs), np.int64)

    def begin(self, rows: NDArray[np.int64], episode: NDArray[np.int64]) -> None:
        """
        Take note of episodes that begin.

        Parameters
        ----------
        rows : ndarray of int64, shape (R,)
            In which sub-environments.
        episode : ndarray of int64, shape (R,)
            Their numbers.
        """
        self.began[rows] = self.n_stepped
        self.episode[rows] = episode

    def fault(self, told: str, i: int) -> EnvError:
        """
        Say what a sub-environment did wrong, and where.

        Parameters
        ----------
        told : str
            What it was.
        i : int
            Number of the sub-environment.

        Returns
        -------
        EnvError
            To be raised.
        """
        return EnvError(told).placed(i, self.when(i))

    def when(self, i: int | None) -> str:
        """
        Say where a sub-environment stands.

        Parameters
        ----------
        i : int or None
            Number of the sub-environment; None if it is not known.

        Returns
        -------
        str
            Step, environment and seed of the episode.
        """
        if i is None:
            return f"at step {self.n_stepped} of {self.name}"
        step = int(self.n_stepped - self.began[i])
        key = np.array([i]), self.episode[i : i + 1]
        seed = int(self.streams.seeds(self.purpose, *key, self.bits)[0])
        at = f"at step {step}" if step else "at the start"
        return f"{at} of an episode of {self.name} with seed {seed}"

    def check(self, name: str, x: NDArray[np.float64]) -> None:
        """
        Require numbers that can be reckoned with.

        Parameters
        ----------
        name : str
            What they are.
        x : ndarray of float64, shape (N, ...)
            The numbers.

        Raises
        ------
        EnvError
            If one is not finite, or larger than `LARGEST`.
        """
        if _is_sane(x):
            return
        rows = x.reshape(len(x), -1)
        bad = ~(np.abs(rows) <= LARGEST)
        if bad.any():
            i, k = np.argwhere(bad)[0].tolist()
            rule = f"at most {LARGEST:g} in size" if np.isfinite(rows[i, k]) else "finite"
            at = f" at index {k}" if rows.shape[1] > 1 else ""
            raise self.fault(f"{name} must be {rule}, got {rows[i, k]}{at}", i)

    def follow(
        self,
        obs: NDArray[np.float64],
        rew: NDArray[np.float64],
        done: NDArray[np.bool_],
        next_obs: NDArray[np.float64],
    ) -> None:
        """
        Take note of steps that compiled code took in the environment itself.

        Parameters
        ----------
        obs : ndarray of float64, shape (N, T, O)
            Observations before every step.
        rew : ndarray of float64, shape (N, T)
            Their rewards.
        done : ndarray of bool, shape (N, T)
            Whether the step ended its episode.
        next_obs : ndarray of float64, shape (N, T, O)
            The observation after it, if so.

        Raises
        ------
        EnvError
            As `check` raises it.
        """
        n_steps = rew.shape[1]
        if _is_sane(obs) and _is_sane(rew) and _is_sane(next_obs[done]):
            ended = done.any(axis=1)
            last = n_steps - np.argmax(done[:, ::-1], axis=1)
            self.began[ended] = (self.n_stepped + last)[ended]
            self.episode += np.count_nonzero(done, axis=1)
            self.n_stepped += n_steps
            return
        for t in range(n_steps):
            self.check("observation", obs[:, t])
            self.n_stepped += 1
            self.check("reward", rew[:, t])
            ended = done[:, t]
            self.check("observation", np.where(ended[:, np.newaxis], next_obs[:, t], 0.0))
            self.begin(np.flatnonzero(ended), self.episode[ended] + 1)


def _is_sane(x: NDArray[np.float64]) -> bool:
    """Cheaper than a look at every number, which then follows; unlike a sum it does not warn."""
    flat = x.ravel()
    return bool(np.vdot(flat, flat) <= _LARGEST_SQUARE)
