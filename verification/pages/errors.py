"""
The worst error last seen of every claim, which the book prints beside its equations.

``python -m verification.pages.errors`` runs all claims and writes ``errors.toml``; with names of
claims it renews those alone.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence

from verification.formulas import ROOT
from verification.launch import launch
from verification.pages.equations import ERRORS
from verification.proofs import choose, files_of, sort_key
from verification.results import Verdict, judge_all

HEAD = "# The worst error last seen of every claim: python -m verification.pages.errors\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run claims and write what they saw.

    Parameters
    ----------
    arguments : sequence of str, optional
        Names of claims; all by default. `sys.argv` if not given.

    Returns
    -------
    int
        0; 1 if a claim does not hold, which then keeps what was seen before.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    names = choose(ROOT, given)
    paths = files_of(ROOT, names) if names else []
    done = launch(ROOT, claims=names, paths=paths, options=["-n", "0"])
    if done.report is None:
        print(done.output, file=sys.stderr)
        return 1
    path, failed = ROOT / ERRORS, False
    seen = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for result in judge_all(done.report):
        if result.verdict is not Verdict.HOLDS:
            print(f"{result.name} {result.verdict.value}: {result.reason}", file=sys.stderr)
            failed = True
            continue
        seen[result.name] = {
            "error": float(f"{result.error:.2g}"),
            "allowed": float(f"{result.allowed:.2g}"),
            "examples": result.examples,
        }
    lines = [
        f"{name} = {{ error = {row['error']!r}, allowed = {row['allowed']!r}, "
        f"examples = {row['examples']} }}\n"
        for name, row in sorted(seen.items(), key=lambda item: sort_key(item[0]))
    ]
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
