"""Seeds as one word of the command line: `0-9`, `3`, `0,2,5-7`."""

import re

MOST = 10_000  # a slip of the hand, such as 0-1000000, must not fill a disk with directories


def parse(text: str) -> tuple[int, ...]:
    """
    Read seeds.

    Parameters
    ----------
    text : str
        Seeds and ranges of them, both ends included, between commas.

    Returns
    -------
    tuple of int
        The seeds, in rising order.

    Raises
    ------
    ValueError
        If the text is no such list, a range falls, a seed comes twice or there are too many.

    Examples
    --------
    >>> parse("0,2,5-7")
    (0, 2, 5, 6, 7)
    """
    seeds: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]+)(?:-([0-9]+))?\s*", part)
        if match is None:
            raise ValueError(f"seeds must be a list such as 0-9 or 0,2,5-7, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"seeds must have ranges that rise, got {part.strip()!r}")
        if len(seeds) + last - first >= MOST:
            raise ValueError(f"seeds must be at most {MOST:,}, got {text!r}")
        more = range(first, last + 1)
        twice = sorted(seeds.intersection(more))
        if twice:
            raise ValueError(f"seeds must differ from each other, got {twice[0]} twice")
        seeds.update(more)
    return tuple(sorted(seeds))


def text(seeds: tuple[int, ...]) -> str:
    """
    Write seeds, the shortest way.

    Parameters
    ----------
    seeds : tuple of int
        Seeds in rising order.

    Returns
    -------
    str
        Text that `parse` reads as the same seeds.

    Examples
    --------
    >>> text((0, 1, 2, 5, 7, 8))
    '0-2,5,7-8'
    """
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], seed]
        else:
            ranges.append([seed])
    return ",".join("-".join(map(str, ends)) for ends in ranges)
