"""The help of a command: its flags in groups, the docstring, unit and default of each."""

import ast
import dataclasses
import inspect
import shutil
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from npvpg.command.parser import Command, Field, fields_of

_COLUMN = 28  # where the text on a flag begins
_WIDEST = 100
_UNITS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


def text(kind: type[Command], below: Mapping[str, Any]) -> str:
    """
    Write the help of a command.

    Parameters
    ----------
    kind : type
        Class of the command.
    below : mapping
        Values that stand where no flag does, by field, if they are not the defaults of the fields.

    Returns
    -------
    str
        The help, as wide as the terminal.
    """
    fields = fields_of(kind)
    words = [field for field in fields.values() if field.is_word]
    doc = {owner: docstrings(owner) for owner in {field.owner for field in fields.values()}}
    usage = " ".join(["usage: npvpg", kind.name, *map(_unit, words), "[--FLAG VALUE ...]"])
    parts = [usage, "", _wrapped(inspect.cleandoc(kind.__doc__ or "").split("\n\n", 1)[0], 0)]
    for title in dict.fromkeys(field.group for field in fields.values()):
        parts += ["", title]
        for field in fields.values():
            if field.group == title:
                default = below.get(field.name, field.default)
                parts.append(_entry(field, doc[field.owner].get(field.name, ""), default))
    parts += [
        "",
        "of every command",
        _row("--traceback", "Show where in your code an error arose."),
    ]
    return "\n".join(parts)


def docstrings(owner: type) -> dict[str, str]:
    """Find the texts below the fields of a class, which Python itself does not keep."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(found, ast.ClassDef)
    return {
        field.target.id: str(below.value.value)
        for field, below in pairwise(found.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


def _entry(field: Field, doc: str, default: Any) -> str:
    """Write one flag: its unit, its text, its default."""
    if field.is_word and default is dataclasses.MISSING:
        return _row(_unit(field), doc)
    if isinstance(default, bool):
        shown = "on" if default else "off"
    elif isinstance(default, tuple):
        shown = " ".join(map(str, default)) or "none"
    elif isinstance(default, Mapping):
        shown = " ".join(f"{name}={value}" for name, value in default.items())
    else:
        shown = "" if default is None else str(default)
    head = f"--[no-]{field.flag[2:]}" if field.kind is bool else f"{field.flag} {_unit(field)}"
    return _row(head, f"{doc} (default: {shown})" if shown else doc)


def _unit(field: Field) -> str:
    """Say what a value is counted in, or is one of."""
    kind, more = field.kind, ""
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
        more = "" if kind is str else " ..."  # texts come one a flag
    if get_origin(kind) is Literal:
        choices = "|".join(get_args(kind))
        return field.unit or (choices if len(choices) < _WIDEST / 2 else "NAME")
    return (field.unit or _UNITS.get(kind, "NAME=VALUE")) + more


def _row(head: str, about: str) -> str:
    """Set a flag and its text side by side, or below each other where the flag is long."""
    body = _wrapped(about, _COLUMN)
    if len(head) < _COLUMN - 2:
        return f"  {head:{_COLUMN - 3}} {body.lstrip()}".rstrip()
    return f"  {head}\n{body}"


def _wrapped(about: str, indent: int) -> str:
    """Break a text into lines."""
    width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
    return textwrap.fill(
        " ".join(about.split()),
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
