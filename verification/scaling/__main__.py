"""
Measure how training with workers scales: ``python -m verification.scaling`` (extra ``ray``).

Clusters are started on this machine, for the loopback address alone, and ended. With ``--kills``
and ``--nodes`` that many workers and nodes are killed in the middle of updates instead, and the run
must come to what it comes to in one process.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from npvpg.jobs import cluster, run
from npvpg.loop import iterate
from npvpg.runs import environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.files import write_atomically
from verification.scaling import kills, measure, simulate
from verification.speed.tables import Table

OUT = Path("proofs/scaling")


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Its words.

    Returns
    -------
    int
        0; 1 if a run in which something was killed came to something else.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.scaling", description=__doc__)
    add = parser.add_argument
    add("--kills", type=int, default=0, metavar="N", help="workers to kill")
    add("--nodes", type=int, default=0, metavar="N", help="nodes to kill")
    add("--batches", type=int, default=20, metavar="N", help="of each measurement (default 20)")
    add("--out", type=Path, default=OUT, metavar="DIR", help=f"where to write (default {OUT})")
    asked = parser.parse_args(argv)
    try:
        cluster.need_ray()
    except ValueError as error:
        parser.error(str(error))
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the loopback address alone
    if asked.kills or asked.nodes:
        return _kill(asked.kills, asked.nodes)
    tables = _measure(asked.batches)
    asked.out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(table.markdown() for table in tables)
    print(text)
    write_atomically(asked.out / "scaling.md", text.encode())
    numbers = json.dumps([table.json() for table in tables], indent=2)
    write_atomically(asked.out / "scaling.json", numbers.encode())
    return 0


def _measure(n: int) -> list[Table]:
    """Measure, and simulate what was not."""
    costs = measure.costs((64, 128, 256, 512), n)
    tables = [measure.table_of_costs(costs)]
    serve = costs[0].overhead.median
    for name, config, workers in (
        ("HalfCheetah-v5", measure.CHEETAH, (1, 2, 4)),
        ("5 ms a step", measure.WAITING, (1, 2, 4, 8)),
    ):
        tables.append(measure.table_of(name, config, workers, n))
        steps = config.envs * config.horizon
        rate = measure.scaling(config, (), n)[0]
        play = np.array([steps / each for each in rate.values])
        load = simulate.Load(play, serve, learning(config), steps)
        tables.append(simulate.table_of(name, load))
    return tables


def learning(config: Config, n_updates: int = 10) -> float:
    """
    Measure an update, without the collecting.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    n_updates : int
        How many updates.

    Returns
    -------
    float
        Time by step of the batch [s].
    """
    quick = Config(**{**vars(config), "steps": 10**9, "env": "Pendulum-v1", "env_arg": {}})
    made = environments.make_for(quick)
    algorithm = build(quick, made)
    spent: list[float] = []
    update = type(algorithm).update

    def timed(*given: object) -> object:
        began = time.perf_counter()
        result = update(*given)  # type: ignore[arg-type]
        spent.append(time.perf_counter() - began)
        return result

    with mock.patch.object(type(algorithm), "update", timed):
        turns = iterate(made, algorithm, seed=1, n_steps=10**9, dtype=np.dtype(quick.dtype))
        for _ in range(n_updates + 2):
            next(turns)
    made.close()
    return float(np.median(spent[2:])) / (config.envs * config.horizon)


def _kill(n_workers: int, n_nodes: int) -> int:
    """Kill workers and nodes, and compare."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra

    made: Any = Cluster(initialize_head=True, head_node_args=kills.NODE)
    code = 0
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder)
            if n_workers:
                asked = kills.config(path / "die", n_workers + 1)
                want = _alone(asked, path / "alone")
                lost = kills.workers(asked, path / "run", made.address, 3)
                same = kills.numbers(path / "run") == want
                code |= _tell(f"{n_workers} workers killed, {lost} lost", same=same)
        with TemporaryDirectory() as folder:
            path = Path(folder)
            asked = kills.config(path / "die", 3, 20.0)
            want = _alone(asked, path / "alone") if n_nodes else {}
            for number in range(n_nodes):
                there = path / str(number)
                lost = kills.node(asked, there, made, 4)
                same = kills.numbers(there) == want and lost > 0
                code |= _tell(f"node {number + 1} killed, {lost} workers lost", same=same)
    finally:
        made.shutdown()
    return code


def _alone(asked: Config, path: Path) -> dict[str, bytes]:
    """Train in one process, in which nothing is killed."""
    run.train(asked, RunDirectory(path))
    return kills.numbers(path)


def _tell(what: str, *, same: bool) -> int:
    """Say what became of a run."""
    told = "the same" if same else "DIFFERENT"
    print(f"{what}: state, metrics and episodes are {told}", flush=True)
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
