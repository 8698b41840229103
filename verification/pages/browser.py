"""
Open every page of the site in Chromium, wide and narrow, light and dark, from disk.

``python -m verification.pages.browser site`` looks for errors on the console, requests to
anywhere but the site, and pages wider than the window; and for dead links without a browser.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from verification.pages.links import dead

if TYPE_CHECKING:  # the extra docs brings it
    from playwright.sync_api import ConsoleMessage, Error, Request

VIEWS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))
NAMES = ("chromium", "chromium-browser", "google-chrome")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _console(heard: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        heard.append(message.text)


def _raised(heard: list[str], error: Error) -> None:
    heard.append(str(error))


def _request(heard: list[str], root: str, request: Request) -> None:
    if not request.url.startswith((root, "data:", "blob:")):
        heard.append(f"asks for {request.url}")


def found() -> str | None:
    """
    Find the browser.

    Returns
    -------
    str or None
        Its program, if there is one.
    """
    return next(filter(None, map(shutil.which, NAMES)), None)


def complaints(site: Path, chromium: str, pages: Sequence[Path]) -> Iterator[str]:
    """
    Open pages.

    Parameters
    ----------
    site : Path
        Folder of the site.
    chromium : str
        The browser's program.
    pages : sequence of Path
        Files to open.

    Yields
    ------
    str
        What is wrong, with page, width and scheme.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    root = site.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, scheme in VIEWS:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            heard: list[str] = []
            page.on("console", partial(_console, heard))
            page.on("pageerror", partial(_raised, heard))
            page.on("request", partial(_request, heard, root))
            for path in pages:
                page.goto(path.resolve().as_uri())
                over = page.evaluate(OVERFLOW)
                if over > 0:
                    heard.append(f"is {over} px too wide")
                yield from (
                    f"{path.relative_to(site)} at {width} px, {scheme}: {text}" for text in heard
                )
                heard.clear()
            page.close()
        browser.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Check a site.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        0; 1 if something is wrong; 2 if there is no site or no browser.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.pages.browser")
    parser.add_argument("site", type=Path, help="folder that python -m verification.pages wrote")
    options = parser.parse_args(arguments)
    pages = sorted(options.site.rglob("*.html"))
    chromium = found()
    if not pages or chromium is None:
        told = f"no page in {options.site}" if not pages else f"none of {', '.join(NAMES)} is there"
        print(f"browser: {told}", file=sys.stderr)
        return 2
    wrong = [*dead(options.site), *complaints(options.site, chromium, pages)]
    for line in wrong:
        print(line)
    views = " and ".join(f"{width} px, {scheme}" for width, scheme in VIEWS)
    print(f"{len(pages)} pages at {views}: {len(wrong)} complaints")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
