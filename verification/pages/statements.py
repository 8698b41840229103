"""Two tables that are checked as they are made: statements of the texts, and historic bugs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from verification.formulas import ROOT
from verification.mutants import read
from verification.pages.equations import all_claims, stated
from verification.source import excerpt

TABLE = Path("verification/pages/statements.toml")
TEXTS = {
    "S0": "Jabon, *Vanilla Policy Gradient*",
    "S1": "*Basic Policy Gradients*",
    "S2": "Achiam, *Spinning Up*, part 3",
}


def rows() -> list[dict[str, str]]:
    """Read the statements of the texts: source, what it says, page, code, claims, remark."""
    read: list[dict[str, str]] = tomllib.loads((ROOT / TABLE).read_text(encoding="utf-8"))["rows"]
    return read


def fault(row: Mapping[str, str]) -> str:
    """
    Say what a row lacks.

    Parameters
    ----------
    row : mapping
        With ``text``, ``says`` and ``page``; ``code`` and ``claims``, or a ``remark`` why not.

    Returns
    -------
    str
        Empty if all that it names is there.
    """
    lacking = [key for key in ("text", "says", "page") if not row.get(key)]
    if lacking or row["text"] not in TEXTS:
        return f"a row must have text (S0, S1, S2), says and page, got {dict(row)}"
    page = ROOT / "docs" / f"{row['page'].partition('#')[0]}.md"
    if not page.is_file():
        return f"no page is named {row['page']}"
    unknown = [name for name in row.get("claims", "").split() if name not in all_claims()]
    if unknown:
        return f"no proof states {', '.join(unknown)}"
    for name in row.get("code", "").split():
        if "/" in name and not (ROOT / name).is_file():
            return f"no file is named {name}"
        if "/" not in name:
            excerpt(name, ROOT)
    if not (row.get("code") and row.get("claims")) and not row.get("remark"):
        return f"{row['says']!r} has no code or no claim, and no remark says why"
    return ""


def _link(name: str, folder: str = "../../") -> str:
    """Link to a file or to a definition."""
    if "/" in name:
        return f"[{name}]({folder}{name})"
    part = excerpt(name, ROOT)
    return f"[`{part.short}`]({folder}{part.file}#L{part.lines[0][0]})"


def _proof(name: str) -> str:
    return f"[{name}](../../{stated()[name]})"


class _Table(SphinxDirective):
    """A table in Markdown, which is parsed where the directive stands."""

    def parsed(self, head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[nodes.Node]:
        """Parse it, links out of the documentation included."""
        from verification.pages.sources import as_roles  # noqa: PLC0415

        text = [head, ["---"] * len(head), *lines]
        source = [f"| {' | '.join(cells)} |" for cells in text]
        content = as_roles(self.env.docname, "\n".join(source)).splitlines()
        node = nodes.container()
        self.state.nested_parse(StringList(content, source=str(TABLE)), 0, node)
        return [node]


class Statements(_Table):
    """The statements of one text, each with where it is explained, computed and proved."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Check every row and lay them out."""
        lines = []
        for row in rows():
            wrong = fault(row)
            if wrong:
                raise self.error(wrong)
            if row["text"] != self.arguments[0]:
                continue
            page, _, anchor = row["page"].partition("#")
            to = page.removeprefix("book/") if page.startswith("book/") else f"../{page}"
            where = f"[]({to}.md{'#' + anchor if anchor else ''})"  # its title
            code = ", ".join(map(_link, row.get("code", "").split()))
            claims = ", ".join(map(_proof, row.get("claims", "").split()))
            lines.append(
                [row["says"].replace("|", "\\|"), where, code, claims, row.get("remark", "")]
            )
        return self.parsed(["it says", "page", "code", "claims", "remark"], lines)


class Traps(_Table):
    """The planted bugs that were once in real software, with the claims that catch them."""

    def run(self) -> list[nodes.Node]:
        """Lay them out."""
        lines = []
        for mutant in read(ROOT):
            if "#" in mutant.source:
                before, after = (_code(text) for text in (mutant.old, mutant.new))
                claims = ", ".join(map(_proof, mutant.claims))
                lines.append([mutant.name, f"{before} → {after}", mutant.source, claims])
        return self.parsed(["bug", "planted", "seen in", "caught by"], lines)


def _code(text: str) -> str:
    short = " ".join(text.split()).replace("|", "\\|")
    return f"`{short if len(short) <= 90 else short[:87] + '...'}`" if short else "nothing"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("statements", Statements)
    app.add_directive("traps", Traps)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
