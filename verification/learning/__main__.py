"""
Train presets over seeds, and write down what they reach.

``python -m verification.learning CartPole-v1`` trains one preset, and prints a row per seed and
the summary. ``--train DIR`` trains every environment of the suite, or those that are named, into a
folder, where it goes on with what is unfinished and leaves the rest. ``--write DIR`` puts what is
finished in such a folder into docs/results.md and docs/results.png.

Runs go side by side in several processes; no number depends on how many.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from npvpg.jobs.interrupt import Interrupted
from npvpg.recent import RECENT
from verification.learning import report, suite
from verification.learning.seeds import GOALS, one_seed

PAGE = Path("docs/results.md")


def parser() -> argparse.ArgumentParser:
    """
    Describe the command line.

    Returns
    -------
    argparse.ArgumentParser
        Its errors take one line after the usage and exit with 2.
    """
    described = argparse.ArgumentParser(
        prog="python -m verification.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = described.add_argument
    add("envs", nargs="*", metavar="ENV", help=f"one of {', '.join(suite.SUITE)}")
    add("--train", type=Path, metavar="DIR", help="train into this folder")
    add("--write", type=Path, metavar="DIR", help="write down what this folder holds")
    add("--page", type=Path, default=PAGE, help=f"where (default {PAGE})")
    add("--seeds", type=int, default=None, help="train seeds 0 ... SEEDS - 1")
    add("--steps", type=int, default=None, help="in place of the preset's")
    add("--whole", action="store_true", help="one preset: go on after the goal is reached")
    add("--jobs", type=int, default=2, help="processes")
    return described


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the name of the command; those of the process if not given.

    Returns
    -------
    int
        Exit code: 0; 1 if a run failed.
    """
    described = parser()
    given = described.parse_args(argv)
    for name in ("seeds", "steps", "jobs"):
        if getattr(given, name) is not None and getattr(given, name) < 1:
            described.error(f"--{name} must be at least 1, got {getattr(given, name)}")
    known = GOALS if given.train is None and given.write is None else suite.SUITE
    for env in given.envs:
        if env not in known:
            described.error(f"ENV must be one of {', '.join(known)}, got {env}")
    envs = given.envs or list(suite.SUITE)
    if known is GOALS:
        if len(given.envs) != 1:
            described.error(f"ENV must be one without --train or --write, got {len(given.envs)}")
        one_preset(given.envs[0], given.seeds or 5, given.steps, given.jobs, whole=given.whole)
        return 0
    failed = {}
    try:
        if given.train is not None:
            seeds = {env: given.seeds or suite.SUITE[env] for env in envs}
            failed = suite.carry_out(given.train, seeds, given.jobs, steps=given.steps)
        if given.write is not None:
            print(report.write(given.write, given.page, envs))
    except (ValueError, OSError) as error:
        described.error(str(error))
    except Interrupted as stopped:
        print(f"{stopped}; the same command goes on", file=sys.stderr)
        return 128 + stopped.signum
    for run, text in failed.items():
        print(f"{run} failed: {text}", file=sys.stderr)
    return 1 if failed else 0


def one_preset(env: str, n_seeds: int, steps: int | None, n_jobs: int, *, whole: bool) -> None:
    """
    Train one preset over seeds and print what it reaches.

    Parameters
    ----------
    env : str
        Environment, one that has a goal.
    n_seeds : int
        Number of seeds.
    steps : int or None
        Steps in place of the preset's.
    n_jobs : int
        Processes.
    whole : bool
        Go on after the goal is reached.
    """
    print(f"{env}: mean return of the last {RECENT} training episodes >= {GOALS[env]}")
    with ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(one_seed, env, seed, steps, whole=whole) for seed in range(n_seeds)]
        results = [job.result() for job in jobs]
    for row in results:
        at = "not reached" if row.reached is None else f"at {row.reached:>9,}"
        print(f"seed {row.seed:2d}  {at:12}  final {row.final:8.1f}  greedy {row.greedy:8.1f}")
    reached = [row.reached if row.reached is not None else np.inf for row in results]
    n_reached = int(np.isfinite(reached).sum())
    print(
        f"reached {n_reached} of {len(results)}, median {np.median(reached):,.0f} steps, "
        f"most {max(reached):,.0f}; final mean {np.mean([r.final for r in results]):.1f}; "
        f"{np.median([r.seconds for r in results]):.2f} s a seed"
    )


if __name__ == "__main__":
    sys.exit(main())
