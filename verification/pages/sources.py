"""Files of the repository as pages of the site, so that a link to a line of code works offline."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from verification.formulas import ROOT

FOLDER = "_source"
_LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```[^\n]*$)", re.DOTALL | re.MULTILINE)


def link_to(env: BuildEnvironment, where: str) -> str:
    """
    Give the address of a file, and see to it that it becomes a page.

    Parameters
    ----------
    env : sphinx.environment.BuildEnvironment
        Of the page that is read.
    where : str
        Path below the root of the repository, perhaps with ``#L`` and a line.

    Returns
    -------
    str
        Address relative to the page.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    path, _, line = where.partition("#")
    if not (ROOT / path).is_file():
        raise ValueError(f"no file is named {path}")
    wanted(env).add(path)
    up = "../" * env.docname.count("/")
    return f"{up}{FOLDER}/{path}.html" + (f"#{line}" if line else "")


def wanted(env: Any) -> set[str]:
    """Files that some page links to."""
    if not hasattr(env, "npvpg_sources"):
        env.npvpg_sources = set()
    found: set[str] = env.npvpg_sources
    return found


class Source(SphinxRole):
    """A link to a file: its text may hold code in double backquotes, which become one."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the reference."""
        text, _, where = self.text.rpartition(" <")
        refuri = link_to(self.env, where.rstrip(">"))
        reference = nodes.reference("", "", internal=False, refuri=refuri)
        for index, part in enumerate(text.split("¦")):
            reference += nodes.literal("", part) if index % 2 else nodes.Text(part)
        return [reference], []


def _outside(app: Sphinx, docname: str, content: list[str]) -> None:
    """Turn links out of the documentation, such as ../npvpg/mlp.py#L3, into links to pages."""
    parts = _FENCED.split(content[0])
    content[0] = "".join(
        part if index % 2 else as_roles(docname, part) for index, part in enumerate(parts)
    )


def as_roles(docname: str, text: str) -> str:
    """
    Write links to files of the repository as roles.

    Parameters
    ----------
    docname : str
        Page that they are in.
    text : str
        Markdown.

    Returns
    -------
    str
        Markdown.
    """
    folder = posixpath.join("docs", posixpath.dirname(docname))

    def replaced(match: re.Match[str]) -> str:
        image, text, target, line = match.groups()
        if image or ":" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        if not path.startswith("docs/") and (ROOT / path).is_dir():
            return text
        if path.startswith("docs/") or not (ROOT / path).is_file():
            return match[0]
        where = path + (line if line and line.startswith("#L") else "")
        return f"{{source}}`{text.replace('`', '¦')} <{where}>`"

    return _LINK.sub(replaced, text)


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Write the files that are linked to, each line with a name of its own."""
    for path in sorted(wanted(app.env)):
        text = (ROOT / path).read_text(encoding="utf-8")
        try:
            lexer = get_lexer_for_filename(path)
        except ClassNotFound:
            lexer = TextLexer()
        formatter = HtmlFormatter(linenos="inline", lineanchors="L", cssclass="highlight source")
        body = highlight(text, lexer, formatter).replace('name="L-', 'id="L')
        body = body.replace('id="L-', 'id="L')
        title = html.escape(path)
        yield f"{FOLDER}/{path}", {"title": title, "body": f"<h1>{title}</h1>{body}"}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_role("source", Source())
    app.connect("source-read", _outside)
    app.connect("html-collect-pages", _pages)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
