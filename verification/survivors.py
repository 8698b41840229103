"""
What a generic mutation run leaves over.

``NUMBA_DISABLE_JIT=1 mutmut run`` changes one operator, number, name or argument after the other
and runs the tests that reach it. ``python -m verification.survivors`` then prints a line a file,
and requires of every change that no test saw that ``survivors.toml`` tells why none could::

    [[survivor]]
    file = "npvpg/kernels/physics/pendulum.py"
    function = "_move"
    old = "push = 3.0 / (MASS * LENGTH**2) * torque"
    new = "push = 3.0 / (MASS / LENGTH**2) * torque"
    reason = "mass and length are 1"

Exit code 0 if so, 1 if a survivor is not listed, what is listed was killed, or a change was
never tried.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SURVIVORS = Path("verification/survivors.toml")
KILLED = frozenset({"killed", "timeout", "segfault"})  # the last: the interpreter died of it
UNTRIED = frozenset({"not checked", "check was interrupted by user"})


class Change(NamedTuple):
    """
    One change to the library.

    Attributes
    ----------
    file : str
        Path below the root of the repository.
    function : str
        Function, or class and method.
    old, new : str
        The changed lines before and after, without indentation.
    """

    file: str
    function: str
    old: str
    new: str


def read(root: Path) -> Counter[Change]:
    """
    Read what is known to survive.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    Counter of Change
        How often each is listed: a line that occurs twice in a function is changed twice.

    Raises
    ------
    ValueError
        If an entry is incomplete.
    """
    rows = tomllib.loads((root / SURVIVORS).read_text(encoding="utf-8"))["survivor"]
    for row in rows:
        given = {key for key, value in row.items() if value or key == "new"}  # a line may go
        missing = {*Change._fields, "reason"} - given
        if missing:
            raise ValueError(f"survivor must have {', '.join(sorted(missing))}, got {row}")
    return Counter(Change(*(row[field] for field in Change._fields)) for row in rows)


def statuses(results: str) -> dict[str, str]:
    """
    Read what ``mutmut results`` prints.

    Parameters
    ----------
    results : str
        Its output, a line a change.

    Returns
    -------
    dict of str to str
        Status of every change by its name.
    """
    lines = (line.strip().rpartition(": ") for line in results.splitlines() if ": " in line)
    return {name: status for name, _, status in lines}


def file_of(name: str) -> str:
    """
    Find the file of a change.

    Parameters
    ----------
    name : str
        Name that mutmut gave it: "npvpg.kernels.returns.x__gae__mutmut_3".

    Returns
    -------
    str
        "npvpg/kernels/returns.py".
    """
    return name.rpartition(".")[0].replace(".", "/") + ".py"


def change(name: str, shown: str) -> Change:
    """
    Read what ``mutmut show`` prints of one change.

    Parameters
    ----------
    name : str
        Name that mutmut gave it.
    shown : str
        Its output, a unified diff.

    Returns
    -------
    Change
        The changed lines alone.
    """
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0][1:]
    lines = shown.partition("@@")[2].splitlines()[1:]
    old, new = ("\n".join(x[1:].strip() for x in lines if x.startswith(sign)) for sign in "-+")
    plain = function.strip("ǁ").replace("ǁ", ".") if "ǁ" in function else function[1:]
    return Change(file_of(name), plain, old, new)


def judge(
    found: Mapping[str, str], show: Callable[[str], str], listed: Counter[Change]
) -> tuple[list[str], list[str]]:
    """
    Compare what survived with what may.

    Parameters
    ----------
    found : mapping of str to str
        Status of every change.
    show : callable
        What ``mutmut show`` prints of a change.
    listed : Counter of Change
        What is known to survive.

    Returns
    -------
    table : list of str
        A line a file and one for all of them.
    faults : list of str
        What must not be; empty if all is well.
    """
    table, faults = [], []
    survived = Counter[Change]()
    totals = Counter[str]()
    for file in sorted({file_of(name) for name in found}):
        mine = {name: status for name, status in found.items() if file_of(name) == file}
        untried = sum(status in UNTRIED for status in mine.values())
        if untried:
            faults.append(f"{file}: {untried} of {len(mine)} changes were not tried")
        left = [n for n, status in mine.items() if status not in KILLED | UNTRIED]
        survived.update(change(name, show(name)) for name in left)
        killed = len(mine) - untried - len(left)
        table.append(f"{file:48} {len(mine):5} changes, {killed:5} killed, {len(left):3} survived")
        totals.update(changes=len(mine), killed=killed, left=len(left))
    table.append(
        f"{'all':48} {totals['changes']:5} changes, {totals['killed']:5} killed, "
        f"{totals['left']:3} survived"
    )
    for word, changes in (
        ("survives and is not listed", survived - listed),
        ("is listed but does not survive", listed - survived),
    ):
        for one, count in sorted(changes.items()):
            times = f" {count} times" if count > 1 else ""
            faults.append(f"{one.file}, {one.function}: {one.old} -> {one.new}: {word}{times}")
    return table, faults


def _mutmut(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main(show: Callable[..., str] = _mutmut, root: Path = ROOT) -> int:
    """
    Print a line a file, and what must not be.

    Parameters
    ----------
    show : callable
        Runs mutmut with arguments and returns what it prints.
    root : Path
        Root of the repository.

    Returns
    -------
    int
        0 if every survivor is listed and nothing else, 1 otherwise.
    """
    found = statuses(show("results", "--all", "true"))
    table, faults = judge(found, lambda name: show("show", name), read(root))
    print(*table, *faults, sep="\n")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
