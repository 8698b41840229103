"""One update of a run taken apart: what every step of its batch has in the gradient."""

import csv
import io
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.gradient import half_cosine
from npvpg.kernels import returns
from npvpg.lab.contributions import Contributions, contributions
from npvpg.lab.variance import GradientVariance, gradient_variance, trajectory_gradients
from npvpg.loop import initial_state, iterate
from npvpg.optimizers import global_norm
from npvpg.policy import Policy, PolicyAt
from npvpg.runs import beginning
from npvpg.runs.evaluation import Trained
from npvpg.runs.files import write_atomically
from npvpg.state import TrainState
from npvpg.world.actor import Actor
from npvpg.world.vector import SeededVectorEnv

COLUMNS = ("trajectory", "step", "action", "log_prob", "weight", "score_norm", "share")


class Explained(NamedTuple):
    """
    An update, and what it is made of.

    Attributes
    ----------
    update : int
        Its number, from 1.
    batch : Batch
        What it learns from.
    psi : ndarray of float64, shape (S,)
        Weight of every step [reward].
    grad : ndarray of float64, shape (P,)
        Gradient of the policy.
    parts : Contributions
        What every step has in it.
    variance : GradientVariance or None
        Of the gradient of one trajectory; None of fewer than three.
    agreement : float
        Cosine of the gradients of the two halves of the batch, every other trajectory.
    policy : Policy
        The policy that acted.
    theta : ndarray of float64, shape (P,)
        Its parameters.
    factor : ndarray of float64, shape (S,)
        What every weight is multiplied by in the gradient.
    entropy_weight : float
        What every entropy is multiplied by in it.
    """

    update: int
    batch: Batch
    psi: NDArray[np.float64]
    grad: NDArray[np.float64]
    parts: Contributions
    variance: GradientVariance | None
    agreement: float
    policy: Policy
    theta: NDArray[np.float64]
    factor: NDArray[np.float64]
    entropy_weight: float


def explain(
    at: Trained, update: int | None = None, logged: NDArray[np.float64] | None = None
) -> Explained:
    """
    Take an update of a run apart, in double precision.

    Parameters
    ----------
    at : Trained
        The run.
    update : int, optional
        Number of the update, from 1: it is trained again as far as that. By default the one that
        would follow its last checkpoint.
    logged : ndarray of float64, shape (rows,), optional
        Lengths of the gradients of the updates that were made, as `metrics.csv` has them, which
        that of the update must equal to the last bit.

    Returns
    -------
    Explained
        The update.

    Raises
    ------
    ValueError
        If the run has no such update, or cannot be made again as it was.
    """
    state = at.state if update is None else _before(at, update)
    algorithm, config = at.algorithm, at.config
    driver = SeededVectorEnv(at.env, config.seed, seed_bits=state.position.seed_bits)
    driver.return_to(state.position)
    fraction = min(state.steps / config.steps, 1.0)
    policy, theta = algorithm.acting(state.learner, fraction)
    moments = state.obs_moments if algorithm.collect.normalize_obs else None
    batch = algorithm.collect(
        driver, Actor(policy, theta, moments), state.position, iteration=state.iteration
    ).batch
    if logged is not None and len(logged) > state.iteration:
        *_, grad = _gradient(at, state, policy, theta, batch)
        now, then = global_norm(grad), logged[state.iteration]
        if now != then:
            raise ValueError(
                f"update {state.iteration + 1} cannot be made again: its gradient had the length "
                f"{then:.6g}, and has {now:.6g}; was the run extended, or made by another version?"
            )
    theta = theta.astype(np.float64)
    batch = replace(
        batch, obs=batch.obs.astype(np.float64), last_obs=batch.last_obs.astype(np.float64)
    )
    pi, psi, grad = _gradient(at, state, policy, theta, batch)
    weigh, count = algorithm.weigh, algorithm.weigh.count(batch)
    factor = np.full(batch.n_steps, 1 / count)
    if weigh.discount is not None:
        factor = factor * returns.discount_weights(batch.start, weigh.discount)
    entropy_weight = algorithm.policy_step.entropy_weight / count
    parts = contributions(pi, batch, psi * factor, grad, entropy_weight)
    each = trajectory_gradients(policy, theta, batch, psi, discount=weigh.discount)
    return Explained(
        state.iteration + 1,
        batch,
        psi,
        grad,
        parts,
        gradient_variance(each) if len(each) > 2 else None,
        half_cosine(pi, batch, psi, discount=weigh.discount),
        policy,
        theta,
        factor,
        entropy_weight,
    )


def _gradient(
    at: Trained, state: TrainState, policy: Policy, theta: NDArray[Any], batch: Batch
) -> tuple[PolicyAt, NDArray[np.float64], NDArray[Any]]:
    """Do as the update does, in the precision of `theta`: policy, weights, gradient."""
    algorithm, learner = at.algorithm, state.learner
    phi = learner.phi.astype(theta.dtype)
    val, last = (algorithm.value.at(phi, obs).values for obs in (batch.obs, batch.last_obs))
    psi = algorithm.weigh(batch, val, last, learner.return_moments).psi
    pi = policy.at(theta, batch.obs)
    return pi, psi, algorithm.policy_step.gradient(pi, batch, psi, algorithm.weigh)


def _before(at: Trained, update: int) -> TrainState:
    """Train again to just before an update."""
    checks.at_least(1, update=update)
    config = at.config
    if update > at.state.iteration + 1:
        last = at.state.iteration + 1
        raise ValueError(f"update must be at most {last}, the next of this run, got {update}")
    seed, dtype = config.seed, np.dtype(config.dtype)
    if config.init_from:
        first = beginning.state(config, at.algorithm, at.env)
    else:
        first = initial_state(at.algorithm, n_envs=config.envs, seed=seed, dtype=dtype)
    if update == 1:
        return first
    again = iterate(at.env, at.algorithm, seed=seed, n_steps=config.steps, dtype=dtype, state=first)
    return next(itertools.islice(again, update - 2, None)).state


def summary(found: Explained) -> str:
    """
    Say of an update how much its batch knows.

    Parameters
    ----------
    found : Explained
        The update.

    Returns
    -------
    str
        Four lines.
    """
    batch, variance = found.batch, found.variance
    noise = "not known of fewer than three trajectories"
    if variance is not None:
        ratio = variance.signal / (variance.total / batch.n_trajectories)
        noise = f"{max(ratio, 0.0):.3g} (signal² / noise² of the batch)"
    largest = np.sort(np.abs(found.parts.share))[::-1]
    tenth = max(batch.n_steps // 10, 1)
    return "\n".join(
        (
            f"update {found.update}: {batch.n_steps:,} steps, "
            f"{batch.n_trajectories:,} trajectories",
            f"gradient     length {np.linalg.norm(found.grad):.4g}, signal to noise {noise}",
            f"halves       cosine {found.agreement:.3f}, every other trajectory and the rest",
            f"steps        the largest tenth has {largest[:tenth].sum() / largest.sum():.0%} of "
            f"all that pulls, {np.mean(found.parts.share < 0):.0%} pull back",
        )
    )


def rows(found: Explained) -> list[dict[str, Any]]:
    """
    List the steps of an update.

    Parameters
    ----------
    found : Explained
        The update.

    Returns
    -------
    list of dict
        By the names of `COLUMNS`, in the order of the batch.
    """
    lengths = found.batch.lengths
    trajectory = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(found.batch.n_steps) - found.batch.start[trajectory]
    parts = found.parts
    columns = (
        trajectory.tolist(),
        step.tolist(),
        [" ".join(f"{x:g}" for x in np.ravel(act)) for act in found.batch.act],
        parts.log_prob.tolist(),
        found.psi.tolist(),
        parts.score_norm.tolist(),
        parts.share.tolist(),
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]


def table(found: Explained, n: int) -> str:
    """
    Lay out the steps that have most in an update.

    Parameters
    ----------
    found : Explained
        The update.
    n : int
        How many.

    Returns
    -------
    str
        A line each, largest first.
    """
    every = sorted(rows(found), key=lambda row: -abs(row["share"]))[:n]
    head = ("trajectory", "step", "action", "log π", "Φ", "|score|", "share")
    lines = ["".join(f"{name:>12}" for name in head)]
    for row in every:
        cells = (
            f"{row['trajectory']:,}",
            f"{row['step']:,}",
            row["action"][:11],
            f"{row['log_prob']:.3f}",
            f"{row['weight']:.4g}",
            f"{row['score_norm']:.4g}",
            f"{row['share']:+.2%}",
        )
        lines.append("".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def write_csv(path: Path, found: Explained) -> None:
    """
    Write every step of an update as a row.

    Parameters
    ----------
    path : Path
        The file, written atomically.
    found : Explained
        The update.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(found))
    write_atomically(path, text.getvalue().encode())
