"""Training Pendulum-v1: how soon the policy that samples holds the pole up, and does so well."""

from typing import Any

from verification.speed import contestants as who
from verification.speed.contestants import LEVELS, PENDULUM, Contestant
from verification.speed.session import Session
from verification.speed.tables import Cell, Table
from verification.speed.timing import Sample, ratio

OURS = "npvpg"


def contestants() -> list[Contestant]:
    """
    Name who is trained.

    Returns
    -------
    list of Contestant
        npvpg first.
    """
    return [
        who.npvpg(OURS, PENDULUM),
        who.npvpg("npvpg, PPO", PENDULUM, algorithm="ppo"),
        who.rl_tools(),
        who.sb3("PPO", PENDULUM, 4),
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
        One: how soon the last 100 training episodes have reached each level on average.
    """
    plan = session.plan
    runs: dict[str, list[dict[str, Any]]] = {}
    per_repetition = -(-plan.seeds // plan.trainings)
    for repetition in range(plan.trainings):
        for contestant in contestants():
            session.say(f"pendulum {repetition + 1}/{plan.trainings}: {contestant.name}")
            many = 1 if contestant.peer else per_repetition
            for seed in range(repetition * many, (repetition + 1) * many):
                worker = session.start(contestant)
                if worker is None:
                    break
                with worker:
                    limit = {"goal": LEVELS[-1], "max_seconds": plan.patience}
                    run = worker.ask("train", seed=seed, **limit, **contestant.settings)
                runs.setdefault(contestant.name, []).append(run)
    return [table(runs, plan.patience)]


def table(runs: dict[str, list[dict[str, Any]]], patience: float) -> Table:
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
    low, high = (f"{level:g}" for level in LEVELS)
    made = Table(
        "Training Pendulum-v1",
        f"Until the mean return of the last 100 training episodes has reached {low}, and {high}. "
        "Wall time of training alone: no imports, no compilation. npvpg: the presets; rl_tools: "
        "its example, 64 x 64, on its own Pendulum, linked with MKL; Stable-Baselines3: its zoo. "
        f"Stopped after {patience:g} s, or at the end of the run. "
        "Median (least–most); ratios with 95 % intervals.",
    )
    for name, those in runs.items():
        row: dict[str, Cell] = {
            "": name,
            "steps/s": Sample(tuple(run["steps"] / run["seconds"] for run in those)),
        }
        for level in LEVELS:
            took, steps = reached(those, level)
            ours, _ = reached(runs[OURS], level)
            row[f"reached {level:g}"] = f"{len(took.values)} of {len(those)}"
            row[f"steps to {level:g}"] = steps
            row[f"s to {level:g}"] = took
            row[f"times npvpg's to {level:g}"] = None if name == OURS else ratio(took, ours)
        made.rows.append(row)
    return made


def reached(runs: list[dict[str, Any]], level: float) -> tuple[Sample, Sample | None]:
    """
    Gather when runs of one contestant reached a level.

    Parameters
    ----------
    runs : list of dict
        The runs.
    level : float
        Mean return of the last 100 training episodes.

    Returns
    -------
    seconds : Sample
        Times [s], those of runs that ended below apart.
    steps : Sample or None
        Steps of those that reached it; None if none did.
    """
    first = [next((r for r in run["records"] if r[2] >= level), None) for run in runs]
    seconds = Sample(
        tuple(record[0] for record in first if record),
        tuple(run["seconds"] for run, record in zip(runs, first, strict=True) if not record),
    )
    steps = tuple(record[1] for record in first if record)
    return seconds, Sample(steps) if steps else None
