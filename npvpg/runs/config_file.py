"""Configurations as TOML: the presets of the package, and the `config.toml` of a run."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints

from npvpg.runs.algorithms import ALGORITHMS, AlgorithmName
from npvpg.runs.config import FIELDS, Config
from npvpg.runs.modules import anchored
from npvpg.runs.toml import toml
from npvpg.runs.words import nearest

_LATER: dict[str, Any] = {
    "env_arg": {},
    "wrapper": (),
    "init_from": "",
    "eval_every": 0,
    "group_baseline": "off",
    "per_length": False,
    "video_every": 0,
    "update": "gradient",
    "max_kl": 0.01,
    "damping": 0.1,
    "cg_steps": 10,
    "backtracks": 10,
    "clip": 0.2,
    "policy_steps": 10,
    "policy_minibatch": 0,
    "standardize_minibatch": False,
    "stop_kl": 0.0,
    "value_clip": 0.0,
}
"""Fields that came later, and what holds for a run that was written before."""

PRESETS = Path(__file__).with_name("presets")


def preset(env: str, algorithm: str | None = None) -> dict[str, Any]:
    """
    Give the settings that the package keeps for an environment.

    Parameters
    ----------
    env : str
        Identifier of the environment.
    algorithm : str, optional
        Name of an algorithm; what it needs besides in this environment then lies over the rest.

    Returns
    -------
    dict
        Values by field; nothing for an environment without a preset, which leaves it the general
        defaults of `Config`.
    """
    values: dict[str, Any] = {}
    for folder in (PRESETS, *([PRESETS / algorithm] if algorithm else [])):
        # compared as strings: the identifier of an environment is no path
        files = {path.stem: path for path in folder.glob("*.toml")}
        values |= read(files[env]) if env in files else {}
    return values


def layers(
    env: str, algorithm: AlgorithmName | None = None, file: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """
    Lay the settings that have a name over each other.

    Parameters
    ----------
    env : str
        Identifier of the environment.
    algorithm : str, optional
        Name of an algorithm, whose settings lie over those of the file.
    file : mapping, optional
        Values of a file by field, which lie over those of the preset.

    Returns
    -------
    dict
        Values by field.
    """
    named = ALGORITHMS[algorithm] if algorithm else {}
    return {**preset(env, algorithm), **(file or {}), **named, "env": env}


def configure(env: str, algorithm: AlgorithmName | None = None, **changes: Any) -> Config:
    """
    Give the configuration that `npvpg train ENV` has, where `Config` has the general defaults.

    Parameters
    ----------
    env : str
        Identifier of the environment, whose preset lies below.
    algorithm : str, optional
        Name of an algorithm, over the preset: the flag `--algorithm`.
    **changes : object
        Fields of `Config` over both, as the flags are.

    Returns
    -------
    Config
        The configuration.

    Raises
    ------
    ValueError
        If a field is unknown, or a value of another type than its field or out of range.

    Examples
    --------
    >>> configure("CartPole-v1").envs, Config("CartPole-v1").envs
    (16, 8)
    """
    return Config(**anchored(layers(env, algorithm) | typed(changes)))


def read(path: Path) -> dict[str, Any]:
    """
    Read a configuration file.

    Parameters
    ----------
    path : Path
        TOML file; its keys are fields of `Config`, any of which may be missing.

    Returns
    -------
    dict
        Values by field.

    Raises
    ------
    ValueError
        If the file is missing or no TOML, a key is no field or a value has another type than its
        field.
    """
    table = read_table(path)
    try:
        return typed(table)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_table(path: Path) -> dict[str, Any]:
    """
    Read a TOML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        What it holds.

    Raises
    ------
    ValueError
        If the file is missing or no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is no TOML file that can be read: {error}") from None


def typed(table: Mapping[str, Any]) -> dict[str, Any]:
    """
    Bring the values of a table to the types of their fields.

    Parameters
    ----------
    table : mapping
        Values by field, as TOML or JSON give them.

    Returns
    -------
    dict
        Values by field: integers made floats and lists made tuples where that is due.

    Raises
    ------
    ValueError
        If a key is no field or a value has another type than its field.
    """
    hints = get_type_hints(Config)
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in hints:
            raise ValueError(f"unknown key {name!r}{nearest(name, FIELDS)}")
        kind = hints[name]
        if kind is float and type(value) is int:
            values[name] = float(value)
        elif kind is int and type(value) is float and value.is_integer():
            values[name] = int(value)  # 1e6
        elif get_origin(kind) is Mapping:
            if not isinstance(value, Mapping):
                raise ValueError(f"{name} must be a table, got {value!r}")
            values[name] = dict(value)
        elif get_origin(kind) is tuple:
            part, what = (int, "integers") if kind == tuple[int, ...] else (str, "texts")
            if not isinstance(value, list | tuple) or any(type(each) is not part for each in value):
                raise ValueError(f"{name} must be a list of {what}, got {value!r}")
            values[name] = tuple(value)
        else:
            plain = str if get_origin(kind) is Literal else kind
            if type(value) is not plain:
                raise ValueError(f"{name} must be of type {plain.__name__}, got {value!r}")
            values[name] = value
    return values


def complete(values: dict[str, Any], source: Path | str) -> Config:
    """
    Make a configuration of values that must name every field.

    Parameters
    ----------
    values : dict
        Values by field, as `read` gives them.
    source : Path or str
        Where they come from, for the message.

    Returns
    -------
    Config
        The configuration.

    Raises
    ------
    ValueError
        If a field is missing, or a value lies outside its range.
    """
    values = _LATER | values
    missing = [name for name in FIELDS if name not in values]
    if missing:
        raise ValueError(f"{source} must give every field, {', '.join(missing)} missing")
    return checked(values, source)


def checked(values: Mapping[str, Any], source: Path | str) -> Config:
    """
    Make a configuration, and name the source of what is wrong with it.

    Parameters
    ----------
    values : mapping
        Values by field.
    source : Path or str
        Where they come from, for the message.

    Returns
    -------
    Config
        The configuration.

    Raises
    ------
    ValueError
        If a value lies outside its range.
    """
    try:
        return Config(**values)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def dumps(config: Config) -> str:
    """
    Write a configuration as TOML, every field of it.

    Parameters
    ----------
    config : Config
        The configuration.

    Returns
    -------
    str
        Text that `read` turns into the same values, floats to the last bit.
    """
    lines = [f"{name} = {toml(value)}" for name, value in dataclasses.asdict(config).items()]
    return "\n".join(lines) + "\n"
