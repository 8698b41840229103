"""Where the proofs stand: the files that name a claim, without importing one of them."""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from verification.claims import CLAIMS, Claim

HERE = Path(__file__).parent
PROOF_FOLDERS = ("mathematics", "learning")
_NAMED = re.compile(r"""\bclaim\(\s*(?:name\s*=\s*)?["']([^"']+)["']""")


@cache
def _names(file: Path, stamp: int) -> frozenset[str]:
    return frozenset(_NAMED.findall(file.read_text(encoding="utf-8")))


def named(root: Path) -> dict[str, list[str]]:
    """
    Find which proofs name which claim.

    Parameters
    ----------
    root : Path
        Root of the repository.

    Returns
    -------
    dict of str to list of str
        Files below `root` for each claim, in the order of the claims.
    """
    files: dict[str, list[str]] = {}
    for folder in PROOF_FOLDERS:
        for path in sorted((root / "verification" / folder).glob("*.py")):
            for name in _names(path, path.stat().st_mtime_ns):
                files.setdefault(name, []).append(path.relative_to(root).as_posix())
    return {name: files[name] for name in sorted(files, key=sort_key)}


def files_of(root: Path, claims: Iterable[str]) -> list[str]:
    """
    Find the proofs that name some claims, so that no other need be imported.

    Parameters
    ----------
    root : Path
        Root of the repository.
    claims : iterable of str
        Their names.

    Returns
    -------
    list of str
        Files below `root`; none for a name that no proof knows.
    """
    files = named(root)
    return sorted({file for name in claims for file in files.get(name, [])})


def choose(root: Path, words: Sequence[str]) -> list[str]:
    """
    Read the names of claims as they are typed.

    Parameters
    ----------
    root : Path
        Root of the repository.
    words : sequence of str
        Names, several in a word if commas part them.

    Returns
    -------
    list of str
        Each name once.

    Raises
    ------
    ValueError
        If no proof names one of them; the nearest name is told.
    """
    known = list(named(root))
    names = dict.fromkeys(name for word in words for name in word.split(",") if name)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
            nearest = f"; the nearest is {near[0]}" if near else ""
            raise ValueError(f"claims must be named by a proof, got {name!r}{nearest}")
    return list(names)


def load_claims() -> dict[str, Claim]:
    """
    Import every proof, so that `CLAIMS` is complete.

    Returns
    -------
    dict of str to Claim
        Every claim of the suite, sorted by name.
    """
    for folder in PROOF_FOLDERS:
        for path in sorted((HERE / folder).glob("*.py")):
            if path.stem not in {"__init__", "__main__", "conftest"}:
                importlib.import_module(f"verification.{folder}.{path.stem}")
    return {name: CLAIMS[name] for name in sorted(CLAIMS, key=sort_key)}


def sort_key(name: str) -> list[int | str]:
    """
    Order of the claims: A2 before A10 before B1.

    Parameters
    ----------
    name : str
        Name of a claim.

    Returns
    -------
    list
        Text and numbers by turns.
    """
    parts = re.split(r"(\d+)", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]
