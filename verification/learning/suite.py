"""Train a list of environments over seeds into a folder, and go on with what is there."""

from collections.abc import Mapping
from pathlib import Path

from npvpg.jobs import group_run
from npvpg.jobs.interrupt import Interrupts
from npvpg.jobs.pool import Workers
from npvpg.runs import config_file
from npvpg.runs import seeds as words
from npvpg.runs.changes import differences
from npvpg.runs.config import Config
from npvpg.runs.group import GroupDirectory
from npvpg.show.board import Board

SUITE = {
    "Hopper-v5": 5,
    "HalfCheetah-v5": 5,
    "Walker2d-v5": 5,
    "Swimmer-v5": 5,
    "Ant-v5": 5,
    "LunarLander-v3": 10,
    "LunarLanderContinuous-v3": 10,
    "Pendulum-v1": 10,
    "Acrobot-v1": 10,
    "CartPole-v1": 10,
    "InvertedPendulum-v5": 5,
    "Reacher-v5": 5,
    "MountainCarContinuous-v0": 10,
    "MountainCar-v0": 10,
}


def configuration(env: str, steps: int | None = None) -> Config:
    """
    Give the preset of an environment, trained to its end.

    Parameters
    ----------
    env : str
        Environment.
    steps : int, optional
        Steps in place of the preset's.

    Returns
    -------
    Config
        The configuration; it does not stop when the environment is solved.
    """
    values = config_file.preset(env) | ({} if steps is None else {"steps": steps})
    return Config(env, **{**values, "stop_when_solved": False})


def carry_out(
    folder: Path, suite: Mapping[str, int], n_jobs: int, *, steps: int | None = None
) -> dict[str, str]:
    """
    Train what is missing of a suite; what is finished is left as it is, the rest goes on.

    Parameters
    ----------
    folder : Path
        Where the group of each environment lies, under its name.
    suite : mapping of str to int
        Number of seeds by environment: 0, 1, 2 ... are trained, so that none can be chosen.
    n_jobs : int
        Runs side by side.
    steps : int, optional
        Steps in place of the presets'.

    Returns
    -------
    dict of str to str
        Why the run of "ENV/seed-N" has no end.

    Raises
    ------
    ValueError
        If a folder holds runs of other seeds or of another configuration than is asked for.
    Interrupted
        If a signal came; all runs can go on.
    """
    for env, n_seeds in suite.items():
        _check(folder / env, configuration(env, steps), tuple(range(n_seeds)))
    failed: dict[str, str] = {}
    for env, n_seeds in suite.items():
        group, seeds = GroupDirectory(folder / env), tuple(range(n_seeds))
        if group.exists() and not group.unfinished(seeds) and group.summary.is_file():
            print(f"{env}: finished")
            continue
        with Interrupts() as stops, Workers(min(n_jobs, n_seeds)) as workers:
            summary = group_run.train(
                configuration(env, steps),
                seeds,
                group,
                workers,
                stops,
                resume=group.exists(),
                board=Board(),
            )
        failed |= {f"{env}/seed-{seed}": why for seed, why in summary["failed"].items()}
    return failed


def _check(path: Path, config: Config, seeds: tuple[int, ...]) -> None:
    """Refuse to go on with what is something else."""
    group = GroupDirectory(path)
    if not group.exists():
        return
    there, has = group.read()
    if has != seeds:
        raise ValueError(f"{path} must hold seeds 0 to {len(seeds) - 1}, got {words.text(has)}")
    changed = differences(there, config)
    if changed:
        raise ValueError(f"{path} must hold runs of the preset, got another {', '.join(changed)}")
