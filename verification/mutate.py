"""
Plant bugs, and require the claims named for them to fail.

Each bug goes into a temporary copy of the library and its proofs. It is killed only if every
claim named for it fails by a check of its own: a copy that cannot be imported, a claim that never
ran, a crash that nobody announced and code that no longer occurs exactly once all count against
it, and so does a claim that fails without any bug.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console

from verification import anchors
from verification.launch import EXIT_TIMEOUT, Launch, launch
from verification.mutants import Mutant
from verification.plugin import ASSERTION
from verification.proofs import files_of
from verification.results import Verdict, judge_all

COPIED = ("npvpg", "verification", "examples", "conftest.py", "pyproject.toml")
TIMEOUT = 180.0  # seconds; a bug may make a loop endless


class Fate(Enum):
    """What became of a planted bug; only `KILLED` is good."""

    KILLED = "killed"
    SURVIVED = "survived"
    CRASHED = "crashed"
    UNIMPORTABLE = "unimportable"
    NEVER_RAN = "never ran"
    NO_MATCH = "no match"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Outcome:
    """
    One planted bug after its run.

    Parameters
    ----------
    mutant : Mutant
        The bug.
    fate : Fate
        What became of it.
    detail : str
        The tests that killed it, or why it does not count as killed.
    seconds : float
        Time it took [s].
    """

    mutant: Mutant
    fate: Fate
    detail: str
    seconds: float


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """Copy the library and its proofs to a folder that is removed after the block."""
    with tempfile.TemporaryDirectory(prefix="npvpg-planted-") as folder:
        copy = Path(folder).resolve()
        for name in COPIED:
            if (root / name).is_dir():
                # Bytecode is matched by second and size: that of the library could pass for
                # the bytecode of a bug of equal length.
                ignored = shutil.ignore_patterns("__pycache__") if name == "npvpg" else None
                shutil.copytree(root / name, copy / name, ignore=ignored)
            elif (root / name).exists():
                shutil.copy2(root / name, copy / name)
        yield copy


def run_claims(copy: Path, claims: Sequence[str], options: Sequence[str], compiled: bool) -> Launch:
    """
    Run some claims in a copy.

    Parameters
    ----------
    copy : Path
        Root of the copy.
    claims : sequence of str
        Their names; at least one test names each.
    options : sequence of str
        Further arguments of pytest.
    compiled : bool
        Whether Numba compiles, into a cache that goes with the copy.

    Returns
    -------
    Launch
        How pytest ended.
    """
    return launch(
        copy,
        claims=claims,
        paths=files_of(copy, claims),
        options=["-pno:cacheprovider", "--hypothesis-profile=ci", *options],
        environment={
            "NUMBA_DISABLE_JIT": "0" if compiled else "1",
            "NUMBA_CACHE_DIR": str(copy / "numba"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        timeout=TIMEOUT if "-n0" in options else None,
    )


def plant(mutant: Mutant, root: Path) -> Outcome:
    """
    Plant one bug and run the claims that are named for it.

    Parameters
    ----------
    mutant : Mutant
        The bug.
    root : Path
        Root of the repository, left as it is.

    Returns
    -------
    Outcome
        What became of it.
    """
    try:
        file, tree, _ = anchors.plant(root, mutant.where, mutant.old, mutant.new)
    except ValueError as error:
        return Outcome(mutant, Fate.NO_MATCH, str(error), 0.0)
    unnamed = [name for name in mutant.claims if not files_of(root, [name])]
    if unnamed:
        return Outcome(mutant, Fate.NEVER_RAN, f"no test names {', '.join(unnamed)}", 0.0)
    started = time.perf_counter()
    with copy_of(root) as copy:
        (copy / file.relative_to(root)).write_text(ast.unparse(tree), encoding="utf-8")
        options = ["-n0", "-pverification.planted"]
        ran = run_claims(copy, mutant.claims, options, mutant.compiled)
        fate, detail = judge_planted(mutant, ran, copy)
    return Outcome(mutant, fate, detail, time.perf_counter() - started)


def judge_planted(mutant: Mutant, ran: Launch, copy: Path) -> tuple[Fate, str]:
    """
    Tell a killed bug from one that survived, and both from a run that shows nothing.

    Parameters
    ----------
    mutant : Mutant
        The bug.
    ran : Launch
        The run of its claims.
    copy : Path
        Where the library must have been imported from.

    Returns
    -------
    tuple of Fate and str
        With the killing tests or the reason.
    """
    if ran.exit_code == EXIT_TIMEOUT:
        return Fate.TIMEOUT, "stopped: a loop without end?"
    if ran.report is None or ran.report["collection_errors"]:
        lines = [line for line in ran.output.splitlines() if line.startswith("E ")]
        return Fate.UNIMPORTABLE, lines[-1].removeprefix("E").strip() if lines else "no report"
    if not Path(ran.report["library"] or "/").resolve().is_relative_to(copy):
        return Fate.NEVER_RAN, "the library was not imported from the copy"
    killers = []
    for name in mutant.claims:
        fate, detail = _judge_claim(name, ran.report["claims"][name]["tests"], mutant.by)
        if fate is not Fate.KILLED:
            return fate, detail
        killers.append(detail)
    return Fate.KILLED, ", ".join(dict.fromkeys(killers))


def _judge_claim(name: str, tests: dict[str, dict[str, Any] | None], by: str) -> tuple[Fate, str]:
    ran = {test.rpartition("::")[2]: seen for test, seen in tests.items() if seen}
    failed = {test: seen for test, seen in ran.items() if seen["failure"]}
    for test, seen in failed.items():
        if seen["failure"] in {ASSERTION, by}:
            return Fate.KILLED, test
    for test, seen in failed.items():
        return Fate.CRASHED, f"{test}: {seen['message']}"
    if any(seen["outcome"] == "passed" for seen in ran.values()):
        return Fate.SURVIVED, f"{name} still holds"
    return Fate.NEVER_RAN, f"no test of {name} ran"


def standing(root: Path, mutants: Sequence[Mutant], workers: int) -> list[str]:
    """
    Run the claims without any bug: one that fails anyway would kill every bug.

    Parameters
    ----------
    root : Path
        Root of the repository.
    mutants : sequence of Mutant
        The bugs about to be planted.
    workers : int
        Processes.

    Returns
    -------
    list of str
        A line for each claim that does not hold as it is.
    """
    lines = []
    for compiled in (False, True):
        kind = [mutant for mutant in mutants if mutant.compiled is compiled]
        claims = sorted({name for mutant in kind for name in mutant.claims})
        claims = [name for name in claims if files_of(root, [name])]
        if not claims:
            continue
        with copy_of(root) as copy:
            ran = run_claims(copy, claims, [f"-n{workers}"], compiled)
        if ran.report is None:
            return [ran.output.strip().rpartition("\n")[2]]
        lines += [f"{path} cannot be imported" for path in ran.report["collection_errors"]]
        lines += [
            f"{result.name} {result.verdict.value} without any bug: {result.reason}"
            for result in judge_all(ran.report)
            if result.verdict is not Verdict.HOLDS
        ]
    return lines


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
        0 if every bug was killed, 1 otherwise.
    """
    started = time.perf_counter()
    broken = standing(root, mutants, workers)
    for line in broken:
        console.print(line, markup=False, highlight=False)
    if broken:
        return 1
    width = max(len(mutant.name) for mutant in mutants)
    killed = 0
    with ThreadPoolExecutor(workers) as pool:
        for outcome in pool.map(lambda mutant: plant(mutant, root), mutants):
            killed += outcome.fate is Fate.KILLED
            line = f"{outcome.mutant.name:{width}}  {','.join(outcome.mutant.claims):6}"
            line += f"  {outcome.seconds:5.1f} s  {outcome.fate.value}: {outcome.detail}"
            style = "" if outcome.fate is Fate.KILLED else "bold red"
            console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    spent = time.perf_counter() - started
    console.print(f"{killed} of {len(mutants)} bugs killed in {spent:.0f} s", highlight=False)
    return 0 if killed == len(mutants) else 1
