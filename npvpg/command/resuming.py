"""How a command that was stopped goes on."""
# ruff: noqa: PLC0415

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from npvpg.runs.config import Config
from npvpg.runs.words import quoted


@contextlib.contextmanager
def resumable(path: Path, command: str, config: Config | None = None) -> Iterator[None]:
    """
    Say how to go on, if that is possible, after a signal or without the workers of a cluster.

    Parameters
    ----------
    path : Path
        Directory of what is being made.
    command : str
        Name of the command.
    config : Config, optional
        Configuration, if it is one run.
    """
    from npvpg.jobs.interrupt import Interrupted
    from npvpg.runs import manners
    from npvpg.world.split import Gone

    try:
        yield
    except Gone as gone:
        how = f"; go on with: npvpg {command} --resume {quoted(path)}" if path.exists() else ""
        raise Gone(f"{gone}{how}") from gone
    except Interrupted as stop:
        how = f"; go on with: npvpg {command} --resume {quoted(path)}" if path.exists() else ""
        if how and config is not None and not manners.follows_from_seed(config):
            how = "; it cannot go on: the environment does not follow from its seed"
        print(f"npvpg: {stop}{how}", file=sys.stderr)
        raise
