"""Environments by name, looked up: registered ones, and classes of a module or a file."""

from types import ModuleType

import gymnasium
from gymnasium.envs.registration import EnvSpec

from npvpg.runs.modules import load, short
from npvpg.runs.words import nearest


def spec(env: str) -> EnvSpec:
    """
    Look an environment up.

    Parameters
    ----------
    env : str
        Identifier; ``MODULE:NAME`` and ``FILE.py:NAME`` import the module first, which may lie in
        the working directory, and take a class or function of it if it registers no such name.

    Returns
    -------
    gymnasium.envs.registration.EnvSpec
        What is registered under it: its reward threshold, its limit of steps.

    Raises
    ------
    ValueError
        If there is no such environment; the nearest names are offered.
    """
    module, name = load(env), env.rpartition(":")[2]
    if name in gymnasium.registry:
        return gymnasium.registry[name]
    maker = getattr(module, name, None)
    if callable(maker):
        return EnvSpec(name, entry_point=maker)
    known = _names(module) if module else gymnasium.registry
    offer = nearest(name, known, prefix=short(env).removesuffix(name))
    raise ValueError(f"unknown environment {short(env)!r}{offer}")


def _names(module: ModuleType) -> list[str]:
    """List the environments of a module: its classes, and what it registered."""
    ours = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, gymnasium.Env)
    ]
    for name, known in gymnasium.registry.items():
        entry = known.entry_point
        home = (
            entry.partition(":")[0] if isinstance(entry, str) else getattr(entry, "__module__", "")
        )
        if f"{home}.".startswith(f"{module.__name__}."):
            ours.append(name)
    return ours
