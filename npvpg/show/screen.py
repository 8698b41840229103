"""What a run shows: a header, a bar that moves, a row now and then, and the verdict."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gymnasium import spaces
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from npvpg.envs import CompiledVectorEnv
from npvpg.estimators import Estimator
from npvpg.recent import RECENT, rolling_mean
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import read_episodes
from npvpg.runs.modules import short
from npvpg.runs.words import quoted
from npvpg.show.console import Console
from npvpg.show.numbers import duration, number
from npvpg.show.sparkline import sparkline
from npvpg.show.table import Column, Pace, fitting, head, row
from npvpg.state import Iteration

if TYPE_CHECKING:
    from npvpg.runs.progress import Progress as RunProgress
    from npvpg.runs.ready import Run

ROWS = 20  # of the table, over a run that uses up its steps


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
        self._start = 0
        self._pace = Pace()
        self._columns: tuple[Column, ...] = ()

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
        # one piece: what moves below is drawn again after every print
        whole = Text.assemble((f"{label:<12}", "dim"), (text, style))
        self.console.print(whole, soft_wrap=True)

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
        config, algorithm = run.config, run.algorithm
        goal = "no reward threshold" if run.threshold is None else f"solved at {run.threshold:g}"
        kind = "async" if config.async_envs else "Gymnasium's own"
        if isinstance(run.env.unwrapped, CompiledVectorEnv):
            kind = run.env.unwrapped.kind
        which = f"{short(config.env)} ({kind}) · {config.envs} side by side · {goal}"
        self.line("environment", which, "bold")
        if config.wrapper:
            self.line("wrapped in", ", then ".join(map(short, config.wrapper)))
        seen, done = (
            run.env.unwrapped.single_observation_space,
            run.env.unwrapped.single_action_space,
        )
        self.line("spaces", f"observations {_space(seen)} · actions {_space(done)}")
        greedy = f" · the mode besides, up to {config.greedy:g}" if config.greedy else ""
        estimator = algorithm.weigh.estimator
        name = config.estimator if config.group_baseline == "off" else estimator.name
        self.line("policy", str(algorithm.policy) + greedy)
        self.line("estimator", f"{name}   {estimator.formula}", "cyan")
        self.line("", _constants(config, estimator))
        networks = f"hidden {' '.join(map(str, config.hidden)) or 'none'}, {config.activation}"
        self.line(
            "parameters",
            f"{algorithm.policy.size:,} policy + {algorithm.value.size:,} value"
            f" · {networks}, {config.dtype}",
        )
        self.line("seed", str(config.seed))
        if run.crew is not None:
            self.line("workers", f"{run.crew.n}, which share the sub-environments out")
        going_on = f" · going on at step {start.steps:,}" if start.steps else ""
        if config.init_from and not start.steps:
            self.line("begins with", f"the parameters and normaliser of {config.init_from}")
        self.line("run", f"{run.directory.path}{going_on}")
        self.console.print()
        self._start = start.steps

    def compiling(self, text: str) -> None:
        """
        Say that kernels are being compiled, which takes seconds.

        Parameters
        ----------
        text : str
            Which, and how often that happens.
        """
        self.line("kernels", text, "yellow")

    def _say(self, text: str, style: str) -> None:
        """Print a line that needs no label."""
        self.console.print(text, style=style, soft_wrap=True, markup=False)

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
            self._task = bar.add_task("", total=n_steps, text="starting")
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
        done = steps * ROWS // self._n_steps
        due = done > self._rows or steps >= self._n_steps or progress.solved_at_step == steps
        speed = self._pace.now(steps, progress.seconds, row=due)
        if self._bar is not None:
            text = f"{steps:,}/{self._n_steps:,} steps · return {number(progress.mean_return)}"
            if speed:
                left = max(self._n_steps - steps, 0) / speed
                text += f" · {speed:,.0f} steps/s · {duration(left)} left"
            self._bar.update(self._task, completed=steps, text=text)
        if due:
            self._rows = done
            self._print_row(_values(iteration, progress) | {"speed": speed})

    def _print_row(self, values: dict[str, float | None]) -> None:
        """Print a row, below the heads if it is the first."""
        if not self._columns:
            width = self.console.width if self.console.is_terminal else None
            self._columns = fitting(width, values)
            self.console.print(head(self._columns), style="bold", soft_wrap=True)
        self.console.print(row(values, self._columns), soft_wrap=True)

    def verdict(self, progress: "RunProgress", threshold: float | None, kernels: float) -> None:
        """
        Say how the run ended.

        Parameters
        ----------
        progress : Progress
            How far the run has come.
        threshold : float or None
            Return at which the environment counts as solved.
        kernels : float
            Time that kernels took before they ran [s].
        """
        mean = f"mean return over the last {RECENT} episodes {number(progress.mean_return)}"
        high = progress.mean_return is not None and progress.mean_return >= (threshold or 0)
        self.console.print()
        if threshold is None:
            self._say(f"{progress.steps:,} steps done: {mean}", "bold")
        elif progress.solved_at_step == progress.steps:
            text = f"solved at step {progress.steps:,}: {mean} ≥ {threshold:g}"
            self._say(text, "bold green")
        elif progress.solved_at_step is not None:
            text = f"solved at step {progress.solved_at_step:,}; at step {progress.steps:,}: {mean}"
            self._say(text, "bold green")
        else:
            text = f"not solved in {progress.steps:,} steps: {mean}"
            text += f", only {progress.episodes_rows} in all" if high else f" < {threshold:g}"
            self._say(text, "bold yellow")
        speed = f"{progress.steps_per_second:,.0f} steps/s"
        loading = f"; beside it {duration(kernels)} for kernels" if kernels else ""
        self.line("time", f"{duration(progress.seconds)} of training · {speed}{loading}")

    def evaluation(self, evaluation: dict[str, Any], title: str = "evaluation") -> None:
        """
        Say how a policy does, sampled and greedy.

        Parameters
        ----------
        evaluation : dict
            As `npvpg.runs.evaluation.evaluate` gives it.
        title : str
            Which policy.
        """
        for label, mode in ((title, "sampled"), ("", "greedy")):
            result = evaluation[mode]
            mean, episodes = number(result["mean"]), result["episodes"]
            if result["low"] is None:  # a single one shows no spread
                self.line(label, f"{mode:<8} {mean} · 1 episode")
                continue
            low, high = number(result["low"]), number(result["high"])
            text = f"{mode:<8} {mean} ± {number(result['std'])} · {episodes} episodes"
            self.line(label, f"{text} · 95% interval {low} to {high}")

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
            self.line("return", f"{number(means[0])} {line} {number(means[-1])}", "green")
        self.line("files", f"{directory.path}/")
        names = [file.name for file in directory.files if file.exists()]
        for part in (names[:4], names[4:]):
            self.line("", " ".join(part))
        self.console.print()
        self.line("next", f"npvpg evaluate {quoted(directory.path)}")
        self.line("", f"npvpg plot {quoted(directory.path)}")


def _constants(config: Config, estimator: Estimator) -> str:
    """Give the constants of the estimator, and what one update collects."""
    greek = {"gamma": "γ", "lam": "λ"}
    constants = estimator.constants.items()
    text = ", ".join(f"{greek.get(name, name)} = {value:g}" for name, value in constants)
    if config.whole_episodes:
        return f"{text} · {config.envs} × {config.episodes} whole episodes per update"
    return f"{text} · {config.envs} × {config.horizon} steps per update"


def _space(space: spaces.Space[Any]) -> str:
    """Describe a space by its shape, and by its bounds where one pair holds for all."""
    if not isinstance(space, spaces.Box):
        return str(space)
    low, high = float(space.low.min()), float(space.high.max())
    same = (space.low == low).all() and (space.high == high).all()
    return f"Box{space.shape}" + (f" in [{low:g}, {high:g}]" if same else "")


def _values(iteration: Iteration, progress: "RunProgress") -> dict[str, float | None]:
    """Gather what a row may show."""
    return {
        "steps": progress.steps,
        "episodes": progress.episodes_rows,
        "mean_return": iteration.mean_return,
        "mean_length": iteration.mean_length,
        **iteration.diagnostics,
    }
