"""The commands of the studies as dataclasses: their fields are the flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, get_type_hints

import tyro

from npvpg import checks
from npvpg.experiment.flags import parse, sort_words

T = TypeVar("T")


@dataclass(frozen=True)
class Exact:
    """Draw exact bias, variance and error of every estimator in a random finite process."""

    states: int = 3
    """Number of states, the absorbing one left out."""

    actions: int = 2
    """Number of actions."""

    horizon: int = 5
    """Steps after which an episode is cut."""

    gamma: float = 1.0
    """Discount of the objective, in [0, 1]."""

    episodes: int = 1000
    """Episodes in a batch."""

    error: float = 2.0
    """Error of the value function, in standard deviations of V."""

    seed: int = 0
    """Seed of process, policy and error."""

    out: Annotated[Path, tyro.conf.arg(metavar="PNG")] = Path("exact.png")
    """Picture to write."""


@dataclass(frozen=True)
class RandomWalk:
    """Draw the error of n-step learning on a random walk: figure 7.2 of Sutton and Barto."""

    repetitions: int = 100
    """Number of repetitions, of ten walks each."""

    seed: int = 0
    """Seed of the walks."""

    out: Annotated[Path, tyro.conf.arg(metavar="PNG")] = Path("random-walk.png")
    """Picture to write."""


@dataclass(frozen=True)
class Analytic:
    """Compare gradients through reward and dynamics with score-function gradients."""

    episodes: int = 2000
    """Episodes that variances are measured on."""

    seed: int = 0
    """Seed of network, first states and noise."""

    out: Annotated[Path, tyro.conf.arg(metavar="PNG")] = Path("analytic.png")
    """Picture to write."""


def exact(words: Sequence[str]) -> Exact:
    """
    Read the words after `npvpg exact`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Exact
        Process, batch, and the picture to write.

    Raises
    ------
    ValueError
        If something is unknown or out of range, or the picture would not be a PNG.
    SystemExit
        After printing the help, if asked for it.
    """
    read = _read(Exact, "exact", words)
    checks.at_least(1, states=read.states)
    checks.at_least(1, actions=read.actions)
    checks.at_least(1, horizon=read.horizon)
    checks.unit_interval(gamma=read.gamma)
    checks.at_least(2, episodes=read.episodes)
    checks.at_least(0, error=read.error)
    _check(read.seed, read.out)
    return read


def random_walk(words: Sequence[str]) -> RandomWalk:
    """
    Read the words after `npvpg random-walk`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    RandomWalk
        Repetitions, and the picture to write.

    Raises
    ------
    ValueError
        If something is unknown or out of range, or the picture would not be a PNG.
    SystemExit
        After printing the help, if asked for it.
    """
    read = _read(RandomWalk, "random-walk", words)
    checks.at_least(1, repetitions=read.repetitions)
    _check(read.seed, read.out)
    return read


def analytic(words: Sequence[str]) -> Analytic:
    """
    Read the words after `npvpg analytic`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Analytic
        Episodes, and the picture to write.

    Raises
    ------
    ValueError
        If something is unknown or out of range, or the picture would not be a PNG.
    SystemExit
        After printing the help, if asked for it.
    """
    read = _read(Analytic, "analytic", words)
    checks.at_least(16, episodes=read.episodes)
    _check(read.seed, read.out)
    return read


def _read(kind: type[T], command: str, words: Sequence[str]) -> T:
    """Read flags only: a study has no other words."""
    given = sort_words(words, get_type_hints(kind) | {"out": str})
    if given.plain:
        raise ValueError(f"{command} takes flags only, got {given.plain[0]}")
    return parse(kind, command, given)


def _check(seed: int, out: Path) -> None:
    """Refuse what no study can use."""
    checks.at_least(0, seed=seed)
    if out.suffix.lower() != ".png":
        raise ValueError(f"out must end in .png, got {out}")
