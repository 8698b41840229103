"""Where a sweep lies: a group of seeds for every trial, below a common directory."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.files import write_atomically
from npvpg.runs.group import GroupDirectory
from npvpg.runs.sweep import read
from npvpg.runs.words import quoted


@dataclass(frozen=True)
class SweepDirectory:
    """
    Where a sweep lies.

    Parameters
    ----------
    path : Path
        The directory.
    """

    path: Path

    @property
    def file(self) -> Path:
        """What was asked for, as it was given."""
        return self.path / "sweep.toml"

    @property
    def summary(self) -> Path:
        """The trials, best first, written at the end."""
        return self.path / "sweep.json"

    @property
    def report(self) -> Path:
        """The same as a page, with a picture."""
        return self.path / "sweep.html"

    @property
    def checked_file(self) -> Path:
        """The same, which must be there."""
        if not self.file.is_file():
            raise ValueError(f"{self.path} holds no sweep: it has no {self.file.name}")
        return self.file

    @property
    def stopped(self) -> Path:
        """Environment steps of the runs that a scheduler stopped, by trial and seed."""
        return self.path / "stopped.json"

    def trial(self, number: int) -> GroupDirectory:
        """
        Give the directory of a trial.

        Parameters
        ----------
        number : int
            Its number.

        Returns
        -------
        GroupDirectory
            An ordinary group of seeds.
        """
        return GroupDirectory(self.path / f"trial-{number:03d}")

    def create(self, source: Path) -> None:
        """
        Make the directory, and in it every trial.

        Parameters
        ----------
        source : Path
            The file of the sweep.

        Raises
        ------
        ValueError
            If the sweep is wrong, or anything would be overwritten.
        """
        sweep, text = read(source), source.read_bytes()
        configs = sweep.configs()
        if self.file.exists():
            raise ValueError(
                f"{self.path} holds another sweep: choose another --out, or continue it: "
                f"npvpg sweep --resume {quoted(self.path)}"
            )
        RunDirectory(self.path).check_free()
        self.path.mkdir(parents=True, exist_ok=True)
        for number, config in enumerate(configs):
            self.trial(number).create(config, sweep.seeds)
        write_atomically(self.file, text)  # last: what holds it is whole

    def read(self) -> list[tuple[Config, tuple[int, ...]]]:
        """
        Read the trials as they were made.

        Returns
        -------
        list of tuple
            Configuration, with the first seed, and seeds of every trial.

        Raises
        ------
        ValueError
            If the directory holds no sweep.
        """
        n = len(read(self.checked_file).drawn())
        return [self.trial(number).read() for number in range(n)]

    def left(self) -> list[tuple[int, Config]]:
        """
        List the runs that are left to do.

        Returns
        -------
        list of tuple
            Number of the trial and configuration of every run that is neither finished nor stopped.
        """
        stopped = self.read_stopped()
        return [
            (number, dataclasses.replace(config, seed=seed))
            for number, (config, seeds) in enumerate(self.read())
            for seed in self.trial(number).unfinished(seeds)
            if f"{number}/{seed}" not in stopped
        ]

    def read_stopped(self) -> dict[str, int]:
        """
        Read which runs were stopped.

        Returns
        -------
        dict of int
            Environment steps, by trial and seed.
        """
        found: dict[str, int] = {}
        if self.stopped.is_file():
            found = json.loads(self.stopped.read_text(encoding="utf-8"))
        return found

    def stop(self, name: str, steps: int) -> None:
        """
        Take note of a run that was stopped.

        Parameters
        ----------
        name : str
            Trial and seed.
        steps : int
            Environment steps by then.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        found = {**self.read_stopped(), name: steps}
        write_atomically(self.stopped, (json.dumps(found, indent=2) + "\n").encode())

    def varied(self) -> list[dict[str, Any]]:
        """
        Give what varies, trial after trial.

        Returns
        -------
        list of dict
            Values by name.
        """
        return read(self.file).drawn()
