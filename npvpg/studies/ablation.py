"""
An ablation: every algorithm over seeds on one environment, and what sets their weights apart.

Each algorithm is a group of its own below a common directory. The fixed policy at which all weights
are measured is one that the first run of vpg had itself: as it came to half of its improvement.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from npvpg.jobs import group_run
from npvpg.jobs.interrupt import Interrupts
from npvpg.jobs.job import Carrier, Job
from npvpg.recent import RECENT, rolling_mean
from npvpg.runs import config_file, environments
from npvpg.runs.algorithms import AlgorithmName
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.evaluation import trained
from npvpg.runs.files import write_atomically
from npvpg.runs.group import GroupDirectory
from npvpg.runs.log import read_episodes
from npvpg.show import lines, pictures
from npvpg.show.board import Board
from npvpg.studies import variance, variance_picture

NAMES: tuple[AlgorithmName, ...] = get_args(AlgorithmName)
FIXED = "vpg"  # the algorithm whose policy and V are held fixed


@dataclass(frozen=True)
class AblationDirectory:
    """
    Where an ablation lies.

    Parameters
    ----------
    path : Path
        The directory.
    """

    path: Path

    @property
    def groups(self) -> dict[str, GroupDirectory]:
        """The runs of every algorithm."""
        every: dict[str, GroupDirectory] = {
            name: GroupDirectory(self.path / name) for name in NAMES
        }
        there = {name: group for name, group in every.items() if group.path.exists()}
        return there or every  # an ablation that is there already may be of fewer

    @property
    def fixed(self) -> RunDirectory:
        """The run whose policy and V are held fixed."""
        return RunDirectory(self.path / "fixed")

    @property
    def picture(self) -> Path:
        """Return and variance, drawn at the end."""
        return self.path / "ablation.png"

    @property
    def summary(self) -> Path:
        """The same in numbers."""
        return self.path / "ablation.json"

    def create(self, values: Mapping[str, Any], seeds: tuple[int, ...]) -> None:
        """
        Make the directory and the groups in it.

        Parameters
        ----------
        values : mapping
            Values by field of `Config`, over the preset and below those that an algorithm sets.
            No run stops when it has solved its environment: curves of one length can be compared.
        seeds : tuple of int
            Seeds of every algorithm.

        Raises
        ------
        ValueError
            If a value is out of range, or anything would be overwritten.
        """
        common = {**values, "stop_when_solved": False}
        configs: dict[str, Config] = {
            name: Config(**config_file.layers(values["env"], name, common)) for name in NAMES
        }
        RunDirectory(self.path).check_free()
        for group in self.groups.values():
            group.check_free(seeds)
        for name, group in self.groups.items():
            group.create(configs[name], seeds)

    def read(self) -> tuple[dict[str, Config], tuple[int, ...]]:
        """
        Read what the ablation is.

        Returns
        -------
        configs : dict of str to Config
            Configuration of every algorithm, with the first seed.
        seeds : tuple of int
            The seeds.

        Raises
        ------
        ValueError
            If the directory holds no ablation, or its groups do not fit together.
        """
        found = {name: group.read() for name, group in self.groups.items()}
        configs = {name: config for name, (config, _) in found.items()}
        for name, (config, seeds) in found.items():
            if (seeds, config.env) != (found[FIXED][1], configs[FIXED].env):
                raise ValueError(f"{self.path / name} has other seeds or another env than {FIXED}")
        return configs, found[FIXED][1]

    def n_left(self) -> int:
        """
        Count the runs that are left to do.

        Returns
        -------
        int
            Their number, the fixed run left out.
        """
        seeds = self.read()[1]
        return sum(len(group.unfinished(seeds)) for group in self.groups.values())


def train(
    directory: AblationDirectory,
    workers: Carrier,
    interrupts: Interrupts,
    *,
    episodes: int,
) -> dict[str, Any]:
    """
    Train every algorithm over the seeds, measure at a fixed policy, and draw both.

    Parameters
    ----------
    directory : AblationDirectory
        The ablation; what is finished in it is left as it is.
    workers : Carrier
        Processes, started.
    interrupts : Interrupts
        Holds a signal back while something is drawn.
    episodes : int
        Episodes that variances are measured on.

    Returns
    -------
    dict
        As in `ablation.json`: under "algorithms" the summary of every group and the variance of
        its weight, under "failed" why a run has no end.

    Raises
    ------
    ValueError
        If the environment cannot be used, or the directory does not fit.
    Interrupted
        If a signal came.
    """
    configs, seeds = directory.read()
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for name, group in directory.groups.items():
        board = Board()
        board.line("algorithm", name, "bold")
        found[name] = group_run.train(
            configs[name], seeds, group, workers, interrupts, resume=True, board=board
        )
        failed |= {f"{name}/seed-{seed}": why for seed, why in found[name]["failed"].items()}
    summary: dict[str, Any] = {"env": configs[FIXED].env, "algorithms": found, "failed": failed}
    if failed:
        return summary
    _train_fixed(directory, configs[FIXED], workers)
    with environments.quiet(), trained(directory.fixed.path) as at:
        measured = variance.measure(at, episodes, at.config.seed)
        summary["fixed_at_step"] = at.state.steps
    for name, of in measured.items():
        found[name]["variance"] = {
            key: value if np.isfinite(value) else None for key, value in of._asdict().items()
        }
    with interrupts.held():
        write_atomically(directory.summary, (json.dumps(summary, indent=2) + "\n").encode())
        draw(directory, seeds, measured, summary["fixed_at_step"])
    print(variance.table({f"{summary['env']}, {summary['fixed_at_step']:,} steps": measured}))
    return summary


def _train_fixed(directory: AblationDirectory, config: Config, workers: Carrier) -> None:
    """Carry the first run out once more, as far as half way, unless that has been done."""
    if directory.fixed.finished:
        return
    run = directory.groups[FIXED].run(config.seed)
    steps = half_way(*read_episodes(run.episodes)[:2], config.steps)
    for report in workers.carry_out([Job(config, directory.fixed, until=steps)]):
        if report.state == "failed":
            raise ValueError(f"{directory.fixed.path} failed: {report.text}")


def half_way(step: Any, ret: Any, n_steps: int) -> int:
    """
    Find where a run has come to half of its improvement.

    Parameters
    ----------
    step : ndarray of int64, shape (E,)
        Steps when each episode ended.
    ret : ndarray of float64, shape (E,)
        Returns [reward].
    n_steps : int
        Steps of the run: half of them, where no episode has ended.

    Returns
    -------
    int
        Step at which the mean of the last 100 episodes first lies half way between its first
        value and its best, at least 1.
    """
    mean = rolling_mean(ret)
    if len(mean) == 0:
        return max(n_steps // 2, 1)
    return int(step[np.argmax(mean >= (mean[0] + mean.max()) / 2)])


def draw(
    directory: AblationDirectory, seeds: tuple[int, ...], measured: variance.Found, steps: int
) -> None:
    """
    Draw return against steps, and the variance of every weight at the fixed policy.

    Parameters
    ----------
    directory : AblationDirectory
        The ablation, all runs of which are finished.
    seeds : tuple of int
        The seeds.
    measured : mapping of str to GradientVariance
        Variances by algorithm.
    steps : int
        Steps after which the fixed policy stands.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    env = directory.read()[0][FIXED].env
    figure = pictures.figure(14, 5)
    axes = figure.subplots(1, 3, width_ratios=[2, 1, 1])
    for name, group in directory.groups.items():
        data = [read_episodes(group.run(seed).episodes)[:2] for seed in seeds]
        lines.draw_group(axes[0], data, variance_picture.style(name), variance.label(name))
    what = "interquartile mean over seeds, 95 % band" if len(seeds) > 1 else "one seed"
    lines.decorate(axes[0], env, f"{env}: {what}")
    axes[0].set_ylabel(f"return, mean of {RECENT} episodes [reward]")
    variance_picture.panel(axes[1], measured, variance.relative)
    variance_picture.panel(axes[2], measured, variance.total)
    axes[2].set_yticklabels([])
    figure.suptitle(f"The weights of the score. Right: at the policy of gae after {steps:,} steps")
    pictures.legend_below(figure, 7)
    pictures.save(figure, directory.picture)
