"""Training over seeds: the runs of a group side by side, and what they come to together."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from npvpg.jobs.interrupt import Interrupts
from npvpg.jobs.job import Carrier, Job
from npvpg.runs import environments, registered
from npvpg.runs.config import Config
from npvpg.runs.files import write_atomically
from npvpg.runs.group import GroupDirectory
from npvpg.runs.over_seeds import over_seeds
from npvpg.show import pictures, plot
from npvpg.show.board import Board

_KEPT = ("seed", "steps", "solved_at_step", "mean_return_100")


def train(
    config: Config,
    seeds: tuple[int, ...],
    directory: GroupDirectory,
    workers: Carrier,
    interrupts: Interrupts,
    *,
    resume: bool,
    board: Board,
    also: tuple[str, ...] = (),
) -> dict[str, Any]:
    """
    Train over seeds, and leave the files of every run and of the group.

    Parameters
    ----------
    config : Config
        The configuration; its seed does not matter.
    seeds : tuple of int
        The seeds.
    directory : GroupDirectory
        A directory that is free, or the group to go on with.
    workers : Carrier
        Processes, started.
    interrupts : Interrupts
        Holds a signal back while something is drawn.
    resume : bool
        Whether to go on: finished runs are left as they are, the others go on.
    board : Board
        What to show.
    also : tuple of str
        Where the numbers go as well, of `npvpg.runs.sinks.NAMES`.

    Returns
    -------
    dict
        The summary, as in `summary.json`. No time is in it, and nothing depends on the number of
        processes.

    Raises
    ------
    ValueError
        If the environment cannot be used, or the directory does not fit. What stops a single run
        is in the summary.
    Interrupted
        If a signal came.
    """
    with environments.quiet():  # what every run would fail by is told once
        environments.make_for(config, 1).close()
    if not resume:
        directory.create(config, seeds)
    left = directory.unfinished(seeds)
    jobs = [
        Job(dataclasses.replace(config, seed=seed), directory.run(seed), also=also) for seed in left
    ]
    failed: dict[int, str] = {}
    board.header(config, seeds, directory, n_jobs=workers.n, n_left=len(left))
    with board.live({str(seed): config.steps for seed in left}):
        for report in workers.carry_out(jobs):
            with interrupts.held():
                board.report(report)
            if report.state == "failed":
                failed[int(report.name)] = report.text
    summary = finish(config, seeds, directory, failed, board)
    board.result(summary, directory)
    return summary


def finish(
    config: Config,
    seeds: Sequence[int],
    directory: GroupDirectory,
    failed: Mapping[int, str],
    board: Board,
) -> dict[str, Any]:
    """
    Write the summary of a group, and draw its curves.

    Parameters
    ----------
    config : Config
        The configuration.
    seeds : sequence of int
        The seeds.
    directory : GroupDirectory
        The group.
    failed : mapping of int to str
        Why the run of a seed has no end.
    board : Board
        Is told why there is no picture.

    Returns
    -------
    dict
        What `summarise` gives.
    """
    summary = summarise(config, seeds, directory, failed)
    if summary["runs"]:
        write_atomically(directory.summary, (json.dumps(summary, indent=2) + "\n").encode())
        done = [directory.run(run["seed"]).path for run in summary["runs"]]
        with pictures.spared(lambda text: board.line("picture", text, "yellow")):
            plot.curve(directory.curves, done)
    return summary


def summarise(
    config: Config, seeds: Sequence[int], directory: GroupDirectory, failed: Mapping[int, str]
) -> dict[str, Any]:
    """
    Put the results of the runs side by side, and together.

    Parameters
    ----------
    config : Config
        The configuration.
    seeds : sequence of int
        The seeds.
    directory : GroupDirectory
        The group.
    failed : mapping of int to str
        Why the run of a seed has no end.

    Returns
    -------
    dict
        A row for each finished run under "runs"; under "mean_return_100", "solved_at_step",
        "sampled" and "greedy" what the rows say together, None where a row has nothing.
    """
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        if seed in failed:
            continue
        result = json.loads(directory.run(seed).summary.read_text(encoding="utf-8"))
        row = {name: result[name] for name in _KEPT}
        for mode in ("sampled", "greedy"):
            row[mode] = result["evaluation"][mode]["mean"] if result["evaluation"] else None
        rows.append(row)
    n_solved = sum(row["solved_at_step"] is not None for row in rows)
    together = {
        name: over_seeds([row[name] for row in rows])
        for name in ("mean_return_100", "solved_at_step", "sampled", "greedy")
    }
    return {
        "env": config.env,
        "reward_threshold": registered.spec(config.env).reward_threshold,
        "seeds": list(seeds),
        "solved": n_solved,
        **together,
        "runs": rows,
        "failed": {str(seed): text for seed, text in failed.items()},
    }
