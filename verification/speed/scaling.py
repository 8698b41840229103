"""How cost grows: with sub-environments, networks and batches, and over two cores."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from verification.speed.command import over_seeds
from verification.speed.contestants import CARTPOLE, FLOORS, GOAL, npvpg
from verification.speed.machine import pinned
from verification.speed.session import Session
from verification.speed.tables import Cell, Table
from verification.speed.timing import Sample, ratio
from verification.speed.worker import Worker

BATCH = 4096
COMMON = {"hidden": [64, 64], "envs": 8, "horizon": 64, "value_steps": 10}


def measure(session: Session) -> list[Table]:
    """
    Measure the whole loop on the compiled CartPole as one thing after the other grows.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        By sub-environments, by width, by batch; two jobs.
    """
    plan = session.plan
    by_envs: dict[str | int, Mapping[str, Any]] = {
        n: {**COMMON, "envs": n, "horizon": max(BATCH // n, 1)} for n in plan.envs
    }
    by_width: dict[str | int, Mapping[str, Any]] = {
        w: {**COMMON, "hidden": [w, w]} for w in plan.widths
    }
    by_batch: dict[str | int, Mapping[str, Any]] = {
        s: {**COMMON, "envs": 64, "horizon": s // 64} for s in plan.batches
    }
    common = "Compiled CartPole-v1, float32, one policy pass, ten value passes."
    return [
        _grow(
            session,
            Table("Scaling: sub-environments", f"{common} {BATCH:,} steps a batch, 64 x 64."),
            "sub-environments",
            by_envs,
        ),
        _grow(
            session,
            Table("Scaling: width of both hidden layers", f"{common} 8 x 64 steps a batch."),
            "width",
            by_width,
        ),
        _grow(
            session,
            Table("Scaling: steps of a batch", f"{common} 64 sub-environments, 64 x 64."),
            "steps a batch",
            by_batch,
        ),
        two_jobs(session),
    ]


def _grow(
    session: Session, table: Table, column: str, points: Mapping[str | int, Mapping[str, Any]]
) -> Table:
    """Measure every point in turn, beside the limit set by its arithmetic."""
    plan = session.plan
    loops: dict[str | int, list[float]] = {point: [] for point in points}
    limits: dict[str | int, list[float]] = {point: [] for point in points}
    ours, floors = session.start(npvpg("npvpg", CARTPOLE)), session.start(FLOORS)
    assert ours is not None
    assert floors is not None
    with ours, floors:
        for repetition in range(plan.repetitions):
            session.say(f"{table.title.lower()} {repetition + 1}/{plan.repetitions}")
            for point, changes in points.items():
                run = ours.ask(
                    "train",
                    env=CARTPOLE,
                    seed=0,
                    changes=changes,
                    max_seconds=plan.seconds,
                )
                loops[point].append(1e9 * run["seconds"] / run["steps"])
                limit = floors.ask(
                    "update",
                    n_obs=4,
                    n_act=2,
                    hidden=changes["hidden"],
                    n_rows=changes["envs"] * changes["horizon"],
                    value_steps=changes["value_steps"],
                    dtype="float32",
                    seconds=plan.seconds / 2,
                )
                limits[point].append(1e9 * limit["seconds"] / limit["steps"])
    for point in points:
        loop, limit_ = Sample(tuple(loops[point])), Sample(tuple(limits[point]))
        table.rows.append(
            {
                column: point if isinstance(point, str) else f"{point:,}",
                "ns per step": loop,
                "products and tanh alone, ns": limit_,
                "share of the limit": ratio(limit_, loop),
            }
        )
    return table


def two_jobs(session: Session) -> Table:
    """
    Train the same seeds by one job on one core, and by two jobs on two cores.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    Table
        Seeds per minute; no row with a single core.
    """
    plan = session.plan
    n = max(plan.seeds // plan.repetitions, 1)
    notes = (
        "CartPole-v1 until it is solved, seeds a minute. Processes at work: "
        f"seeds 0 to {n - 1}, again and again, in one process on one core, and in two that take "
        "all of them each, each on a core of its own."
    )
    if plan.seeds_by_command:
        notes += (
            f" The command: `npvpg train CartPole-v1 --seeds 0-{plan.seeds_by_command - 1}` with "
            "`--jobs 1` on one core and `--jobs 2` on two, from the start to the end of the "
            "process, evaluations and pictures included."
        )
    table = Table("Two jobs on two cores", notes)
    if len(session.cores) < 2:
        return table
    table.rows.append(_jobs_row("processes at work", *_processes(session, range(n))))
    if plan.seeds_by_command:
        table.rows.append(_jobs_row("the command", *_commands(session)))
    return table


def _jobs_row(name: str, one: list[float], two: list[float]) -> dict[str, Cell]:
    first, second = Sample(tuple(one)), Sample(tuple(two))
    times = ratio(second, first)
    return {"": name, "one job": first, "two jobs": second, "two / one": times}


def _processes(session: Session, seeds: range) -> tuple[list[float], list[float]]:
    """Seeds a minute of one process and of two, which have loaded their kernels."""
    plan = session.plan
    first = session.start(npvpg("npvpg", CARTPOLE))
    with pinned(session.cores[1]):
        second = session.start(npvpg("npvpg", CARTPOLE))
    assert first is not None
    assert second is not None
    one: list[float] = []
    two: list[float] = []
    with first, second:
        _seeds_per_minute([first, second], seeds[:1], plan.patience)
        for repetition in range(plan.repetitions):
            session.say(f"two jobs {repetition + 1}/{plan.repetitions}")
            one.append(_seeds_per_minute([first], seeds, plan.patience))
            two.append(_seeds_per_minute([first, second], seeds, plan.patience))
    return one, two


def _commands(session: Session) -> tuple[list[float], list[float]]:
    """Seeds a minute of the command with one job and with two."""
    n = session.plan.seeds_by_command
    one: list[float] = []
    two: list[float] = []
    for repetition in range(session.plan.repetitions):
        session.say(f"two jobs, the command {repetition + 1}/{session.plan.repetitions}")
        one.append(60 * n / over_seeds(n, 1))
        with pinned(*session.cores[:2]):
            two.append(60 * n / over_seeds(n, 2))
    return one, two


def _seeds_per_minute(workers: list[Worker], seeds: range, patience: float) -> float:
    """Let every worker train every seed, all workers at once."""
    settings = {"env": CARTPOLE, "changes": {}, "goal": GOAL, "max_seconds": patience}

    def train(worker: Worker) -> None:
        for seed in seeds:
            worker.ask("train", seed=seed, **settings)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(train, workers))
    return 60 * len(workers) * len(seeds) / (time.perf_counter() - began)
