"""What to expect of many cores: a driver that serves them one after the other, simulated."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verification.speed.tables import Table

CORES = (2, 4, 8, 16, 32, 64, 125, 250, 500, 1000)


class Load(NamedTuple):
    """
    What was measured of one worker and the driver.

    Attributes
    ----------
    play : ndarray of float64, shape (M,)
        Times in which a worker played its part of a batch [s].
    serve : float
        Time that the driver spends on a worker and batch: sending, receiving, laying together [s].
    learn : float
        Time of an update, by step of the batch [s].
    steps : int
        Steps of a worker in a batch.
    """

    play: NDArray[np.float64]
    serve: float
    learn: float
    steps: int


def throughput(load: Load, n_workers: int, *, n_updates: int = 300, seed: int = 0) -> float:
    """
    Simulate updates: all are sent for, one after the other, and each is served as it returns.

    Parameters
    ----------
    load : Load
        What was measured.
    n_workers : int
        Workers, each on a core of its own, the driver besides.
    n_updates : int
        Updates.
    seed : int
        Seed of the times that are drawn from those measured.

    Returns
    -------
    float
        Steps per second.
    """
    rng = np.random.default_rng([seed, n_workers])
    half = load.serve / 2
    total = 0.0
    for _ in range(n_updates):
        sent = half * np.arange(1, n_workers + 1)
        back = np.sort(sent + rng.choice(load.play, n_workers))
        clock = float(sent[-1])
        for at in back.tolist():
            clock = max(clock, at) + half
        total += clock + load.learn * load.steps * n_workers
    return load.steps * n_workers * n_updates / total


def limit(load: Load) -> float:
    """
    Give the throughput that no number of workers goes beyond: the driver is never idle.

    Parameters
    ----------
    load : Load
        What was measured.

    Returns
    -------
    float
        Steps per second.
    """
    return load.steps / (load.serve + load.learn * load.steps)


def saturation(load: Load) -> float:
    """
    Give the number of workers at which half of the time is the driver's.

    Parameters
    ----------
    load : Load
        What was measured.

    Returns
    -------
    float
        Workers.
    """
    return float(np.median(load.play)) / (load.serve + load.learn * load.steps)


def table_of(name: str, load: Load) -> Table:
    """
    Show what to expect of more cores.

    Parameters
    ----------
    name : str
        What is trained.
    load : Load
        What was measured.

    Returns
    -------
    Table
        A row a number of cores.
    """
    notes = (
        "Simulated, not measured: a worker a core with 8 sub-environments each, so the batch "
        f"grows with them; a worker plays {1e3 * np.median(load.play):.1f} ms, the driver spends "
        f"{1e3 * load.serve:.2f} ms on it and learns {1e6 * load.learn:.2f} us a step. Half of the "
        f"time is the driver's from {saturation(load):.0f} workers on; it is never idle at "
        f"{limit(load):,.0f} steps/s."
    )
    table = Table(f"To expect of more cores: {name}", notes)
    one = throughput(load, 1)
    for cores in CORES:
        rate = throughput(load, cores)
        share = rate / one / cores
        table.rows.append({"cores": cores, "steps/s": round(rate), "efficiency": f"{share:.2f}"})
    return table
