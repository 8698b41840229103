"""Evaluations during a run, which choose the best policy of it and change nothing else."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from npvpg.envs.serial import close
from npvpg.runs import environments, progress
from npvpg.runs.evaluation import returns_of
from npvpg.runs.log_file import LogFile, columns_of, joined
from npvpg.runs.progress import Progress
from npvpg.runs.ready import Run
from npvpg.world.streams import Purpose, generator

EVALUATIONS = ("steps", "sampled", "sampled_std", "greedy", "greedy_std")


class EvaluationsLog(LogFile):
    """
    The log of the evaluations during a run, `evaluations.csv`.

    Its columns are steps (environment steps of the run so far), and mean and standard deviation of
    the returns of the sampled and of the greedy episodes [reward].

    Parameters
    ----------
    path : Path
        The file.
    keep_steps : int
        Steps of the run up to which rows are kept.

    Raises
    ------
    ValueError
        If the file to go on with is no such log.

    Attributes
    ----------
    last_steps : int
        Steps of the run at the last evaluation, 0 before the first.
    best : float
        Highest mean return of the sampled episodes so far [reward].
    """

    def __init__(self, path: Path, *, keep_steps: int = 0) -> None:
        kept = None
        if Path(path).exists():
            kept = read_evaluations(path)
            kept = {name: column[kept["steps"] <= keep_steps] for name, column in kept.items()}
        super().__init__(path, EVALUATIONS, None if kept is None else len(kept["steps"]))
        if kept is None:
            self.begin(joined(EVALUATIONS))
        self.last_steps = int(kept["steps"][-1]) if self.rows and kept else 0
        self.best = float(kept["sampled"].max()) if self.rows and kept else -math.inf

    def write(self, steps: int, returns: Mapping[str, NDArray[np.float64]]) -> None:
        """
        Append the row of one evaluation.

        Parameters
        ----------
        steps : int
            Environment steps of the run so far.
        returns : mapping of str to ndarray of float64, shape (episodes,)
            Returns of the "sampled" and of the "greedy" episodes [reward].
        """
        cells = [f(returns[mode]) for mode in ("sampled", "greedy") for f in (np.mean, np.std)]
        self.append([(steps, *map(float, cells))])
        self.last_steps, self.best = steps, max(self.best, float(cells[0]))


def read_evaluations(path: Path) -> dict[str, NDArray[np.float64]]:
    """
    Read an `evaluations.csv`; a line that is still being written is left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of ndarray of float64, shape (rows,)
        The columns under their names.

    Raises
    ------
    ValueError
        If the file is missing, has another header, or holds something other than numbers.
    """
    return columns_of(path, EVALUATIONS)


class Selection:
    """
    Evaluates a run every so many steps, and keeps the policy that did best.

    All evaluations of a run play the same episodes, from the same first states and with the same
    noise, so that policies and not their luck are compared; none of them is played again at the
    end, where the mean of a policy that was chosen by its luck would be too high.

    Parameters
    ----------
    run : Run
        The run.
    start : Progress
        Where it goes on.

    Raises
    ------
    ValueError
        If `evaluations.csv` is none.
    """

    def __init__(self, run: Run, start: Progress) -> None:
        self._run = run
        self.log = EvaluationsLog(run.directory.evaluations, keep_steps=start.steps)
        # an environment of its own: that of the training stays where it stands
        self._env = environments.make_for(run.config, run.config.envs)
        self._seed = int(generator(run.config.seed, Purpose.SELECTION).integers(2**62))

    def due(self, now: Progress) -> bool:
        """
        Say whether it is time to evaluate.

        Parameters
        ----------
        now : Progress
            How far the run has come.

        Returns
        -------
        bool
            Whether a multiple of the interval has been passed since the last time.
        """
        every = self._run.config.eval_every
        return now.steps // every > self.log.last_steps // every

    def evaluate(self, now: Progress) -> tuple[dict[str, float], bool]:
        """
        Evaluate, and keep the policy if there was none better.

        Parameters
        ----------
        now : Progress
            How far the run has come, at least one update.

        Returns
        -------
        means : dict of str to float
            Mean returns of the "sampled" and of the "greedy" episodes [reward].
        best : bool
            Whether the policy is the best so far, by the sampled ones.
        """
        assert now.state is not None
        config = self._run.config
        returns = returns_of(
            self._env,
            self._run.algorithm,
            now.state,
            fraction=now.steps / config.steps,
            episodes=config.evaluation_episodes,
            seed=self._seed,
        )
        means = {mode: float(np.mean(each)) for mode, each in returns.items()}
        best = means["sampled"] > self.log.best
        if best:  # before the row: a kill in between repeats both
            progress.save(now, config, self._run.directory.best)
        self.log.write(now.steps, returns)
        return means, best

    def close(self) -> None:
        """Close the log and the environment."""
        self.log.close()
        close(self._env)
