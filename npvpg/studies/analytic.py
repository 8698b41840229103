r"""
Pathwise against score-function gradients, from the same episodes.

Variance is the trace of the covariance of the gradient that one episode gives; a batch of K
episodes divides it by K for both kinds.
"""

from pathlib import Path as File
from typing import TYPE_CHECKING

import numpy as np

from npvpg.estimators import BaselinedReturn, Estimator, RewardToGo, TotalReturn
from npvpg.gradient import policy_gradient
from npvpg.kernels import returns
from npvpg.lab.analytic import (
    Detach,
    Path,
    as_batch,
    closed_form,
    pathwise_gradient,
    pathwise_gradients,
    play,
)
from npvpg.optimizers import Adam
from npvpg.show import pictures
from npvpg.studies.systems import (
    COVARIANCE,
    GAMMA,
    MEAN,
    FloatArray,
    Setting,
    double_integrator,
    quadratic,
)
from npvpg.world.streams import Purpose, generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HORIZONS = (1, 2, 4, 8, 16, 32, 64, 128)
SCORE: dict[str, Estimator] = {
    f"score: {kind.name}": kind(GAMMA) for kind in (TotalReturn, RewardToGo, BaselinedReturn)
}
PATHWISE = "pathwise"
KINDS = (*SCORE, PATHWISE)
STYLES = {kind: pictures.OF_ESTIMATOR[each.name] for kind, each in SCORE.items()} | {
    PATHWISE: pictures.OF_ESTIMATOR["gae"]  # which is not among them
}
UPDATES = 150
LEARNING_RATE = 0.05
EPISODES = 10  # in an update
STEPS = 20  # in an episode of those


def variances(setting: Setting, n_episodes: int, seed: int) -> FloatArray:
    """
    Variance of every kind of gradient at every horizon.

    Parameters
    ----------
    setting : Setting
        System and policy.
    n_episodes : int
        Episodes that the variance is measured on, the same for all kinds.
    seed : int
        Seed of first states and noise.

    Returns
    -------
    ndarray of float64, shape (4, 8)
        A row for each of `KINDS`, a column for each of `HORIZONS`.
    """
    rng = generator(seed, Purpose.STUDY, 5)
    noise = rng.standard_normal((HORIZONS[-1], n_episodes, setting.system.n_act))
    first = setting.first(rng, n_episodes)
    found = np.empty((len(KINDS), len(HORIZONS)))
    for j, horizon in enumerate(HORIZONS):
        path = play(setting.system, setting.policy, setting.theta, first, noise[:horizon])
        each = [score_gradients(setting, path, estimator) for estimator in SCORE.values()]
        each.append(pathwise_gradients(setting.system, setting.policy, setting.theta, path, GAMMA))
        found[:, j] = [x.var(axis=0).sum() for x in each]
    return found


def score_gradients(setting: Setting, path: Path, estimator: Estimator) -> FloatArray:
    """
    Score-function gradient of every episode by itself.

    Parameters
    ----------
    setting : Setting
        System and policy.
    path : Path
        Trajectories.
    estimator : Estimator
        What weighs the steps; discounted from the first one on, so that it is exact.

    Returns
    -------
    ndarray of float64, shape (N, P)
        Gradients.
    """
    batch, n_steps = as_batch(path), len(path.rew)
    psi = estimator(batch.rew, setting.baseline(path).T.ravel(), path.final, batch.start)
    if not estimator.from_start:
        psi = psi * returns.discount_weights(batch.start, GAMMA)
    else:
        psi = psi + GAMMA**n_steps * np.repeat(path.final, n_steps)
    parts = []
    for rows in np.array_split(np.arange(len(psi)).reshape(-1, n_steps), 16):
        at = rows.ravel()  # a sixteenth at a time: a score is P numbers a step
        score = setting.policy.at(setting.theta, batch.obs[at]).score(batch.act[at])
        parts.append((psi[at, np.newaxis] * score).reshape(*rows.shape, -1).sum(axis=1))
    return np.concatenate(parts)


def learn(kind: str, detach: Detach, seed: int) -> FloatArray:
    """
    Climb on the double integrator by Adam, from no gain at all.

    Parameters
    ----------
    kind : str
        One of `KINDS`, but the total return.
    detach : {"nothing", "reward", "state"}
        Where the pathwise gradient takes the state for a constant.
    seed : int
        Seed of first states and noise: the same for every kind.

    Returns
    -------
    ndarray of float64, shape (151,)
        What the exact objective lacks to the best one, before every update and at the end.
    """
    system, best = double_integrator()
    setting = quadratic()
    policy, theta = setting.policy, np.zeros(4)
    limit = closed_form(system, np.append(best[:-1], -20.0), GAMMA, STEPS, MEAN, COVARIANCE).J
    adam, lacking = Adam(), []
    state = adam.init(theta)
    for k in range(UPDATES):
        solved = closed_form(system, theta, GAMMA, STEPS, MEAN, COVARIANCE)
        lacking.append(limit - solved.J)
        rng = generator(seed, Purpose.STUDY, 6, k)
        first = setting.first(rng, EPISODES)
        path = play(system, policy, theta, first, rng.standard_normal((STEPS, EPISODES, 1)))
        if kind == PATHWISE:
            grad = pathwise_gradient(system, policy, theta, path, GAMMA, detach=detach)
        else:
            batch = as_batch(path)
            val = solved.value(path.state)[:-1].T.ravel()
            psi = SCORE[kind](batch.rew, val, path.final, batch.start)
            grad = policy_gradient(policy.at(theta, batch.obs), batch, psi, discount=GAMMA)
        theta, state = adam.step(theta, grad, state, LEARNING_RATE)
    solved = closed_form(system, theta, GAMMA, STEPS, MEAN, COVARIANCE)
    return np.array([*lacking, limit - solved.J])


def table(found: dict[str, FloatArray]) -> str:
    """
    Set variances in columns, one for each horizon.

    Parameters
    ----------
    found : dict of str to ndarray
        What `variances` gave, by the name of the system.

    Returns
    -------
    str
        A line for each kind of gradient and system.
    """
    lines = []
    for name, rows in found.items():
        lines.append(f"{name:26}" + "".join(f"{f'H = {h}':>10}" for h in HORIZONS))
        for kind, row in zip(KINDS, rows, strict=True):
            lines.append(f"  {kind:24}" + "".join(f"{x:10.3g}" for x in row))
    return "\n".join(lines)


def draw(file: File, found: dict[str, FloatArray], seed: int) -> None:
    """
    Draw variance against horizon for each system, and learning by either gradient.

    Parameters
    ----------
    file : Path
        The picture to write, atomically.
    found : dict of str to ndarray
        What `variances` gave, by the name of the system.
    seed : int
        Seed of the learning.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    figure = pictures.figure(13, 4.6)
    axes = figure.subplots(1, len(found) + 1)
    for ax, (name, rows) in zip(axes, found.items(), strict=False):
        for kind, row in zip(KINDS, rows, strict=True):
            style = STYLES[kind]
            ax.plot(HORIZONS, row, marker=style.marker, markersize=5, **style.line(label=kind))
        ax.set(title=name, xlabel="steps of an episode", xscale="log", yscale="log")
        pictures.plain(ax)
    axes[0].set_ylabel("variance of the gradient of one episode")
    _learning(axes[-1], seed)
    figure.suptitle(f"Pathwise and score-function gradients of the same episodes, γ = {GAMMA:g}")
    pictures.legend_below(figure, 5)
    pictures.save(figure, file)


def _learning(axes: "Axes", seed: int) -> None:
    """Draw what the objective lacks to the best, mean over five runs."""
    lines: tuple[tuple[str, Detach], ...] = (
        ("score: reward-to-go", "nothing"),
        ("score: baseline", "nothing"),
        (PATHWISE, "nothing"),
        (PATHWISE, "reward"),
    )
    for kind, detach in lines:
        runs = np.array([learn(kind, detach, seed + i) for i in range(5)])
        label = kind if detach == "nothing" else f"{kind}, state detached in the {detach}"
        style = STYLES[kind] if detach == "nothing" else pictures.OF_ESTIMATOR["td"]
        marks = {"marker": style.marker, "markevery": 30, "markersize": 5}
        axes.plot(runs.mean(axis=0), **style.line(label=label, **marks))
    axes.set(
        title=f"learning, {EPISODES} episodes of {STEPS} steps an update",
        xlabel="updates by Adam",
        ylabel="J* - J, exact",
        yscale="log",
    )
    pictures.plain(axes)
