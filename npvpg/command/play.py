"""The commands that look at runs: play with their policies, draw their curves."""
# ruff: noqa: PLC0415

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from typing_extensions import override

from npvpg import checks
from npvpg.command.parser import Command
from npvpg.runs.group import GroupDirectory, expand


@dataclass(frozen=True)
class Evaluate(Command):
    """Play with the policy of a run: actions sampled, and actions greedy."""

    name: ClassVar[str] = "evaluate"

    run: Annotated[Path, "RUN"]
    """Directory of the run, or of the runs of several seeds."""

    episodes: Annotated[int, "EPISODES"] = 100
    """Episodes of each kind."""

    seed: int = 0
    """Seed of environments and actions."""

    json: bool = False
    """Print JSON, and nothing else; what the environment prints goes to the standard error."""

    def __post_init__(self) -> None:
        """Refuse numbers that there cannot be."""
        checks.at_least(1, episodes=self.episodes)
        checks.at_least(0, seed=self.seed)

    @override
    def carry_out(self) -> int:
        from npvpg.runs import compiling, environments
        from npvpg.runs.evaluation import evaluate, evaluate_group
        from npvpg.show.board import Board
        from npvpg.show.screen import Screen

        screen = Screen(quiet=self.json)
        result: Mapping[str, Any]
        aside = _printed_aside() if self.json else contextlib.nullcontext()
        with aside, environments.quiet(), compiling.told(screen.compiling):
            if GroupDirectory(self.run).exists():
                result = evaluate_group(self.run, episodes=self.episodes, seed=self.seed)
                Board(screen.console).evaluation(result)
            else:
                result = evaluate(self.run, episodes=self.episodes, seed=self.seed)
                screen.evaluation(result)
        if self.json:
            print(json.dumps(result, indent=2))
        return 0


@dataclass(frozen=True)
class Plot(Command):
    """Draw return against steps: of one run, or the interquartile mean and a band of several."""

    name: ClassVar[str] = "plot"

    runs: Annotated[tuple[Path, ...], "RUN"]
    """Directories of runs, or of the runs of several seeds, of one environment."""

    out: Annotated[Path | None, "PNG"] = None
    """Picture to write; unless given, curve.png in the directory of a single run or curves.png in
    that of several seeds."""

    def __post_init__(self) -> None:
        """Refuse a picture that would be none."""
        if self.out is not None and self.out.suffix.lower() != ".png":
            raise ValueError(f"out must end in .png, got {self.out}")

    @override
    def carry_out(self) -> int:
        single = self.runs[0] if len(self.runs) == 1 else Path()
        group = GroupDirectory(single)
        out = self.out or (group.curves if group.exists() else single / "curve.png")
        runs = expand(self.runs)

        from npvpg.show import plot

        plot.curve(out, runs)
        print(out)
        return 0


@contextlib.contextmanager
def _printed_aside() -> Iterator[None]:
    """Send to the standard error what anyone prints, C libraries included."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
