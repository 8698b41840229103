"""Words of a command line as the values of fields."""

import contextlib
import tomllib
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from npvpg.runs.words import nearest


def value_of(flag: str, kind: Any, texts: list[str], before: Any) -> Any:
    """
    Read the words that follow a flag; those of a mapping and texts add up.

    Parameters
    ----------
    flag : str
        The flag.
    kind : type
        What its field holds.
    texts : list of str
        The words.
    before : object
        What the flag gave where it stood before.

    Returns
    -------
    object
        The value of the field.

    Raises
    ------
    ValueError
        If a word is no such value.
    """
    if get_origin(kind) is tuple:
        earlier = before or () if get_args(kind)[0] is str else ()
        return (*earlier, *(single(flag, get_args(kind)[0], text) for text in texts))
    if get_origin(kind) is Mapping:
        name, equals, text = texts[0].partition("=")
        if not (name.isidentifier() and equals):
            raise ValueError(f"{flag} must be NAME=VALUE, got {texts[0]!r}")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text  # a shell takes quotes away, so that a text need have none
        return {**(before or {}), name: value}
    return single(flag, kind, texts[0])


def single(flag: str, kind: Any, text: str) -> Any:
    """
    Read one word; 1e6 is an integer, too.

    Parameters
    ----------
    flag : str
        What it is for.
    kind : type
        What it is to be.
    text : str
        The word.

    Returns
    -------
    object
        The value.

    Raises
    ------
    ValueError
        If the word is no such value.
    """
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if text not in choices:
            offer = nearest(text, choices)
            raise ValueError(f"{flag} must be one of {', '.join(choices)}, got {text!r}{offer}")
        return text
    try:
        return kind(text)
    except ValueError:
        if kind is int:
            with contextlib.suppress(ValueError, OverflowError):
                if int(float(text)) == float(text):
                    return int(float(text))
        name = "a number" if kind is float else "an integer"
        raise ValueError(f"{flag} must be {name}, got {text!r}") from None
