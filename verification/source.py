"""The code that a claim speaks of: from a dotted name to its lines."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Excerpt:
    """
    The lines of one function, class or constant, without its docstrings.

    Parameters
    ----------
    name : str
        Dotted name.
    short : str
        The name within its module.
    file : str
        Path below the root of the repository.
    lines : tuple of (int, str)
        Numbered lines; the numbers jump where a docstring was.
    """

    name: str
    short: str
    file: str
    lines: tuple[tuple[int, str], ...]


def resolve(name: str) -> tuple[Any, Any]:
    """
    Find what a dotted name means.

    Parameters
    ----------
    name : str
        "npvpg.mlp.MLP.backward".

    Returns
    -------
    tuple
        The object, and the module or class that holds it.

    Raises
    ------
    ValueError
        If nothing has that name.
    """
    parts = name.split(".")
    module: ModuleType | None = None
    for length in range(1, len(parts) + 1):
        dotted = ".".join(parts[:length])
        try:
            module = importlib.import_module(dotted)
        except ModuleNotFoundError as error:
            if not f"{dotted}.".startswith(f"{error.name}."):
                raise  # the module is there, one that it needs is not
            break
    else:
        return module, None
    if module is None:
        raise ValueError(f"nothing is named {name}")
    found: Any = module
    holder: Any = None
    for part in parts[length - 1 :]:
        holder = found
        try:
            found = inspect.getattr_static(holder, part)
        except AttributeError:
            raise ValueError(f"nothing is named {name}") from None
    return found, holder


def plain(thing: Any) -> Any:
    """
    Undo what hides a function's source: compilation, property, static method, wrapper.

    Parameters
    ----------
    thing : object
        What `resolve` found.

    Returns
    -------
    object
        A function, a class, or `thing` itself.
    """
    thing = getattr(thing, "py_func", thing)
    if isinstance(thing, property):
        thing = thing.fget
    if isinstance(thing, (staticmethod, classmethod)):
        thing = thing.__func__
    return inspect.unwrap(thing) if callable(thing) else thing


def excerpt(name: str, root: Path) -> Excerpt:
    """
    Read the lines that a claim speaks of.

    Parameters
    ----------
    name : str
        Dotted name.
    root : Path
        Root of the repository.

    Returns
    -------
    Excerpt
        Without docstrings: the statement of the claim takes their place.

    Raises
    ------
    ValueError
        If nothing has that name, or it has no source.
    """
    found, holder = resolve(name)
    target = plain(found)
    if inspect.ismodule(target) or inspect.isclass(target) or inspect.isroutine(target):
        file = inspect.getsourcefile(target)
        lines, first = inspect.getsourcelines(target)
        first = max(first, 1)
    else:
        file = inspect.getsourcefile(holder)
        lines, first = _assignment(holder, name.rpartition(".")[2])
    if file is None:
        raise ValueError(f"{name} has no source file")
    hidden = docstring_lines("".join(lines))
    shown = tuple(
        (first + offset, line.rstrip("\n"))
        for offset, line in enumerate(lines)
        if offset not in hidden
    )
    holders = [holder] if inspect.isclass(holder) else []
    short = ".".join([*(kind.__name__ for kind in holders), name.rpartition(".")[2]])
    return Excerpt(name, short, Path(file).resolve().relative_to(root.resolve()).as_posix(), shown)


def _assignment(holder: Any, name: str) -> tuple[list[str], int]:
    lines, first = inspect.getsourcelines(holder)
    first = max(first, 1)
    for node in ast.walk(ast.parse(textwrap.dedent("".join(lines)))):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, (ast.Assign, ast.AnnAssign))
            end = node.end_lineno or node.lineno
            return lines[node.lineno - 1 : end], first + node.lineno - 1
    raise ValueError(f"{name} is not assigned in {holder.__name__}")


def docstring_lines(source: str) -> set[int]:
    """
    Find the lines that hold docstrings.

    Parameters
    ----------
    source : str
        Code at any indentation.

    Returns
    -------
    set of int
        Their offsets, with the blank line that follows each.
    """
    hidden: set[int] = set()
    text = source.splitlines()
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if ast.get_docstring(node) is None or len(node.body) == 1:
            continue
        doc = node.body[0]
        end = doc.end_lineno or doc.lineno
        hidden.update(range(doc.lineno - 1, end))
        if end < len(text) and not text[end].strip():
            hidden.add(end)
    return hidden
