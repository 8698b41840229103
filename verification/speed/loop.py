"""The whole loop: beside the limit of its arithmetic, beside bare environments and the peers."""

import contextlib
import dataclasses
import importlib.util
from typing import Any

from npvpg.runs import config_file
from npvpg.runs.config import Config
from verification.speed import contestants as who
from verification.speed.contestants import CARTPOLE, CHEETAH, FLOORS, Contestant
from verification.speed.session import Session
from verification.speed.tables import Table
from verification.speed.timing import Sample, ratio
from verification.speed.worker import MissingPackageError, Worker

OURS, A2C = "npvpg", "Stable-Baselines3 A2C"
ONE_BY_ONE, VECTOR = "bare step, one by one", "bare step, vector environment"
KINDS = {ONE_BY_ONE: "one by one", VECTOR: "vector"}


def measure(session: Session) -> list[Table]:
    """
    Run whole loops for a while each, in turn.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        The compiled loop beside its limit; loops on Gymnasium's own environments.
    """
    return [compiled(session), gymnasium(session)]


def compiled(session: Session) -> Table:
    """
    Measure the loop on the compiled CartPole beside its matrix products and tanh alone.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    Table
        A row a variant of the preset.
    """
    plan, preset = session.plan, Config(CARTPOLE, **config_file.preset(CARTPOLE))
    wide = Config(CARTPOLE, hidden=(64, 64), envs=8, horizon=64)
    variants = [
        dataclasses.replace(network, value_steps=passes, dtype=dtype)
        for dtype in ("float32", "float64")
        for network, passes in ((wide, 10), (wide, 5), (preset, preset.value_steps))
    ]
    loops: list[list[float]] = [[] for _ in variants]
    limits: list[list[float]] = [[] for _ in variants]
    ours, floors = session.start(who.npvpg(OURS, CARTPOLE)), session.start(FLOORS)
    assert ours is not None
    assert floors is not None
    with ours, floors:
        for repetition in range(plan.repetitions):
            session.say(f"compiled loop {repetition + 1}/{plan.repetitions}")
            for variant, loop, limit in zip(variants, loops, limits, strict=True):
                same = {
                    "hidden": variant.hidden,
                    "value_steps": variant.value_steps,
                    "dtype": variant.dtype,
                }
                changes = {**same, "envs": variant.envs, "horizon": variant.horizon}
                run = _run(ours, CARTPOLE, changes, plan.seconds)
                loop.append(run["steps"] / run["seconds"])
                n_rows = variant.envs * variant.horizon
                bare = floors.ask(
                    "update", n_obs=4, n_act=2, n_rows=n_rows, **same, seconds=plan.seconds
                )
                limit.append(bare["steps"] / bare["seconds"])
    table = Table(
        "Whole loop, compiled CartPole-v1",
        "One policy pass; the third row of each precision has the network, the batch and the "
        "passes of the preset. The limit: only the matrix products and tanh of acting, of the "
        "values, of the policy's pass and of the value's passes, on whole batches, into memory "
        "that is there already.",
    )
    for variant, loop, limit in zip(variants, loops, limits, strict=True):
        ours_, limit_ = Sample(tuple(loop)), Sample(tuple(limit))
        table.rows.append(
            {
                "networks": " x ".join(map(str, variant.hidden)),
                "batch": f"{variant.envs} x {variant.horizon}",
                "value passes": variant.value_steps,
                "precision": variant.dtype,
                "steps/s": ours_,
                "limit, steps/s": limit_,
                "share of the limit": ratio(ours_, limit_),
            }
        )
    return table


def _run(worker: Worker, env: str, changes: dict[str, Any], seconds: float) -> dict[str, Any]:
    return worker.ask("train", env=env, seed=0, changes=changes, max_seconds=seconds, at_least=2)


def groups(peer_steps: float) -> list[tuple[str, int, list[Contestant]]]:
    """
    Name the environments, and who runs on them.

    Parameters
    ----------
    peer_steps : float
        Factor of the steps of Stable-Baselines3, which cannot be stopped between two updates.

    Returns
    -------
    list of (str, int, list of Contestant)
        Environment, sub-environments, contestants. The batch is the preset's throughout.
    """

    def sb3(algorithm: str, env: str, n_envs: int, n_steps: int) -> Contestant:
        return who.sb3(algorithm, env, n_envs, round(n_steps * peer_steps))

    own = {"backend": "gymnasium"}
    preset = Config(CARTPOLE, **config_file.preset(CARTPOLE))
    rows = preset.envs * preset.horizon
    return [
        (
            CARTPOLE,
            8,
            [
                who.npvpg(OURS, CARTPOLE, **own, envs=8, horizon=rows // 8),
                who.torch_vpg(CARTPOLE, 8),
                sb3("A2C", CARTPOLE, 8, 16_384),
                sb3("PPO", CARTPOLE, 8, 8192),
            ],
        ),
        (
            CARTPOLE,
            1,
            [
                who.npvpg(OURS, CARTPOLE, **own, envs=1, horizon=rows),
                who.torch_vpg(CARTPOLE, 1),
                sb3("A2C", CARTPOLE, 1, 2048),
                sb3("PPO", CARTPOLE, 1, 4096),
            ],
        ),
        (CHEETAH, 8, [who.npvpg(OURS, CHEETAH, **own), sb3("A2C", CHEETAH, 8, 8192)]),
    ]


def gymnasium(session: Session) -> Table:
    """
    Measure loops on Gymnasium's own environments.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    Table
        A row a contestant and environment.
    """
    table = Table(
        "Whole loop, Gymnasium's own environments",
        "Steps/s over all sub-environments, updates included. Bare step: random actions and "
        "resets, nothing else. npvpg and PyTorch VPG: the preset; Stable-Baselines3: the settings "
        "of its zoo for CartPole with 8, its defaults otherwise, on the same networks throughout. "
        "Share: of the bare steps of a vector environment.",
    )
    for env, n_envs, contestants in groups(session.plan.peer_steps):
        if env == CHEETAH and importlib.util.find_spec("mujoco") is None:
            session.skip(env, "mujoco")
            continue
        samples = _race(session, env, n_envs, contestants)
        for name, sample in samples.items():
            bare = name in KINDS
            table.rows.append(
                {
                    "environment": env,
                    "sub-environments": n_envs,
                    "": name,
                    "steps/s": sample,
                    "times Stable-Baselines3 A2C": (
                        None
                        if bare or name == A2C or A2C not in samples
                        else ratio(sample, samples[A2C])
                    ),
                    "share of bare steps": None if bare else ratio(sample, samples[VECTOR]),
                }
            )
    return table


def _race(
    session: Session, env: str, n_envs: int, contestants: list[Contestant]
) -> dict[str, Sample]:
    """Everybody's process at once, everybody in turn."""
    plan = session.plan
    found: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        floors = session.start(FLOORS)
        assert floors is not None
        stack.enter_context(floors)
        modules: dict[str, Worker | None] = {}
        workers: dict[str, Worker] = {}
        for one in contestants:
            if one.module not in modules:
                started = session.start(one)
                modules[one.module] = started and stack.enter_context(started)
            worker = modules[one.module]
            if worker is None:
                session.start(one)  # notes that it is missing as well
            else:
                workers[one.name] = worker
        for repetition in range(-1, plan.repetitions):  # the first one is not counted
            session.say(f"{env} x {n_envs} {repetition + 1}/{plan.repetitions}")
            for name, kind in KINDS.items():
                settings = {"env": env, "n_envs": n_envs, "kind": kind, "seconds": plan.seconds}
                answer = floors.ask("env_steps", **settings)
                found.setdefault(name, []).append(answer["steps"] / answer["seconds"])
            for one in contestants:
                if one.name not in workers:
                    continue
                limit = {} if one.module == "sb3" else {"max_seconds": plan.seconds}
                try:
                    run = workers[one.name].ask("train", seed=0, **limit, **one.settings)
                except MissingPackageError as missing:
                    session.skip(f"{one.name} on {env}", str(missing))
                    del workers[one.name]
                    continue
                found.setdefault(one.name, []).append(run["steps"] / run["seconds"])
    return {name: Sample(tuple(speeds[1:])) for name, speeds in found.items()}
