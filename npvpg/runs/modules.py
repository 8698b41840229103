"""
Environments in a module or file of the user's own: found again from any directory.

Such an environment is named ``MODULE:NAME`` or ``FILE.py:NAME``, where NAME is registered by the
module, or is a class or function in it that makes the environment.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from npvpg import theirs


def located(env: str) -> str:
    """
    Name an environment so that it is found from any directory.

    Parameters
    ----------
    env : str
        Identifier, possibly with a module or file in front.

    Returns
    -------
    str
        The identifier; with the whole path in front if the module is a file here.
    """
    module, _, name = env.rpartition(":")
    if not module:
        return env
    if module.endswith(".py"):
        return f"{Path(module).expanduser().absolute()}:{name}"
    base = Path(*module.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return f"{file.absolute()}:{name}"
    return env


def short(env: str) -> str:
    """
    Name an environment in a few words.

    Parameters
    ----------
    env : str
        Identifier, possibly with a module or file in front.

    Returns
    -------
    str
        The identifier, without the way to its file.

    Examples
    --------
    >>> short("/home/me/corridor.py:Long-v0")
    'corridor:Long-v0'
    """
    module, _, name = env.rpartition(":")
    return f"{_name(Path(module))[0]}:{name}" if module.endswith(".py") else env


def anchored(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Name what lies in files of the user's own so that it is found from any directory.

    Parameters
    ----------
    values : mapping
        Values by field of a configuration.

    Returns
    -------
    dict
        The values, whole paths in those of env, wrapper and init_from.
    """
    known = dict(values)
    if "env" in known:
        known["env"] = located(known["env"])
    if "wrapper" in known:
        known["wrapper"] = tuple(map(located, known["wrapper"]))
    if known.get("init_from"):
        known["init_from"] = str(Path(known["init_from"]).expanduser().absolute())
    return known


def load(env: str, kind: str = "environment") -> ModuleType | None:
    """
    Import the module of an environment, or of something else that is named so.

    Parameters
    ----------
    env : str
        Identifier, possibly with a module or file in front.
    kind : str
        What it names, for the message.

    Returns
    -------
    module or None
        The module, if there is one.

    Raises
    ------
    ValueError
        If there is no such module, it fails, or another has taken its name.
    """
    module, _, _ = env.rpartition(":")
    if not module:
        return None
    name, root = _name(Path(module)) if module.endswith(".py") else (module, "")
    if root and not Path(module).is_file():
        raise ValueError(f"{module} does not exist, which {kind} {short(env)} lies in")
    if root not in sys.path:
        sys.path.insert(0, root)  # a command that is installed does not look there by itself
    try:
        found = importlib.import_module(name)
    except ImportError as failure:
        raise ValueError(
            f"cannot import the module of {kind} {short(env)!r}: {failure}"
        ) from failure
    except Exception as failure:
        raise ValueError(
            f"cannot import the module of {kind} {short(env)!r}: {theirs.told(failure)}"
        ) from failure
    if root and not Path(module).samefile(found.__file__ or ""):
        raise ValueError(
            f"{module} must have another name, got {name}, which is that of {found.__file__}"
        )
    return found


def _name(file: Path) -> tuple[str, str]:
    """Give the name under which a file is imported, and the directory to do so from."""
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.absolute().parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), str(folder)
