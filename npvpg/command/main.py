"""
The command `npvpg`: parse, call, print.

Each command imports what it needs and no more, inside its function: the help must not wait for
Gymnasium, nor an evaluation for the training.
"""
# ruff: noqa: PLC0415

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from npvpg.command.arguments import Train

HELP = """\
npvpg: vanilla policy gradient, written out by hand in NumPy

usage: npvpg COMMAND [...]

  npvpg train ENV      train a policy; every setting is a flag; --seeds 0-9 trains ten
  npvpg evaluate RUN   play with the policy of a run: sampled and greedy returns
  npvpg plot RUN ...   draw return against steps, of one run or of several
  npvpg ablation ENV   train all algorithms over seeds; draw return and gradient variance
  npvpg exact          draw the exact bias and variance of every estimator
  npvpg variance RUN   measure the gradient variance of every weight at a run's policy
  npvpg random-walk    draw the error of n-step learning against its step size
  npvpg analytic       draw gradients through the dynamics beside score-function gradients

npvpg COMMAND --help lists the flags. To begin with:

  npvpg train CartPole-v1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the name of the command; those of the process if not given.

    Returns
    -------
    int
        Exit code: 0; 1 if some of several runs failed; 2 after an error, told in one line; 128
        and the number of the signal that stopped the command.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack Greek letters
    try:
        _command(words)(words[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # who read our output has gone; nor shall the interpreter complain
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError) as error:
        print(f"npvpg: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        return 128 + getattr(stop, "signum", 2)
    except SystemExit as end:  # the help of a command ends like this
        return int(end.code or 0)
    return 0


def _command(words: list[str]) -> Callable[[list[str]], None]:
    """Find the command that the first word names."""
    first = words[0] if words else "--help"
    if first in ("-h", "--help", "help"):
        return lambda _: print(HELP, end="")
    commands = {
        "train": _train,
        "evaluate": _evaluate,
        "plot": _plot,
        "exact": _study("exact"),
        "ablation": _ablation,
        "variance": _study("variance"),
        "random-walk": _study("random_walk"),
        "analytic": _study("analytic"),
        "--version": _version,
    }
    if first not in commands:
        from npvpg.runs.words import nearest

        raise ValueError(f"unknown command {first!r}{nearest(first, commands)}; see npvpg --help")
    return commands[first]


def _version(_: list[str]) -> None:
    """Print the version."""
    from npvpg import __version__

    print(f"npvpg {__version__}")


def _train(words: list[str]) -> None:
    """Train, or go on training."""
    from datetime import datetime

    from npvpg.command import arguments
    from npvpg.runs.directory import RunDirectory, default_directory
    from npvpg.runs.group import GroupDirectory

    options = arguments.train(words)
    if options.several:
        _train_several(options)
        return
    if options.resume is not None:
        directory = RunDirectory(options.resume)
    elif options.out is not None:
        directory = RunDirectory(options.out)
        directory.check_free()
        GroupDirectory(options.out).check_free()
    else:
        directory = default_directory(options.config, datetime.now())

    from npvpg.jobs import run
    from npvpg.show.screen import Screen

    with _resumable(directory.path):
        run.train(options.config, directory, resume=options.resume is not None, screen=Screen())


def _train_several(options: "Train") -> None:
    """Train over seeds, or go on training over seeds."""
    from datetime import datetime

    from npvpg.jobs.interrupt import Interrupts
    from npvpg.jobs.pool import Workers, n_cores
    from npvpg.runs import seeds as words
    from npvpg.runs.directory import default_directory
    from npvpg.runs.group import GroupDirectory

    resume = options.resume is not None
    if options.resume is not None:
        directory = GroupDirectory(options.resume)
        seeds = directory.read()[1]
    else:
        seeds = words.parse(options.seeds or "")
        label = words.text(seeds)
        out = options.out or default_directory(options.config, datetime.now(), label).path
        directory = GroupDirectory(out)
        directory.check_free(seeds)
    n_jobs = min(options.jobs or n_cores(), len(directory.unfinished(seeds)))
    with _resumable(directory.path), Interrupts() as stops, Workers(n_jobs) as workers:
        from npvpg.jobs import group_run  # slow, while the processes start as well
        from npvpg.show.board import Board

        summary = group_run.train(
            options.config, seeds, directory, workers, stops, resume=resume, board=Board()
        )
    for seed, text in summary["failed"].items():
        again = f"npvpg train --resume {directory.run(int(seed)).path}"
        print(f"npvpg: seed {seed} failed: {text}; alone: {again}", file=sys.stderr)
    if summary["failed"]:
        raise SystemExit(1)


@contextlib.contextmanager
def _resumable(path: "Path", command: str = "train") -> Iterator[None]:
    """Say after a signal how to go on."""
    from npvpg.jobs.interrupt import Interrupted

    try:
        yield
    except Interrupted as stop:
        how = f"; go on with: npvpg {command} --resume {path}" if path.exists() else ""
        print(f"npvpg: {stop}{how}", file=sys.stderr)
        raise


def _evaluate(words: list[str]) -> None:
    """Play with the policy of a run."""
    from npvpg.command import arguments

    options = arguments.evaluate(words)

    from npvpg.runs import compiling, environments
    from npvpg.runs.evaluation import evaluate, evaluate_group
    from npvpg.runs.group import GroupDirectory
    from npvpg.show.board import Board
    from npvpg.show.screen import Screen

    screen = Screen(quiet=options.json)
    with environments.quiet(), compiling.told(screen.compiling):
        if GroupDirectory(options.run).exists():
            several = evaluate_group(options.run, episodes=options.episodes, seed=options.seed)
            result: Mapping[str, Any] = several
            Board(screen.console).evaluation(several)
        else:
            single = evaluate(options.run, episodes=options.episodes, seed=options.seed)
            result = single
            screen.evaluation(single)
    if options.json:
        print(json.dumps(result, indent=2))


def _plot(words: list[str]) -> None:
    """Draw the learning curve of one run, or of several."""
    from pathlib import Path

    from npvpg.command import arguments
    from npvpg.runs.group import GroupDirectory, expand

    options = arguments.plot(words)
    single = options.runs[0] if len(options.runs) == 1 else Path()
    group = GroupDirectory(single)
    out = options.out or (group.curves if group.exists() else single / "curve.png")
    runs = expand(options.runs)

    from npvpg.show import plot

    plot.curve(out, runs)
    print(out)


def _study(name: str) -> Callable[[list[str]], None]:
    """Find the command of a study."""

    def carry_out(words: list[str]) -> None:
        from npvpg.command import study_commands as commands

        getattr(commands, name)(words)

    return carry_out


def _ablation(words: list[str]) -> None:
    """Train every algorithm over seeds, and draw what sets them apart."""
    from datetime import datetime

    from npvpg.command import study_arguments as arguments

    options = arguments.ablation(words)

    from npvpg.jobs.interrupt import Interrupts
    from npvpg.jobs.pool import Workers, n_cores
    from npvpg.runs import config_file, seeds
    from npvpg.runs.directory import timed_path
    from npvpg.studies import ablation

    if options.resume is not None:
        directory = ablation.AblationDirectory(options.resume)
    else:
        env = str(options.env)
        out = options.out or timed_path(f"ablation-{env}", datetime.now())
        directory = ablation.AblationDirectory(out)
        values = config_file.preset(env)
        values |= config_file.read(options.config) if options.config else {}
        values |= {"steps": options.steps} if options.steps else {}
        directory.create(values | {"env": env}, seeds.parse(options.seeds))
    n_jobs = min(options.jobs or n_cores(), max(directory.n_left(), 1))
    with (
        _resumable(directory.path, "ablation"),
        Interrupts() as stops,
        Workers(n_jobs) as workers,
    ):
        summary = ablation.train(directory, workers, stops, episodes=options.episodes)
    for run, text in summary["failed"].items():
        print(f"npvpg: {directory.path / run} failed: {text}", file=sys.stderr)
    if summary["failed"]:
        raise SystemExit(1)
    print(directory.picture)
