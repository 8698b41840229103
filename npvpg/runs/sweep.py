"""A sweep: trials that differ in their settings."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from npvpg import checks
from npvpg.runs import config_file
from npvpg.runs import seeds as words
from npvpg.runs.algorithms import ALGORITHMS
from npvpg.runs.config import FIELDS, Config
from npvpg.runs.modules import anchored, located
from npvpg.runs.words import nearest
from npvpg.world.streams import Purpose, generator

MOST = 10_000  # trials
SCHEDULERS = ("asha", "median")
DIGITS = 4  # of a number that is drawn: one that can be read, and typed again


@dataclass(frozen=True)
class Between:
    """
    A number to be drawn from an interval.

    Parameters
    ----------
    low, high : float
        Its ends.
    log : bool
        Draw its logarithm uniformly, in place of itself.

    Raises
    ------
    ValueError
        If `low` is not below `high`, or not positive where the logarithm is drawn.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be positive where log is true, got {self.low}")

    def draw(self, rng: np.random.Generator) -> float:
        """
        Draw a number, to a few significant digits.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.

        Returns
        -------
        float
            The number.
        """
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        drawn = float(rng.uniform(low, high))
        value = float(f"{math.exp(drawn) if self.log else drawn:.{DIGITS}g}")
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Sweep:
    """
    What to try.

    Parameters
    ----------
    env : str
        The environment.
    seeds : tuple of int
        Seeds of every trial.
    vary : mapping
        By name of a setting, or "algorithm": a tuple of values, or a `Between`.
    settings : mapping
        What all trials have in common, by name, over the preset.
    algorithm : str or None
        Name of an algorithm, below both.
    trials : int or None
        How many to draw; None tries every combination.
    seed : int
        Seed of the draws.
    stop : mapping or None
        Under "scheduler" what stops runs early, "asha" or "median", and its settings.

    Raises
    ------
    ValueError
        If there is nothing to vary, too many combinations, or an interval where nothing is drawn.
    """

    env: str
    seeds: tuple[int, ...]
    vary: Mapping[str, tuple[Any, ...] | Between]
    settings: Mapping[str, Any]
    algorithm: str | None = None
    trials: int | None = None
    seed: int = 0
    stop: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        checks.at_least(1, trials=self.trials)
        checks.at_least(0, seed=self.seed)
        if self.stop is not None and self.stop.get("scheduler") not in SCHEDULERS:
            known = " or ".join(SCHEDULERS)
            raise ValueError(f"stop must have the scheduler {known}, got {dict(self.stop)}")
        if not self.vary:
            raise ValueError("vary must name at least one setting, got none")
        n = self.trials or math.prod(map(len, self._grid().values()))
        if n > MOST:
            raise ValueError(f"trials must be at most {MOST:,}, got {n:,}")

    def drawn(self) -> list[dict[str, Any]]:
        """
        Give what varies, trial after trial.

        Returns
        -------
        list of dict
            Values by name.
        """
        if self.trials is None:
            every = product(*self._grid().values())
            return [dict(zip(self.vary, values, strict=True)) for values in every]
        draws = range(self.trials)
        return [{name: self._draw(name, trial) for name in self.vary} for trial in draws]

    def _grid(self) -> dict[str, tuple[Any, ...]]:
        """Give the values of every setting, where each of them is to be tried."""
        grid = {}
        for name, values in self.vary.items():
            if isinstance(values, Between):
                raise ValueError(f"{name} is an interval: say how many trials to draw")
            grid[name] = values
        return grid

    def _draw(self, name: str, trial: int) -> Any:
        """Draw one value, from a stream of its own: no other setting changes it."""
        key = FIELDS.index(name) if name in FIELDS else len(FIELDS)
        rng, values = generator(self.seed, Purpose.SWEEP, trial, key), self.vary[name]
        if not isinstance(values, Between):
            return values[int(rng.integers(len(values)))]
        value = values.draw(rng)
        return round(value) if get_type_hints(Config)[name] is int else value

    def configs(self) -> list[Config]:
        """
        Make the configuration of every trial.

        Returns
        -------
        list of Config
            Configurations, with the first seed.

        Raises
        ------
        ValueError
            If a value is out of range; the trial is named.
        """
        made = []
        for trial, varied in enumerate(self.drawn()):
            own = dict(varied)
            algorithm = own.pop("algorithm", self.algorithm)
            values = config_file.layers(self.env, algorithm) | dict(self.settings) | own
            values |= {"seed": self.seeds[0]}
            made.append(config_file.checked(anchored(values), f"trial {trial}"))
        return made


KEYS = tuple(field.name for field in dataclasses.fields(Sweep))


def read(path: Path) -> Sweep:
    """
    Read a sweep.

    Parameters
    ----------
    path : Path
        TOML file.

    Returns
    -------
    Sweep
        What to try.

    Raises
    ------
    ValueError
        If the file is missing or no TOML, a key is unknown or a value is wrong.
    """
    table = config_file.read_table(path)
    try:
        return _sweep(table)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _sweep(table: Mapping[str, Any]) -> Sweep:
    """Make a sweep of the table of a file."""
    for key in table:
        if key not in KEYS:
            raise ValueError(f"unknown key {key!r}{nearest(key, KEYS)}")
    for key in ("env", "seeds", "vary"):
        if key not in table:
            raise ValueError(f"{key} must be given")
    for key, kind in (("env", str), ("seeds", str), ("trials", int), ("seed", int)):
        if key in table and type(table[key]) is not kind:
            raise ValueError(f"{key} must be of type {kind.__name__}, got {table[key]!r}")
    for key in ("vary", "settings", "stop"):
        if not isinstance(table.get(key, {}), Mapping):
            raise ValueError(f"{key} must be a table, got {table[key]!r}")
    for key in ("env", "seed"):
        if key in table.get("settings", {}) or key in table["vary"]:
            raise ValueError(f"{key} must stand outside of settings and vary")
    algorithm = table.get("algorithm")
    if algorithm is not None:
        _algorithm(algorithm)
    return Sweep(
        located(table["env"]),
        words.parse(table["seeds"]),
        {name: _values(name, values) for name, values in table["vary"].items()},
        config_file.typed(table.get("settings", {})),
        algorithm,
        table.get("trials"),
        table.get("seed", 0),
        table.get("stop"),
    )


def _algorithm(name: Any) -> str:
    """Refuse what names no algorithm."""
    if name not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise ValueError(
            f"algorithm must be one of {known}, got {name!r}{nearest(str(name), ALGORITHMS)}"
        )
    return str(name)


def _values(name: str, given: Any) -> tuple[Any, ...] | Between:
    """Read what a setting is to be."""
    if isinstance(given, Mapping):
        if not {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
            raise ValueError(f"{name} must have low, high and, if need be, log, got {given}")
        kind = get_type_hints(Config).get(name)
        if kind not in (int, float):
            raise ValueError(f"{name} must be a number to lie in an interval, got {given}")
        try:
            return Between(float(given["low"]), float(given["high"]), bool(given.get("log", False)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None
    if not isinstance(given, list) or not given:
        raise ValueError(f"{name} must be a list of values or an interval, got {given!r}")
    if name == "algorithm":
        return tuple(map(_algorithm, given))
    return tuple(config_file.typed({name: value})[name] for value in given)
