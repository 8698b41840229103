"""Errors as a user sees them: one line, and on request where in the user's own code they arose."""

import traceback

from npvpg import theirs


def line(error: BaseException) -> str:
    """
    Say in one line what went wrong.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    str
        The text of an error that is expected; of any other its kind, and where it arose.
    """
    if isinstance(error, ValueError | OSError):
        return " ".join(str(error).split())
    if theirs.frames(error):
        return theirs.told(error)
    return f"{theirs.told(error)} (a defect of npvpg: with --traceback it shows where)"


def frames(error: BaseException) -> str:
    """
    Show where an error arose.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    str
        The frames of the user's code, as Python shows them; if there are none, all frames.
    """
    shown = theirs.frames(error) or theirs.every_frame(error)
    return "".join(traceback.StackSummary.from_list(shown).format())
