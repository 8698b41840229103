"""The commands of the studies as dataclasses: their fields are the flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, get_type_hints

import tyro

from npvpg import checks
from npvpg.command.flags import parse, sort_words

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


@dataclass(frozen=True)
class Variance:
    """Measure the gradient variance of all weights at the policy and V of runs."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN ...")]
    """Directories of runs that have a value function; their last checkpoints are measured."""

    episodes: int = 400
    """Episodes that variances are measured on, for every run."""

    seed: int = 0
    """Seed of the episodes, and of the process whose variances are exact."""

    out: Annotated[Path, tyro.conf.arg(metavar="PNG")] = Path("variance.png")
    """Picture to write."""


@dataclass(frozen=True)
class Ablation:
    """Train every algorithm over seeds on one environment; draw return and gradient variance."""

    env: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")] = None
    """Environment; its preset, or --config, holds for all algorithms."""

    seeds: Annotated[str, tyro.conf.arg(metavar="LIST")] = "0-4"
    """Seeds of every algorithm, such as 0-9 or 0,2,5-7."""

    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Environment steps of every run; those of the preset unless given."""

    jobs: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Runs side by side; as many as there are cores unless given. No result depends on it."""

    episodes: int = 400
    """Episodes that variances are measured on."""

    config: Annotated[Path | None, tyro.conf.arg(metavar="FILE.toml")] = None
    """Settings over the preset, below those that an algorithm sets."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Directory of the ablation; runs/ablation-ENV-TIME unless given."""

    resume: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Ablation to go on with: what is finished is left as it is."""


def ablation(words: Sequence[str]) -> Ablation:
    """
    Read the words after `npvpg ablation`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Ablation
        Environment, seeds, and where to write or to go on.

    Raises
    ------
    ValueError
        If something is unknown, missing, out of range or contradicts something else.
    SystemExit
        After printing the help, if asked for it.
    """
    texts = dict.fromkeys(("seeds", "config", "out", "resume"), str)
    given = sort_words(words, texts | {"steps": int, "jobs": int, "episodes": int})
    if len(given.plain) > 1:
        raise ValueError(f"ablation takes one environment, got {' and '.join(given.plain)}")
    if "resume" in given.values:
        for name in ("seeds", "steps", "config", "out"):
            if name in given.values:
                raise ValueError(f"--resume goes on as the ablation began: leave out --{name}")
        if given.plain:
            raise ValueError(f"--resume knows its environment: leave out {given.plain[0]}")
    elif not given.plain and not given.help:
        raise ValueError("no environment given; try: npvpg ablation CartPole-v1")
    read = parse(Ablation, "ablation", given)
    checks.at_least(3, episodes=read.episodes)
    checks.at_least(1, jobs=read.jobs)
    checks.at_least(1, steps=read.steps)
    return read


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


def variance(words: Sequence[str]) -> Variance:
    """
    Read the words after `npvpg variance`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Variance
        The runs, episodes, and the picture to write.

    Raises
    ------
    ValueError
        If something is unknown, missing or out of range, or the picture would not be a PNG.
    SystemExit
        After printing the help, if asked for it.
    """
    given = sort_words(words, {"episodes": int, "seed": int, "out": str})
    if not given.plain and not given.help:
        raise ValueError("variance needs at least 1 run directory, got none")
    read = parse(Variance, "variance", given)
    checks.at_least(3, episodes=read.episodes)
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
