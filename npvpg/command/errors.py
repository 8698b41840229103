"""Errors as a user sees them: one line, and on request where in the user's own code they arose."""

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

import npvpg

_OURS = Path(npvpg.__file__).parent
_LIBRARY = Path(sysconfig.get_path("stdlib"))
_BELOW = ("gymnasium", "numba", "numpy", "rich")  # what stands between us and an environment


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
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError):
        return text
    theirs = [frame for frame in _frames(error) if _is_theirs(frame)]
    if isinstance(error, SystemExit):
        text = f"sys.exit({error.code!r}) ended the command"
    else:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if theirs:
        return f"{text} ({theirs[-1].filename}:{theirs[-1].lineno})"
    return f"{text} (a defect of npvpg: with --traceback it shows where)"


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
    every = list(_frames(error))
    theirs = [frame for frame in every if _is_theirs(frame)]
    return "".join(traceback.StackSummary.from_list(theirs or every).format())


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Give the frames of an error, after those of the error that it came from."""
    before = error.__cause__ or error.__context__
    if before is not None:
        yield from _frames(before)
    yield from traceback.extract_tb(error.__traceback__)


def _is_theirs(frame: traceback.FrameSummary) -> bool:
    """Say whether a frame is neither ours, nor Python's, nor of a package below us."""
    path = Path(frame.filename)
    if frame.filename.startswith("<") or path.is_relative_to(_OURS):
        return False
    if {"site-packages", "dist-packages"} & set(path.parts):
        return set(_BELOW).isdisjoint(path.parts)
    return not path.is_relative_to(_LIBRARY)
