"""
Fragments of code found by what they are: the name of a definition and a piece of its syntax tree.

A fragment is an expression, or statements that follow one another. Formatting, comments and what
stands around the definition do not matter; it must occur exactly once::

    where = "npvpg.mlp.MLP._deltas"
    old = "h.real > 0"
    new = "h.real > -1"
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Planted(NamedTuple):
    """
    A module with a change in it.

    Attributes
    ----------
    file : Path
        Of the module, which stays as it is.
    tree : ast.Module
        The module after the change.
    scope : ast.AST
        The changed definition in it, or the module.
    """

    file: Path
    tree: ast.Module
    scope: ast.AST


def parse(text: str) -> ast.Module:
    """
    Parse code, so that a name looks the same where it is read and where it is written.

    Parameters
    ----------
    text : str
        Code at any indentation.

    Returns
    -------
    ast.Module
        Its tree.

    Raises
    ------
    ValueError
        If it is not Python.
    """
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError as error:
        shown = textwrap.shorten(text, 60)
        raise ValueError(f"code must be Python, got {shown!r}: {error.msg}") from None
    for node in ast.walk(tree):
        if hasattr(node, "ctx"):
            node.ctx = ast.Load()
    return tree


Reading = tuple[list[ast.AST], list[ast.AST]]


def readings(old: str, new: str) -> list[Reading]:
    """
    Parse a change.

    Parameters
    ----------
    old, new : str
        Code before and after.

    Returns
    -------
    list of (list of ast.AST, list of ast.AST)
        What the two may be: expressions if both are, otherwise statements; ``name = value`` may
        be an argument of a call as well.

    Raises
    ------
    ValueError
        If one is empty or not Python, or if they are the same.
    """
    bodies = [parse(old).body, parse(new).body]
    if not all(bodies):
        raise ValueError(f"a fragment must hold code, got {old!r} -> {new!r}")
    before, after = bodies
    if _dumps(before) == _dumps(after):
        raise ValueError(f"a change must change something, got {old!r} -> {new!r}")
    found: list[Reading] = [([*before], [*after])]
    if len(before) == len(after) == 1:
        match before[0], after[0]:
            case ast.Expr(was), ast.Expr(is_now):
                found = [([was], [is_now])]
            case ast.Assign([ast.Name(name)], was), ast.Assign([ast.Name(other)], is_now):
                found.append(([ast.keyword(name, was)], [ast.keyword(other, is_now)]))
    return found


def _dumps(nodes: Sequence[object]) -> list[str]:
    return [ast.dump(node) if isinstance(node, ast.AST) else "" for node in nodes]


def file_of(root: Path, where: str) -> tuple[Path, list[str]]:
    """
    Part a dotted name into a file and the names within it.

    Parameters
    ----------
    root : Path
        Root of the repository.
    where : str
        Dotted name of a module, or of a class or function in one.

    Returns
    -------
    file : Path
        Of the module.
    names : list of str
        Of the definitions, each within the one before; empty for a module.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    parts = where.split(".")
    for length in range(len(parts), 0, -1):
        base = root.joinpath(*parts[:length])
        for file in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if file.is_file():
                return file, parts[length:]
    raise ValueError(f"no module is named {where}")


def definition(tree: ast.Module, names: Sequence[str]) -> ast.AST:
    """
    Find a definition in the tree of its module.

    Parameters
    ----------
    tree : ast.Module
        Of the module.
    names : sequence of str
        Of the definitions, each within the one before.

    Returns
    -------
    ast.AST
        A function, a class or, without names, the module.

    Raises
    ------
    ValueError
        If it is not there.
    """
    found: Any = tree
    for name in names:
        inner = (node for node in found.body if isinstance(node, _DEFINITIONS))
        # The last of a name counts, as it does when the module runs: a setter, an overload.
        found = {node.name: node for node in inner}.get(name)
        if found is None:
            raise ValueError(f"nothing is defined as {'.'.join(names)}")
    assert isinstance(found, ast.AST)
    return found


def _sites(scope: ast.AST, sought: Sequence[ast.AST]) -> Iterator[tuple[Any, Any]]:
    """Yield where a fragment occurs: a list and a slice of it, or a node and an attribute."""
    wanted = _dumps(sought)
    kinds = {type(node) for node in sought}
    for node in ast.walk(scope):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and kinds & {type(item) for item in value}:
                dumps = _dumps(value)
                for first in range(len(dumps) - len(wanted) + 1):
                    window = slice(first, first + len(wanted))
                    if dumps[window] == wanted:
                        yield value, window
            elif type(value) in kinds and [ast.dump(value)] == wanted:
                yield node, name


def _site(scope: ast.AST, where: str, old: str, new: str) -> tuple[Any, Any, list[ast.AST]]:
    found = [
        (owner, place, after)
        for before, after in readings(old, new)
        for owner, place in _sites(scope, before)
    ]
    if len(found) != 1:
        raise ValueError(f"the old code occurs {len(found)} times in {where}")
    return found[0]


@lru_cache
def _unchanged(file: Path, stamp: int) -> ast.Module:
    return parse(file.read_text(encoding="utf-8"))


def check(root: Path, where: str, old: str, new: str) -> None:
    """
    Require that a change could be made.

    Parameters
    ----------
    root : Path
        Root of the repository.
    where : str
        Dotted name of the definition.
    old, new : str
        Code before and after.

    Raises
    ------
    ValueError
        If the old code does not occur exactly once.
    """
    file, names = file_of(root, where)
    tree = _unchanged(file, file.stat().st_mtime_ns)
    _site(definition(tree, names), where, old, new)


def plant(root: Path, where: str, old: str, new: str) -> Planted:
    """
    Make a change in a tree.

    Parameters
    ----------
    root : Path
        Root of the repository.
    where : str
        Dotted name of the definition.
    old, new : str
        Code before and after.

    Returns
    -------
    Planted
        The module after the change; `ast.unparse` writes it.

    Raises
    ------
    ValueError
        If the old code does not occur exactly once.
    """
    file, names = file_of(root, where)
    tree = parse(file.read_text(encoding="utf-8"))
    scope = definition(tree, names)
    owner, place, after = _site(scope, where, old, new)
    if isinstance(place, slice):
        owner[place] = after
    else:
        setattr(owner, place, after[0])
    return Planted(file, tree, scope)
