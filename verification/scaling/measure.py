"""Steps per second with more workers, and what a worker costs an update."""

import pickle
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from npvpg.jobs import cluster, ray_crew
from npvpg.jobs.remote import packed
from npvpg.runs import environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.config_file import configure
from npvpg.world.actor import Actor
from npvpg.world.engine import Task
from npvpg.world.local import LocalCrew
from npvpg.world.position import Position
from npvpg.world.split import Crew, Part, Split
from npvpg.world.streams import SEED_BITS, Purpose
from verification.speed.tables import Table
from verification.speed.timing import Sample

PLAY = Task(Purpose.ACTION, 0, n_steps=64)
WAITING = configure(
    "verification.scaling.worlds:Waiting", envs=8, horizon=16, hidden=(64, 64), seed=1
)
CHEETAH = configure(
    "HalfCheetah-v5", backend="gymnasium", envs=8, horizon=64, hidden=(64, 64), seed=1
)
CARTPOLE = configure("CartPole-v1", envs=8, horizon=64, seed=1)


class Cost(NamedTuple):
    """
    What a network of some width costs.

    Attributes
    ----------
    width : int
        Width of both hidden layers.
    there, back : int
        What travels to a worker, and back from it [B].
    overhead : Sample
        Time of playing elsewhere beyond that of playing here [s].
    """

    width: int
    there: int
    back: int
    overhead: Sample


@contextmanager
def engine(crew: Crew, config: Config) -> Iterator[tuple[Split, Actor]]:
    """
    Make the engine of a run, and an actor.

    Parameters
    ----------
    crew : Crew
        Where workers come from.
    config : Config
        Configuration of the run.

    Yields
    ------
    tuple of Split and Actor
        The engine, and the policy of the run before its first update.
    """
    with closing(environments.make_for(config, 1)) as env:
        algorithm = build(config, env)
    learner = algorithm.init(config.seed, np.dtype(config.dtype))
    policy, theta = algorithm.acting(learner, 0.0)
    with closing(crew):
        yield Split(crew, config.envs, seed=config.seed, seed_bits=SEED_BITS), Actor(policy, theta)


def times(split: Split, actor: Actor, config: Config, n: int) -> list[float]:
    """
    Collect batches, after two that warm up.

    Parameters
    ----------
    split : Split
        The engine.
    actor : Actor
        What acts.
    config : Config
        Configuration of the run.
    n : int
        How many batches.

    Returns
    -------
    list of float
        Wall time of each [s].
    """
    position, found = Position.initial(config.envs), []
    for iteration in range(n + 2):
        began = time.perf_counter()
        task = Task(Purpose.ACTION, iteration, n_steps=config.horizon)
        played = split.play(actor, position, task)
        found.append(time.perf_counter() - began)
        position = position._replace(episode=played.episode, obs=played.current)
    return found[2:]


def scaling(config: Config, workers: tuple[int, ...], n: int) -> dict[int, Sample]:
    """
    Measure steps per second of collecting.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    workers : tuple of int
        Numbers of workers.
    n : int
        Batches of each.

    Returns
    -------
    dict of Sample
        Steps per second, by number of workers; 0 for this process alone.
    """
    found = {}
    steps = config.envs * config.horizon
    for count in (0, *workers):
        with cluster.connected(None, count) if count else nullcontext() as at:
            crew: Crew = LocalCrew(lambda m: environments.make_for(config, m), 1)
            if at is not None:
                crew = ray_crew.RayCrew(at, config, count)
            with engine(crew, config) as (split, actor):
                found[count] = Sample(tuple(steps / t for t in times(split, actor, config, n)))
    return found


def costs(widths: tuple[int, ...], n: int, config: Config = CARTPOLE) -> list[Cost]:
    """
    Measure what travels in an update of one worker, and how long that takes.

    Parameters
    ----------
    widths : tuple of int
        Widths of both hidden layers.
    n : int
        Batches of each.
    config : Config
        Configuration of the run, whose environment takes next to no time.

    Returns
    -------
    list of Cost
        A row a width.
    """
    rows = []
    with cluster.connected(None, 1) as at:
        for width in widths:
            wide = Config(**{**vars(config), "hidden": (width, width)})

            def make(m: int, wide: Config = wide) -> Any:
                return environments.make_for(wide, m)

            with (
                engine(LocalCrew(make, 1), wide) as (here, actor),
                engine(ray_crew.RayCrew(at, wide, 1), wide) as (there, _),
            ):
                for split in (there, here):  # warm
                    times(split, actor, wide, 1)
                by_turns = [(once(there, actor, wide), once(here, actor, wide)) for _ in range(n)]
                overhead = Sample(tuple(max(a - b, 0.0) for a, b in by_turns))
                rows.append(Cost(width, *sizes(actor, wide), overhead))
    return rows


def once(split: Split, actor: Actor, config: Config) -> float:
    """
    Collect one batch from the beginning of episodes, in an engine that is warm.

    Parameters
    ----------
    split : Split
        The engine.
    actor : Actor
        What acts.
    config : Config
        Configuration of the run.

    Returns
    -------
    float
        Wall time [s].
    """
    began = time.perf_counter()
    split.play(actor, Position.initial(config.envs), PLAY)
    return time.perf_counter() - began


def sizes(actor: Actor, config: Config) -> tuple[int, int]:
    """
    Count the bytes of an update that one worker plays.

    Parameters
    ----------
    actor : Actor
        What acts.
    config : Config
        Configuration of the run.

    Returns
    -------
    there, back : int
        To the worker, and from it [B].
    """
    crew = LocalCrew(lambda m: environments.make_for(config, m), 1)
    with engine(crew, config) as (split, _):
        task = Task(Purpose.ACTION, 0, n_steps=config.horizon)
        played = split.play(actor, Position.initial(config.envs), task)
    part = Part(0, config.envs, config.seed, SEED_BITS, 1)
    place = part.of(Position.initial(config.envs), history=False)
    place = place._replace(obs=played.current)
    return len(pickle.dumps((actor, place, task, False))), len(pickle.dumps(packed(played)))


def table_of(name: str, config: Config, workers: tuple[int, ...], n: int) -> Table:
    """
    Measure how collecting scales on an environment.

    Parameters
    ----------
    name : str
        What it is called.
    config : Config
        Configuration of the run.
    workers : tuple of int
        Numbers of workers.
    n : int
        Batches of each.

    Returns
    -------
    Table
        A row a number of workers.
    """
    found = scaling(config, workers, n)
    notes = (
        f"{config.envs} sub-environments, {config.horizon} steps of each a batch, 64 x 64; {n} "
        "batches. Collecting alone: the update is made by the driver, whatever the workers. 0 is "
        "this process, without a cluster."
    )
    table = Table(f"Scaling: {name}", notes)
    for count, rate in found.items():
        times_one = rate.median / found[1].median
        table.rows.append(
            {"workers": count, "steps/s": rate, "times one worker": f"{times_one:.2f}"}
        )
    return table


def table_of_costs(found: list[Cost]) -> Table:
    """
    Show what workers cost.

    Parameters
    ----------
    found : list of Cost
        What `costs` measured.

    Returns
    -------
    Table
        A row a width.
    """
    notes = (
        "One worker plays 8 sub-environments for 64 steps of compiled CartPole, and this process "
        "the same by turns; the overhead is the difference of a pair."
    )
    table = Table("What travels, and what that takes", notes)
    for row in found:
        milliseconds = Sample(tuple(1e3 * value for value in row.overhead.values))
        table.rows.append(
            {
                "hidden": f"{row.width} x {row.width}",
                "bytes there": row.there,
                "bytes back": row.back,
                "overhead, ms": milliseconds,
            }
        )
    return table
