"""
Measure how fast npvpg is: ``python -m verification.speed``.

npvpg, the peers that are installed and the floors below them all run on one core, each in a
process of its own, in turn. Tables are printed, and saved with the measurements and a plot of
return against wall time.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from npvpg import __version__
from npvpg.runs.files import write_atomically
from verification.speed import (
    kernels,
    loop,
    machine,
    mujoco,
    pendulum,
    plot,
    rollout,
    scaling,
    training,
)
from verification.speed.session import QUICK, Plan, Session
from verification.speed.tables import Table

MEASURES: dict[str, Callable[[Session], list[Table]]] = {
    "training": training.measure,
    "pendulum": pendulum.measure,
    "rollout": rollout.measure,
    "loop": loop.measure,
    "mujoco": mujoco.measure,
    "kernels": kernels.measure,
    "scaling": scaling.measure,
}
OUT = Path("proofs/speed")


def parser() -> argparse.ArgumentParser:
    """
    Describe the command line.

    Returns
    -------
    argparse.ArgumentParser
        Its errors take one line after the usage and exit with 2.
    """
    described = argparse.ArgumentParser(
        prog="python -m verification.speed",
        description="Measure npvpg beside its peers and beside what the machine could do at most.",
    )
    add = described.add_argument
    add("--quick", action="store_true", help="under two minutes, and as much less certain")
    add("--only", nargs="+", choices=sorted(MEASURES), default=list(MEASURES), metavar="NAME",
        help=f"only these: {', '.join(MEASURES)}")  # fmt: skip
    add("--out", type=Path, default=OUT, metavar="DIR", help=f"where to write (default {OUT})")
    add("--peer-python", default=sys.executable, metavar="PATH",
        help="interpreter that has the peers (default: this one)")  # fmt: skip
    return described


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
        Exit code: 0; 1 if a process that was measured failed.
    """
    described = parser()
    given = described.parse_args(argv)
    if shutil.which(given.peer_python) is None:
        described.error(f"--peer-python must be an interpreter, got {given.peer_python}")
    plan = QUICK if given.quick else Plan()
    try:
        measure(plan, given.only, given.out, given.peer_python)
    except RuntimeError as failure:
        print(f"verification.speed: error: {failure}", file=sys.stderr)
        return 1
    return 0


def measure(plan: Plan, names: Sequence[str], out: Path, peer_python: str) -> None:
    """
    Measure, print and save.

    Parameters
    ----------
    plan : Plan
        How much to measure.
    names : sequence of str
        Which tables to make.
    out : Path
        Folder for ``speed.md``, ``speed.json`` and ``wall-time.png``.
    peer_python : str
        Interpreter that has the peers.

    Raises
    ------
    RuntimeError
        If a process that is measured fails.
    """
    here = machine.description()
    session = Session(plan, peer_python, machine.cores(), _say)
    if float(here["load"]) > machine.BUSY:
        _say(f"the machine is not idle (load {here['load']}): do not trust what follows")
    with machine.pinned(session.cores[0]):
        tables = [table for name in names for table in MEASURES[name](session)]
    session.versions.setdefault("npvpg", {})["npvpg"] = __version__
    text = report(here, session, tables)
    out.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {
        "machine": here,
        "versions": session.versions,
        "plan": asdict(plan),
        "skipped": session.skipped,
        "tables": [table.json() for table in tables],
        "training": session.curves,
    }
    write_atomically(out / "speed.json", (json.dumps(record, indent=1) + "\n").encode())
    write_atomically(out / "speed.md", text.encode())
    if session.curves:
        plot.wall_time(out / "wall-time.png", session.curves)
    print(text)
    _say(f"written to {out}{os.sep}")


def report(here: dict[str, str | int | float], session: Session, tables: Sequence[Table]) -> str:
    """
    Write the tables below what they were measured on.

    Parameters
    ----------
    here : dict
        The machine, as `verification.speed.machine.description` gives it.
    session : Session
        The run of the program.
    tables : sequence of Table
        The tables.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}, "
        f"load {here['load']} before the start. Everything on one core, BLAS, PyTorch and XLA on "
        f"one thread; {session.plan.repetitions} repetitions, all sides in turn."
    ]
    for where, versions in sorted(session.versions.items()):
        named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        lines.append(f"Versions, {where}: {named}.")
    for name, package in session.skipped.items():
        lines.append(f"Skipped: {name} ({package} is not installed).")
    return "\n\n".join([*lines, *(table.markdown() for table in tables)])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
