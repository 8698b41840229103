"""Words for messages: those that may have been meant, and those that a shell is to read."""

import difflib
import shlex
from collections.abc import Iterable
from pathlib import Path


def nearest(word: str, words: Iterable[str], *, n: int = 3, prefix: str = "") -> str:
    """
    Name what a mistyped word may have meant.

    Parameters
    ----------
    word : str
        The word.
    words : iterable of str
        The words that exist.
    n : int
        How many to name at most.
    prefix : str
        What belongs in front of each.

    Returns
    -------
    str
        " (did you mean a or b?)", or "" if nothing resembles the word.

    Examples
    --------
    >>> nearest("gama", ["gamma", "lam"])
    ' (did you mean gamma?)'
    """
    folded = {known.lower(): known for known in words}
    part = word.lower().strip("-")
    holding = [known for known in folded if len(part) > 1 and part in known]
    alike = difflib.get_close_matches(word.lower(), folded, n=n, cutoff=0.6)
    close = [*alike[:1], *holding, *alike[1:]] if len(part) > 3 else [*holding, *alike]
    found = [prefix + folded[known] for known in dict.fromkeys(close)][:n]
    if not found:
        return ""
    listed = f"{', '.join(found[:-1])} or {found[-1]}" if found[1:] else found[0]
    return f" (did you mean {listed}?)"


def quoted(path: Path) -> str:
    """
    Write a path so that a shell reads it as one word.

    Parameters
    ----------
    path : Path
        The path.

    Returns
    -------
    str
        The path, in quotes where it needs them.

    Examples
    --------
    >>> quoted(Path("runs/my first"))
    "'runs/my first'"
    """
    return shlex.quote(str(path))
