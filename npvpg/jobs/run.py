"""A run: the loop over `npvpg.loop.iterate` that logs, saves, stops and, if need be, goes on."""

import contextlib
import dataclasses
import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from typing import Any

from threadpoolctl import threadpool_limits

from npvpg import __version__
from npvpg.envs.serial import close
from npvpg.jobs.interrupt import Interrupts, ignored
from npvpg.runs import beginning, compiling, environments, manners, progress, registered, sinks
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.diagnosis import Diagnosis
from npvpg.runs.directory import RunDirectory
from npvpg.runs.evaluation import Score, evaluate_state
from npvpg.runs.files import write_atomically
from npvpg.runs.logs import Logs
from npvpg.runs.progress import Progress
from npvpg.runs.ready import Run
from npvpg.runs.selection import Selection
from npvpg.show import going_on, pictures, plot
from npvpg.show.filming import Film, filming
from npvpg.show.screen import Screen
from npvpg.world.split import Crew

_BELOW = ("numpy", "numba", "gymnasium")


def train(
    config: Config,
    directory: RunDirectory,
    *,
    resume: bool = False,
    until: int | None = None,
    also: Sequence[str] = (),
    screen: Screen | None = None,
    crew: Crew | None = None,
) -> dict[str, Any]:
    """
    Train, and leave the files of the run in its directory.

    Parameters
    ----------
    config : Config
        The configuration.
    directory : RunDirectory
        A directory that holds no run yet, or the run to go on with.
    resume : bool
        Whether to go on.
    until : int, optional
        Environment steps after which no further update begins, if the run is to stop earlier than
        its configuration says: at a point of the very run that goes on to the end.
    also : sequence of str
        Where its numbers go as well, of `npvpg.runs.sinks.NAMES`.
    screen : Screen, optional
        What to show; nothing if not given.
    crew : Crew, optional
        Workers that step the sub-environments of the training in place of this process.

    Returns
    -------
    dict
        The summary, as in `summary.json`.

    Raises
    ------
    ValueError
        If the environment cannot be used or breaks its own rules, or the directory does not fit.
        The state of the last complete update is kept.
    Interrupted
        If SIGINT or SIGTERM came. The state of the last complete update is kept.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> short = Config("CartPole-v1", steps=64, envs=2, horizon=16, evaluation_episodes=0)
    >>> with TemporaryDirectory() as folder:
    ...     train(short, RunDirectory(Path(folder, "run")))["steps"]
    64
    """
    screen = screen or Screen(quiet=True)
    sinks.check(also)
    with Interrupts() as interrupts, contextlib.ExitStack() as stack:
        stack.enter_context(_single_threaded_blas())
        stack.enter_context(environments.quiet())
        kernels = stack.enter_context(compiling.told(screen.compiling))
        with ignored():
            env = environments.make_for(config, config.envs if crew else None)
        stack.callback(close, env)
        threshold = registered.spec(config.env).reward_threshold
        run = Run(config, directory, env, build(config, env), threshold, crew)
        film = stack.enter_context(filming(run, lambda text: screen.line("film", text, "yellow")))
        if resume:
            start = progress.load(directory, config, run.algorithm)
            before = directory.read_config()
            if before != config:
                directory.extend(config)
                for text in going_on.extension(before, config, start):
                    screen.line("goes on", text)
        else:
            start = _beginning(run)
            if not screen.console.quiet:
                for text in manners.complaints(config):
                    screen.line("check", text, "yellow")
        screen.header(run, start)
        warned: list[str] = []
        watch = compiling.Watch(kernels, start.seconds)
        end = _loop(run, start, until, also, interrupts, screen, warned, film, watch)
        screen.verdict(end, threshold, kernels.seconds)
        return _finish(run, end, screen, warned, kernels)


def _beginning(run: Run) -> Progress:
    """Make the directory of a run that begins; what it begins with is its first checkpoint."""
    if not run.config.init_from:
        run.directory.create(run.config)
        return Progress()
    start = Progress(beginning.state(run.config, run.algorithm, run.env))
    run.directory.create(run.config)
    progress.save(start, run.config, run.directory.checkpoint)
    return start


def _loop(
    run: Run,
    start: Progress,
    until: int | None,
    also: Sequence[str],
    interrupts: Interrupts,
    screen: Screen,
    warned: list[str],
    film: Film,
    watch: compiling.Watch,
) -> Progress:
    """Train until the steps are used up or the environment is solved; save whatever happens."""
    now = saved = start
    limit = math.inf if until is None else until
    with contextlib.ExitStack() as stack:
        logs = stack.enter_context(Logs(run.directory, start, also))
        diagnosis = Diagnosis(run)
        warned += diagnosis.of_before(start)
        selection = None
        if run.config.eval_every and run.config.evaluation_episodes:
            selection = Selection(run, start)
            stack.callback(selection.close)
        stack.enter_context(screen.live(run.config.steps))
        try:
            if selection is not None and selection.due(start):  # stopped before it was done
                _evaluate(selection, start, screen, watch)
            for iteration in run.iterations(start) if start.steps < limit else ():
                before = now.steps
                with interrupts.held():
                    seconds = watch.seconds
                    logs.write(iteration, seconds)
                    now = Progress(
                        iteration.state,
                        metrics_rows=logs.metrics.rows,
                        episodes_rows=logs.episodes.rows,
                        mean_return=iteration.mean_return,
                        solved_at_step=now.solved_at_step,
                        seconds=seconds,
                    )
                    if now.solved_at_step is None and now.reaches(run.threshold):
                        now = dataclasses.replace(now, solved_at_step=now.steps)
                    screen.iteration(iteration, now)
                    for text in diagnosis.look(
                        iteration.diagnostics, now.solved_at_step is not None
                    ):
                        screen.line("warning", text, "yellow")
                        warned.append(text)
                    if iteration.iteration % run.config.checkpoint_every == 0:
                        _save(run, now, logs, selection)
                        saved = now
                if selection is not None and selection.due(now):
                    _evaluate(selection, now, screen, watch)
                with watch.pause():
                    film(before, iteration.state)
                if now.steps >= limit:
                    break
                if run.config.stop_when_solved and now.solved_at_step is not None:
                    break
        finally:
            interrupts.ignore()
            if now is not saved:
                _save(run, now, logs, selection)
            interrupts.listen()
        ended = now.state is not None and until is None
        if selection is not None and ended and selection.log.last_steps < now.steps:
            _evaluate(selection, now, screen, watch)
    return now


def _evaluate(selection: Selection, now: Progress, screen: Screen, watch: compiling.Watch) -> None:
    """Evaluate, which takes no time of the training."""
    with watch.pause():
        means, best = selection.evaluate(now)
        screen.line("evaluation", going_on.evaluated(now.steps, means, best))


def _save(run: Run, now: Progress, logs: Logs, selection: Selection | None) -> None:
    """Write a checkpoint; the rows that it counts on reach the disk before it does."""
    logs.sync()
    if selection is not None:
        selection.log.sync()
    progress.save(now, run.config, run.directory.checkpoint)


def _finish(
    run: Run, end: Progress, screen: Screen, warned: list[str], kernels: compiling.Kernels
) -> dict[str, Any]:
    """Evaluate, draw, and write the summary."""
    watch = compiling.Watch(kernels)
    evaluation = best = None
    if run.config.evaluation_episodes and end.state is not None:
        evaluation = _reported(run, end)
        screen.evaluation(evaluation)
        if run.directory.best.exists():
            kept = progress.load(run.directory, run.config, run.algorithm, best=True)
            scores = _reported(run, kept)
            screen.evaluation(scores, f"best, {kept.steps:,}")
            best = {"steps": kept.steps, "evaluation": scores}
    evaluated = watch.seconds
    with pictures.spared(lambda text: screen.line("picture", text, "yellow")):
        plot.curve(run.directory.curve, [run.directory.path])
    summary = {
        "env": run.config.env,
        "seed": run.config.seed,
        "steps": end.steps,
        "seconds": round(end.seconds, 3),
        "seconds_beside": {
            "kernels": round(kernels.seconds, 3),
            "evaluation": round(evaluated, 3),
            "picture": round(watch.seconds - evaluated, 3),
        },
        "steps_per_second": round(end.steps_per_second, 1),
        "solved_at_step": end.solved_at_step,
        "mean_return_100": end.mean_return,
        "evaluation": evaluation,
        **({"best": best} if best else {}),
        **({"warnings": warned} if warned else {}),
        "versions": versions(),
    }
    write_atomically(run.directory.summary, (json.dumps(summary, indent=2) + "\n").encode())
    screen.files(run.directory)
    return summary


def _reported(run: Run, at: Progress) -> dict[str, Score]:
    """Play the episodes that are reported."""
    assert at.state is not None
    return evaluate_state(
        run.env,
        run.algorithm,
        at.state,
        fraction=at.steps / run.config.steps,
        episodes=run.config.evaluation_episodes,
        seed=run.config.seed,
    )


def versions() -> dict[str, str]:
    """
    Name the versions that the numbers of a run may depend on.

    Returns
    -------
    dict of str
        Versions of Python, npvpg and the packages below it.
    """
    found = {"python": platform.python_version(), "npvpg": __version__}
    return found | {name: importlib.metadata.version(name) for name in _BELOW}


@contextlib.contextmanager
def _single_threaded_blas() -> Iterator[None]:
    """Keep BLAS on one thread: on matrices this small, more of them only wait for each other."""
    if "OPENBLAS_NUM_THREADS" in os.environ:
        yield
    else:
        with threadpool_limits(1, user_api="blas"):
            yield
