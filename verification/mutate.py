"""
Planted bugs: each is one replaced text, and a claim named for it that must fail.

A bug is planted in a temporary copy of the library. It counts as caught only when a test of a
claim that is named for it says no by an assertion; a copy that cannot be imported, a claim that
never ran and a text that no longer occurs exactly once are failures of the check itself.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from verification.launch import Launch, launch
from verification.plugin import ASSERTION

COPIED = ("npvpg", "verification")
TIMEOUT = 120.0
PASSED = (0, 5)  # exit codes of pytest: all passed, none ran


@dataclass(frozen=True)
class Mutant:
    """
    One planted bug.

    Parameters
    ----------
    name : str
        What the bug is.
    file : str
        Path below the root of the repository.
    old, new : str
        The text, which occurs exactly once, and what it becomes.
    claims : tuple of str
        Claims of which at least one must fail.
    source : str
        Where the bug was seen.
    """

    name: str
    file: str
    old: str
    new: str
    claims: tuple[str, ...]
    source: str = ""


def read(root: Path) -> list[Mutant]:
    """
    Read the table of planted bugs.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    list of Mutant
        In the order of the file.

    Raises
    ------
    ValueError
        If two have the same name or one names no claim.
    """
    table = tomllib.loads((root / "verification" / "mutants.toml").read_text(encoding="utf-8"))
    mutants = [Mutant(**{**row, "claims": tuple(row["claims"])}) for row in table["mutant"]]
    if len({mutant.name for mutant in mutants}) < len(mutants):
        raise ValueError("mutants must have names of their own, got one twice")
    for mutant in mutants:
        if not mutant.claims:
            raise ValueError(f"mutant {mutant.name!r} must name a claim, got none")
    return mutants


def choose(
    mutants: Sequence[Mutant], names: Sequence[str], sample: int | None, seed: int
) -> list[Mutant]:
    """
    Choose which bugs to plant.

    Parameters
    ----------
    mutants : sequence of Mutant
        All of them.
    names : sequence of str
        Those to plant; empty for all.
    sample : int or None
        Plant that many of them, drawn at random.
    seed : int
        Seed of the draw.

    Returns
    -------
    list of Mutant
        The chosen ones.

    Raises
    ------
    ValueError
        If a name is unknown or `sample` smaller than 1.
    """
    known = {mutant.name: mutant for mutant in mutants}
    for name in names:
        if name not in known:
            raise ValueError(f"no mutant is named {name!r}")
    chosen = [known[name] for name in names] or list(mutants)
    if sample is None:
        return chosen
    if sample < 1:
        raise ValueError(f"--sample must be at least 1, got {sample}")
    return random.Random(seed).sample(chosen, min(sample, len(chosen)))


def plant(mutant: Mutant, root: Path, copy: Path) -> None:
    """
    Copy the library and the proofs, and plant the bug in the copy.

    Parameters
    ----------
    mutant : Mutant
        The bug.
    root, copy : Path
        Root of the repository, and an empty folder.

    Raises
    ------
    ValueError
        If the old text does not occur exactly once.
    """
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, copy / name, ignore=ignored)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(root / name, copy / name)
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"old text occurs {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def verdict(ran: Launch, claims: Sequence[str]) -> str:
    """
    Say what a run with a planted bug shows.

    Parameters
    ----------
    ran : Launch
        The run.
    claims : sequence of str
        Claims named for the bug.

    Returns
    -------
    str
        "killed by" the claims that failed, or why the bug does not count as caught.
    """
    if ran.report is None or ran.report["collection_errors"]:
        return "broken: the proofs could not be run"
    killers, tried = [], 0
    for name in claims:
        tests = [test for test in ran.report["claims"][name]["tests"].values() if test]
        tried += len(tests)
        if any(test["outcome"] == "failed" and test["failure"] == ASSERTION for test in tests):
            killers.append(name)
    if killers:
        return f"killed by {', '.join(killers)}"
    if ran.exit_code not in PASSED:
        return "broken: a test failed, but by no assertion"
    return "SURVIVED" if tried else "broken: the claim never ran"


def try_one(mutant: Mutant, root: Path) -> str:
    """
    Plant one bug and run the claims that are named for it.

    Parameters
    ----------
    mutant : Mutant
        The bug.
    root : Path
        Root of the repository.

    Returns
    -------
    str
        As `verdict` says.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        try:
            plant(mutant, root, copy)
        except ValueError as error:
            return f"broken: {error}"
        ran = launch(
            copy,
            claims=mutant.claims,
            options=["-n0", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=ci"],
            environment={"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=TIMEOUT,
        )
    return verdict(ran, mutant.claims)


def run(root: Path, mutants: Sequence[Mutant], console: Console, *, workers: int) -> int:
    """
    Plant every bug and print what became of it.

    Parameters
    ----------
    root : Path
        Root of the repository.
    mutants : sequence of Mutant
        The bugs.
    console : rich.console.Console
        Where to print.
    workers : int
        Bugs tried at a time.

    Returns
    -------
    int
        0 if every bug was caught, 1 otherwise.
    """
    caught = 0
    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda mutant: try_one(mutant, root), mutants)
        for mutant, outcome in zip(mutants, outcomes, strict=True):
            caught += outcome.startswith("killed")
            console.print(f"{mutant.name:60} {outcome}", markup=False, highlight=False)
    console.print(f"{caught} of {len(mutants)} planted bugs caught", highlight=False)
    return 0 if caught == len(mutants) else 1
