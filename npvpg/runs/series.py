"""What of a run is drawn against what: returns or a metric, against steps, time or episodes."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from npvpg.runs.alike import Curve
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import read_metrics, read_times
from npvpg.runs.words import nearest

Against = Literal["steps", "time", "episodes"]

X_LABELS = {
    "steps": "environment steps of all sub-environments",
    "time": "training time [s]",
    "episodes": "episodes",
}
Y_LABELS = {
    "entropy": "entropy of the policy [nat]",
    "kl": "KL of an update [nat]",
    "grad_norm": "length of the gradient",
    "explained_variance": "explained variance of V",
    "value_loss": "squared error of V",
    "policy_lr": "step size of the policy",
    "grad_cosine": "cosine of the gradients of half-batches",
    "clipped": "share of clipped actions",
}


def series(curve: Curve, y: str = "return", x: Against = "steps") -> Curve:
    """
    Give a run with another number in the place of its returns, and of its steps.

    Parameters
    ----------
    curve : Curve
        The run, with its returns against steps.
    y : str
        "return", a point an episode, or a column of `metrics.csv`, a point an update.
    x : {"steps", "time", "episodes"}
        Environment steps; training time, from `times.csv` [s]; episodes that have ended.

    Returns
    -------
    Curve
        The run; points without a number are left out.

    Raises
    ------
    ValueError
        If the run has no such column, or no times.
    """
    directory = RunDirectory(curve.path)
    at: NDArray[Any] = curve.step
    count, values = np.arange(1, len(at) + 1), curve.ret
    if y != "return":
        columns = read_metrics(directory.metrics)
        if y not in columns:
            offer = nearest(y, ["return", *columns])
            raise ValueError(f"y must be return or a column of {directory.metrics}, got {y}{offer}")
        at, values = columns["steps"], columns[y]
        count = np.cumsum(columns["episodes"]).astype(np.int64)
    if x == "episodes":
        at = count
    elif x == "time":
        times = read_times(directory.times)
        # an episode ends within an update, whose end is known
        row = np.searchsorted(times["steps"], at)
        if len(times["steps"]) == 0 or (row == len(times["steps"])).any():
            raise ValueError(f"{directory.times} must have the time of every update")
        at = times["seconds"][row]
    there = np.isfinite(values)
    return replace(curve, step=at[there], ret=values[there])
