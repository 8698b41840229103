"""Exact bias, variance and error of every estimator, as a table."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.estimators import NAMED, BaselinedReturn, Estimator, named
from npvpg.lab.exact import (
    Laboratory,
    Moments,
    all_actions,
    best_baseline,
    random_process,
    tabular,
)
from npvpg.world.streams import Purpose, generator

ERRORS = (0.0, 1.0, 2.0, 4.0)
LAM = 0.9  # where one value of lambda stands for all
N = 2


class Study(NamedTuple):
    """
    A laboratory, and what batches and values it is asked about.

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    n_trajectories : int
        Episodes in a batch, K.
    error : float
        Error of V, in standard deviations.
    seed : int
        Seed of that error: the same directions at every size.
    """

    lab: Laboratory
    n_trajectories: int
    error: float
    seed: int

    def value(self, error: float) -> NDArray[np.float64]:
        """
        Value function that is wrong by so much, in the same directions every time.

        Parameters
        ----------
        error : float
            Its error, in standard deviations.

        Returns
        -------
        ndarray of float64, shape (H + 1, S + 1)
            Values [reward].
        """
        return self.lab.wrong_value(error, generator(self.seed, Purpose.STUDY, 2))

    def moments(
        self,
        estimator: Estimator,
        *,
        error: float | None = None,
        n_trajectories: int | None = None,
    ) -> Moments:
        """
        Mean and covariance of a gradient estimate.

        Parameters
        ----------
        estimator : Estimator
            What weighs the steps.
        error : float, optional
            Error of V, in place of the study's.
        n_trajectories : int, optional
            Episodes in a batch, in place of the study's.

        Returns
        -------
        Moments
            The moments, and the gradient of the objective.
        """
        value = self.value(self.error if error is None else error)
        n = n_trajectories or self.n_trajectories
        return self.lab.moments(estimator, value, n_trajectories=n)

    def error_of(
        self,
        estimator: Estimator,
        *,
        error: float | None = None,
        n_trajectories: int | None = None,
    ) -> tuple[float, float, float]:
        r"""
        Bias, standard deviation and root mean squared error of a gradient estimate.

        Parameters
        ----------
        estimator : Estimator
            What weighs the steps.
        error : float, optional
            Error of V, in place of the study's.
        n_trajectories : int, optional
            Episodes in a batch, in place of the study's.

        Returns
        -------
        tuple of float
            The three, in units of :math:`\lVert\nabla J\rVert`.
        """
        return relative(self.moments(estimator, error=error, n_trajectories=n_trajectories))


def relative(moments: Moments) -> tuple[float, float, float]:
    r"""
    Bias, standard deviation and root mean squared error, by the length of the gradient.

    Parameters
    ----------
    moments : Moments
        Of an estimate.

    Returns
    -------
    tuple of float
        The three, in units of :math:`\lVert\nabla J\rVert`.
    """
    size = float(np.linalg.norm(moments.truth))
    bias = float(np.linalg.norm(moments.bias))
    return bias / size, moments.variance**0.5 / size, moments.mse**0.5 / size


def least(asked: Study) -> dict[str, Moments]:
    """
    List what varies least of its kind, by its label.

    Parameters
    ----------
    asked : Study
        What `study` made.

    Returns
    -------
    dict of str to Moments
        The best constant and the best state baseline of the reward-to-go, and the mean over all
        actions, with Q one step ahead of the study's V.
    """
    lab, n = asked.lab, asked.n_trajectories
    estimator = BaselinedReturn(lab.process.gamma)
    constant = best_baseline(lab, constant=True)
    return {
        "best constant": lab.moments(estimator, constant, n_trajectories=n),
        "best b(s, t)": lab.moments(estimator, best_baseline(lab), n_trajectories=n),
        "all actions": all_actions(lab, asked.value(asked.error), n),
    }


def study(
    states: int,
    actions: int,
    horizon: int,
    gamma: float,
    n_trajectories: int,
    error: float,
    seed: int,
) -> Study:
    """
    Draw a process and a policy.

    Parameters
    ----------
    states, actions, horizon : int
        Sizes of the process.
    gamma : float
        Discount of the objective in [0, 1] [per step].
    n_trajectories : int
        Episodes in a batch.
    error : float
        Error of V, in standard deviations.
    seed : int
        Seed of all of it.

    Returns
    -------
    Study
        The laboratory and the question.

    Raises
    ------
    ValueError
        If an argument is out of range, the process has too many episodes to list, or the
        gradient vanishes, so that nothing can be measured by it.
    """
    rng = generator(seed, Purpose.STUDY, 0)
    process = random_process(rng, states, actions, horizon, gamma)
    theta = generator(seed, Purpose.STUDY, 1).standard_normal(tabular(process).size)
    lab = Laboratory(process, theta)
    if not np.linalg.norm(lab.gradient) > 0:
        raise ValueError(f"actions must make a difference to the return, got {actions}")
    return Study(lab, n_trajectories, error, seed)


def estimators(gamma: float) -> dict[str, Estimator]:
    """
    List every estimator by its label.

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].

    Returns
    -------
    dict of str to Estimator
        From the plainest to the most refined.
    """
    every = (named(name, gamma=gamma, lam=LAM, n=N) for name in NAMED)
    return {estimator.label: estimator for estimator in every}


def table(asked: Study) -> str:
    r"""
    Set bias, standard deviation and error of every estimator in columns.

    Parameters
    ----------
    asked : Study
        What `study` made.

    Returns
    -------
    str
        One line an estimator, in units of :math:`\lVert\nabla J\rVert`.
    """
    lines = [f"{'in units of |grad J|':24}{'bias':>10}{'std':>10}{'rms error':>12}"]
    every = {
        name: asked.error_of(estimator)
        for name, estimator in estimators(asked.lab.process.gamma).items()
    }
    every |= {name: relative(moments) for name, moments in least(asked).items()}
    for name, (bias, std, rms) in every.items():
        seen = 0.0 if bias < 1e-12 else bias  # what rounding left
        lines.append(f"{name:24}{seen:10.4f}{std:10.4f}{rms:12.4f}")
    return "\n".join(lines)
