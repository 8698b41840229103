"""
The command `npvpg`: find the command that is meant, carry it out, tell every error in one line.

Nothing is imported before the command is known: the first help must not wait for NumPy.
"""
# ruff: noqa: PLC0415

import contextlib
import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence

from npvpg.command.names import COMMANDS

HELP = """\
npvpg: vanilla policy gradient, written out by hand in NumPy

usage: npvpg COMMAND [...]

  npvpg train ENV      train a policy; every setting is a flag; --seeds 0-9 trains ten
  npvpg evaluate RUN   play with the policy of a run: sampled and greedy returns
  npvpg watch RUN      see its policy act: in a window, or in a film
  npvpg export RUN     write its policy as ONNX, PyTorch, NumPy or JSON
  npvpg plot RUN ...   draw return against steps, of one run or of several
  npvpg report RUN ... write all that runs have left as one page
  npvpg sweep FILE     train with many settings over seeds; say which is best, and how surely
  npvpg ablation ENV   train all algorithms over seeds; draw return and gradient variance
  npvpg explain RUN    take one update apart: what every step has in the gradient
  npvpg exact          draw the exact bias and variance of every estimator
  npvpg groups         show those of episodes compared in groups (RLOO, GRPO), beside play
  npvpg variance RUN   measure the gradient variance of every weight at a run's policy
  npvpg random-walk    draw the error of n-step learning against its step size
  npvpg analytic       draw gradients through the dynamics beside score-function gradients

  npvpg list           show the presets, with what to expect of them, and what else is installed
  npvpg doctor         show versions, threads, compiled kernels and extras; try the whole
  npvpg completion SHELL    print what completes commands and flags in bash, zsh or fish

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
    traceback = "--traceback" in words
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack Greek letters
        elif stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as the process
    told = warnings.formatwarning
    warnings.formatwarning = lambda text, *_, **__: f"npvpg: warning: {text}\n"
    try:
        code = _carry_out([word for word in words if word != "--traceback"])
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has gone, and missed nothing that is not in the files
        with contextlib.suppress(OSError, ValueError):  # nor shall the interpreter complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as stop:
        return 128 + getattr(stop, "signum", 2)
    except (Exception, SystemExit) as error:
        from npvpg.command import errors

        if traceback:
            print(errors.frames(error), end="", file=sys.stderr)
        print(f"npvpg: error: {errors.line(error)}", file=sys.stderr)
        return 2
    finally:
        warnings.formatwarning = told
    return code


def _carry_out(words: list[str]) -> int:
    """Find the command that the first word names, and carry it out."""
    first = words[0] if words else "--help"
    if first in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if first == "--version":
        from npvpg import __version__

        print(f"npvpg {__version__}")
        return 0
    if first not in COMMANDS:
        from npvpg.runs.words import nearest

        known = [*COMMANDS, "--version"]
        raise ValueError(f"unknown command {first!r}{nearest(first, known)}; see npvpg --help")

    from npvpg.command import help as texts
    from npvpg.command import parser

    module, name = COMMANDS[first].split(".")
    kind: type[parser.Command] = getattr(importlib.import_module(f"npvpg.command.{module}"), name)
    given = parser.read(kind, words[1:])
    if set(parser.HELP).isdisjoint(words):
        return kind.of(given).carry_out()
    print(texts.text(kind, kind.below(given)))
    return 0
