"""
Where the sub-environments stand between two batches, and the way back there.

Where an environment stands follows from the seed of its episode and the actions since, so a run
can be taken up again in mid-episode with any environment. One that is held in arrays is put back.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.envs.faults import EnvError
from npvpg.world.streams import OLD_SEED_BITS, SEED_BITS

if TYPE_CHECKING:
    from npvpg.world.vector import SeededVectorEnv


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
    seed_bits : int
        Length of the seeds of its episodes; a position that does not say is of an old run.
    env : mapping of str to ndarray, shape (N, ...)
        What `npvpg.envs.CompiledVectorEnv.get_state` gave; empty of any other environment.
    """

    episode: NDArray[np.int64]
    length: NDArray[np.int64]
    ret: NDArray[np.float64]
    obs: NDArray[np.float64]
    history: NDArray[Any]
    seed_bits: int = OLD_SEED_BITS
    env: Mapping[str, NDArray[Any]] = MappingProxyType({})

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
            zeros, zeros, np.zeros(n_envs), np.zeros((n_envs, 0)), np.zeros((n_envs, 0)), SEED_BITS
        )


def put_back(env: "SeededVectorEnv", position: Position) -> bool:
    """
    Put every sub-environment to where it stood, if that is told and it can be.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    position : Position
        Where they stood.

    Returns
    -------
    bool
        Whether they are there; if not, a `replay` brings them.
    """
    if env.held is None or not position.env:
        return False
    try:
        env.held.set_state(position.env)
    except ValueError:  # of another version, say, that holds more
        return False
    env.origin.begin(np.arange(env.n_envs), position.episode)
    env.origin.began -= position.length
    return np.array_equal(env.held.observations, position.obs)


def replay(env: "SeededVectorEnv", position: Position) -> None:
    """
    Bring every sub-environment to where it stood.

    Parameters
    ----------
    env : SeededVectorEnv
        Environment of N sub-environments.
    position : Position
        Where they stood, at least one step into an episode or at its beginning.

    Raises
    ------
    EnvError
        If an observation differs: then the environment does not follow from its seed.
    """
    length, history = position.length, position.history
    longest = int(length.max(initial=0))
    # Whoever begins later plays old actions meanwhile: all must be stepped together.
    mask = np.ones(env.n_envs, bool)
    arrived = position.obs
    for t in range(longest):
        mask |= length == longest - t
        if mask.any():
            env.reset(mask, position.episode)
        arrived, _, terminated, truncated = env.step(history[:, history.shape[1] - longest + t])
        mask = terminated | truncated
    mask = length == 0
    if mask.any():
        arrived = env.reset(mask, position.episode)
    if not np.array_equal(arrived, position.obs):
        i = int(np.argmax((arrived != position.obs).any(axis=1)))
        which = i + env.streams.first
        raise EnvError(
            f"env must follow from its seed to be resumed, but sub-environment {which} is not "
            f"where it was after {length[i]} steps of the same actions"
        )
