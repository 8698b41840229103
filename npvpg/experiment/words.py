"""Words that may have been meant: every message about an unknown name offers them."""

import difflib
from collections.abc import Iterable


def nearest(word: str, words: Iterable[str], *, n: int = 3) -> str:
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
    close = difflib.get_close_matches(word.lower(), folded, n=n, cutoff=0.6)
    close += [known for known in folded if known not in close and word.lower() in known]
    found = [folded[known] for known in close[:n]]
    return f" (did you mean {' or '.join(found)}?)" if found else ""
