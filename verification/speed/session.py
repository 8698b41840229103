"""How long to measure, and what is known so far."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from npvpg.envs import MUJOCO
from verification.speed.contestants import Contestant
from verification.speed.worker import MissingPackageError, Worker

PEERS = "verification.speed.peers"


@dataclass(frozen=True)
class Plan:
    """
    How much to measure.

    Parameters
    ----------
    repetitions : int
        Measurements of every speed.
    trainings : int
        Trainings of every peer until the task is solved.
    seeds : int
        Seeds of npvpg in the comparison of training.
    seconds : float
        Length of one measurement of a speed [s].
    patience : float
        Time after which training that has not solved the task is stopped [s].
    peer_steps : float
        Factor of the steps by which the speed of Stable-Baselines3 is measured.
    updates : int
        Updates that make the trained policy of the rollouts.
    elements : int
        Length of the sums over time.
    seeds_by_command : int
        Seeds that ``npvpg train --seeds`` trains by one job and by two; 0 leaves it out.
    envs, widths, batches : tuple of int
        Sub-environments, widths of the networks and steps of a batch that scaling looks at.
    mujoco : tuple of str
        MuJoCo's environments that are looked at.
    """

    repetitions: int = 5
    trainings: int = 5
    seeds: int = 20
    seconds: float = 1.0
    patience: float = 60.0
    peer_steps: float = 1.0
    updates: int = 200
    elements: int = 1_000_000
    seeds_by_command: int = 10
    envs: tuple[int, ...] = (1, 4, 16, 64, 256, 1024, 4096)
    widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)
    batches: tuple[int, ...] = (1024, 8192, 65_536, 1_048_576)
    mujoco: tuple[str, ...] = tuple(sorted(MUJOCO))


QUICK = Plan(
    repetitions=2,
    trainings=1,
    seeds=4,
    seconds=0.2,
    patience=2.0,
    peer_steps=0.125,
    updates=100,
    seeds_by_command=0,
    envs=(1, 64, 4096),
    widths=(16, 256),
    batches=(1024, 65_536),
    mujoco=("HalfCheetah-v5",),
)


@dataclass
class Session:
    """
    One run of the program.

    Parameters
    ----------
    plan : Plan
        How much to measure.
    peer_python : str
        Interpreter that has the peers.
    cores : sequence of int
        Cores that may be used; everything but a second job runs on the first.
    say : callable
        Where to tell what is going on.
    """

    plan: Plan
    peer_python: str = sys.executable
    cores: Sequence[int] = (0,)
    say: Callable[[str], None] = print
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def start(self, who: Contestant) -> Worker | None:
        """
        Start the process of a contestant.

        Parameters
        ----------
        who : Contestant
            Who takes part.

        Returns
        -------
        Worker or None
            Its process; None if a package is missing, which is noted.
        """
        if who.name in self.skipped:
            return None
        python = self.peer_python if who.peer else sys.executable
        try:
            worker = Worker(f"{PEERS}.{who.module}", python)
        except MissingPackageError as missing:
            self.skip(who.name, str(missing))
            return None
        self.versions["peers" if who.peer else "npvpg"] = {
            **self.versions.get("peers" if who.peer else "npvpg", {}),
            **worker.versions,
        }
        return worker

    def skip(self, name: str, package: str) -> None:
        """
        Note that something cannot be measured.

        Parameters
        ----------
        name : str
            What.
        package : str
            Package that is not installed.
        """
        if name not in self.skipped:
            self.say(f"skipped: {name} ({package} is not installed)")
        self.skipped[name] = package
