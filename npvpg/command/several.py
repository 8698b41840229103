"""
The commands that train in many ways: every algorithm, and every setting of a sweep.

What a command needs is imported as it is carried out: its help must not wait for Gymnasium.
"""
# ruff: noqa: PLC0415

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from typing_extensions import override

from npvpg import checks
from npvpg.command import engines
from npvpg.command.engines import Engine
from npvpg.command.parser import Command
from npvpg.command.resuming import resumable
from npvpg.runs import config_file, seeds
from npvpg.runs.directory import timed_path
from npvpg.runs.modules import located, short


@dataclass(frozen=True)
class Ablation(Command):
    """Train every algorithm over seeds on one environment; draw return and gradient variance."""

    name: ClassVar[str] = "ablation"

    env: Annotated[str | None, "ENV"]
    """Environment; its preset, or --config, holds for all algorithms."""

    seeds: Annotated[str, "LIST"] = "0-4"
    """Seeds of every algorithm, such as 0-9 or 0,2,5-7."""

    steps: Annotated[int | None, "STEPS"] = None
    """Environment steps of every run; those of the preset unless given."""

    jobs: Annotated[int | None, "N"] = None
    """Runs side by side; as many as there are cores unless given. No result depends on it."""

    episodes: Annotated[int, "EPISODES"] = 400
    """Episodes that variances are measured on."""

    config: Annotated[Path | None, "FILE.toml"] = None
    """Settings over the preset, below those that an algorithm sets."""

    out: Annotated[Path | None, "DIR"] = None
    """Directory of the ablation; runs/ablation-ENV-TIME unless given."""

    resume: Annotated[Path | None, "DIR"] = None
    """Ablation to go on with: what is finished is left as it is."""

    def __post_init__(self) -> None:
        """Refuse what no ablation can be made of."""
        if self.env is None and self.resume is None:
            raise ValueError("no environment given; try: npvpg ablation CartPole-v1")
        checks.at_least(3, episodes=self.episodes)
        checks.at_least(1, jobs=self.jobs, steps=self.steps)

    @override
    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        if "resume" in given:
            for name in ("seeds", "steps", "config", "out"):
                if name in given:
                    raise ValueError(f"--resume goes on as the ablation began: leave out --{name}")
            if "env" in given:
                raise ValueError(f"--resume knows its environment: leave out {given['env']}")
        return cls(**{"env": None, **given})

    @override
    def carry_out(self) -> int:
        from npvpg.jobs.interrupt import Interrupts
        from npvpg.jobs.pool import Workers
        from npvpg.runs.cores import n_cores
        from npvpg.studies import ablation

        if self.resume is not None:
            directory = ablation.AblationDirectory(self.resume)
        else:
            env = located(str(self.env))
            out = self.out or timed_path(f"ablation-{short(env)}", datetime.now())
            directory = ablation.AblationDirectory(out)
            values = config_file.read(self.config) if self.config else {}
            values |= {"steps": self.steps} if self.steps else {}
            directory.create(values | {"env": env}, seeds.parse(self.seeds))
        n_jobs = min(self.jobs or n_cores(), max(directory.n_left(), 1))
        with (
            resumable(directory.path, self.name),
            Interrupts() as stops,
            Workers(n_jobs) as workers,
        ):
            summary = ablation.train(directory, workers, stops, episodes=self.episodes)
        for run, text in summary["failed"].items():
            print(f"npvpg: {directory.path / run} failed: {text}", file=sys.stderr)
        if summary["failed"]:
            return 1
        print(directory.picture)
        return 0


@dataclass(frozen=True)
class Sweep(Command):
    """Train with many settings over seeds; say which is best by the interval over its seeds."""

    name: ClassVar[str] = "sweep"

    file: Annotated[Path | None, "FILE.toml"]
    """What to try: env, seeds, and in [vary] values or intervals by setting; docs/cluster.md."""

    jobs: Annotated[int | None, "N"] = None
    """Runs side by side; as many as there are cores unless given. No result depends on it."""

    engine: Engine = "processes"
    """Where runs are carried out: in processes of this machine, or on a Ray cluster, an extra."""

    ray_address: Annotated[str | None, "HOST:PORT"] = None
    """Head of the Ray cluster; one is started on this machine, for this command, unless given."""

    out: Annotated[Path | None, "DIR"] = None
    """Directory of the sweep; runs/sweep-ENV-TIME unless given."""

    resume: Annotated[Path | None, "DIR"] = None
    """Sweep to go on with: what is finished is left as it is."""

    def __post_init__(self) -> None:
        """Refuse what no sweep can be made of."""
        if self.file is None and self.resume is None:
            raise ValueError("no file given; try: npvpg sweep FILE.toml")
        checks.at_least(1, jobs=self.jobs)
        engines.check(self.engine, self.ray_address)

    @override
    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        for name in ("file", "out"):
            if "resume" in given and name in given:
                raise ValueError(f"--resume goes on as the sweep began: leave out {given[name]}")
        return cls(**{"file": None, **given})

    @override
    def carry_out(self) -> int:
        from npvpg.runs import sweep
        from npvpg.runs.sweep_directory import SweepDirectory

        source = self.file or SweepDirectory(self.resume or Path()).checked_file
        asked = sweep.read(source)
        out = self.resume or self.out or timed_path(f"sweep-{short(asked.env)}", datetime.now())
        directory = SweepDirectory(out)
        if self.resume is None:
            directory.create(source)
        n_left = len(directory.left())
        with (
            resumable(directory.path, self.name),
            engines.started(self.engine, self.ray_address, self.jobs, n_left) as (stops, workers),
        ):
            from npvpg.jobs import sweep_run  # slow, while the processes start as well
            from npvpg.show.board import Board

            summary = sweep_run.train(directory, workers, stops, board=Board())
        failed = {row["trial"]: row["failed"] for row in summary["trials"] if row["failed"]}
        for trial, texts in failed.items():
            for seed, text in texts.items():
                print(f"npvpg: trial {trial}, seed {seed} failed: {text}", file=sys.stderr)
        return 1 if failed else 0
