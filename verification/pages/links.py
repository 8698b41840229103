"""Every link between pages of the site leads to a file that is there, and to a name in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Names and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.names |= {str(given[key]) for key in ("id", "name") if given.get(key)}
        key = "href" if tag in ("a", "link") else "src"
        if given.get(key):
            self.links.append(str(given[key]))


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def dead(site: Path) -> Iterator[str]:
    """
    Find links that lead nowhere, and parts of a page that are fetched from outside.

    Parameters
    ----------
    site : Path
        Folder of the site.

    Yields
    ------
    str
        Page and link.
    """
    for path in sorted(site.rglob("*.html")):
        for link in _read(path).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else path.parent / unquote(parts.path)
            if not target.is_file():
                yield f"{path.relative_to(site)}: {link} is not there"
                continue
            named = unquote(parts.fragment) if target.suffix == ".html" else ""
            if named and named not in _read(target.resolve()).names:
                yield f"{path.relative_to(site)}: {link} names nothing"
