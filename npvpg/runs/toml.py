"""Values as TOML, which the standard library only reads."""

import json
from collections.abc import Mapping
from typing import Any


def toml(value: Any) -> str:
    """
    Write one value; JSON and TOML agree on strings, booleans and integers.

    Parameters
    ----------
    value : object
        Number, bool, text, or list, tuple or mapping of these.

    Returns
    -------
    str
        What reads back as the same value, floats to the last bit.
    """
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
