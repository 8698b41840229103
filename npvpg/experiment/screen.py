"""What a run shows: a header, a bar that moves, a row now and then, and the verdict."""

import contextlib
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from npvpg.vpg import Iteration
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from npvpg.experiment.config import Config
from npvpg.experiment.directory import RunDirectory
from npvpg.experiment.log import read_episodes, rolling_mean
from npvpg.experiment.plot import sparkline

if TYPE_CHECKING:
    from npvpg.experiment.progress import Progress as RunProgress
    from npvpg.experiment.run import Run

ROWS = 20  # of the table, over a run that uses up its steps
COLUMNS = (
    "    steps  episodes    return    length   entropy         KL      |g|   expl.var   steps/s"
)


class Screen:
    """
    The screen of a run.

    On a terminal the bar is live; elsewhere only the lines that stay are printed.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print; standard output if not given.
    quiet : bool
        Print nothing.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(quiet=quiet, highlight=False)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._n_steps = 1
        self._rows = 0
        self._began = 0.0
        self._start = 0

    def line(self, label: str, text: str, style: str = "") -> None:
        """
        Print a labelled line; a long one runs on, so that what is copied from it is whole.

        Parameters
        ----------
        label : str
            What the line is about.
        text : str
            The line.
        style : str
            Style of rich.
        """
        self.console.print(f"{label:<12}", style="dim", end="")
        self.console.print(text, style=style, soft_wrap=True, markup=False)

    def header(self, run: "Run", start: "RunProgress") -> None:
        """
        Say what is about to run.

        Parameters
        ----------
        run : Run
            The run.
        start : Progress
            Where it starts.
        """
        config, parts = run.config, run.parts
        goal = "no reward threshold" if run.threshold is None else f"solved at {run.threshold:g}"
        self.line("environment", f"{config.env} · {config.envs} side by side · {goal}", "bold")
        spaces = (run.env.single_observation_space, run.env.single_action_space)
        self.line("spaces", "observations {} · actions {}".format(*spaces))
        self.line("estimator", f"{config.estimator}   {parts.vpg.estimator.formula}", "cyan")
        self.line("", _constants(config))
        networks = f"hidden {' '.join(map(str, config.hidden)) or 'none'}, {config.activation}"
        self.line(
            "parameters",
            f"{parts.policy.size:,} policy + {parts.value.size:,} value"
            f" · {networks}, {config.dtype}",
        )
        self.line("seed", str(config.seed))
        going_on = f" · going on at step {start.steps:,}" if start.steps else ""
        self.line("run", f"{run.directory.path}{going_on}")
        self.console.print()
        self._start = start.steps

    @contextlib.contextmanager
    def live(self, n_steps: int) -> Iterator[None]:
        """
        Show the table, and on a terminal the bar below it.

        Parameters
        ----------
        n_steps : int
            Steps of the whole run.
        """
        self._n_steps = n_steps
        self._rows = self._start * ROWS // n_steps
        self._began = time.perf_counter()
        self.console.print(COLUMNS, style="bold", soft_wrap=True)
        if not self.console.is_terminal or self.console.quiet:
            yield
            return
        with Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}"),
            console=self.console,
            refresh_per_second=5,
            transient=True,
            expand=True,
        ) as bar:
            text = "starting (the first run ever compiles its kernels)"
            self._task = bar.add_task("", total=n_steps, text=text)
            self._bar = bar
            yield
        self._bar = None

    def iteration(self, iteration: Iteration, progress: "RunProgress") -> None:
        """
        Move the bar, and print a row when it is time for one.

        Parameters
        ----------
        iteration : Iteration
            What the update yielded.
        progress : Progress
            How far the run has come.
        """
        steps = progress.steps
        speed = (steps - self._start) / (time.perf_counter() - self._began)
        if self._bar is not None:
            left = max(self._n_steps - steps, 0) / speed
            text = (
                f"{steps:,}/{self._n_steps:,} steps · {speed:,.0f} steps/s"
                f" · return {_number(progress.mean_return)} · {_duration(left)} left"
            )
            self._bar.update(self._task, completed=steps, text=text)
        done = steps * ROWS // self._n_steps
        if done > self._rows or steps >= self._n_steps or progress.solved_at_step == steps:
            self._rows = done
            self.console.print(_row(iteration, progress, speed), soft_wrap=True)

    def verdict(self, progress: "RunProgress", threshold: float | None) -> None:
        """
        Say how the run ended.

        Parameters
        ----------
        progress : Progress
            How far the run has come.
        threshold : float or None
            Return at which the environment counts as solved.
        """
        mean = f"mean return over the last 100 episodes {_number(progress.mean_return)}"
        self.console.print()
        if progress.solved_at_step is not None and threshold is not None:
            text = f"solved at step {progress.solved_at_step:,}: {mean}"
            if progress.mean_return is not None and progress.mean_return >= threshold:
                text += f" ≥ {threshold:g}"
            self.line("verdict", text, "bold green")
        elif threshold is not None:
            text = f"not solved in {progress.steps:,} steps: {mean}"
            if progress.mean_return is not None and progress.mean_return < threshold:
                text += f" < {threshold:g}"
            else:
                text += f", {progress.episodes_rows} episodes in all"
            self.line("verdict", text, "bold yellow")
        else:
            self.line("verdict", f"{progress.steps:,} steps done: {mean}", "bold")
        speed = f"{progress.steps_per_second:,.0f} steps/s"
        self.line("time", f"{_duration(progress.seconds)} · {speed}")

    def evaluation(self, evaluation: dict[str, Any]) -> None:
        """
        Say how the final policy does, sampled and greedy.

        Parameters
        ----------
        evaluation : dict
            As `npvpg.experiment.evaluate.evaluate` gives it.
        """
        for label, mode in (("evaluation", "sampled"), ("", "greedy")):
            result = evaluation[mode]
            interval = f"95% interval {_number(result['low'])} to {_number(result['high'])}"
            self.line(
                label,
                f"{mode:<8} return {_number(result['mean'])} ± {_number(result['std'])}"
                f" · {interval} · {result['episodes']} episodes",
            )

    def files(self, directory: RunDirectory) -> None:
        """
        Draw the returns in one line, name the files, and offer the next commands.

        Parameters
        ----------
        directory : RunDirectory
            The run.
        """
        _, ret, _ = read_episodes(directory.episodes)
        if len(ret):
            means = rolling_mean(ret)
            line = sparkline(means, width=48)
            self.line("return", f"{means[0]:.1f} {line} {means[-1]:.1f}", "green")
        self.line("files", f"{directory.path}/ {' '.join(f.name for f in directory.files)}")
        self.console.print()
        self.line("next", f"npvpg evaluate {directory.path}")
        self.line("", f"npvpg plot {directory.path}")


def _constants(config: Config) -> str:
    """Give the constants of the estimator, and what one update collects."""
    text = f"γ = {config.gamma:g}"
    if config.estimator in ("gae", "advantage", "q"):
        text += f", λ = {config.lam:g}"
    if config.estimator == "n-step":
        text += f", n = {config.n}"
    if config.whole_episodes:
        return f"{text} · {config.envs} × {config.episodes} whole episodes per update"
    return f"{text} · {config.envs} × {config.horizon} steps per update"


def _row(iteration: Iteration, progress: "RunProgress", speed: float) -> str:
    """Set one row of the table under its columns."""
    return (
        f"{progress.steps:>9,} {progress.episodes_rows:>9,} {_number(iteration.mean_return):>9}"
        f" {_number(iteration.mean_length):>9} {iteration.entropy:>9.3f} {iteration.kl:>10.1e}"
        f" {iteration.grad_norm:>8.3g} {iteration.explained_variance:>10.2f} {speed:>9,.0f}"
    )


def _number(value: float | None) -> str:
    """Set a return; before the first episode has ended there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.1f}"


def _duration(seconds: float) -> str:
    """Set a time as h:mm:ss, without the hours there are not."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
