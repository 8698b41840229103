"""
What a generic mutation run leaves over.

``NUMBA_DISABLE_JIT=1 mutmut run`` changes one operator, number, name or argument after the other
and runs the tests that reach it. ``python -m verification.survivors`` then prints a line a file,
and requires of every change that no test saw that ``survivors.toml`` tells why none could::

    [[survivor]]
    where = "npvpg.kernels.physics.pendulum._move"
    old = "push = 3.0 / (MASS * LENGTH**2) * torque"
    new = "push = 3.0 / (MASS / LENGTH**2) * torque"
    reason = "mass and length are 1"

Changes are compared by the syntax tree of the function they leave, see `verification.anchors`.
Exit code 0 if so, 1 if a survivor is not listed, what is listed was killed or can no longer be
made, or a change was never tried.
"""

from __future__ import annotations

import ast
import copy
import difflib
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from verification import anchors

ROOT = Path(__file__).resolve().parent.parent
SURVIVORS = Path("verification/survivors.toml")
CHANGED = Path("mutants")  # where mutmut writes every function it changed
KILLED = frozenset({"killed", "timeout", "segfault"})  # the last: the interpreter died of it
UNTRIED = frozenset({"not checked", "check was interrupted by user"})


class Survivor(NamedTuple):
    """
    One change to the library that no test can see.

    Attributes
    ----------
    where : str
        Dotted name of the function.
    old, new : str
        The code, which occurs exactly once in it, and what it becomes.
    reason : str
        Why no test sees it.
    """

    where: str
    old: str
    new: str
    reason: str


def read(root: Path) -> list[Survivor]:
    """
    Read what is known to survive.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    list of Survivor
        In the order of the file.

    Raises
    ------
    ValueError
        If an entry is incomplete.
    """
    rows = tomllib.loads((root / SURVIVORS).read_text(encoding="utf-8"))["survivor"]
    for row in rows:
        missing = set(Survivor._fields) - {key for key, value in row.items() if value}
        if missing:
            raise ValueError(f"survivor must have {', '.join(sorted(missing))}, got {row}")
    return [Survivor(**row) for row in rows]


def shape(function: ast.AST) -> str:
    """
    Write what a function does, whatever its name.

    Parameters
    ----------
    function : ast.AST
        Its definition.

    Returns
    -------
    str
        Its code without name and decorators, formatted in one way.

    Raises
    ------
    ValueError
        If it is not a function.
    """
    if not isinstance(function, ast.FunctionDef):
        raise ValueError("a survivor must stand in a function")
    function = copy.copy(function)
    function.name, function.decorator_list = "_", []
    return ast.unparse(function)


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


def where_of(name: str) -> str:
    """
    Find the function of a change.

    Parameters
    ----------
    name : str
        Name that mutmut gave it: "npvpg.mlp.xǁMLPǁinit__mutmut_12".

    Returns
    -------
    str
        "npvpg.mlp.MLP.init".
    """
    module, _, mangled = name.rpartition(".")
    function = mangled.rpartition("__mutmut_")[0]
    plain = function[1:].strip("ǁ").replace("ǁ", ".") if "ǁ" in function else function[2:]
    return f"{module}.{plain}"


def judge(
    root: Path, found: Mapping[str, str], listed: list[Survivor]
) -> tuple[list[str], list[str]]:
    """
    Compare what survived with what may.

    Parameters
    ----------
    root : Path
        Root of the repository, with the functions that mutmut changed.
    found : mapping of str to str
        Status of every change.
    listed : list of Survivor
        What is known to survive.

    Returns
    -------
    table : list of str
        A line a file and one for all of them.
    faults : list of str
        What must not be; empty if all is well.
    """
    table, faults, expected, survived = [], [], {}, set()
    for one in listed:
        told = f"{one.where}: {one.old} -> {one.new}"
        try:
            key = one.where, shape(anchors.plant(root, one.where, one.old, one.new).scope)
        except ValueError as error:
            faults.append(f"{told}: {error}")
            continue
        if key in expected:
            faults.append(f"{told}: is listed twice")
        expected[key] = told
    totals = Counter[str]()
    for file in sorted({file_of(name) for name in found}):
        mine = {name: status for name, status in found.items() if file_of(name) == file}
        untried = sum(status in UNTRIED for status in mine.values())
        if untried:
            faults.append(f"{file}: {untried} of {len(mine)} changes were not tried")
        left = [n for n, status in mine.items() if status not in KILLED | UNTRIED]
        written = functions(root / CHANGED / file) if left else {}
        for name in left:
            after = shape(written[name.rpartition(".")[2]])
            survived.add((where_of(name), after))
            if (where_of(name), after) not in expected:
                before = shape(written[name.rpartition(".")[2].rpartition("_")[0] + "_orig"])
                faults.append(f"{where_of(name)}: {_difference(before, after)}: is not listed")
        killed = len(mine) - untried - len(left)
        table.append(f"{file:48} {len(mine):5} changes, {killed:5} killed, {len(left):3} survived")
        totals.update(changes=len(mine), killed=killed, left=len(left))
    table.append(
        f"{'all':48} {totals['changes']:5} changes, {totals['killed']:5} killed, "
        f"{totals['left']:3} survived"
    )
    faults += [
        f"{told}: is listed but does not survive"
        for key, told in expected.items()
        if key not in survived
    ]
    return table, faults


def functions(file: Path) -> dict[str, ast.FunctionDef]:
    """
    Read the functions that mutmut wrote, changed and as they were.

    Parameters
    ----------
    file : Path
        Where it wrote them.

    Returns
    -------
    dict of str to ast.FunctionDef
        By the names that it gave them.
    """
    tree = anchors.parse(file.read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def _difference(before: str, after: str) -> str:
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    old, new = ("; ".join(x[2:].strip() for x in lines if x.startswith(sign)) for sign in "-+")
    return f"{old} -> {new}"


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
    table, faults = judge(root, found, read(root))
    print(*table, *faults, sep="\n")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
