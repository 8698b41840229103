"""Runs that are stopped early because others do better: by the schedulers of Ray Tune."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np

from npvpg.recent import rolling_mean
from npvpg.runs import sweep
from npvpg.runs.log import read_episodes
from npvpg.runs.report import Report
from npvpg.runs.sweep_directory import SweepDirectory

POINTS = 100  # of a run that is over, told to a new scheduler


def scheduler(directory: SweepDirectory, n_steps: int) -> Callable[[Report], bool] | None:
    """
    Make what stops the runs of a sweep early, if it is to have any.

    Parameters
    ----------
    directory : SweepDirectory
        The sweep; a scheduler that begins anew is told of all runs in it.
    n_steps : int
        Environment steps of the longest run.

    Returns
    -------
    callable or None
        Takes a report, says whether its run is to be stopped.

    Raises
    ------
    ValueError
        If Ray Tune is not installed, or does not take the settings.
    """
    asked = sweep.read(directory.file).stop
    if asked is None:
        return None
    if find_spec("ray") is None or find_spec("pandas") is None:
        raise ValueError('stop needs Ray Tune, which is not installed: pip install "ray[tune]"')
    schedulers: Any = import_module("ray.tune.schedulers")
    given = {name: value for name, value in asked.items() if name != "scheduler"}
    common = {"time_attr": "steps", "metric": "return", "mode": "max"}
    first = max(n_steps // 10, 1)
    try:
        if asked["scheduler"] == "asha":
            own = {"max_t": n_steps, "grace_period": first, "stop_last_trials": False}
            made = schedulers.ASHAScheduler(**common, **{**own, **given})
        else:
            made = schedulers.MedianStoppingRule(**common, **{"grace_period": first, **given})
    except (TypeError, ValueError, AssertionError) as error:
        raise ValueError(f"stop: {error}") from None
    stops = Stops(made)
    for number, (_, seeds) in enumerate(directory.read()):
        for seed in seeds:
            run = directory.trial(number).run(seed)
            if run.episodes.is_file():
                step, ret, _ = read_episodes(run.episodes)
                stops.tell(f"{number}/{seed}", step, rolling_mean(ret))
    return stops


class Stops:
    """
    A scheduler of Ray Tune, asked about runs that it does not start itself.

    Parameters
    ----------
    scheduler : ray.tune.schedulers.TrialScheduler
        The scheduler.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._trials: dict[str, _Trial] = {}
        # it would let one wait for another, which here none does
        self._no_other = SimpleNamespace(get_live_trials=list)

    def __call__(self, report: Report) -> bool:
        """Say whether a run that reports is to be stopped."""
        if report.state != "training" or report.mean_return is None:
            return False
        return self._told(report.name, report.steps, report.mean_return)

    def tell(self, name: str, steps: Any, returns: Any) -> None:
        """
        Tell of a run that is over, or has begun.

        Parameters
        ----------
        name : str
            The run.
        steps, returns : ndarray, shape (E,)
            Environment steps, and mean return of the last 100 episodes by then [reward].
        """
        for k in (
            np.unique(np.linspace(0, len(steps) - 1, POINTS).astype(int)) if len(steps) else ()
        ):
            self._told(name, int(steps[k]), float(returns[k]))

    def _told(self, name: str, steps: int, mean_return: float) -> bool:
        """Pass a result on, and the answer back."""
        if name not in self._trials:
            self._trials[name] = _Trial(name)
            self._scheduler.on_trial_add(self._no_other, self._trials[name])
        result = {"steps": steps, "return": mean_return, "training_iteration": steps}
        answer = self._scheduler.on_trial_result(self._no_other, self._trials[name], result)
        return bool(answer == self._scheduler.STOP)


@dataclass(frozen=True)
class _Trial:
    """What a scheduler asks of a trial."""

    trial_id: str
