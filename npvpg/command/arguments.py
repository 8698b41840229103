"""
The commands as dataclasses: their fields are the flags, their docstrings the help.

One thing tyro cannot know is found before it: which preset, file or run the defaults come from.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from npvpg import checks
from npvpg.command.flags import Words, parse, sort_words
from npvpg.runs import config_file
from npvpg.runs.algorithms import ALGORITHMS, AlgorithmName
from npvpg.runs.config import Config, differences
from npvpg.runs.directory import RunDirectory
from npvpg.runs.group import GroupDirectory


@dataclass(frozen=True)
class Train:
    """Train a policy: flags over --algorithm over --config over the preset of ENV."""

    config: tyro.conf.OmitArgPrefixes[Config]

    algorithm: Annotated[AlgorithmName | None, tyro.conf.arg(metavar="NAME")] = None
    """Estimator, value target and normalisation by one name: reinforce (the total return);
    reward-to-go; baseline (reward-to-go less V, whole episodes); actor-critic (the TD residual);
    n-step; vpg (gae). config.toml of the run holds what it stood for."""

    seeds: Annotated[str | None, tyro.conf.arg(metavar="LIST")] = None
    """Train once for each of several seeds, such as 0-9 or 0,2,5-7, and say what they come to
    together; every seed gets a directory of its own, the run that --seed would make."""

    jobs: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Seeds that train side by side, each on one core; as many as there are cores unless given. No
    result depends on it."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Directory of the run, or of the runs; runs/ENV-seedS-TIME unless given."""

    config_file: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE.toml")] = None
    """Settings; config.toml of a run repeats that run bit for bit."""

    resume: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Run to go on with, exactly where its last checkpoint stands; of several seeds, those that
    are not finished."""

    @property
    def several(self) -> bool:
        """Whether there are several seeds, or a directory of such to go on with."""
        if self.resume is not None:
            return GroupDirectory(self.resume).exists()
        return self.seeds is not None


@dataclass(frozen=True)
class Evaluate:
    """Play with the policy of a run: actions sampled, and actions greedy."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Directory of the run, or of the runs of several seeds."""

    episodes: int = 100
    """Episodes of each kind."""

    seed: int = 0
    """Seed of environments and actions."""

    json: bool = False
    """Print JSON."""


@dataclass(frozen=True)
class Plot:
    """Draw return against steps: of one run, or the interquartile mean and a band of several."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN ...")]
    """Directories of runs, or of the runs of several seeds, of one environment."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="PNG")] = None
    """Picture to write; unless given, curve.png in the directory of a single run or curves.png in
    that of several seeds."""


def train(words: Sequence[str]) -> Train:
    """
    Read the words after `npvpg train`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Train
        Configuration, and where to start and to write.

    Raises
    ------
    ValueError
        If something is unknown, missing, out of range or contradicts something else.
    SystemExit
        After printing the help, if asked for it.
    """
    kinds: dict[str, Any] = {"out": str, "config": str, "resume": str, "seeds": str, "jobs": int}
    kinds["algorithm"] = AlgorithmName
    given = sort_words(words, kinds | get_type_hints(Config))
    if len(given.plain) > 1:
        raise ValueError(f"only one environment can be trained on, got {' and '.join(given.plain)}")
    if {"resume", "algorithm"} <= given.values.keys():
        raise ValueError(
            "--resume goes on with the configuration of the run: leave out --algorithm"
        )
    values, origin = _defaults(given)
    if values is None:
        if not given.help:
            raise ValueError("no environment given; try: npvpg train CartPole-v1")
        return parse(Train, "train", given)
    try:
        default = Config(**values)
    except ValueError as error:
        raise ValueError(f"{origin}: {error}") from None
    read = parse(Train, "train", given, Train(default))
    if read.resume is not None:
        for name in ("out", "config", "seeds"):
            if name in given.values:
                raise ValueError(f"--resume goes on in its own directory: leave out --{name}")
        changed = differences(read.config, default)
        if changed:
            raise ValueError(
                f"--resume goes on with the configuration of the run, which cannot change: "
                f"{', '.join(changed)}; to begin anew, use --config {origin}"
            )
    if "seeds" in given.values and "seed" in given.values:
        raise ValueError("--seeds takes the place of --seed: leave out one of them")
    if read.jobs is not None:
        checks.at_least(1, jobs=read.jobs)
        if not read.several:
            raise ValueError("--jobs is for several seeds: name them, as in --seeds 0-9")
    return read


def _defaults(given: Words) -> tuple[dict[str, Any] | None, str]:
    """Find the settings below the flags, and where they come from: a run, or file over preset."""
    if "resume" in given.values:
        group = GroupDirectory(Path(given.values["resume"]))
        if group.exists():
            return dataclasses.asdict(group.read()[0]), str(group.config)
        run = RunDirectory(Path(given.values["resume"]))
        return dataclasses.asdict(run.read_config()), str(run.config)
    origin = given.values.get("config", "")
    from_file = config_file.read(Path(origin)) if origin else {}
    env = given.plain[0] if given.plain else from_file.get("env")
    if env is None:
        return None, origin
    values = config_file.preset(env) | from_file | {"env": env}
    if "algorithm" in given.values:
        values |= ALGORITHMS[given.values["algorithm"]]
    return values, origin or f"preset of {env}"


def evaluate(words: Sequence[str]) -> Evaluate:
    """
    Read the words after `npvpg evaluate`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Evaluate
        The run, and how to play.

    Raises
    ------
    ValueError
        If something is unknown, missing or out of range.
    SystemExit
        After printing the help, if asked for it.
    """
    given = sort_words(words, {"episodes": int, "seed": int, "json": bool})
    if len(given.plain) != 1 and not given.help:
        raise ValueError(f"evaluate needs 1 run directory, got {len(given.plain)}")
    read = parse(Evaluate, "evaluate", given)
    checks.at_least(1, episodes=read.episodes)
    checks.at_least(0, seed=read.seed)
    return read


def plot(words: Sequence[str]) -> Plot:
    """
    Read the words after `npvpg plot`.

    Parameters
    ----------
    words : sequence of str
        The words.

    Returns
    -------
    Plot
        The runs, and the picture to write.

    Raises
    ------
    ValueError
        If something is unknown or missing, or the picture would not be a PNG.
    SystemExit
        After printing the help, if asked for it.
    """
    given = sort_words(words, {"out": str})
    if not given.plain and not given.help:
        raise ValueError("plot needs at least 1 run directory, got none")
    read = parse(Plot, "plot", given)
    if read.out is not None and read.out.suffix.lower() != ".png":
        raise ValueError(f"out must end in .png, got {read.out}")
    return read
