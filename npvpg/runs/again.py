"""The command that makes runs again, in full: it needs none of their files."""

from collections.abc import Mapping
from typing import Any

from npvpg.runs import seeds as words
from npvpg.runs.config import FIELDS, Config
from npvpg.runs.config_file import configure
from npvpg.runs.toml import toml


def command(config: Config, seeds: tuple[int, ...]) -> list[str]:
    """
    Give the command that trains with a configuration.

    Parameters
    ----------
    config : Config
        The configuration; its seed does not matter.
    seeds : tuple of int
        The seeds, in rising order.

    Returns
    -------
    list of str
        Its words: every setting that is not that of the preset is a flag.

    Examples
    --------
    >>> command(configure("CartPole-v1", gamma=0.9, hidden=(8, 16), per_step=True), (0, 1, 2))[2:]
    ['CartPole-v1', '--seeds', '0-2', '--hidden', '8', '16', '--gamma', '0.9', '--per-step']
    """
    several = ["--seeds", words.text(seeds)] if len(seeds) > 1 else ["--seed", str(seeds[0])]
    found = ["npvpg", "train", config.env, *several]
    for name, value, usual in changed(config):
        if name != "seed":
            found += _flag(name, value, usual)
    return found


def changed(config: Config) -> list[tuple[str, Any, Any]]:
    """
    List what a configuration has that the preset of its environment has not.

    Parameters
    ----------
    config : Config
        The configuration.

    Returns
    -------
    list of (str, object, object)
        Field, its value, and that of the preset.
    """
    usual = configure(config.env)
    pairs = ((name, getattr(config, name), getattr(usual, name)) for name in FIELDS)
    return [(name, ours, theirs) for name, ours, theirs in pairs if ours != theirs]


def _flag(name: str, value: Any, usual: Any) -> list[str]:
    """Write a field as the parser of the command reads it."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if isinstance(value, Mapping):
        return [word for key, item in value.items() for word in (flag, f"{key}={toml(item)}")]
    if isinstance(value, tuple):
        texts = any(isinstance(each, str) for each in (*value, *usual))
        if texts:
            return [word for each in value for word in (flag, each)]
        return [flag, *map(str, value)]
    return [flag, repr(value) if isinstance(value, float) else str(value)]
