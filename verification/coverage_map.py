"""
Which claim speaks of which formula.

``python -m verification.coverage_map`` prints the table, ``--write`` puts it into its page between
the markers. A function, and a method that displays a formula, needs a claim that names it;
what only serves its class is covered by a claim about the class.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import npvpg.kernels
from verification.claims import Claim
from verification.proofs import load_claims, sort_key
from verification.source import plain, resolve

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/formulas.md")
STATED = r'claim\(\s*(?:name=)?"(\w+)",\s*title='
BEGIN, END = "<!-- formulas:begin -->", "<!-- formulas:end -->"
MODULES = (
    *sorted(
        f"npvpg.kernels.{path.stem}"
        for path in Path(npvpg.kernels.__path__[0]).glob("*.py")
        if path.stem not in ("__init__", "compiler")  # how kernels are compiled is no formula
    ),
    "npvpg.estimators",
    "npvpg.estimators.base",
    "npvpg.estimators.without_value",
    "npvpg.estimators.advantages",
    "npvpg.estimators.standardizing",
    "npvpg.distributions.softmax",
    "npvpg.distributions.categorical",
    "npvpg.distributions.gaussian",
    "npvpg.distributions.squashed",
    "npvpg.distributions.bernoulli",
    "npvpg.distributions.product",
    "npvpg.world.spaces",
    "npvpg.world.squash",
    "npvpg.mlp",
    "npvpg.policy",
    "npvpg.value",
    "npvpg.gradient",
    "npvpg.lab.variance",
    "npvpg.optimizers",
    "npvpg.normalize",
    "npvpg.world.actor",
    "npvpg.world.player",
    "npvpg.world.rollout",
    "npvpg.collect",
    "npvpg.state",
    "npvpg.stages",
    "npvpg.loop",
    "npvpg.vpg",
    "npvpg.lab.exact.process",
    "npvpg.lab.exact.episodes",
    "npvpg.lab.exact.laboratory",
    "npvpg.lab.analytic.pathwise",
    "npvpg.lab.analytic.linear_quadratic",
    "npvpg.lab.analytic.pendulum",
    "npvpg.lab.analytic.control",
)


@dataclass(frozen=True)
class Formula:
    """
    One public function or method.

    Parameters
    ----------
    name : str
        Dotted name; a class that is called stands for its ``__call__``.
    file : str
        Path below the root of the repository.
    text : str
        Its last displayed formula, or else the first line of its docstring.
    owner : str
        The class of a method that displays no formula; empty for anything else.
    """

    name: str
    file: str
    text: str
    owner: str = ""


def formulas() -> list[Formula]:
    """
    Find every public formula of the library.

    Returns
    -------
    list of Formula
        Functions, and methods of classes that are neither protocols nor abstract, in reading order.
    """
    found = []
    for module in map(importlib.import_module, MODULES):
        file = Path(str(module.__file__)).relative_to(ROOT).as_posix()
        for name, thing in vars(module).items():
            target = plain(thing)
            if name.startswith("_") or getattr(target, "__module__", "") != module.__name__:
                continue
            dotted = f"{module.__name__}.{name}"
            if inspect.isfunction(target):
                found.append(Formula(dotted, file, _text(target)))
            elif inspect.isclass(target) and not getattr(target, "_is_protocol", False):
                found += _methods(dotted, target, file)
    return found


def _methods(dotted: str, kind: type, file: str) -> list[Formula]:
    """Methods of a class; a ``__call__``, and what says nothing, is told of by the class."""
    methods: list[Formula] = []
    of_class = Formula(dotted, file, _text(kind))
    for name, thing in vars(kind).items():
        if isinstance(thing, property) or not inspect.isfunction(plain(thing)):
            continue
        if getattr(thing, "__isabstractmethod__", False):
            continue
        silent = not plain(thing).__doc__ and of_class.text.startswith("$")
        if name == "__call__" or (silent and not name.startswith("_")):
            methods += [of_class] if of_class not in methods else []
        elif not name.startswith("_"):
            text = _text(plain(thing))
            owner = "" if text.startswith("$") else dotted
            methods.append(Formula(f"{dotted}.{name}", file, text, owner))
    return methods


def _text(thing: Any) -> str:
    doc = re.split(r"\n *(?:Parameters|Returns)\n *-+\n", inspect.getdoc(thing) or "")[0]
    shown = re.findall(r"\.\. math::[ \n]*(.+?)(?=\n\s*\n|\Z)", doc, re.DOTALL)
    if shown:
        text = f"${' '.join(shown[-1].split()).rstrip('.,')}$"
    else:
        summary = " ".join(doc.strip().partition("\n\n")[0].split())
        text = re.sub(r":math:`([^`]+)`", r"$\1$", summary)
    # A bar would end the cell of the table.
    return text.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def canonical(name: str) -> str:
    """
    Name a thing by where it is defined.

    Parameters
    ----------
    name : str
        A dotted name, perhaps of a re-export.

    Returns
    -------
    str
        Dotted name of the definition.

    Raises
    ------
    ValueError
        If nothing has that name.
    """
    found, holder = resolve(name)
    last = name.rpartition(".")[2]
    if inspect.isclass(holder):
        owner = next(kind for kind in holder.__mro__ if last in vars(kind))
        return f"{owner.__module__}.{owner.__qualname__}.{last}".removesuffix(".__call__")
    module = getattr(plain(found), "__module__", None)
    return f"{module}.{last}" if module and not inspect.ismodule(found) else name


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
    Find the file that states each claim.

    Returns
    -------
    dict of str to str
        Path below the root of the repository, by the name of the claim.
    """
    found = {}
    for path in sorted((ROOT / "verification" / "mathematics").glob("*.py")):
        for name in re.findall(STATED, path.read_text(encoding="utf-8")):
            found[name] = path.relative_to(ROOT).as_posix()
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
        rows.append(f"| {formula.text} | [`{short}`](../{formula.file}) | {claims} |")
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
    Print the table, or write it into its page.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        0; 1 if a formula has no claim; 2 if the page has no place for the table.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.coverage_map")
    parser.add_argument("--write", action="store_true", help=f"update {PAGE}")
    options = parser.parse_args(arguments)
    try:
        listed, proved = formulas(), proofs(load_claims())
        if options.write:
            page = (ROOT / PAGE).read_text(encoding="utf-8")
            text = replace_table(page, table(listed, proved))
            (ROOT / PAGE).write_text(text, encoding="utf-8")
        else:
            print(table(listed, proved))
    except (ValueError, OSError) as error:
        print(f"coverage_map: {error}", file=sys.stderr)
        return 2
    silent = missing(listed, proved)
    if silent:
        print(f"coverage_map: no claim speaks of {', '.join(silent)}", file=sys.stderr)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
