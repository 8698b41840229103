"""Carrying a sweep out: all runs of all trials side by side, and which trial did best."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from npvpg.jobs import group_run
from npvpg.jobs.interrupt import Interrupts
from npvpg.jobs.job import Carrier, Job
from npvpg.jobs.stopping import scheduler
from npvpg.runs import environments
from npvpg.runs import seeds as words
from npvpg.runs.files import write_atomically
from npvpg.runs.modules import short
from npvpg.runs.sweep_directory import SweepDirectory
from npvpg.show import pictures, sweep_page
from npvpg.show.board import Board


def train(
    directory: SweepDirectory, workers: Carrier, interrupts: Interrupts, *, board: Board
) -> dict[str, Any]:
    """
    Carry out what is left of a sweep, and compare its trials.

    Parameters
    ----------
    directory : SweepDirectory
        The sweep; what is finished in it is left as it is.
    workers : Carrier
        Processes, started.
    interrupts : Interrupts
        Holds a signal back while something is drawn.
    board : Board
        What to show.

    Returns
    -------
    dict
        As in `sweep.json`, in which no time is.

    Raises
    ------
    ValueError
        If the environment cannot be used, or the directory does not fit. What stops a single run
        is in the summary.
    Interrupted
        If a signal came.
    """
    trials = directory.read()
    first, seeds = trials[0]
    with environments.quiet():  # what every run would fail by is told once
        environments.make_for(first, 1).close()
    jobs = [
        Job(config, directory.trial(number).run(config.seed), trial=str(number))
        for number, config in directory.left()
    ]
    n = len(trials) * len(seeds)
    done = f" · {n - len(jobs):,} of {n:,} done" if len(jobs) < n else ""
    board.line("environment", short(first.env), "bold")
    board.line("trials", f"{len(trials):,} · seeds {words.text(seeds)}{done}")
    board.line("runs", f"{n:,} in {directory.path}/trial-*/seed-* · {workers.n} side by side")
    stops = scheduler(directory, max(config.steps for config, _ in trials))
    board.console.print()
    failed: dict[str, str] = {}
    with board.live({job.name: job.config.steps for job in jobs}, "trial/seed"):
        for report in workers.carry_out(jobs, stops=stops):
            with interrupts.held():
                board.report(report)
                if report.state == "stopped":
                    directory.stop(report.name, report.steps)
            if report.state == "failed":
                failed[report.name] = report.text
    with interrupts.held():
        summary = _finish(directory, failed, board)
    sweep_page.show(board, summary, directory)
    return summary


def _finish(directory: SweepDirectory, failed: Mapping[str, str], board: Board) -> dict[str, Any]:
    """Write what every trial came to, and all beside each other."""
    rows, stopped = [], directory.read_stopped()
    for number, (config, seeds) in enumerate(directory.read()):
        names = {seed: f"{number}/{seed}" for seed in seeds}
        wrong = {seed: failed[name] for seed, name in names.items() if name in failed}
        early = {seed: stopped[name] for seed, name in names.items() if name in stopped}
        missing = wrong | {seed: f"stopped at step {step:,}" for seed, step in early.items()}
        of = group_run.finish(config, seeds, directory.trial(number), missing, board)
        rows.append(
            {
                "trial": number,
                "settings": directory.varied()[number],
                "mean_return_100": None if missing else of["mean_return_100"],
                "solved": of["solved"],
                "failed": {str(seed): text for seed, text in wrong.items()},
                "stopped": {str(seed): step for seed, step in early.items()},
            }
        )
    summary = {"env": config.env, "seeds": list(seeds), "trials": ranked(rows)}
    write_atomically(directory.summary, (json.dumps(summary, indent=2) + "\n").encode())
    with pictures.spared(lambda text: board.line("picture", text, "yellow")):
        sweep_page.write(directory, summary)
    return summary


def ranked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Put the trials in order: by the lower end of the interval of the interquartile mean.

    What one lucky seed did moves that little, and a trial of few seeds or of seeds that disagree
    has to do better on average to stand first.

    Parameters
    ----------
    rows : sequence of dict
        A row a trial; "mean_return_100" holds what its seeds say together, or None.

    Returns
    -------
    list of dict
        The rows, best first, those without a result last; "beside_best" says whether the interval
        reaches that of the first, so that the two cannot be told apart.
    """
    known = [row for row in rows if row["mean_return_100"] is not None]
    known.sort(key=lambda row: (-_ends(row)[0], -row["mean_return_100"]["iqm"], row["trial"]))
    rest = [row for row in rows if row["mean_return_100"] is None]
    best = _ends(known[0])[0] if known else 0.0
    return [
        *({**row, "beside_best": _ends(row)[1] >= best} for row in known),
        *({**row, "beside_best": False} for row in rest),
    ]


def _ends(row: Mapping[str, Any]) -> tuple[float, float]:
    """Ends of the interval; of a single seed, which has none, its number."""
    found = row["mean_return_100"]
    low, high = found["iqm_interval"] or (found["iqm"], found["iqm"])
    return low, high
