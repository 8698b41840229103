"""The commands that look at runs: play with their policies, draw their curves."""
# ruff: noqa: PLC0415

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from typing_extensions import override

from npvpg import checks
from npvpg.command.parser import Command
from npvpg.runs.directory import RunDirectory
from npvpg.runs.group import GroupDirectory, expand
from npvpg.runs.series import Against
from npvpg.show.pictures import check_suffix

if TYPE_CHECKING:
    from npvpg.runs.watching import Moment


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

    best: bool = False
    """Play with the best policy of a run with --eval-every in place of the last."""

    json: bool = False
    """Print JSON, and nothing else; what the environment prints goes to the standard error."""

    def __post_init__(self) -> None:
        """Refuse numbers that there cannot be."""
        checks.at_least(1, episodes=self.episodes)
        checks.at_least(0, seed=self.seed)

    @override
    def carry_out(self) -> int:
        from npvpg.runs import compiling, environments
        from npvpg.runs.evaluation import evaluate
        from npvpg.runs.group_evaluation import evaluate_group
        from npvpg.show.board import Board
        from npvpg.show.screen import Screen

        screen = Screen(quiet=self.json)
        given: dict[str, Any] = {
            "episodes": self.episodes,
            "seed": self.seed,
            "best": self.best,
        }
        result: Mapping[str, Any]
        aside = _printed_aside() if self.json else contextlib.nullcontext()
        with aside, environments.quiet(), compiling.told(screen.compiling):
            if GroupDirectory(self.run).exists():
                result = evaluate_group(self.run, **given)
                Board(screen.console).evaluation(result)
            else:
                result = evaluate(self.run, **given)
                screen.evaluation(result)
        if self.json:
            print(json.dumps(result, indent=2))
        return 0


@dataclass(frozen=True)
class Watch(Command):
    """See the policy of a run act: in a window, or where there is no display in a film."""

    name: ClassVar[str] = "watch"

    run: Annotated[Path, "RUN"]
    """Directory of the run."""

    episodes: Annotated[int, "EPISODES"] = 1
    """Episodes to play."""

    video: Annotated[Path | None, "FILE"] = None
    """Film to write in place of a window, .mp4 or .gif; unless given, and where there is no
    display, watch.mp4 in the directory of the run, or watch.gif without imageio-ffmpeg."""

    greedy: bool = False
    """Take the most probable action in place of a draw."""

    seed: Annotated[int, "N"] = 0
    """Seed of environment and actions."""

    best: bool = False
    """Watch the best policy of a run with --eval-every in place of the last."""

    def __post_init__(self) -> None:
        """Refuse numbers that there cannot be."""
        checks.at_least(1, episodes=self.episodes)
        checks.at_least(0, seed=self.seed)

    @override
    def carry_out(self) -> int:
        from npvpg.show.watch import watch

        def told(end: "Moment") -> None:
            print(f"episode {end.episode}: return {end.ret:g} in {end.step:,} steps", flush=True)

        seen = watch(
            self.run,
            episodes=self.episodes,
            video=self.video,
            greedy=self.greedy,
            seed=self.seed,
            best=self.best,
            told=told,
        )
        if seen.film is not None:
            print(seen.film)
        return 0


@dataclass(frozen=True)
class Export(Command):
    """Write the policy of a run to a file that acts without npvpg, normaliser and bounds inside."""

    name: ClassVar[str] = "export"

    run: Annotated[Path, "RUN"]
    """Directory of the run."""

    format: Literal["onnx", "torch", "numpy", "json"] = "onnx"
    """What to write: ONNX, with the parameters of the distribution and the most probable action; a
    Python file with a torch.nn.Module; one that needs NumPy alone; or the numbers as JSON."""

    out: Annotated[Path | None, "FILE"] = None
    """The file; policy.onnx, policy_torch.py, policy.py or policy.json in the directory of the run
    unless given."""

    best: bool = False
    """Write the best policy of a run with --eval-every in place of the last."""

    @override
    def carry_out(self) -> int:
        from npvpg.exporting.export import export

        print(export(self.run, self.format, self.out, best=self.best))
        return 0


@dataclass(frozen=True)
class Plot(Command):
    """Draw return against steps: a line and a band for runs that differ in the seed alone."""

    name: ClassVar[str] = "plot"

    runs: Annotated[tuple[Path, ...], "RUN"]
    """Directories of runs, or of the runs of several seeds, of one environment."""

    out: Annotated[Path | None, "FILE"] = None
    """Picture to write, .png, .pdf or .svg; unless given, curve.png in the directory of a single
    run, curves.png in that of several seeds, or in the first of several directories."""

    label: Annotated[str | None, "A,B"] = None
    """Labels of the lines where runs differ in more than the seed, parted by commas, in the order
    in which their runs are named; unless given, what differs."""

    y: Annotated[str, "NAME"] = "return"
    """What to draw: return, or a column of metrics.csv, such as entropy, kl, grad_norm,
    explained_variance."""

    x: Against = "steps"
    """What to draw it against; time is that of the training, in seconds."""

    csv: bool = False
    """Write the lines of every run as well, beside the picture."""

    profile: bool = False
    """Draw performance profiles in place of curves: the share of the runs of each group that end
    above a return, by the mean of their last 100 episodes."""

    def __post_init__(self) -> None:
        """Refuse a picture that would be none."""
        if self.out is not None:
            check_suffix(self.out)

    @override
    def carry_out(self) -> int:
        first = next((run for run in self.runs if run.is_dir()), self.runs[0])
        group = GroupDirectory(first)
        several = len(self.runs) > 1 or group.exists()
        out = self.out or (group.curves if several else RunDirectory(first).curve)
        names = [self.y] * (self.y != "return") + [self.x] * (self.x != "steps")
        names += ["profile"] * self.profile
        if self.out is None and names:
            out = out.with_name(f"{out.stem}-{'-'.join(names)}.png")
        runs = expand(self.runs)

        from npvpg.runs import alike
        from npvpg.show import comparing, plot

        labels = self.label.split(",") if self.label else ()
        groups = alike.labelled(alike.group(alike.read(runs)[0])[0], labels)
        if self.profile:
            comparing.profile(out, groups)
        else:
            csv = out.with_suffix(".csv") if self.csv else None
            for note in plot.curve(out, runs, labels=labels, y=self.y, x=self.x, csv=csv):
                print(f"npvpg: {note}", file=sys.stderr)
        if self.profile or self.y == "return":
            for line in comparing.compared(groups):
                print(line)
        print(out)
        return 0


@dataclass(frozen=True)
class Report(Command):
    """Write one page on runs: curves, diagnostics, warnings, settings, evaluation, film."""

    name: ClassVar[str] = "report"

    runs: Annotated[tuple[Path, ...], "RUN"]
    """Directories of runs, or of the runs of several seeds, of one environment; those that differ
    in the seed alone are put together."""

    out: Annotated[Path | None, "FILE.html"] = None
    """Page to write, which needs nothing else; unless given, report.html in the directory of the
    run or of the seeds, of several directories in the first."""

    def __post_init__(self) -> None:
        """Refuse a page that would be none."""
        if self.out is not None and self.out.suffix.lower() != ".html":
            raise ValueError(f"out must end in .html, got {self.out}")

    @override
    def carry_out(self) -> int:
        first = next((run for run in self.runs if run.is_dir()), self.runs[0])
        out = self.out or first / "report.html"

        from npvpg.runs import environments
        from npvpg.show import report

        with environments.quiet():
            for note in report.write(out, expand(self.runs)):
                print(f"npvpg: {note}", file=sys.stderr)
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
