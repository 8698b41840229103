"""Where in a user's own code an error arose: neither ours, nor Python's, nor of what we call."""

import sysconfig
import traceback
from pathlib import Path

_OURS = Path(__file__).parent
_LIBRARY = Path(sysconfig.get_path("stdlib"))
_PACKAGES = {"site-packages", "dist-packages"}
_LONGEST = 300  # characters of a text that are shown
_CALLED = {"gymnasium", "numba", "numpy", "rich"}  # what stands between us and an environment


def every_frame(error: BaseException) -> list[traceback.FrameSummary]:
    """
    Give the frames of an error, after those of the error that it came from.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    list of traceback.FrameSummary
        The frames, outermost first.
    """
    before = error.__cause__ or error.__context__
    earlier = every_frame(before) if before is not None else []
    return [*earlier, *traceback.extract_tb(error.__traceback__)]


def frames(error: BaseException) -> list[traceback.FrameSummary]:
    """
    Give those frames of an error that lie in a user's own code.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    list of traceback.FrameSummary
        The frames, outermost first; none if only we have part in it.
    """
    return [frame for frame in every_frame(error) if _is_theirs(frame.filename)]


def told(error: BaseException) -> str:
    r"""
    Say in one line what was raised, and where in a user's own code.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    str
        Kind and text of the error, and file and line if there are any.

    Examples
    --------
    >>> told(SystemExit("bye"))
    "sys.exit('bye')"
    >>> told(RuntimeError("two\nlines"))
    'RuntimeError: two lines'
    """
    kind, text = type(error).__name__, _text(error)
    text = f"sys.exit({error.code!r})" if isinstance(error, SystemExit) else f"{kind}: {text}"
    place = frames(error)[-1:]
    return text.removesuffix(": ") + "".join(f" ({at.filename}:{at.lineno})" for at in place)


def _text(error: BaseException) -> str:
    """Say what an error says in one line that is not too long, if it can be shown at all."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # it is not ours
        return ""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _is_theirs(filename: str) -> bool:
    path = Path(filename)
    if filename.startswith("<") or path.is_relative_to(_OURS):
        return False
    if _PACKAGES & set(path.parts):
        return _CALLED.isdisjoint(path.parts)
    return not path.is_relative_to(_LIBRARY)
