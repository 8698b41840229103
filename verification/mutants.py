"""
The planted bugs, read from ``mutants.toml``.

An entry says what is replaced by what in which definition, and which claims must then fail;
`verification.anchors` finds it by its structure, so that it outlives a move and a new format::

    [[mutant]]
    name = "lambda missing"
    where = "npvpg.kernels.returns._gae"
    old = "gamma * lam * next_adv"
    new = "gamma * next_adv"
    claims = ["D3"]
    source = "thread or paper that tells of the bug"

``by = "IndexError"`` lets that exception count as failing, beside assertions;
``compiled = true`` is for a bug that only compiled kernels show.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from verification import anchors

MUTANTS = Path("verification/mutants.toml")
OPTIONAL = frozenset({"source", "by", "compiled"})


@dataclass(frozen=True)
class Mutant:
    """
    One planted bug.

    Parameters
    ----------
    name : str
        What the bug is.
    where : str
        Dotted name of the function, the class or, for a constant, the module.
    old, new : str
        The code, which occurs exactly once, and what it becomes: expressions or statements.
    claims : tuple of str
        Claims that must fail, each of them.
    source : str
        Where the bug was seen; empty for one made up.
    by : str
        Name of an exception that counts as failing, beside assertions.
    compiled : bool
        Whether it takes compiled kernels to see it.
    """

    name: str
    where: str
    old: str
    new: str
    claims: tuple[str, ...]
    source: str = ""
    by: str = ""
    compiled: bool = False


def read(root: Path) -> list[Mutant]:
    """
    Read the table of planted bugs.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    list of Mutant
        In the order of the file; empty if there is no file.

    Raises
    ------
    ValueError
        If the file is not TOML, or an entry is incomplete, repeated or changes nothing.
    """
    path = root / MUTANTS
    if not path.exists():
        return []
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{MUTANTS} must be TOML: {error}") from None
    known = {field.name for field in fields(Mutant)}
    mutants: dict[str, Mutant] = {}
    for row in rows:
        name = row.get("name", f"number {len(mutants) + 1}")
        missing, unknown = known - OPTIONAL - row.keys(), row.keys() - known
        if missing:
            raise ValueError(f"mutant {name!r} must have {', '.join(sorted(missing))}")
        if unknown:
            raise ValueError(f"mutant {name!r} has unknown keys, got {', '.join(sorted(unknown))}")
        if name in mutants:
            raise ValueError(f"mutants must have names of their own, got {name!r} twice")
        if not row["claims"]:
            raise ValueError(f"mutant {name!r} must name a claim")
        mutants[name] = Mutant(**{**row, "claims": tuple(row["claims"])})
    return list(mutants.values())


def check(root: Path, mutants: Sequence[Mutant]) -> list[str]:
    """
    Find the bugs that could not be planted.

    Parameters
    ----------
    root : Path
        Root of the repository.
    mutants : sequence of Mutant
        The bugs.

    Returns
    -------
    list of str
        A line for each.
    """
    faults = []
    for mutant in mutants:
        try:
            anchors.check(root, mutant.where, mutant.old, mutant.new)
        except ValueError as error:
            faults.append(f"{mutant.name}: {error}")
    return faults


def choose(
    mutants: Sequence[Mutant], words: Sequence[str], sample: int | None, seed: int
) -> list[Mutant]:
    """
    Choose which bugs to plant.

    Parameters
    ----------
    mutants : sequence of Mutant
        All of them.
    words : sequence of str
        Those with any of them: a claim, a part of the bug's name, a file, or a part of the dotted
        name of the code; empty for all.
    sample : int or None
        Plant that many of them, drawn at random.
    seed : int
        Seed of the draw; a counter makes the sample rotate.

    Returns
    -------
    list of Mutant
        The chosen ones, in the order of the table.

    Raises
    ------
    ValueError
        If there is none, a word chooses none or `sample` is smaller than 1.
    """
    for word in words:
        if not any(_chosen(mutant, word) for mutant in mutants):
            raise ValueError(f"no mutant has {word!r} for its claim, in its name or in its code")
    if sample is not None and sample < 1:
        raise ValueError(f"--sample must be at least 1, got {sample}")
    chosen = [mutant for mutant in mutants if not words or any(_chosen(mutant, w) for w in words)]
    if not chosen:
        raise ValueError(f"{MUTANTS} must list a mutant, got none")
    if sample is not None and sample < len(chosen):
        drawn = set(random.Random(seed).sample(range(len(chosen)), sample))
        chosen = [mutant for index, mutant in enumerate(chosen) if index in drawn]
    return chosen


def _chosen(mutant: Mutant, word: str) -> bool:
    module = word.removesuffix(".py").replace("/", ".")
    return word in mutant.claims or word.lower() in mutant.name.lower() or module in mutant.where
