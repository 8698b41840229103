"""Where many runs are carried out: on this machine, or on those of a Ray cluster."""
# ruff: noqa: PLC0415

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from npvpg.jobs.interrupt import Interrupts
    from npvpg.jobs.job import Carrier

Engine = Literal["processes", "ray"]


def check(engine: Engine, address: str | None) -> None:
    """
    Refuse the address of a cluster that is not asked for.

    Parameters
    ----------
    engine : str
        Where runs are carried out.
    address : str or None
        Head of a Ray cluster.

    Raises
    ------
    ValueError
        If there is an address, and another engine.
    """
    if address is not None and engine != "ray":
        raise ValueError(
            "--ray-address is for a Ray cluster: ask for it by --engine ray, or --workers"
        )


@contextlib.contextmanager
def started(
    engine: Engine, address: str | None, jobs: int | None, n_left: int
) -> Iterator[tuple["Interrupts", "Carrier"]]:
    """
    Start what carries runs out, and turn signals into exceptions.

    Parameters
    ----------
    engine : str
        Where runs are carried out.
    address : str or None
        Head of a Ray cluster; one is started here unless given.
    jobs : int or None
        Runs side by side; as many as there are cores unless given.
    n_left : int
        Runs that are left to do.

    Yields
    ------
    interrupts : Interrupts
        Holds a signal back.
    workers : Carrier
        Carries runs out.
    """
    from npvpg.jobs.interrupt import Interrupts
    from npvpg.runs.cores import n_cores

    if engine == "processes":
        from npvpg.jobs.pool import Workers

        with Interrupts() as stops, Workers(min(jobs or n_cores(), n_left)) as workers:
            yield stops, workers
        return
    from npvpg.jobs import cluster
    from npvpg.jobs.cluster_runs import ClusterWorkers

    # Ray takes the signals for itself as it begins
    with cluster.connected(address, jobs or n_cores()) as at, Interrupts() as stops:
        n = min(jobs or max(int(at.n_cpus), 1), n_left)
        with ClusterWorkers(at, n) as workers_there:
            yield stops, workers_there
