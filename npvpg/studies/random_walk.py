r"""
n-step temporal-difference learning on a random walk: figure 7.2 of Sutton and Barto.

A walk of 19 states begins in the middle and steps left or right with equal chance; leaving on the
left gives -1, on the right +1, and everything else 0. With discount 1 the values are

.. math:: v(s) = \frac{s}{10}, \qquad s = -9, \dots, 9.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.prediction import n_step_td
from npvpg.studies import pictures
from npvpg.world.streams import Purpose, generator

FloatArray = NDArray[np.float64]

N_STATES = 19
EPISODES = 10
TRUTH = np.arange(-9, 10) / 10
NS = tuple(2**k for k in range(10))
ALPHAS = np.linspace(0, 1, 51) ** 2  # close together where large n is steep
BOOK = {
    1: (0.820, 0.347),
    2: (0.577, 0.281),
    4: (0.370, 0.268),
    8: (0.221, 0.281),
    16: (0.135, 0.313),
    32: (0.083, 0.361),
}
"""Lowest points of the printed curves by n: step size and error, as they are digitised in
github.com/sonofeft/IntroRL, examples/chapter_7/figure_7_2.py; of n = 2, between its lowest two."""


class Walks(NamedTuple):
    """
    Walks laid end to end.

    Parameters
    ----------
    state : ndarray of int64, shape (S,)
        States 0 ... 18.
    rew : ndarray of float64, shape (S,)
        Rewards: 0, and -1 or 1 on the last step of a walk [reward].
    start : ndarray of int64, shape (K + 1,)
        Offsets of the walks [steps].
    """

    state: NDArray[np.int64]
    rew: FloatArray
    start: NDArray[np.int64]


def walks(rng: np.random.Generator, n_walks: int = EPISODES) -> Walks:
    """
    Draw walks from the middle to where they leave.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the draw.
    n_walks : int
        Number of walks, K.

    Returns
    -------
    Walks
        The walks; all terminate.
    """
    path = np.full((n_walks, 1), N_STATES // 2)
    while True:
        outside = (path < 0) | (path >= N_STATES)
        length = outside.argmax(axis=1)  # 0 for one that is still inside: it began there
        if (length > 0).all():
            break
        steps = 2 * rng.integers(0, 2, (n_walks, 256)) - 1
        path = np.concatenate([path, path[:, -1:] + steps.cumsum(axis=1)], axis=1)
    state = np.concatenate([row[:n] for row, n in zip(path, length, strict=True)])
    start = np.concatenate([[0], length.cumsum()])
    rew = np.zeros(len(state))
    rew[start[1:] - 1] = np.where(path[np.arange(n_walks), length] < 0, -1.0, 1.0)
    return Walks(state, rew, start)


def errors(sets: Sequence[Walks], n: int, alpha: float) -> FloatArray:
    r"""
    Error of the values that n-step learning has after each walk, averaged over the walks.

    .. math:: \frac1K \sum_{k=1}^K \sqrt{\frac1{19} \sum_s \bigl(V_k(s) - v(s)\bigr)^2}

    Parameters
    ----------
    sets : sequence of Walks
        Walks of every repetition; each begins with values 0.
    n : int
        Number of rewards to look ahead [steps].
    alpha : float
        Step size.

    Returns
    -------
    ndarray of float64, shape (R,)
        Error of every repetition [reward].
    """
    found = []
    for state, rew, start in sets:
        out = np.zeros(len(start) - 1)
        table = n_step_td(state, rew, out, start, np.zeros(N_STATES), 1.0, alpha, n)
        found.append(np.sqrt(((table - TRUTH) ** 2).mean(axis=1)).mean())
    return np.array(found)


def repetitions(seed: int, number: int) -> list[Walks]:
    """
    Draw the walks of a study; every n and step size learns from the same ones.

    Parameters
    ----------
    seed : int
        Seed of the study.
    number : int
        Number of repetitions, R.

    Returns
    -------
    list of Walks
        Ten walks each.
    """
    return [walks(generator(seed, Purpose.STUDY, 3, i)) for i in range(number)]


def curves(sets: Sequence[Walks]) -> FloatArray:
    """
    Mean error of every n at every step size.

    Parameters
    ----------
    sets : sequence of Walks
        What `repetitions` drew.

    Returns
    -------
    ndarray of float64, shape (10, 51)
        A row for each of `NS`, a column for each of `ALPHAS` [reward].
    """
    return np.array([[errors(sets, n, float(a)).mean() for a in ALPHAS] for n in NS])


def table(found: FloatArray) -> str:
    """
    Set the lowest point of every curve beside the book's.

    Parameters
    ----------
    found : ndarray of float64, shape (10, 51)
        What `curves` gave.

    Returns
    -------
    str
        One line for each n.
    """
    lines = [f"{'n':>4}{'alpha':>8}{'error':>8}   Sutton and Barto: alpha, error"]
    for n, row in zip(NS, found, strict=True):
        best = int(row.argmin())
        book = "{:21.2f}{:8.3f}".format(*BOOK[n]) if n in BOOK else ""
        lines.append(f"{n:4}{ALPHAS[best]:8.2f}{row[best]:8.3f}{book}")
    return "\n".join(lines)


def draw(path: Path, found: FloatArray, number: int) -> None:
    """
    Draw error against step size, a curve for each n.

    Parameters
    ----------
    path : Path
        The picture to write, atomically.
    found : ndarray of float64, shape (10, 51)
        What `curves` gave.
    number : int
        Number of repetitions behind it.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(8, 5), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    colors = colormaps["turbo"](np.linspace(0.05, 0.95, len(NS)))
    for n, row, color in zip(NS, found, colors, strict=True):
        axes.plot(ALPHAS, row, color=color, label=f"n = {n}")
        if n in BOOK:
            axes.plot(*BOOK[n], "x", color=color, markersize=8, markeredgewidth=2)
    axes.plot([], [], "x", color="0.3", label="lowest in the book")
    axes.set(
        xlim=(0, 1),
        ylim=(0.25, 0.55),
        xlabel="step size α",
        ylabel=f"RMS error over {N_STATES} states and {EPISODES} episodes",
        title=f"n-step TD on the random walk, mean of {number} repetitions",
    )
    pictures.plain(axes)
    axes.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    pictures.save(figure, path)
