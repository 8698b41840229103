"""Workers and nodes that are killed in the middle of an update, and a run that does not mind."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from npvpg.jobs import cluster, ray_crew, run
from npvpg.runs import progress
from npvpg.runs.config import Config
from npvpg.runs.config_file import configure
from npvpg.runs.directory import RunDirectory
from npvpg.runs.progress import Progress
from npvpg.show.screen import Screen
from npvpg.state import Iteration

HORIZON, ENVS = 16, 4
NODE: dict[str, Any] = {
    "num_cpus": 2,
    "object_store_memory": 80 * 2**20,
    "include_dashboard": False,
    "node_ip_address": "127.0.0.1",
}
"""A small node of a cluster on this machine alone."""


class Watching(Screen):
    """
    Shows nothing, and lets something happen after every update.

    Parameters
    ----------
    happen : callable
        Takes the number of the update.
    """

    def __init__(self, happen: Callable[[int], None]) -> None:
        super().__init__(quiet=True)
        self.happen = happen

    @override
    def iteration(self, iteration: Iteration, progress: Progress) -> None:
        self.happen(iteration.iteration)


def config(file: Path, n_updates: int, milliseconds: float = 0.0) -> Config:
    """
    Configure a run in which processes can be ended.

    Parameters
    ----------
    file : Path
        Whoever finds it ends its process.
    n_updates : int
        Updates of the run.
    milliseconds : float
        How long a step takes [ms].

    Returns
    -------
    Config
        The configuration.
    """
    return configure(
        "verification.scaling.worlds:Mortal",
        env_arg={"file": str(file), "milliseconds": milliseconds},
        envs=ENVS,
        horizon=HORIZON,
        hidden=(16,),
        steps=n_updates * ENVS * HORIZON,
        evaluation_episodes=0,
        stop_when_solved=False,
    )


def train(
    asked: Config, path: Path, address: str, n: int, happen: Callable[[int], None] = lambda _: None
) -> ray_crew.RayCrew:
    """
    Train with workers.

    Parameters
    ----------
    asked : Config
        The configuration.
    path : Path
        Directory of the run.
    address : str
        Head of the cluster.
    n : int
        How many workers.
    happen : callable
        What happens after every update.

    Returns
    -------
    RayCrew
        The workers, which are no more.
    """
    with cluster.connected(address, n) as at:
        crew = ray_crew.RayCrew(at, asked, n)
        try:
            run.train(asked, RunDirectory(path), crew=crew, screen=Watching(happen))
        finally:
            crew.close()
    return crew


def numbers(path: Path) -> dict[str, bytes]:
    """
    Give everything that two equal runs share.

    Parameters
    ----------
    path : Path
        Directory of a run.

    Returns
    -------
    dict of bytes
        Logs, and every array of the checkpoint.
    """
    directory = RunDirectory(path)
    arrays, _ = progress.read(directory.checkpoint)
    found = {name: np.asarray(array).tobytes() for name, array in arrays.items()}
    return found | {
        file.name: file.read_bytes() for file in (directory.metrics, directory.episodes)
    }


def workers(asked: Config, path: Path, address: str, n: int) -> int:
    """
    Kill a worker in every update but the first.

    Parameters
    ----------
    asked : Config
        What `config` gave.
    path : Path
        Directory of the run.
    address : str
        Head of the cluster.
    n : int
        How many workers.

    Returns
    -------
    int
        How many were lost.
    """
    file = Path(asked.env_arg["file"])
    last = asked.steps // (ENVS * HORIZON)

    def happen(update: int) -> None:
        if update < last:
            file.touch()

    return train(asked, path, address, n, happen).n_hired - n


def node(asked: Config, path: Path, made: Any, n: int) -> int:
    """
    Kill a node in the middle of the second update.

    Parameters
    ----------
    asked : Config
        What `config` gave, with steps that take a while.
    path : Path
        Directory of the run.
    made : ray.cluster_utils.Cluster
        The cluster; its head is left alone.
    n : int
        How many workers.

    Returns
    -------
    int
        How many workers were lost with it.
    """
    doomed = made.add_node(**NODE)

    def kill() -> None:
        time.sleep(asked.env_arg["milliseconds"] * HORIZON / 2000)
        made.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill)

    def happen(update: int) -> None:
        if update == 1:
            killer.start()

    crew = train(asked, path, made.address, n, happen)
    killer.join()
    return crew.n_hired - n
