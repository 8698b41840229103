"""Wrappers of environments by name."""

from collections.abc import Callable
from typing import Any

from npvpg.runs.modules import load, short
from npvpg.runs.words import nearest


def find(name: str) -> Callable[[Any], Any]:
    """
    Find a wrapper.

    Parameters
    ----------
    name : str
        ``MODULE:NAME`` or ``FILE.py:NAME`` of a class or function that takes an environment.

    Returns
    -------
    callable
        What makes of an environment the wrapped one.

    Raises
    ------
    ValueError
        If there is none.
    """
    module, attribute = load(name, "wrapper"), name.rpartition(":")[2]
    found = getattr(module, attribute, None)
    if not callable(found):
        offer = nearest(
            attribute, vars(module) if module else (), prefix=short(name)[: -len(attribute)]
        )
        rule = "must be MODULE:NAME or FILE.py:NAME of a class or function"
        raise ValueError(f"wrapper {rule}, got {short(name)!r}{offer}")
    made: Callable[[Any], Any] = found
    return made
