"""How far a run has come, and the checkpoint that keeps it."""

import dataclasses
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from npvpg.recent import solved
from npvpg.runs import checkpoint, config_file
from npvpg.runs.changes import differences, extended
from npvpg.runs.config import FIELDS, Config
from npvpg.runs.directory import RunDirectory
from npvpg.state import TrainState
from npvpg.vpg import VPG


@dataclasses.dataclass(frozen=True)
class Progress:
    """
    How far a run has come.

    Parameters
    ----------
    state : TrainState or None
        State of the algorithm; None before the first update.
    metrics_rows, episodes_rows : int
        Rows of the logs that belong to it.
    mean_return : float or None
        Mean return of the last 100 episodes.
    solved_at_step : int or None
        Environment step at which that mean first reached the threshold.
    seconds : float
        Wall-clock time of the training so far [s].
    """

    state: TrainState | None = None
    metrics_rows: int = 0
    episodes_rows: int = 0
    mean_return: float | None = None
    solved_at_step: int | None = None
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        """Environment steps so far."""
        return self.state.steps if self.state else 0

    @property
    def steps_per_second(self) -> float:
        """Environment steps per second of training."""
        return self.steps / self.seconds if self.seconds > 0 else 0.0

    def reaches(self, threshold: float | None) -> bool:
        """
        Say whether the mean return of the last 100 episodes is high enough.

        Parameters
        ----------
        threshold : float or None
            Return at which the environment counts as solved; None if it never does.

        Returns
        -------
        bool
            Whether it is; never before 100 episodes have ended.
        """
        return solved(self.mean_return, self.episodes_rows, threshold)


def save(progress: Progress, config: Config, path: Path) -> None:
    """
    Write a checkpoint of a run.

    Parameters
    ----------
    progress : Progress
        How far the run has come, at least one update.
    config : Config
        Its configuration: what goes on must have the same.
    path : Path
        The file.

    Raises
    ------
    ValueError
        If there is nothing to save yet.
    OSError
        If the file cannot be written; the old one is then untouched.
    """
    if progress.state is None:
        raise ValueError("a checkpoint needs at least 1 update, got none")
    metadata = {name: getattr(progress, name) for name in _KEPT}
    metadata["config"] = {name: getattr(config, name) for name in FIELDS}
    checkpoint.save(path, progress.state.to_arrays(), metadata)


def load(
    directory: RunDirectory, config: Config, algorithm: VPG, *, best: bool = False
) -> Progress:
    """
    Read how far a run had come.

    Parameters
    ----------
    directory : RunDirectory
        The run; without a checkpoint it begins anew, which comes to the same.
    config : Config
        Configuration to go on with.
    algorithm : VPG
        Policy and value function, whose sizes the checkpoint must fit.
    best : bool
        Read the checkpoint of the best policy in place of the last.

    Returns
    -------
    Progress
        How far it had come.

    Raises
    ------
    ValueError
        If the checkpoint cannot be read, or belongs to another run.
    """
    path = directory.best if best else directory.checkpoint
    if not path.exists():
        return Progress()
    arrays, metadata = read(path)
    try:
        saved = config_file.complete(config_file.typed(metadata["config"]), path)
        kept: dict[str, Any] = {name: metadata[name] for name in _KEPT}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no checkpoint of a run: {error!r}") from None
    try:
        state = TrainState.from_arrays(arrays, algorithm.learner)
    except ValueError as error:
        raise ValueError(f"{path} is no checkpoint of a run: {error}") from None
    changed = differences(config, extended(saved, config))
    if changed:
        raise ValueError(
            f"{path} was written with another configuration than {directory.config}: "
            f"{', '.join(changed)}"
        )
    learner = state.learner
    sizes = (
        ("policy", learner.theta, algorithm.policy.size),
        ("value", learner.phi, algorithm.value.size),
    )
    for name, given, due in sizes:
        if given.shape != (due,):
            raise ValueError(f"{path} must hold {due} parameters of the {name}, got {given.size}")
    return Progress(state, **kept)


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """
    Read the arrays and metadata of a checkpoint, under the names that they have today.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    arrays : dict of ndarray
        The state, laid out as `npvpg.state.TrainState.to_arrays` does.
    metadata : dict
        What lies beside it.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    arrays, metadata = checkpoint.load(path)
    # older files name what is learnt without the learner in front
    old = [name for name in arrays if name.partition(".")[0] not in TrainState._fields]
    return arrays | {f"learner.{name}": arrays.pop(name) for name in old}, metadata


_KEPT = tuple(field.name for field in dataclasses.fields(Progress) if field.name != "state")
