"""The films in a report of runs: small ones lie in it, large ones beside it."""

import base64
import html
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from npvpg.runs.record import Record
from npvpg.show.page import element

LARGEST = 4_000_000  # bytes of all films in one page


def films(records: Sequence[Sequence[Record]], page: Path) -> str:
    """
    Show a film of every group that has one.

    Parameters
    ----------
    records : sequence of sequence of Record
        The runs of every group.
    page : Path
        The page that they are to be seen on.

    Returns
    -------
    str
        HTML; empty if there is none.
    """
    left, shown = LARGEST, ""
    for each in records:
        film = next((one.film for one in each if one.film is not None), None)
        if film is None:
            continue
        size = film.stat().st_size
        if size <= left:
            left -= size
            shown += element("figure", _embedded(film) + _caption(str(film)))
        else:
            way = quote(os.path.relpath(film.resolve(), page.parent.resolve()).replace(os.sep, "/"))
            told = element("a", html.escape(str(film)), href=way)
            told += f", {size / 1e6:.1f} MB: the films of a page have at most {LARGEST / 1e6:g} MB"
            shown += element("p", told)
    return element("h2", "The policy acts") + shown if shown else ""


def _embedded(film: Path) -> str:
    """Put a film into the page."""
    data = base64.b64encode(film.read_bytes()).decode()
    if film.suffix == ".gif":
        return f'<img alt="the policy acts" src="data:image/gif;base64,{data}">'
    return (
        '<video controls loop muted playsinline aria-label="the policy acts" '
        f'src="data:video/mp4;base64,{data}"></video>'
    )


def _caption(text: str) -> str:
    """Say which film it is."""
    return element("figcaption", html.escape(text))
