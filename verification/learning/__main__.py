"""
Train the preset of an environment over seeds: ``python -m verification.learning CartPole-v1``.

Prints a row per seed and the summary. Seeds run in two processes; no number depends on that.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from npvpg.vpg import RECENT
from verification.learning.seeds import GOALS, one_seed


def main() -> None:
    """Read the command line, train, print."""
    parser = argparse.ArgumentParser(prog="python -m verification.learning", description=__doc__)
    parser.add_argument("env", choices=sorted(GOALS))
    parser.add_argument("--seeds", type=int, default=5, help="train seeds 0 ... SEEDS - 1")
    parser.add_argument("--steps", type=int, default=None, help="in place of the preset's")
    parser.add_argument("--whole", action="store_true", help="go on after the goal is reached")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    given = parser.parse_args()
    print(f"{given.env}: mean return of the last {RECENT} training episodes >= {GOALS[given.env]}")
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(one_seed, given.env, seed, given.steps, whole=given.whole)
            for seed in range(given.seeds)
        ]
        results = [job.result() for job in jobs]
    for row in results:
        at = "not reached" if row.reached is None else f"at {row.reached:>9,}"
        print(f"seed {row.seed:2d}  {at:12}  final {row.final:8.1f}  greedy {row.greedy:8.1f}")
    steps = [row.reached if row.reached is not None else np.inf for row in results]
    n_reached = int(np.isfinite(steps).sum())
    print(
        f"reached {n_reached} of {len(results)}, median {np.median(steps):,.0f} steps, "
        f"most {max(steps):,.0f}; final mean {np.mean([r.final for r in results]):.1f}; "
        f"{np.median([r.seconds for r in results]):.2f} s a seed"
    )


if __name__ == "__main__":
    main()
