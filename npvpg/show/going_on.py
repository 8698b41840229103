"""What is said of a run that goes on to a later end, and of its evaluations on the way."""

from npvpg.runs.config import Config
from npvpg.runs.progress import Progress
from npvpg.show.numbers import number


def extension(before: Config, config: Config, start: Progress) -> list[str]:
    """
    Say what a run that goes on to a later end does with its schedules.

    Parameters
    ----------
    before : Config
        Its configuration so far.
    config : Config
        The configuration it goes on with.
    start : Progress
        Where it goes on.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [f"from {before.steps:,} to {config.steps:,} steps"]
    done = min(start.steps / config.steps, 1.0)
    if config.lr_decay == "linear":
        lines.append(
            f"step sizes rise to {1 - done:.0%} of their first values and fall to zero at step "
            f"{config.steps:,}: not the run that had these steps from the start"
        )
    if config.greedy:
        now = f"{config.greedy * done:g}"
        lines.append(f"the mode is taken besides with probability {now}, rising to the new end")
    if config.lr_decay == "constant" and not config.greedy:
        lines.append("no setting has a schedule: as if it had had these steps from the start")
    if start.solved_at_step is not None and config.stop_when_solved:
        lines.append(
            f"solved at step {start.solved_at_step:,}: --no-stop-when-solved lets it go on"
        )
    return lines


def evaluated(steps: int, means: dict[str, float], best: bool) -> str:
    """
    Say what an evaluation during a run gave.

    Parameters
    ----------
    steps : int
        Environment steps so far.
    means : dict of str to float
        Mean returns of the "sampled" and of the "greedy" episodes [reward].
    best : bool
        Whether the policy is the best so far.

    Returns
    -------
    str
        A line.
    """
    text = ", ".join(f"{mode} {number(mean)}" for mode, mean in means.items())
    return f"at step {steps:,}: {text}" + (" · the best so far" if best else "")
