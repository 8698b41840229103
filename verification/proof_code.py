"""The code of a proof: its test, what the test is made of, and the oracle it compares with."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from verification import anchors
from verification.source import Excerpt, docstring_lines

ORACLES = "verification.oracles."
PROOFS = "verification.mathematics."


@dataclass(frozen=True)
class Proof:
    """
    What proves a claim, as dotted names.

    Parameters
    ----------
    tests : tuple of str
        The tests.
    helpers : tuple of str
        What they call of the proofs' own, strategies included.
    oracles : tuple of str
        What they, or the helpers, call of the oracles.
    """

    tests: tuple[str, ...]
    helpers: tuple[str, ...]
    oracles: tuple[str, ...]


@lru_cache
def _module(file: Path) -> tuple[ast.Module, dict[str, str]]:
    """Tree of a module, and what the names that it imports stand for."""
    tree = anchors.parse(file.read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            names |= {each.asname: each.name for each in node.names if each.asname}
    return tree, names


def _definition(name: str, root: Path) -> ast.AST | None:
    """Tree of a class or function of the proofs or the oracles; None for anything else."""
    if not name.startswith((ORACLES, PROOFS)):
        return None
    try:
        file, names = anchors.file_of(root, name)
        return anchors.definition(_module(file)[0], names) if names else None
    except ValueError:
        return None


def _calls(name: str, root: Path) -> Iterator[str]:
    """Yield the dotted names of the proofs and the oracles that a definition uses."""
    file, _ = anchors.file_of(root, name)
    imported = _module(file)[1]
    module = ".".join(file.relative_to(root).with_suffix("").parts)
    node = _definition(name, root)
    assert node is not None
    for used in ast.walk(node):
        if isinstance(used, ast.Name):
            yield imported.get(used.id, f"{module}.{used.id}")
        elif isinstance(used, ast.Attribute) and isinstance(used.value, ast.Name):
            yield f"{imported.get(used.value.id, used.value.id)}.{used.attr}"


def proof_of(tests: Sequence[str], root: Path) -> Proof:
    """
    Follow the tests of a claim to its oracle.

    Parameters
    ----------
    tests : sequence of str
        As pytest names them: "verification/mathematics/test_returns.py::test_returns[3]".
    root : Path
        Root of the repository.

    Returns
    -------
    Proof
        With everything in the order in which the tests come to it.
    """
    dotted = (test.partition("[")[0].replace(".py::", ".").replace("/", ".") for test in tests)
    own = [name for name in dict.fromkeys(dotted) if _definition(name, root)]
    found = dict.fromkeys(own)
    waiting = list(own)
    while waiting:
        new = [x for x in _calls(waiting.pop(0), root) if x not in found and _definition(x, root)]
        found |= dict.fromkeys(new)
        # An oracle is shown, and what it calls with it is its own affair.
        waiting += [x for x in dict.fromkeys(new) if not x.startswith(ORACLES)]
    return Proof(
        tuple(own),
        tuple(x for x in found if x.startswith(PROOFS) and x not in own),
        tuple(x for x in found if x.startswith(ORACLES)),
    )


def listing(name: str, root: Path) -> Excerpt:
    """
    Read the lines of a definition, without importing it.

    Parameters
    ----------
    name : str
        Dotted name of a test, a helper or an oracle.
    root : Path
        Root of the repository.

    Returns
    -------
    Excerpt
        Without docstrings, and without the statement of a claim, which stands above it.

    Raises
    ------
    ValueError
        If nothing is defined under that name.
    """
    file, names = anchors.file_of(root, name)
    node = anchors.definition(_module(file)[0], names)
    if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        raise ValueError(f"{name} is neither a function nor a class")
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    lines = file.read_text(encoding="utf-8").splitlines()[first - 1 : node.end_lineno]
    hidden = docstring_lines("\n".join(lines))
    for each in node.decorator_list:
        if isinstance(each, ast.Call) and any(word.arg == "title" for word in each.keywords):
            hidden |= set(range(each.lineno - first, (each.end_lineno or each.lineno) - first + 1))
    kept = [(first + i, line) for i, line in enumerate(lines) if i not in hidden]
    return Excerpt(name, ".".join(names), file.relative_to(root).as_posix(), tuple(kept))
