"""What may change where a run goes on, and in what two configurations differ."""

import dataclasses

from npvpg.runs.config import FIELDS, Config


def extended(before: Config, now: Config) -> Config:
    """
    Give a run what it may be given when it goes on: more steps, and leave to go on when solved.

    Parameters
    ----------
    before : Config
        Its configuration so far.
    now : Config
        The configuration it is to go on with.

    Returns
    -------
    Config
        `before` with as much of `now` as it may take.
    """
    return dataclasses.replace(
        before,
        steps=max(before.steps, now.steps),
        stop_when_solved=before.stop_when_solved and now.stop_when_solved,
    )


def differences(ours: Config, theirs: Config) -> list[str]:
    """
    Name the fields in which two configurations differ.

    Parameters
    ----------
    ours, theirs : Config
        The configurations.

    Returns
    -------
    list of str
        "gamma (0.9, was 0.99)" and the like, `ours` first.
    """
    pairs = [(name, getattr(ours, name), getattr(theirs, name)) for name in FIELDS]
    return [f"{name} ({a}, was {b})" for name, a, b in pairs if a != b]
