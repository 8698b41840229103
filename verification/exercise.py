"""
Find the bug: hand out a copy of the library that is wrong in one place, and check the mend.

``python -m verification.exercise`` lists the numbers with the claims that fail, ``... 7`` makes
``exercise-7`` in the working directory or where ``--out`` says, ``... 7 --check`` runs the claims
on it. The bugs are those of ``mutants.toml`` that were once in software that people use.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from verification import anchors
from verification.formulas import ROOT
from verification.mutants import Mutant, read
from verification.mutate import copy_of, run_claims
from verification.proofs import load_claims
from verification.results import Verdict, judge_all


def exercises(root: Path) -> list[Mutant]:
    """
    Choose the planted bugs that make an exercise.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    list of Mutant
        In their order; the first is number 1.
    """
    return [bug for bug in read(root) if "#" in bug.source and not (bug.compiled or bug.by)]


def hand_out(bug: Mutant, root: Path, target: Path) -> None:
    """
    Write a copy of library and proofs with a bug in it.

    Parameters
    ----------
    bug : Mutant
        The bug; the list that tells its place stays behind.
    root : Path
        Root of the repository.
    target : Path
        Folder to make.

    Raises
    ------
    ValueError
        If there is such a folder already.
    """
    if target.exists():
        raise ValueError(f"out must not exist, got {target}")
    file, _, scope = anchors.plant(root, bug.where, bug.old, bug.new)
    lines = file.read_text(encoding="utf-8").splitlines()
    begin, end, indent = 1, len(lines), 0
    if isinstance(scope, ast.FunctionDef | ast.ClassDef):
        begin = min([scope.lineno, *(part.lineno for part in scope.decorator_list)])
        end, indent = scope.end_lineno or scope.lineno, scope.col_offset
    lines[begin - 1 : end] = textwrap.indent(ast.unparse(scope), " " * indent).splitlines()
    with copy_of(root) as copy:
        (copy / file.relative_to(root)).write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in ("mutants.toml", "survivors.toml"):
            (copy / "verification" / name).unlink(missing_ok=True)
        shutil.copytree(copy, target)


def mended(bug: Mutant, folder: Path) -> dict[str, bool]:
    """
    Run the claims of a bug on a copy.

    Parameters
    ----------
    bug : Mutant
        The bug.
    folder : Path
        The copy.

    Returns
    -------
    dict of str to bool
        Whether each claim holds.
    """
    ran = run_claims(folder.resolve(), bug.claims, ["-n0"], compiled=False)
    if ran.report is None or ran.report["collection_errors"]:
        return dict.fromkeys(bug.claims, False)
    held = {result.name: result.verdict is Verdict.HOLDS for result in judge_all(ran.report)}
    return {name: held.get(name, False) for name in bug.claims}


def main(arguments: Sequence[str] | None = None) -> int:
    """
    List, hand out or check.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        0; 1 if a claim still fails; 2 for a wrong call.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.exercise")
    parser.add_argument("number", type=int, nargs="?", help="of the exercise; a list without it")
    parser.add_argument("--out", type=Path, help="folder of the copy (default exercise-NUMBER)")
    parser.add_argument("--check", action="store_true", help="run the claims on the copy")
    options = parser.parse_args(arguments)
    bugs, claims = exercises(ROOT), load_claims()
    if options.number is None:
        for number, bug in enumerate(bugs, start=1):
            print(
                f"{number:3d}  {', '.join(f'{name}: {claims[name].title}' for name in bug.claims)}"
            )
        return 0
    folder = options.out or Path(f"exercise-{options.number}")
    try:
        if not 1 <= options.number <= len(bugs):
            raise ValueError(f"number must lie in [1, {len(bugs)}], got {options.number}")
        bug = bugs[options.number - 1]
        if not options.check:
            hand_out(bug, ROOT, folder)
            print(f"{folder} holds a library that is wrong in one place. What fails:")
            for name in bug.claims:
                print(f"  {name}: {claims[name].words}")
            return 0
        if not folder.is_dir():
            raise ValueError(f"out must be a folder that was handed out, got {folder}")
    except ValueError as error:
        print(f"exercise: {error}", file=sys.stderr)
        return 2
    held = mended(bug, folder)
    for name, holds in held.items():
        print(f"{name} {'holds' if holds else 'fails'}: {claims[name].words}")
    print("mended" if all(held.values()) else "not yet")
    return int(not all(held.values()))


if __name__ == "__main__":
    sys.exit(main())
