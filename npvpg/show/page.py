"""
Pages in HTML that need nothing else: style, pictures, films and numbers are inside.

No page asks for anything from anywhere, which its own policy forbids; it follows the light or dark
of whoever reads it, and is laid out for a telephone as well.
"""

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npvpg.runs.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_suffix(".css")

_NEUTRAL = {
    "#000000": "currentColor",
    "#4d4d4d": "var(--dim)",
    "#b0b0b0": "var(--dim)",
    "#cccccc": "var(--line)",
    "#d9d9d9": "var(--line)",
    "#ffffff": "var(--page)",
}
"""Black, grey and white of matplotlib, which are others on a dark page."""


def write(path: Path, title: str, body: str, *, script: str = "", data: Any = None) -> None:
    """
    Write a page, atomically.

    Parameters
    ----------
    path : Path
        The file.
    title : str
        Its title, a plain text.
    body : str
        What stands below it: HTML.
    script : str
        Script at the end of it, the only one that the page lets run.
    data : object
        What the script finds as JSON in the element ``data``, if it is to find any.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays as it is.
    """
    ends = ""
    allowed = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
    if data is not None:
        text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        ends += f'<script id="data" type="application/json">{text}</script>\n'
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed += f"; script-src 'sha256-{digest}'"
        ends += f"<script>{script}</script>\n"
    name = html.escape(title)
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{allowed}">
<title>{name}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<h1>{name}</h1>
{body}
{ends}</body>
</html>
"""
    write_atomically(path, text.encode())


def element(tag: str, content: str, **attributes: str) -> str:
    """
    Write an element.

    Parameters
    ----------
    tag : str
        Its name.
    content : str
        What is in it: HTML.
    **attributes : str
        Its attributes, plain texts; "class_" stands for "class", "data_label" for "data-label".

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> element("a", html.escape("1 < 2"), href="#there")
    '<a href="#there">1 &lt; 2</a>'
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{given}>{content}</{tag}>"


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: int = 0,
    cards: bool = True,
    **attributes: str,
) -> str:
    """
    Lay out a table.

    Parameters
    ----------
    head : sequence of str
        Its heads, plain texts.
    rows : iterable of sequence of str
        Its cells: HTML. The first of a row is its head.
    numbers : int
        How many columns, the last ones, hold numbers.
    cards : bool
        Make a card of every row where the page is narrow.
    **attributes : str
        Attributes of the table.

    Returns
    -------
    str
        HTML.
    """
    kinds = ["number" if place >= len(head) - numbers else "text" for place in range(len(head))]
    heads = "".join(
        element("th", html.escape(name), class_=kind)
        for name, kind in zip(head, kinds, strict=True)
    )
    body = "".join(
        element(
            "tr",
            "".join(
                element("td" if place else "th", cell, class_=kind, data_label=name)
                for place, (cell, kind, name) in enumerate(zip(row, kinds, head, strict=True))
            ),
        )
        for row in rows
    )
    kind = {"class_": "cards"} if cards else {}
    whole = element("thead", element("tr", heads)) + element("tbody", body)
    return element("table", whole, **kind, **attributes)


def folded(title: str, content: str) -> str:
    """
    Fold something under a line.

    Parameters
    ----------
    title : str
        The line, a plain text.
    content : str
        What is below it: HTML.

    Returns
    -------
    str
        HTML.
    """
    return element("details", element("summary", html.escape(title)) + content)


def picture(figure: "Figure", about: str, caption: str = "") -> str:
    """
    Put a figure into a page, in the colours of the page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    about : str
        What it shows, for whoever cannot see it.
    caption : str
        What stands below it, a plain text.

    Returns
    -------
    str
        HTML.
    """
    below = element("figcaption", html.escape(caption)) if caption else ""
    return element("figure", svg(figure, about) + below)


def svg(figure: "Figure", about: str) -> str:
    """
    Draw a figure as an element of a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    about : str
        What it shows, for whoever cannot see it.

    Returns
    -------
    str
        An ``svg`` element, as wide as there is room, black and grey in the colours of the page.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    buffer = io.StringIO()
    with rc_context(
        {
            "svg.fonttype": "none",  # text stays text
            "svg.hashsalt": "npvpg",
            "path.simplify_threshold": 0.5,
        }
    ):
        figure.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)  # that of the page
    for color, name in _NEUTRAL.items():
        text = text.replace(f": {color}", f": {name}")
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda at: at[0] if at[1] in used else "", text)
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    text = re.sub(r"\s*\n\s*", "\n", text[text.index(">") + 1 :])
    link = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {box[0]} role="img" aria-label="{html.escape(about)}" {link}>{text}'.strip()
