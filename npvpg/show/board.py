"""What a group of runs shows: a line a seed that moves, and the results side by side."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from npvpg.runs import seeds as words
from npvpg.runs.config import Config
from npvpg.runs.group import GroupDirectory
from npvpg.runs.group_evaluation import GroupScore
from npvpg.runs.modules import short
from npvpg.runs.over_seeds import OverSeeds
from npvpg.runs.report import ENDED, Report
from npvpg.show.console import Console
from npvpg.show.numbers import number, whole
from npvpg.show.screen import Screen


class Board:
    """
    The screen of a group.

    On a terminal the lines of the seeds are live; elsewhere a line is printed as a seed ends.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print; standard output if not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.line = Screen(self.console).line
        self._live: Live | None = None
        self._reports: dict[str, Report] = {}
        self._steps: dict[str, int] = {}
        self._kind = "seed"
        self._told: set[str] = set()

    def header(
        self,
        config: Config,
        seeds: Sequence[int],
        directory: GroupDirectory,
        *,
        n_jobs: int,
        n_left: int,
    ) -> None:
        """
        Say what is about to run.

        Parameters
        ----------
        config : Config
            The configuration.
        seeds : sequence of int
            The seeds.
        directory : GroupDirectory
            The group.
        n_jobs : int
            How many runs go on side by side.
        n_left : int
            How many are not finished yet.
        """
        self.line("environment", f"{short(config.env)} · {config.steps:,} steps a seed", "bold")
        done = f" · {len(seeds) - n_left} of {len(seeds)} done" if n_left < len(seeds) else ""
        self.line("seeds", f"{words.text(tuple(seeds))} · {n_jobs} side by side{done}")
        self.line("runs", f"{directory.path}/seed-*")
        self.console.print()

    @contextlib.contextmanager
    def live(self, steps: Mapping[str, int], kind: str = "seed") -> Iterator[None]:
        """
        Show a line a run.

        Parameters
        ----------
        steps : mapping of str to int
            Environment steps of the runs to be trained, by their names.
        kind : str
            What they are called by.
        """
        self._steps, self._kind = dict(steps), kind
        self._reports = {name: Report(name, "waiting") for name in steps}
        if not self.console.is_terminal or not steps:
            yield
            return
        with Live(
            get_renderable=self._table, console=self.console, refresh_per_second=5, transient=True
        ) as live:
            self._live = live
            yield
        self._live = None

    def report(self, report: Report) -> None:
        """
        Show how a run is doing.

        Parameters
        ----------
        report : Report
            What it reports.
        """
        if report.state == "compiling" and report.text not in self._told:
            self._told.add(report.text)
            self.line("kernels", report.text, "yellow")
        self._reports[report.name] = report
        if report.state == "failed" or (report.state in ENDED and self._live is None):
            style = "bold red" if report.state == "failed" else ""
            self.line(f"{self._kind} {report.name}", _state(report), style)

    def _table(self) -> Table:
        """Lay out the lines: all of them, or, where they are too many, those that move."""
        shown = list(self._reports.values())
        room = max(self.console.height - 4, 1)
        hidden = ""
        if len(shown) > room:
            counts = [
                (sum(r.state in states for r in shown), name)
                for name, states in (("ended", ENDED), ("waiting", ("waiting",)))
            ]
            hidden = " · ".join(f"{count} {name}" for count, name in counts)
            shown = [r for r in shown if r.state not in (*ENDED, "waiting")][:room]
        table = Table.grid(padding=(0, 2))
        for justify in ("right", "left", "right", "right", "left"):
            table.add_column(justify=justify, no_wrap=True)
        table.add_row(self._kind, "", "steps", "return", hidden, style="bold")
        for report in shown:
            begun = report.steps > 0
            table.add_row(
                report.name,
                ProgressBar(total=self._steps[report.name], completed=report.steps, width=20),
                f"{report.steps:,}" if begun else "",
                number(report.mean_return) if begun else "",
                Text(_live_state(report)),  # not markup, whatever is in an error
                style="dim" if report.state == "waiting" else "",
            )
        return table

    def result(self, summary: dict[str, Any], directory: GroupDirectory) -> None:
        """
        Print the results of the seeds, and what they say together.

        Parameters
        ----------
        summary : dict
            As `npvpg.jobs.group_run.train` gives it.
        directory : GroupDirectory
            The group.
        """
        rows = summary["runs"]
        if not rows:
            return
        self.console.print()
        self._row(["seed", "steps", "return", "solved at", "sampled", "greedy"], "bold")
        for row in rows:
            at = row["solved_at_step"]
            returns = (row[name] for name in ("sampled", "greedy"))
            cells = [str(row["seed"]), f"{row['steps']:,}", number(row["mean_return_100"])]
            self._row([*cells, "-" if at is None else f"{at:,}", *map(number, returns)])
        self.console.print()
        self.together("return", summary["mean_return_100"])
        self.together("greedy", summary["greedy"])
        if summary["reward_threshold"] is not None:
            style = "bold green" if summary["solved"] == len(summary["seeds"]) else "bold yellow"
            self.line("solved", f"{summary['solved']} of {len(summary['seeds'])}", style)
            self.together("solved at", summary["solved_at_step"], steps=True)
        self.line("files", f"{directory.path}/ {directory.summary.name} {directory.curves.name}")

    def evaluation(self, scores: GroupScore) -> None:
        """
        Print how the policies of the seeds do.

        Parameters
        ----------
        scores : GroupScore
            As `npvpg.runs.group_evaluation.evaluate_group` gives them.
        """
        for seed, run in scores["runs"].items():
            means = (f"{mode} {number(run[mode]['mean'])}" for mode in ("sampled", "greedy"))
            self.line(f"seed {seed}", " · ".join(means))
        self.console.print()
        self.together("sampled", scores["sampled"])
        self.together("greedy", scores["greedy"])

    def together(self, label: str, found: OverSeeds | None, *, steps: bool = False) -> None:
        """
        Print what the numbers of the seeds say together.

        Parameters
        ----------
        label : str
            What they are.
        found : OverSeeds or None
            What they say; without it nothing is printed.
        steps : bool
            Whether they are whole numbers of steps, not returns.
        """
        if found is None:
            return
        write = whole if steps else number
        for name, value, interval in (
            ("IQM", found["iqm"], found["iqm_interval"]),
            ("mean", found["mean"], found["mean_interval"]),
        ):
            text = f"{name:<4} {write(value)}"
            if interval is not None:
                low, high = interval
                text += f" · 95% interval {write(low)} to {write(high)}"
            self.line(label, text)
            label = ""

    def _row(self, cells: Sequence[str], style: str = "") -> None:
        """Print one row of the results."""
        text = "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
        self.console.print(text, style=style, soft_wrap=True)


_WIDTHS = (10, 12, 10, 12, 10, 10)


def _state(report: Report) -> str:
    """Say how a run ended."""
    if report.state == "failed":
        return f"failed: {report.text}"
    if report.state == "stopped":
        return f"stopped at step {report.steps:,} · return {number(report.mean_return)}"
    if report.solved_at_step is None:
        return f"{report.steps:,} steps · return {number(report.mean_return)}"
    return f"solved at step {report.solved_at_step:,} · return {number(report.mean_return)}"


def _live_state(report: Report) -> str:
    """Say what a run is at."""
    if report.state == "failed":
        return _state(report)
    if report.state == "training":
        speed = report.steps_per_second
        return "training" if speed is None else f"{speed:,.0f} steps/s"
    if report.state == "finished" and report.solved_at_step is not None:
        return f"solved at {report.solved_at_step:,}"
    return report.state
