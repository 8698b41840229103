"""How good the policies of several seeds are, each by itself and together."""

from pathlib import Path
from typing import TypedDict

from npvpg.runs.evaluation import Score, evaluate
from npvpg.runs.group import GroupDirectory
from npvpg.runs.over_seeds import OverSeeds, over_seeds


class GroupScore(TypedDict):
    """
    What the policies of several seeds returned.

    Attributes
    ----------
    sampled, greedy : OverSeeds or None
        What the mean returns of the seeds say together [reward].
    runs : dict
        By seed, its scores under "sampled" and "greedy".
    """

    sampled: OverSeeds | None
    greedy: OverSeeds | None
    runs: dict[str, dict[str, Score]]


def evaluate_group(directory: Path, *, episodes: int, seed: int, best: bool = False) -> GroupScore:
    """
    Evaluate the last checkpoints of the runs of a group, or their best policies.

    Parameters
    ----------
    directory : Path
        Directory of the group.
    episodes : int
        Number of episodes of either kind, for each run.
    seed : int
        Seed, the same for every run: all policies meet the same first states.
    best : bool
        Take the best policies of runs with `eval_every` in place of the last.

    Returns
    -------
    GroupScore
        Scores of every run, and over them.

    Raises
    ------
    ValueError
        If a run has no checkpoint yet, or cannot be evaluated for another reason.
    """
    group = GroupDirectory(directory)
    runs = {
        str(each): evaluate(group.run(each).path, episodes=episodes, seed=seed, best=best)
        for each in group.read()[1]
    }
    sampled, greedy = (
        over_seeds([run[mode]["mean"] for run in runs.values()]) for mode in ("sampled", "greedy")
    )
    return {"sampled": sampled, "greedy": greedy, "runs": runs}
