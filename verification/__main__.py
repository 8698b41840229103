"""
Run the proofs and say what holds.

``python -m verification`` prints a line a claim and writes the proof book; ``--mutants`` plants
bugs in a copy of the library and requires the claims named for them to fail; ``--mutants --check``
only looks, in a second, whether each could be planted.

Exit code 0 if every claim holds (or every bug is caught), 1 if one does not, 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from verification import book, mutants, mutate
from verification.launch import EXIT_TIMEOUT, launch
from verification.proofs import PROOF_FOLDERS, choose, files_of
from verification.results import Result, Verdict, judge_all

ROOT = Path(__file__).resolve().parent.parent
BOOK = Path("proofs/proof-book.html")
PYTEST_RAN = (0, 1, 5)
FEW = 4  # claims
STYLES = {Verdict.HOLDS: "green", Verdict.FAILS: "bold red", Verdict.NOT_ESTABLISHED: "yellow"}


def parser() -> argparse.ArgumentParser:
    """
    Describe the command line.

    Returns
    -------
    argparse.ArgumentParser
        Its errors take one line after the usage and exit with 2.
    """
    described = argparse.ArgumentParser(
        prog="python -m verification",
        description="Run the proofs of npvpg and write the proof book.",
    )
    add = described.add_argument
    add(
        "--claims", nargs="+", default=[], metavar="NAME", help="only these claims: A1 B2, or A1,B2"
    )
    add("--profile", default="ci", help="Hypothesis profile: ci (one fixed program) or explore")
    add("--seed", type=int, help="seed of explore, or of the sample of mutants")
    add("--workers", type=int, help="processes (default 2, and 1 for a few claims)")
    told = f"proof book (default {BOOK}, and none of a few claims)"
    add("--html", type=Path, metavar="PATH", help=told)
    add("--mutants", action="store_true", help="plant every bug")
    told = "with --mutants: those of a claim, a file or a function, or with that in their name"
    add("--only", nargs="+", default=[], metavar="TEXT", help=told)
    add("--sample", type=int, metavar="K", help="with --mutants: K of them, drawn by --seed")
    add("--check", action="store_true", help="with --mutants: only that each could be planted")
    return described


def describe_error(result: Result) -> str:
    """
    Write the worst error beside the error allowed.

    Parameters
    ----------
    result : Result
        Of one claim.

    Returns
    -------
    str
        "exact" when every observation was an equality that held.
    """
    if not result.examples:
        return "-"
    return "exact" if result.exact else f"{result.error:.1e} / {result.allowed:.1e}"


def table(results: Sequence[Result]) -> Table:
    """
    Lay out the results, a line a claim.

    Parameters
    ----------
    results : sequence of Result
        In the order to show them.

    Returns
    -------
    rich.table.Table
        For a terminal.
    """
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    drawn.add_column("claim", no_wrap=True)
    drawn.add_column("statement", ratio=1)
    drawn.add_column("method")
    drawn.add_column("examples", justify="right")
    drawn.add_column("error / allowed", justify="right", no_wrap=True)
    drawn.add_column("s", justify="right")
    drawn.add_column("holds", no_wrap=True)
    for result in results:
        drawn.add_row(
            result.name,
            result.claim.words if result.claim else "",
            result.claim.method if result.claim else "",
            f"{result.examples:,}",
            describe_error(result),
            f"{result.seconds:.1f}",
            f"[{STYLES[result.verdict]}]{result.verdict.value}[/]",
        )
    return drawn


def prove(options: argparse.Namespace, console: Console) -> int:
    """
    Run the claims, print the table and write the proof book.

    Parameters
    ----------
    options : argparse.Namespace
        Of `parser`.
    console : rich.console.Console
        Where to print.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    ValueError
        If no proof names a claim that is asked for.
    """
    seed = options.seed
    claims = choose(ROOT, options.claims)
    # A few are done before a second process has started.
    workers = options.workers or (1 if 0 < len(claims) <= FEW else 2)
    arguments = [f"--hypothesis-profile={options.profile}", f"-n{workers if workers > 1 else 0}"]
    if options.profile != "ci":
        # Drawn here, so that what a random run found can be run again.
        seed = secrets.randbelow(2**32) if seed is None else seed
        arguments.append(f"--hypothesis-seed={seed}")
    with console.status("running the proofs"):
        ran = launch(ROOT, claims=claims, paths=files_of(ROOT, claims), options=arguments)
    if ran.report is None or ran.exit_code not in (*PYTEST_RAN, 2):
        said = [line for line in ran.output.splitlines() if line.strip()]
        how = "was stopped" if ran.exit_code == EXIT_TIMEOUT else f"ended with {ran.exit_code}"
        return complain(f"pytest {how}: {said[-1] if said else 'no output'}")
    results = judge_all(ran.report)
    broken = ran.report["collection_errors"]
    console.print(table(results))
    for path in broken:
        console.print(f"[bold red]{path} could not be imported[/]", highlight=False)
    for result in results:
        if result.reason:
            console.print(f"{result.name}: {result.reason}", markup=False, highlight=False)
    holding = sum(result.verdict is Verdict.HOLDS for result in results)
    html = options.html or (None if claims else BOOK)
    if html is not None:
        setting = book.Setting.of(ROOT, options.profile, seed, ran.seconds)
        try:
            page = book.write(results, setting, mutants.read(ROOT), ROOT)
            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(page, encoding="utf-8")
        except (ValueError, OSError) as error:
            return complain(f"no proof book: {error}")
    console.print(
        f"{holding} of {len(results)} claims hold; {ran.seconds:.0f} s, profile {options.profile}"
        + (f", seed {seed}" if seed is not None else "")
        + (f"; proof book: {html}" if html is not None else ""),
        highlight=False,
    )
    if not results:
        return complain(f"no claim in verification/{{{','.join(PROOF_FOLDERS)}}}")
    return 0 if holding == len(results) and not broken else 1


def plant(options: argparse.Namespace, console: Console) -> int:
    """
    Plant bugs, or only look whether they could be planted.

    Parameters
    ----------
    options : argparse.Namespace
        Of `parser`.
    console : rich.console.Console
        Where to print.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    ValueError
        If the table of bugs or the choice from it is wrong.
    """
    bugs = mutants.read(ROOT)
    chosen = mutants.choose(bugs, options.only, options.sample, options.seed or 0)
    if not options.check:
        return mutate.run(ROOT, chosen, console, workers=options.workers or 2)
    faults = mutants.check(ROOT, chosen)
    found = f"{len(chosen) - len(faults)} of {len(chosen)} bugs can be planted"
    print(*faults, found, sep="\n")
    return 1 if faults else 0


def complain(message: str) -> int:
    """
    Print an error on one line.

    Parameters
    ----------
    message : str
        What is wrong.

    Returns
    -------
    int
        Exit code 2.
    """
    print(f"verification: {message}", file=sys.stderr)
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        Exit code.
    """
    options = parser().parse_args(arguments)
    # A pipe has no width: a table cut to 80 columns would hide what it says.
    console = Console(width=None if sys.stdout.isatty() else 160)
    if options.workers is not None and options.workers < 1:
        return complain(f"--workers must be >= 1, got {options.workers}")
    if not options.mutants and (options.only or options.check or options.sample is not None):
        return complain("--only, --sample and --check go with --mutants")
    try:
        return plant(options, console) if options.mutants else prove(options, console)
    except ValueError as error:
        return complain(str(error))


if __name__ == "__main__":
    sys.exit(main())
