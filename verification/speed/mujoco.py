"""MuJoCo's environments: Gymnasium's own steps, and those compiled around MuJoCo's library."""

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from verification.speed.contestants import FLOORS, npvpg
from verification.speed.machine import pinned
from verification.speed.session import Session
from verification.speed.tables import Cell, Table
from verification.speed.timing import Sample, ratio
from verification.speed.worker import Worker

N_ENVS = 16
BARE, SERIAL, INLINE, PAIR = "bare env.step", "serial loop", "compiled", "two threads"
ONE, TWO, ASYNC = "one core", "two cores", "two cores, --async-envs"


def measure(session: Session) -> list[Table]:
    """
    Step every environment, and train in it.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        Steps alone, and whole training; none without MuJoCo.
    """
    if importlib.util.find_spec("mujoco") is None:
        session.skip("MuJoCo's environments", "mujoco")
        return []
    return [steps(session), training(session)]


def steps(session: Session) -> Table:
    """
    Measure steps at random, and nothing else.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    Table
        A row an environment.
    """
    table = Table(
        "MuJoCo's environments: steps alone",
        f"Steps/s of {N_ENVS} sub-environments at random actions, resets included: Gymnasium's "
        "own, one by one; those in npvpg's loop around them, which serves any environment; "
        "compiled around MuJoCo's library, on one thread and core, and on two threads and cores.",
    )
    kinds: dict[str, dict[str, Any]] = {
        BARE: {"kind": "one by one"},
        SERIAL: {"kind": "serial"},
        INLINE: {"kind": "compiled"},
        PAIR: {"kind": "compiled", "threads": 2},
    }
    with _workers(session, FLOORS) as (one, two):
        for env in session.plan.mujoco:
            found: dict[str, list[float]] = {name: [] for name in kinds}
            for repetition in range(-1, session.plan.repetitions):  # the first is not counted
                session.say(f"{env}, steps {repetition + 1}/{session.plan.repetitions}")
                for name, settings in kinds.items():
                    worker = two if name == PAIR else one
                    if worker is None:
                        continue
                    answer = worker.ask(
                        "env_steps",
                        env=env,
                        n_envs=N_ENVS,
                        seconds=session.plan.seconds,
                        **settings,
                    )
                    found[name].append(answer["steps"] / answer["seconds"])
            table.rows.append(_row(env, found, [(INLINE, BARE), (PAIR, INLINE)]))
    return table


def training(session: Session) -> Table:
    """
    Measure whole training.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    Table
        A row an environment.
    """
    table = Table(
        "MuJoCo's environments: whole training",
        f"Steps/s of training with {N_ENVS} sub-environments, updates included, with the preset "
        "of the environment if it has one: compiled, on one core and on two; Gymnasium's own "
        "environments, each in a process of its own, on two. Beside it bare steps on one core.",
    )
    ours = npvpg("npvpg", "")
    with _workers(session, FLOORS) as (bare, _), _workers(session, ours) as (one, two):
        for env in session.plan.mujoco:
            found: dict[str, list[float]] = {name: [] for name in (BARE, ONE, TWO, ASYNC)}
            for repetition in range(-1, session.plan.repetitions):
                session.say(f"{env}, training {repetition + 1}/{session.plan.repetitions}")
                assert bare is not None
                answer = bare.ask(
                    "env_steps",
                    env=env,
                    n_envs=N_ENVS,
                    kind="one by one",
                    seconds=session.plan.seconds,
                )
                found[BARE].append(answer["steps"] / answer["seconds"])
                for name, worker in ((ONE, one), (TWO, two), (ASYNC, two)):
                    if worker is None:
                        continue
                    answer = worker.ask(
                        "train",
                        env=env,
                        seed=0,
                        changes={"envs": N_ENVS, "async_envs": name == ASYNC},
                        max_seconds=session.plan.seconds,
                        at_least=2,
                    )
                    found[name].append(answer["steps"] / answer["seconds"])
            table.rows.append(_row(env, found, [(ONE, BARE), (TWO, ONE), (TWO, ASYNC)]))
    return table


@contextlib.contextmanager
def _workers(session: Session, who: Any) -> Iterator[tuple[Worker | None, Worker | None]]:
    """Start a process on one core, and another on two if there are two."""
    with contextlib.ExitStack() as stack:
        started = [session.start(who)]
        if len(session.cores) > 1:
            with pinned(*session.cores[:2]):
                started.append(session.start(who))
        one, *rest = [stack.enter_context(each) for each in started if each is not None]
        yield one, rest[0] if rest else None


def _row(env: str, found: dict[str, list[float]], ratios: list[tuple[str, str]]) -> dict[str, Cell]:
    """Put the samples of an environment side by side, and some of them in proportion."""
    samples = {name: Sample(tuple(values)) for name, values in found.items() if values}
    row: dict[str, Cell] = {"environment": env}
    row |= {name: samples.get(name) for name in found}
    for above, below in ratios:
        both = above in samples and below in samples
        row[f"{above} / {below}"] = ratio(samples[above], samples[below]) if both else None
    return row
