"""Training until CartPole-v1 is solved: how soon, and how soon from the start of the process."""

import tempfile
import time
from typing import Any

from verification.speed import contestants as who
from verification.speed.command import train
from verification.speed.contestants import CARTPOLE, GOAL, HIDDEN, Contestant
from verification.speed.session import Session
from verification.speed.tables import Cell, Table
from verification.speed.timing import Sample, ratio

OURS = "npvpg"
GYMNASIUM = "npvpg, Gymnasium's CartPole"
Run = dict[str, Any]


def contestants() -> list[Contestant]:
    """
    Name who is trained.

    Returns
    -------
    list of Contestant
        npvpg first.
    """
    return [
        who.npvpg(OURS, CARTPOLE),
        who.npvpg(GYMNASIUM, CARTPOLE, backend="gymnasium"),
        who.torch_vpg(CARTPOLE, 8),
        who.sb3("A2C", CARTPOLE, 8),
        who.sb3("PPO", CARTPOLE, 8),
        who.rejax(CARTPOLE),
    ]


def measure(session: Session) -> list[Table]:
    """
    Train every contestant in processes of its own, one after the other, again and again.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        Training alone, and from the start of the process.
    """
    plan = session.plan
    runs: dict[str, list[Run]] = {}
    commands: dict[str, list[dict[str, float | None]]] = {"warm": [], "cold": []}
    per_repetition = -(-plan.seeds // plan.trainings)
    train(0)  # whatever the disk has not cached yet
    for repetition in range(plan.trainings):
        for contestant in contestants():
            session.say(f"training {repetition + 1}/{plan.trainings}: {contestant.name}")
            many = per_repetition if contestant.name == OURS else 1
            for seed in range(repetition * many, (repetition + 1) * many):
                run = _train(session, contestant, seed)
                if run is not None:
                    runs.setdefault(contestant.name, []).append(run)
        session.say(f"training {repetition + 1}/{plan.trainings}: the command, warm and cold")
        commands["warm"].append(train(repetition))
        with tempfile.TemporaryDirectory() as cache:
            commands["cold"].append(train(repetition, cache=cache))
    session.curves = runs
    return [alone(runs, plan.patience), from_start(runs, commands)]


def _train(session: Session, contestant: Contestant, seed: int) -> Run | None:
    worker = session.start(contestant)
    if worker is None:
        return None
    with worker:
        began = time.perf_counter()
        run = worker.ask(
            "train",
            seed=seed,
            goal=GOAL,
            max_seconds=session.plan.patience,
            **contestant.settings,
        )
        total = worker.start_seconds + time.perf_counter() - began
    times = {"import_seconds": worker.start_seconds, "total_seconds": total}
    return {**run, **times, "seed": seed}


def alone(runs: dict[str, list[Run]], patience: float) -> Table:
    """
    Lay out the training, without imports and compilation.

    Parameters
    ----------
    runs : dict of list of dict
        Runs by contestant.
    patience : float
        Time after which a run was stopped [s].

    Returns
    -------
    Table
        A row a contestant.
    """
    table = Table(
        "Training CartPole-v1 until it is solved",
        f"Solved: the mean return of the last 100 training episodes has reached {GOAL:g}. Wall "
        "time of training alone: no imports, no compilation. Tanh networks of "
        f"{' x '.join(map(str, HIDDEN))} throughout. Stopped after {patience:g} s. "
        "Median (least–most); ratios with 95 % intervals.",
    )
    ours = time_to_solved(runs[OURS])
    for name, those in runs.items():
        solved = [run for run in those if run["solved_at"]]
        took = time_to_solved(those)
        row: dict[str, Cell] = {
            "": name,
            "steps/s": Sample(tuple(run["steps"] / run["seconds"] for run in those)),
            "solved": f"{len(solved)} of {len(those)}",
            "steps to solved": (
                Sample(tuple(run["solved_at"] for run in solved)) if solved else None
            ),
            "s to solved": took,
            "times npvpg's": None if name == OURS else ratio(took, ours),
            "peak MB": Sample(tuple(run["peak_megabytes"] for run in those)),
        }
        table.rows.append(row)
    return table


def time_to_solved(runs: list[Run], clock: str = "seconds") -> Sample:
    """
    Gather the times that runs took.

    Parameters
    ----------
    runs : list of dict
        Runs of one contestant.
    clock : str
        Which time of a run: "seconds", or "total_seconds" from the start of its process.

    Returns
    -------
    Sample
        Times [s], those of runs that were stopped apart.
    """
    times = [(run[clock], run["solved_at"]) for run in runs]
    return Sample(
        tuple(seconds for seconds, solved in times if solved),
        tuple(seconds for seconds, solved in times if not solved),
    )


def from_start(
    runs: dict[str, list[Run]], commands: dict[str, list[dict[str, float | None]]]
) -> Table:
    """
    Lay out whole processes.

    Parameters
    ----------
    runs : dict of list of dict
        Runs by contestant.
    commands : dict of list of dict
        Seconds to the verdict and to the end of ``npvpg train``, with warm and with cold caches.

    Returns
    -------
    Table
        A row for the command with warm caches, one with cold ones, one a peer.
    """
    table = Table(
        "From the start of the process to the verdict",
        "For npvpg the command `npvpg train CartPole-v1`, to its verdict and to the end of the "
        "process, which evaluates, saves and draws; cold: an empty Numba cache. For the peers "
        "imports, compilation and training.",
    )
    warm = _verdicts(commands["warm"])
    for kind, label in (("warm", "warm caches"), ("cold", "cold caches")):
        verdict = _verdicts(commands[kind])
        table.rows.append(
            {
                "": f"npvpg train, {label}",
                "imports s": None,
                "compilation s": None,
                "to the verdict s": verdict,
                "to the end s": Sample(tuple(one["end"] or 0.0 for one in commands[kind])),
                "times npvpg's, warm": None if kind == "warm" else ratio(verdict, warm),
            }
        )
    for name, those in runs.items():
        if name in (OURS, GYMNASIUM):
            continue
        total = time_to_solved(those, "total_seconds")
        compiles = any(run["setup_seconds"] for run in those)
        table.rows.append(
            {
                "": name,
                "imports s": Sample(tuple(run["import_seconds"] for run in those)),
                "compilation s": (
                    Sample(tuple(run["setup_seconds"] for run in those)) if compiles else None
                ),
                "to the verdict s": total,
                "to the end s": None,
                "times npvpg's, warm": ratio(total, warm),
            }
        )
    return table


def _verdicts(commands: list[dict[str, float | None]]) -> Sample:
    """Times to the verdict; a command that ended without "solved" counts as stopped."""
    ends = [(one["verdict"], one["end"] or 0.0) for one in commands]
    return Sample(
        tuple(verdict for verdict, _ in ends if verdict is not None),
        tuple(end for verdict, end in ends if verdict is None),
    )
