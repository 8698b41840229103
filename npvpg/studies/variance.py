"""
The gradient variance of the six weights: measured at a fixed policy, and exact beside it.

Every weight sees the same episodes, one policy and one V, none of which learns from them. Step t is
weighed by gamma^t, so that the weights without bias all estimate the same gradient; nothing is
standardised, which would tie the episodes of a batch to each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npvpg.estimators import Estimator
from npvpg.lab.variance import GradientVariance, gradient_variance, trajectory_gradients
from npvpg.runs.algorithms import ALGORITHMS, WEIGHTS
from npvpg.runs.build import estimator
from npvpg.runs.config import Config
from npvpg.runs.evaluation import Trained, trained
from npvpg.studies import exact
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv

if TYPE_CHECKING:
    pass

Found = Mapping[str, GradientVariance]
LIMIT = np.log(1e3)  # an interval of more than a factor of a thousand either way tells nothing
UNRESOLVED = "not resolved"
ADVICE = (
    f"{UNRESOLVED}: the mean gradient is too small beside its noise for so few episodes, so that",
    "the interval would span more than a factor of 1,000 either way. That is so where a policy has",
    "little left to learn. Take more --episodes (a hundred times as many see a mean gradient a",
    "tenth as long), or a run that was stopped earlier: npvpg train ... --steps N",
)
WIDTH = 1.96  # of a 95 % interval, in standard errors of the logarithm
PROCESS = "process"  # 3 states, 2 actions and 5 steps, V wrong by half its standard deviation
ERROR = 0.5
EXACT = Config(PROCESS, gamma=0.95, lam=0.8, n=2)


def weights(config: Config) -> dict[str, Estimator]:
    """
    List the weights by which algorithms are told apart.

    Parameters
    ----------
    config : Config
        Where gamma, lambda and n come from.

    Returns
    -------
    dict of str to Estimator
        By the name of the algorithm.
    """
    return {name: estimator(replace(config, **ALGORITHMS[name])) for name in WEIGHTS}


def measure(at: Trained, n_episodes: int, seed: int) -> dict[str, GradientVariance]:
    """
    Measure the gradient variance of every weight at the policy and V of a run.

    Parameters
    ----------
    at : Trained
        A run that has a value function.
    n_episodes : int
        Least number of episodes, at least 3; every sub-environment plays as many.
    seed : int
        Seed of environments and actions, in streams apart from those of training.

    Returns
    -------
    dict of str to GradientVariance
        Of one episode, by the name of the algorithm.

    Raises
    ------
    ValueError
        If the run has no value function, or the environment returns what it must not.
    """
    value = at.algorithm.value
    if value.is_zero:
        raise ValueError(
            f"runs must have a value function, as --algorithm vpg, got estimator "
            f"{at.config.estimator}"
        )
    policy, theta = at.acting
    theta, phi = theta.astype(np.float64), at.state.learner.phi.astype(np.float64)
    batch = whole_episodes(
        SeededVectorEnv(at.env, seed, Purpose.EVALUATION_EPISODE),
        Actor(policy, theta, at.state.obs_moments),
        Position.initial(at.config.envs),
        n_episodes=-(-n_episodes // at.config.envs),
        iteration=0,
        purpose=Purpose.EVALUATION_ACTION,
    ).batch
    rew = batch.rew * _scale(at)
    val = value.at(phi, batch.obs).values
    last_val = np.where(batch.terminated, 0, value.at(phi, batch.last_obs).values)
    found = {}
    for name, weight in weights(at.config).items():
        given = (val, last_val) if weight.uses_value else (0 * val, 0 * last_val)
        psi = weight(rew, *given, batch.start)
        discount = None if weight.from_start else weight.gamma
        grads = trajectory_gradients(policy, theta, batch, psi, discount=discount)
        found[name] = gradient_variance(grads)
    return found


def _scale(at: Trained) -> float:
    """Factor by which the run's own estimator, and its V, see the rewards."""
    scale = at.config.reward_scale
    if at.config.normalize_rewards:
        scale *= float(at.state.learner.return_moments.inverse_std[0])
    return scale


def measure_all(runs: Sequence[Path], n_episodes: int, seed: int) -> dict[str, Found]:
    """
    Measure at every run, and set the exact variances of a small process beside.

    Parameters
    ----------
    runs : sequence of Path
        Directories of runs.
    n_episodes : int
        Least number of episodes for each.
    seed : int
        Seed of the episodes and of the process.

    Returns
    -------
    dict
        By where: what `measure` found, and last what `exactly` gives.

    Raises
    ------
    ValueError
        If a run cannot be used.
    """
    panels: dict[str, Found] = {}
    for run in runs:
        with trained(run) as at:
            title = f"{at.config.env}, {at.state.steps:,} steps"
            found = measure(at, n_episodes, seed)
        panels[str(run) if title in panels else title] = found
    return {**panels, "exact, 3 states, 5 steps": exactly(seed)}


def exactly(seed: int) -> dict[str, GradientVariance]:
    """
    Give the gradient variance of every weight in a small random process, where nothing is sampled.

    Parameters
    ----------
    seed : int
        Seed of process, policy and error of V.

    Returns
    -------
    dict of str to GradientVariance
        Of one episode, by the name of the algorithm; the errors are 0.
    """
    asked = exact.study(3, 2, 5, EXACT.gamma, 1, ERROR, seed)
    found = {}
    for name, weight in weights(EXACT).items():
        moments = asked.moments(weight)
        signal = float(moments.mean @ moments.mean)
        total = moments.variance
        found[name] = GradientVariance(total, signal, total / signal, 0.0, 0.0)
    return found


def total(found: GradientVariance) -> tuple[float, float]:
    """
    Give the variance, and its error.

    Parameters
    ----------
    found : GradientVariance
        What was measured.

    Returns
    -------
    tuple of float
        Estimate, and standard error of its logarithm.
    """
    return found.total, found.total_error


def relative(found: GradientVariance) -> tuple[float, float]:
    """
    Give the variance by the squared length of the mean gradient, and its error.

    Parameters
    ----------
    found : GradientVariance
        What was measured.

    Returns
    -------
    tuple of float
        Estimate, and standard error of its logarithm.
    """
    return found.relative, found.relative_error


def label(algorithm: str) -> str:
    """
    Name an algorithm by its weight, as the studies that know no algorithms do.

    Parameters
    ----------
    algorithm : str
        Its name.

    Returns
    -------
    str
        Name of its estimator, or its own.
    """
    return str(ALGORITHMS[algorithm]["estimator"]) if algorithm in WEIGHTS else algorithm


def table(panels: Mapping[str, Found]) -> str:
    """
    Set variances in columns, with their 95 % intervals.

    Parameters
    ----------
    panels : mapping
        What was found, by where.

    Returns
    -------
    str
        A line for each weight and place.
    """
    lines = []
    for title, found in panels.items():
        lines.append(f"{title:34}{'tr Cov g / |E g|^2':>32}{'tr Cov g':>32}")
        for name, of in found.items():
            cells = (_interval(*quantity(of)) for quantity in (relative, total))
            lines.append(f"  {label(name):32}" + "".join(f"{cell:>32}" for cell in cells))
    if any(UNRESOLVED in line for line in lines):
        lines += ["", *ADVICE]
    return "\n".join(lines)


def _interval(value: float, error: float) -> str:
    """Write a number and the ends of its interval."""
    if not (np.isfinite(value) and WIDTH * error < LIMIT):
        return UNRESOLVED
    if error == 0:
        return f"{value:.3g}"
    low, high = value * np.exp(np.array([-WIDTH, WIDTH]) * error)
    return f"{value:.3g} ({low:.3g} to {high:.3g})"
