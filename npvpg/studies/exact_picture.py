"""The picture of exact bias and error: against everything that they depend on."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from npvpg.estimators import GAE, Estimator, NStep, named
from npvpg.show import pictures
from npvpg.show.pictures import Style
from npvpg.studies.exact import ERRORS, LAM, N, Study, estimators

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(path: Path, asked: Study) -> None:
    """
    Draw error against lambda, n, gamma, batch size and error of V, and all estimators beside.

    Parameters
    ----------
    path : Path
        The picture to write, atomically.
    asked : Study
        What `study` made.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    process = asked.lab.process
    gamma, k = process.gamma, asked.n_trajectories
    figure = pictures.figure(12.5, 7.8)
    axes = figure.subplots(2, 3).ravel()
    lams = np.linspace(0, 1, 21)
    _by_error(axes[0], asked, lams, [GAE(gamma, float(lam)) for lam in lams])
    axes[0].set(title=f"GAE, K = {k}", xlabel="λ")
    ns = np.arange(1, process.horizon + 1)
    _by_error(axes[1], asked, ns, [NStep(gamma, int(n)) for n in ns])
    axes[1].set(title=f"n-step, K = {k}", xlabel="n", xticks=ns)
    axes[1].legend(title="error of V [std V]", frameon=False, ncols=2)
    _by_gamma(axes[2], asked)
    _by_batch(axes[3], asked)
    _by_value(axes[4], asked)
    _bars(axes[5], asked)
    for ax in axes[:5]:
        pictures.plain(ax)
    for ax in axes[[0, 1, 2, 4]]:
        ax.set(ylim=(0, None))
    for ax in axes[[0, 3]]:
        ax.set_ylabel("error of the gradient / |∇J|")
    figure.suptitle(
        f"{process.n_states} states, {process.n_actions} actions, {process.horizon} steps, "
        f"γ = {gamma:g}: {len(asked.lab.episodes.probability):,} episodes, none of them sampled.  "
        "Solid: root mean squared error; dashed: bias"
    )
    handles, labels = axes[3].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, frameon=False)
    pictures.save(figure, path)


def _curve(
    axes: "Axes",
    x: NDArray[Any],
    errors: Iterable[tuple[float, float, float]],
    label: str,
    style: Style,
) -> None:
    """Draw root mean squared error as a solid line, and the bias below it as a dashed one."""
    bias, _, rms = np.transpose(list(errors))
    axes.plot(x, rms, color=style.color, label=label, **_marks(style))
    axes.plot(x, bias, "--", color=style.color, linewidth=1)


def _marks(style: Style) -> dict[str, Any]:
    """Give the arguments of a few markers along a line."""
    return {"marker": style.marker, "markevery": (0.1, 0.25), "markersize": 5}


def _by_error(axes: "Axes", asked: Study, x: NDArray[Any], family: Sequence[Estimator]) -> None:
    """Draw a family of estimators for value functions of several errors."""
    for i, error in enumerate(ERRORS):
        style = Style(pictures.scale(i / (len(ERRORS) - 1)), "-", pictures.style(i).marker)
        errors = (asked.error_of(e, error=error) for e in family)
        _curve(axes, x, errors, f"{error:g}", style)


def _by_gamma(axes: "Axes", asked: Study) -> None:
    """Draw error against the discount of the weight, that of the objective being fixed."""
    objective = asked.lab.process.gamma
    gammas = np.linspace(0, objective, 21)
    for name in ("reward-to-go", "baseline", "gae"):
        family = [named(name, gamma=float(g), lam=LAM, n=N) for g in gammas]
        style = pictures.OF_ESTIMATOR[name]
        _curve(axes, gammas, map(asked.error_of, family), family[0].label, style)
    axes.set(title=f"discount of the weight; objective γ = {objective:g}", xlabel="γ of the weight")


def _by_batch(axes: "Axes", asked: Study) -> None:
    """Draw error against batch size: variance falls, bias stays."""
    sizes = np.unique(np.geomspace(2, 10_000, 25).astype(int))
    for name, estimator in estimators(asked.lab.process.gamma).items():
        errors = [asked.error_of(estimator, n_trajectories=int(k))[2] for k in sizes]
        style = pictures.OF_ESTIMATOR[estimator.name]
        axes.plot(sizes, errors, color=style.color, label=name, **_marks(style))
    axes.set(
        title=f"every estimator, error of V {asked.error:g}",
        xlabel="episodes in a batch, K",
        xscale="log",
        yscale="log",
    )


def _by_value(axes: "Axes", asked: Study) -> None:
    """Draw error against the error of the value function."""
    sizes = np.linspace(0, max(asked.error, ERRORS[-1]), 17)
    every = estimators(asked.lab.process.gamma)
    advantages = [estimator for estimator in every.values() if estimator.is_advantage]
    for estimator in advantages:
        errors = [asked.error_of(estimator, error=float(size)) for size in sizes]
        _curve(axes, sizes, errors, estimator.label, pictures.OF_ESTIMATOR[estimator.name])
    axes.set(title=f"quality of V, K = {asked.n_trajectories}", xlabel="error of V [std V]")


def _bars(axes: "Axes", asked: Study) -> None:
    """Draw mean squared error as bars: bias squared, and variance."""
    every = estimators(asked.lab.process.gamma)
    errors = np.array([asked.error_of(estimator) for estimator in every.values()]) ** 2
    rows = np.arange(len(every))[::-1]
    axes.barh(rows, errors[:, 0], color=pictures.STYLES[1].color, label="bias²")
    axes.barh(
        rows, errors[:, 1], left=errors[:, 0], color=pictures.STYLES[5].color, label="variance"
    )
    axes.set_yticks(rows, list(every))
    axes.set(
        title=f"K = {asked.n_trajectories}, error of V {asked.error:g}",
        xlabel="mean squared error / |∇J|²",
        xlim=(0, 1.4 * errors[:, 2].max()),  # leaves room for the legend
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
