"""
The command that trains: a run, or the runs of several seeds.

What a command needs is imported as it is carried out: its help must not wait for Gymnasium.
"""
# ruff: noqa: PLC0415

import contextlib
import dataclasses
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from typing_extensions import override

from npvpg import checks
from npvpg.command import engines
from npvpg.command.engines import Engine
from npvpg.command.parser import Command
from npvpg.command.resuming import resumable
from npvpg.runs import config_file, seeds
from npvpg.runs.algorithms import AlgorithmName
from npvpg.runs.changes import differences, extended
from npvpg.runs.config import FIELDS, Config
from npvpg.runs.directory import RunDirectory, default_directory
from npvpg.runs.group import GroupDirectory
from npvpg.runs.modules import anchored, located
from npvpg.runs.words import quoted

if TYPE_CHECKING:
    from npvpg.world.split import Crew


@dataclass(frozen=True)
class Train(Command):
    """Train a policy: flags over --algorithm over --config over the preset of ENV."""

    name: ClassVar[str] = "train"
    groups: ClassVar[Mapping[str, str]] = {"what to train": "algorithm", "output": "out"}

    settings: Config

    algorithm: Annotated[AlgorithmName | None, "NAME"] = None
    """Estimator, value target, normalisation and step by one name: reinforce (the total return);
    reward-to-go; baseline (reward-to-go less V, whole episodes); actor-critic (the TD residual);
    n-step; vpg (gae); natural, trpo and ppo, gae with another step of the policy; rloo and grpo,
    returns compared in groups. config.toml of the run holds what it stood for."""

    seeds: Annotated[str | None, "LIST"] = None
    """Train once for each of several seeds, such as 0-9 or 0,2,5-7, and say what they come to
    together; every seed gets a directory of its own, the run that --seed would make."""

    config: Annotated[Path | None, "FILE.toml"] = None
    """Settings; config.toml of a run repeats that run bit for bit."""

    resume: Annotated[Path | None, "DIR"] = None
    """Run to go on with, exactly where its last checkpoint stands; of several seeds, those that
    are not finished. With more --steps than it had, or --no-stop-when-solved, a finished run goes
    on as well; schedules then follow the new end."""

    out: Annotated[Path | None, "DIR"] = None
    """Directory of the run, or of the runs; runs/ENV-seedS-TIME unless given."""

    jsonl: bool = False
    """Write metrics.jsonl as well, an object a line for each update."""

    tensorboard: bool = False
    """Write event files for TensorBoard as well, into tensorboard/ of the run; an extra."""

    jobs: Annotated[int | None, "N"] = None
    """Seeds that train side by side, each on one core; as many as there are cores unless given. No
    result depends on it."""

    workers: Annotated[int | None, "N"] = None
    """Processes of a Ray cluster that step the sub-environments, shared out among them; pays off
    for slow environments only. No number depends on it; an extra."""

    engine: Engine = "processes"
    """Where several seeds train: in processes of this machine, or on a Ray cluster, an extra."""

    ray_address: Annotated[str | None, "HOST:PORT"] = None
    """Head of the Ray cluster; one is started on this machine, for this command, unless given."""

    def __post_init__(self) -> None:
        """Refuse numbers of processes that there cannot be, or where they have nothing to do."""
        checks.at_least(1, jobs=self.jobs, workers=self.workers)
        if self.jobs is not None and not self.several:
            raise ValueError("--jobs is for several seeds: name them, as in --seeds 0-9")
        if self.workers is not None and self.several:
            raise ValueError("--workers shares out one run: leave it out for several seeds")
        if self.workers is not None and self.workers > self.settings.envs:
            raise ValueError(
                f"--workers must be at most {self.settings.envs}, as there are --envs, "
                f"got {self.workers}"
            )
        if self.engine != "processes" and not self.several:
            raise ValueError(
                "--engine is for several seeds: name them, as in --seeds 0-9, or give --workers"
            )
        if self.workers is None:
            engines.check(self.engine, self.ray_address)

    @property
    def also(self) -> tuple[str, ...]:
        """Where the numbers of the run go as well."""
        return ("jsonl",) * self.jsonl + ("tensorboard",) * self.tensorboard

    @property
    def several(self) -> bool:
        """Whether there are several seeds, or a directory of such to go on with."""
        if self.resume is not None:
            return GroupDirectory(self.resume).exists()
        return self.seeds is not None

    @override
    @classmethod
    def below(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if "resume" in given:
            group = GroupDirectory(given["resume"])
            config = group.read()[0] if group.exists() else RunDirectory(group.path).read_config()
            return dataclasses.asdict(config)
        file = config_file.read(given["config"]) if "config" in given else {}
        env = given.get("env", file.get("env"))
        return config_file.layers(located(env), given.get("algorithm"), file) if env else file

    @override
    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        if "resume" in given:
            if "algorithm" in given:
                raise ValueError(
                    "--resume goes on with the configuration of the run: leave out --algorithm"
                )
            for name in ("out", "config", "seeds"):
                if name in given:
                    raise ValueError(f"--resume goes on in its own directory: leave out --{name}")
        if {"seeds", "seed"} <= given.keys():
            raise ValueError("--seeds takes the place of --seed: leave out one of them")
        below = cls.below(given)
        changes = anchored({name: given[name] for name in given if name in FIELDS})
        if "env" not in below:
            raise ValueError("no environment given; try: npvpg train CartPole-v1")
        origin = given.get("config", f"preset of {below.get('env')}")
        default = config_file.checked(below, origin)
        config = dataclasses.replace(default, **changes)
        allowed = extended(default, config)
        changed = differences(config, allowed) if "resume" in given else []
        if changed:
            raise ValueError(
                f"--resume goes on with the configuration of the run, which cannot change but for "
                f"more --steps: {', '.join(changed)}; to begin anew, use --config "
                f"{quoted(RunDirectory(given['resume']).config)}"
            )
        return cls(config, **{name: given[name] for name in given if name not in FIELDS})

    @override
    def carry_out(self) -> int:
        from npvpg.runs import sinks

        sinks.check(self.also)
        if self.several:
            return self._over_seeds()
        if self.resume is not None:
            directory = RunDirectory(self.resume)
        elif self.out is not None:
            directory = RunDirectory(self.out)
            directory.check_free()
            GroupDirectory(self.out).check_free()
        else:
            directory = default_directory(self.settings, datetime.now())

        from npvpg.jobs import run
        from npvpg.show.screen import Screen

        with resumable(directory.path, self.name, self.settings), self._crew() as crew:
            run.train(
                self.settings,
                directory,
                resume=self.resume is not None,
                also=self.also,
                screen=Screen(),
                crew=crew,
            )
        return 0

    @contextlib.contextmanager
    def _crew(self) -> Iterator["Crew | None"]:
        """Connect with the workers, if there are to be any."""
        if self.workers is None:
            yield None
            return
        from npvpg.jobs import cluster, ray_crew

        with (
            cluster.connected(self.ray_address, self.workers) as at,
            contextlib.closing(ray_crew.RayCrew(at, self.settings, self.workers)) as crew,
        ):
            yield crew

    def _over_seeds(self) -> int:
        """Train over seeds, or go on training over seeds."""
        if self.resume is not None:
            directory = GroupDirectory(self.resume)
            before, numbers = directory.read()
            if before != self.settings:
                directory.extend(self.settings, numbers)
        else:
            numbers = seeds.parse(self.seeds or "")
            label = seeds.text(numbers)
            out = self.out or default_directory(self.settings, datetime.now(), label).path
            directory = GroupDirectory(out)
            directory.check_free(numbers)

        n_left = len(directory.unfinished(numbers))
        with (
            resumable(directory.path, self.name, self.settings),
            engines.started(self.engine, self.ray_address, self.jobs, n_left) as (stops, workers),
        ):
            from npvpg.jobs import group_run  # slow, while the processes start as well
            from npvpg.show.board import Board

            resume = self.resume is not None
            summary = group_run.train(
                self.settings,
                numbers,
                directory,
                workers,
                stops,
                resume=resume,
                board=Board(),
                also=self.also,
            )
        for seed, text in summary["failed"].items():
            again = f"npvpg train --resume {quoted(directory.run(int(seed)).path)}"
            print(f"npvpg: seed {seed} failed: {text}; alone: {again}", file=sys.stderr)
        return 1 if summary["failed"] else 0
