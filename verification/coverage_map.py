"""
Which claim speaks of which formula.

``python -m verification.coverage_map`` prints the table, ``--write`` puts it into its page between
the markers, and ``--check`` requires that it stands there, lines of code and all. A function, and
a method that displays a formula, needs a claim that names it; what only serves its class is
covered by a claim about the class.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from verification.claims import Claim
from verification.formulas import ROOT, Formula, canonical, formulas
from verification.proofs import load_claims, sort_key

PAGE = Path("docs/formulas.md")
STATED = r'claim\(\s*(?:name=)?"(\w+)",\s*title='
BEGIN, END = "<!-- formulas:begin -->", "<!-- formulas:end -->"


def proofs(claims: Mapping[str, Claim]) -> dict[str, list[str]]:
    """
    Turn the claims round: from code to the claims about it.

    Parameters
    ----------
    claims : mapping
        As `load_claims` gives them.

    Returns
    -------
    dict of str to list of str
        Names of claims by canonical name of the code.

    Raises
    ------
    ValueError
        If a claim speaks of something that does not exist.
    """
    found: dict[str, set[str]] = {}
    for claim in claims.values():
        for name in claim.about:
            try:
                found.setdefault(canonical(name), set()).add(claim.name)
            except ValueError as error:
                raise ValueError(f"claim {claim.name}: {error}") from None
    return {name: sorted(names, key=sort_key) for name, names in found.items()}


def missing(listed: Iterable[Formula], proved: Mapping[str, Sequence[str]]) -> list[str]:
    """
    List what no claim speaks of.

    Parameters
    ----------
    listed : iterable of Formula
        What `formulas` gives.
    proved : mapping
        What `proofs` gives.

    Returns
    -------
    list of str
        Dotted names.
    """
    return [f.name for f in listed if not (f.name in proved or f.owner in proved)]


def stated_in() -> dict[str, str]:
    """
    Find the proof that states each claim.

    Returns
    -------
    dict of str to str
        File below the root of the repository and line, as a link has it, by name of the claim.
    """
    found = {}
    for path in sorted((ROOT / "verification" / "mathematics").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for stated in re.finditer(STATED, text):
            line = text.count("\n", 0, stated.start()) + 1
            found[stated[1]] = f"{path.relative_to(ROOT).as_posix()}#L{line}"
    return found


def table(listed: Iterable[Formula], proved: Mapping[str, Sequence[str]]) -> str:
    """
    Write the table of the page.

    Parameters
    ----------
    listed : iterable of Formula
        What `formulas` gives.
    proved : mapping
        What `proofs` gives.

    Returns
    -------
    str
        Markdown: formula, code, proof.
    """
    homes = stated_in()
    rows = ["| formula | code | proof |", "|---|---|---|"]
    for formula in listed:
        if not formula.text.startswith("$") or (formula.owner and formula.name not in proved):
            continue
        module = formula.file.removesuffix(".py").replace("/", ".")
        short = formula.name.removeprefix(f"{module}.")
        claims = ", ".join(f"[{name}](../{homes[name]})" for name in proved.get(formula.name, ()))
        code = f"[`{short}`](../{formula.file}#L{formula.line})"
        rows.append(f"| {formula.text} | {code} | {claims} |")
    return "\n".join(rows)


def replace_table(page: str, new: str) -> str:
    """
    Put a table between the markers of its page.

    Parameters
    ----------
    page : str
        Its text.
    new : str
        The table.

    Returns
    -------
    str
        The text with the table replaced.

    Raises
    ------
    ValueError
        If the markers are not there, once each and in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or page.count(BEGIN) > 1 or page.count(END) > 1:
        raise ValueError(f"{PAGE} must hold {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Print the table, write it into its page, or compare the page.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        0; 1 if a formula has no claim or the page is not as it should be; 2 if the page has no
        place for the table.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.coverage_map")
    parser.add_argument("--write", action="store_true", help=f"update {PAGE}")
    parser.add_argument("--check", action="store_true", help=f"only compare {PAGE}")
    options = parser.parse_args(arguments)
    try:
        listed, proved = formulas(), proofs(load_claims())
        page = (ROOT / PAGE).read_text(encoding="utf-8")
        text = replace_table(page, table(listed, proved))
        if options.write:
            (ROOT / PAGE).write_text(text, encoding="utf-8")
        elif not options.check:
            print(table(listed, proved))
    except (ValueError, OSError) as error:
        print(f"coverage_map: {error}", file=sys.stderr)
        return 2
    silent = missing(listed, proved)
    if silent:
        print(f"coverage_map: no claim speaks of {', '.join(silent)}", file=sys.stderr)
    old = options.check and text != page
    if old:
        print(f"coverage_map: {PAGE} is old, renew it by --write", file=sys.stderr)
    return 1 if silent or old else 0


if __name__ == "__main__":
    sys.exit(main())
