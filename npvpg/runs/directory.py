"""The directory of a run: the names of its files, and what may and what may not become one."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from npvpg.runs import config_file
from npvpg.runs.config import Config
from npvpg.runs.files import write_atomically
from npvpg.runs.modules import short
from npvpg.runs.words import quoted


@dataclass(frozen=True)
class RunDirectory:
    """
    Where the files of a run lie.

    Parameters
    ----------
    path : Path
        The directory.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Every field of the configuration, which `npvpg train --config` runs again."""
        return self.path / "config.toml"

    @property
    def metrics(self) -> Path:
        """A row per update."""
        return self.path / "metrics.csv"

    @property
    def episodes(self) -> Path:
        """A row per episode."""
        return self.path / "episodes.csv"

    @property
    def times(self) -> Path:
        """Wall-clock time of every update, the one file that two equal runs do not share."""
        return self.path / "times.csv"

    @property
    def lines(self) -> Path:
        """The rows of the metrics as JSON, if they are asked for."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Event files of TensorBoard, if they are asked for."""
        return self.path / "tensorboard"

    @property
    def checkpoint(self) -> Path:
        """All that is needed to go on."""
        return self.path / "checkpoint.safetensors"

    @property
    def evaluations(self) -> Path:
        """A row per evaluation during the run, if it has any."""
        return self.path / "evaluations.csv"

    @property
    def best(self) -> Path:
        """Checkpoint of the policy that did best in them."""
        return self.path / "best.safetensors"

    @property
    def curve(self) -> Path:
        """Return against steps, drawn at the end."""
        return self.path / "curve.png"

    @property
    def summary(self) -> Path:
        """The result, written at the end."""
        return self.path / "summary.json"

    @property
    def videos(self) -> Path:
        """Directory of the films made while it trained."""
        return self.path / "videos"

    @property
    def files(self) -> tuple[Path, ...]:
        """All of the above."""
        return (
            self.config,
            self.metrics,
            self.episodes,
            self.times,
            self.lines,
            self.tensorboard,
            self.checkpoint,
            self.evaluations,
            self.best,
            self.curve,
            self.summary,
        )

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end, with or without its times and picture."""
        needed = (self.config, self.metrics, self.episodes, self.checkpoint, self.summary)
        return all(file.is_file() for file in needed)

    def check_free(self) -> None:
        """
        Refuse a directory that holds a run, or a file of that name.

        Raises
        ------
        ValueError
            If anything would be overwritten.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} is a file; a run needs a directory")
        taken = [file.name for file in self.files if file.exists()]
        if taken:
            again = f", or continue it: npvpg train --resume {quoted(self.path)}"
            raise ValueError(
                f"{self.path} holds another run ({', '.join(taken)}): choose another --out"
                + (again if self.config.is_file() else "")
            )

    def create(self, config: Config) -> None:
        """
        Make the directory and write the configuration into it.

        Parameters
        ----------
        config : Config
            The configuration.

        Raises
        ------
        ValueError
            If anything would be overwritten.
        OSError
            If the directory cannot be made.
        """
        self.check_free()
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.config, config_file.dumps(config).encode())

    def extend(self, config: Config) -> None:
        """
        Let the run go on to a later end: it is then not finished any more.

        Parameters
        ----------
        config : Config
            The configuration that it goes on with.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        self.summary.unlink(missing_ok=True)
        write_atomically(self.config, config_file.dumps(config).encode())

    def read_config(self) -> Config:
        """
        Read the configuration of the run.

        Returns
        -------
        Config
            The configuration.

        Raises
        ------
        ValueError
            If the directory holds no run, or one whose configuration is incomplete or wrong.
        """
        if not self.config.is_file():
            raise ValueError(f"{self.path} is no run directory: it holds no config.toml")
        return config_file.complete(config_file.read(self.config), self.config)


def default_directory(config: Config, now: datetime, seeds: str = "") -> RunDirectory:
    """
    Choose the directory of a run, or of the runs of several seeds, that was given none.

    Parameters
    ----------
    config : Config
        The configuration.
    now : datetime
        Time of the start, part of the name.
    seeds : str
        The seeds, if there are several.

    Returns
    -------
    RunDirectory
        ``runs/ENV-seedS-TIME``, with a number behind it if that exists.
    """
    which = f"seeds{seeds[:40]}" if seeds else f"seed{config.seed}"  # a name has its limit
    return RunDirectory(timed_path(f"{short(config.env)}-{which}", now))


def timed_path(label: str, now: datetime) -> Path:
    """
    Choose a path below ``runs`` that is free.

    Parameters
    ----------
    label : str
        What lies there; what no file name should hold becomes a dash.
    now : datetime
        Time of the start, part of the name.

    Returns
    -------
    Path
        ``runs/LABEL-TIME``, with a number behind it if that exists.
    """
    plain = re.sub(r"[^\w.-]+", "-", label)
    name = f"{plain}-{now:%Y%m%d-%H%M%S}"
    path, number = Path("runs", name), 2
    while path.exists():
        path, number = Path("runs", f"{name}-{number}"), number + 1
    return path
