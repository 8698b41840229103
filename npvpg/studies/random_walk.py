r"""
n-step temporal-difference learning on a random walk: figure 7.2 of Sutton and Barto.

A walk of 19 states begins in the middle and steps left or right with equal chance; leaving on the
left gives -1, on the right +1, and everything else 0. With discount 1 the values are

.. math:: v(s) = \frac{s}{10}, \qquad s = -9, \dots, 9.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.prediction import n_step_td
from npvpg.show import pictures
from npvpg.world.streams import Purpose, generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

N_STATES = 19
EPISODES = 10
TRUTH = np.arange(-9, 10) / 10
NS = tuple(2**k for k in range(10))
ALPHAS = np.linspace(0, 1, 51) ** 2  # close together where large n is steep
ERRORS = (0.25, 0.55)  # of the figure
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


def draw(path: Path, found: FloatArray, number_of: int) -> None:
    """
    Draw error against step size, a curve for each n.

    Parameters
    ----------
    path : Path
        The picture to write, atomically.
    found : ndarray of float64, shape (10, 51)
        What `curves` gave.
    number_of : int
        Number of repetitions behind it.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    figure = pictures.figure(8, 5.2)
    axes = figure.add_subplot()
    colors = {n: pictures.scale(number / (len(NS) - 1)) for number, n in enumerate(NS)}
    for n, row in zip(NS, found, strict=True):
        axes.plot(ALPHAS, row, color=colors[n])
        if n in BOOK:
            axes.plot(*BOOK[n], "x", color=colors[n], markersize=8, markeredgewidth=2)
    axes.plot([], [], "x", color="0.3", label="lowest in the book")
    _name(axes, found, colors)
    axes.set(
        xlim=(0, 1),
        ylim=ERRORS,
        xlabel="step size α",
        ylabel=f"RMS error over {N_STATES} states and {EPISODES} episodes",
    )
    axes.set_title(f"n-step TD on the random walk, mean of {number_of} repetitions", pad=40)
    pictures.plain(axes)
    pictures.legend_below(figure)
    pictures.save(figure, path)


def _name(axes: "Axes", found: FloatArray, colors: Mapping[int, str]) -> None:
    """Write n where its curve leaves the picture, at the top or on the right."""
    before, level = np.inf, 0
    for n, row in zip(NS, found, strict=True):
        style: dict[str, Any] = {"textcoords": "offset points", "color": colors[n], "fontsize": 9}
        text = f"n = {n}" if n == NS[0] else str(n)
        above = np.flatnonzero(row[row.argmin() :] > ERRORS[1])
        if not len(above):
            axes.annotate(text, (1.0, row[-1]), xytext=(4, 0), va="center", **style)
            continue
        k = int(row.argmin() + above[0])
        alpha = float(np.interp(ERRORS[1], row[k - 1 : k + 1], ALPHAS[k - 1 : k + 1]))
        level = level + 1 if before - alpha < 0.05 else 0  # above the one that it would lie on
        at = (0, 3 + 11 * level)
        axes.annotate(text, (alpha, ERRORS[1]), xytext=at, ha="center", va="bottom", **style)
        before = alpha
