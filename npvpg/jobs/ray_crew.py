"""Workers that are processes of a Ray cluster, for the sub-environments of one run."""

from typing import Any, final

import numpy as np
from typing_extensions import override

from npvpg.envs.faults import EnvError
from npvpg.jobs.cluster import Cluster, check_versions
from npvpg.jobs.remote import Remote
from npvpg.runs.config import Config
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Record, Task
from npvpg.world.position import Position
from npvpg.world.split import Crew, Part, Worker


@final
class RayCrew(Crew):
    """
    Workers that are processes of a Ray cluster.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    config : Config
        Configuration of the run.
    n : int
        How many workers. Where there are more than processors, they share these.
    """

    def __init__(self, cluster: Cluster, config: Config, n: int) -> None:
        self.n, self._cluster, self._config = n, cluster, config
        self._share = min(1.0, np.floor(1e4 * cluster.n_cpus / n) / 1e4)
        self._hired: list[RayWorker] = []

    @property
    def n_hired(self) -> int:
        """How many there have been, those that were lost among them."""
        return len(self._hired)

    @override
    def hire(self, part: Part) -> "RayWorker":
        # one that takes the place of another must find a place, however many nodes are left
        share = self._share if self.n_hired < self.n else 0.0
        self._hired.append(RayWorker(self._cluster, self._config, part, share))
        return self._hired[-1]

    @override
    def close(self) -> None:
        for worker in self._hired:
            worker.close()


@final
class RayWorker(Worker):
    """
    A part of the sub-environments in a process of the cluster.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    config : Config
        Configuration of the run.
    part : Part
        Which sub-environments.
    share : float
        Part of a processor to keep free for it.
    """

    def __init__(self, cluster: Cluster, config: Config, part: Part, share: float) -> None:
        self._cluster = cluster
        self.handle = cluster.start(Remote, share)
        self._versions = self.handle.versions.remote()
        self._opened = self.handle.open.remote(config, part)
        self._ready = False
        self._playing: Any = None

    @override
    def begin(self, actor: Actor, position: Position, task: Task, *, anew: bool) -> None:
        self._playing = self.handle.play.remote(actor, position, task, anew)

    @override
    def end(self) -> Played:
        if not self._ready:
            check_versions(self._cluster.get(self._versions))
            _raise_fault(self._cluster.get(self._opened))
            self._ready = True
        return unpacked(_raise_fault(self._cluster.get(self._playing)))

    def close(self) -> None:
        """End the process."""
        self._cluster.end(self.handle)


def unpacked(arrays: tuple[Any, ...]) -> Played:
    """
    Undo `npvpg.jobs.remote.packed`.

    Parameters
    ----------
    arrays : tuple
        What that made.

    Returns
    -------
    Played
        What was played.
    """
    obs, act, rew, terminated, done, final_obs, *rest = arrays
    next_obs = np.zeros_like(obs)
    next_obs[done] = final_obs
    return Played(Record(obs, act, rew, terminated, done, next_obs), *rest)


def _raise_fault(given: Any) -> Any:
    """Raise what a worker gave back in place of a result."""
    if isinstance(given, EnvError):
        raise given
    return given
