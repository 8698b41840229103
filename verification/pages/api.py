"""The page of the public names: every one that ``import npvpg`` gives, and none by hand."""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.application import Sphinx

import npvpg

MARK = "<!-- public names -->"
ASKED = ("npvpg.policy.PolicyAt", "npvpg.value.ValueAt")  # what public objects return


def text() -> str:
    """
    Write the names as autodoc takes them, module by module.

    Returns
    -------
    str
        reStructuredText in a fence of MyST.
    """
    modules: dict[str, list[str]] = {}
    for name in npvpg.__all__:
        thing = getattr(npvpg, name)
        modules.setdefault(thing.__module__, []).append(_directive(thing, name))
    for dotted in ASKED:
        module, _, name = dotted.rpartition(".")
        modules.setdefault(module, []).append(f".. autoclass:: {dotted}\n")
    parts = [
        f"{module}\n{'-' * len(module)}\n\n" + "\n".join(listed)
        for module, listed in sorted(modules.items())
    ]
    return "```{eval-rst}\n" + "\n".join(parts) + "\n```"


def _directive(thing: Any, name: str) -> str:
    kind = "autoclass" if inspect.isclass(thing) else "autofunction"
    # A configuration has a field a flag; its class says them all.
    brief = "   :no-members:\n" if name == "Config" else ""
    return f".. {kind}:: {thing.__module__}.{name}\n{brief}"


def _fill(app: Sphinx, docname: str, content: list[str]) -> None:
    if MARK in content[0]:
        content[0] = content[0].replace(MARK, text())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
