"""A group: runs that differ in nothing but their seed, one directory each below a common one."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npvpg.runs import config_file
from npvpg.runs import seeds as words
from npvpg.runs.changes import differences, extended
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.files import write_atomically
from npvpg.runs.words import quoted


@dataclass(frozen=True)
class GroupDirectory:
    """
    Where the runs of a group lie.

    Parameters
    ----------
    path : Path
        The directory.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The seeds, and every field of the configuration that the runs share."""
        return self.path / "seeds.toml"

    @property
    def curves(self) -> Path:
        """Return against steps of every run, drawn at the end."""
        return self.path / "curves.png"

    @property
    def summary(self) -> Path:
        """The results over the seeds, written at the end."""
        return self.path / "summary.json"

    def exists(self) -> bool:
        """
        Say whether the directory holds a group.

        Returns
        -------
        bool
            Whether it does.
        """
        return self.config.is_file()

    def run(self, seed: int) -> RunDirectory:
        """
        Give the directory of a run.

        Parameters
        ----------
        seed : int
            Its seed.

        Returns
        -------
        RunDirectory
            An ordinary directory of a run, which every command takes by itself.
        """
        return RunDirectory(self.path / f"seed-{seed}")

    def unfinished(self, seeds: tuple[int, ...]) -> list[int]:
        """
        List the seeds whose runs have not come to their end.

        Parameters
        ----------
        seeds : tuple of int
            All of the seeds.

        Returns
        -------
        list of int
            Those that are left to do.
        """
        return [seed for seed in seeds if not self.run(seed).finished]

    def check_free(self, seeds: tuple[int, ...] = ()) -> None:
        """
        Refuse a directory that holds a group or a run already.

        Parameters
        ----------
        seeds : tuple of int
            Seeds whose runs are to lie in it.

        Raises
        ------
        ValueError
            If anything would be overwritten.
        """
        if self.exists():
            raise ValueError(
                f"{self.path} holds the runs of several seeds ({self.config.name}): choose "
                f"another --out, or continue them: npvpg train --resume {quoted(self.path)}"
            )
        for run in (RunDirectory(self.path), *map(self.run, seeds)):
            run.check_free()

    def create(self, config: Config, seeds: tuple[int, ...]) -> None:
        """
        Make the directory and write into it what the group is.

        Parameters
        ----------
        config : Config
            The configuration; its seed does not matter.
        seeds : tuple of int
            The seeds.

        Raises
        ------
        ValueError
            If anything would be overwritten.
        OSError
            If the directory cannot be made.
        """
        self.check_free(seeds)
        self.path.mkdir(parents=True, exist_ok=True)
        self._write(config, seeds)

    def extend(self, config: Config, seeds: tuple[int, ...]) -> None:
        """
        Let the runs go on to a later end: none of them is then finished any more.

        Parameters
        ----------
        config : Config
            The configuration that they go on with; its seed does not matter.
        seeds : tuple of int
            The seeds.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        for seed in seeds:
            self.run(seed).summary.unlink(missing_ok=True)
        self.summary.unlink(missing_ok=True)
        self._write(config, seeds)

    def _write(self, config: Config, seeds: tuple[int, ...]) -> None:
        """Write what the group is."""
        shared = [
            line
            for line in config_file.dumps(config).splitlines(keepends=True)
            if not line.startswith("seed = ")
        ]
        text = f'seeds = "{words.text(seeds)}"\n' + "".join(shared)
        write_atomically(self.config, text.encode())

    def read(self) -> tuple[Config, tuple[int, ...]]:
        """
        Read what the group is.

        Returns
        -------
        config : Config
            The configuration, with the first seed.
        seeds : tuple of int
            The seeds, in rising order.

        Raises
        ------
        ValueError
            If the directory holds no group, or `seeds.toml` is incomplete or wrong, or a run has
            another configuration.
        """
        table, seeds = self._table()
        try:
            values = config_file.typed(table)
        except ValueError as error:
            raise ValueError(f"{self.config}: {error}") from None
        config = config_file.complete(values | {"seed": seeds[0]}, self.config)
        for seed in seeds:
            run = self.run(seed)
            if run.config.is_file():
                own, due = run.read_config(), dataclasses.replace(config, seed=seed)
                changed = differences(extended(own, due), due)  # one may yet be to be extended
                if changed:
                    raise ValueError(
                        f"{run.config} has another configuration than {self.config}: "
                        f"{', '.join(changed)}"
                    )
        return config, seeds

    def _table(self) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Read the shared fields as they stand in the file, and the seeds."""
        table = config_file.read_table(self.config)
        try:
            return table, words.parse(str(table.pop("seeds", "")))
        except ValueError as error:
            raise ValueError(f"{self.config}: {error}") from None

    def runs(self) -> list[Path]:
        """
        List the directories of the runs, begun or not.

        Returns
        -------
        list of Path
            A directory for each seed.

        Raises
        ------
        ValueError
            If the directory holds no group, or its seeds are wrong.
        """
        return [self.run(seed).path for seed in self._table()[1]]


def expand(paths: tuple[Path, ...]) -> list[Path]:
    """
    Put the runs of a group in its place.

    Parameters
    ----------
    paths : tuple of Path
        Directories of runs and of groups.

    Returns
    -------
    list of Path
        Directories of runs, begun or not.

    Raises
    ------
    ValueError
        If a group cannot be read.
    """
    groups = [(path, GroupDirectory(path)) for path in paths]
    return [run for path, group in groups for run in (group.runs() if group.exists() else [path])]
