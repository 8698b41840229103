"""What can be trained: the presets and what to expect of them, and every other environment here."""

import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from npvpg.runs import config_file

EXPECTED = Path(__file__).with_name("expected.toml")
"""What the presets came to: `python -m verification.learning --write` renews it with its page."""

_NEEDS = {
    "gymnasium.envs.mujoco": ("mujoco", "mujoco"),
    "gymnasium.envs.box2d": ("Box2D", "box2d"),
    "gymnasium.envs.phys2d": ("jax", "jax"),
    "gymnasium.envs.tabular": ("jax", "jax"),
}
"""Where Gymnasium keeps environments that need more than Gymnasium: a module, and its extra."""


class Preset(NamedTuple):
    """
    A preset, and what to expect of it.

    Attributes
    ----------
    env : str
        The environment.
    observations, actions : str
        What they are, in a few words.
    steps : int
        Environment steps of the preset.
    ret : float or None
        Interquartile mean over seeds of the sampled return at the end; None if it was not measured.
    interval : tuple of float, or None
        Ends of its 95 % interval.
    seconds : float or None
        Median time of a run, on two cores that did other work as well [s].
    here : str
        "compiled", "yes", or what to install.
    """

    env: str
    observations: str
    actions: str
    steps: int
    ret: float | None
    interval: tuple[float, float] | None
    seconds: float | None
    here: str


def presets() -> list[Preset]:
    """
    List the presets.

    Returns
    -------
    list of Preset
        Those that take least time first.
    """
    from npvpg.envs import COMPILED, MUJOCO  # noqa: PLC0415 - Gymnasium, as late as it can be

    known: dict[str, dict[str, Any]] = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    found = []
    for file in config_file.PRESETS.glob("*.toml"):
        told = known.get(file.stem, {})
        found.append(
            Preset(
                file.stem,
                told.get("observations", ""),
                told.get("actions", ""),
                config_file.configure(file.stem).steps,
                told.get("return"),
                tuple(told["interval"]) if "interval" in told else None,
                told.get("seconds"),
                missing(file.stem) or ("compiled" if file.stem in COMPILED | MUJOCO else "yes"),
            )
        )
    return sorted(found, key=lambda each: (each.seconds is None, each.seconds, each.env))


def others() -> list[str]:
    """
    List the environments that are installed and have no preset, in their newest versions.

    Returns
    -------
    list of str
        Their names.
    """
    import gymnasium  # noqa: PLC0415

    newest: dict[tuple[str | None, str], int] = {}
    for spec in gymnasium.registry.values():
        key = spec.namespace, spec.name
        newest[key] = max(newest.get(key, 0), spec.version or 0)
    known = {file.stem for file in config_file.PRESETS.glob("*.toml")}
    return sorted(
        name
        for name, spec in gymnasium.registry.items()
        if spec.namespace not in ("npvpg", "GymV21Environment", "GymV26Environment")
        and (spec.version or 0) == newest[spec.namespace, spec.name]
        and name not in known
        and not missing(name)
        and not name.startswith("GymV2")
    )


def missing(env: str) -> str:
    """
    Say what is to be installed for an environment of Gymnasium's.

    Parameters
    ----------
    env : str
        Its name.

    Returns
    -------
    str
        A line for a shell, empty if nothing is missing.
    """
    import gymnasium  # noqa: PLC0415

    spec = gymnasium.registry.get(env)
    entry = str((spec.entry_point or spec.vector_entry_point) if spec else "")
    for home, (module, extra) in _NEEDS.items():
        if entry.startswith(home) and find_spec(module) is None:
            return f'pip install "gymnasium[{extra}]"'
    return ""
