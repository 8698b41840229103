"""A notebook as a part of a page: its text, its code and what the code printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from verification.formulas import ROOT


def cells(path: Path) -> list[tuple[str, str, str]]:
    """
    Read a notebook.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of tuple
        Of every cell its kind ("markdown" or "code"), its source and what it printed.
    """
    read = json.loads(path.read_text(encoding="utf-8"))
    return [
        (
            cell["cell_type"],
            "".join(cell["source"]),
            "".join("".join(out["text"]) for out in cell.get("outputs", [])),
        )
        for cell in read["cells"]
    ]


class Notebook(SphinxDirective):
    """The cells of a notebook below the root of the repository."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Lay them out, without the notebook's own title."""
        box = nodes.container()
        for kind, source, printed in cells(ROOT / self.arguments[0]):
            if kind == "markdown":
                text = source.partition("\n")[2] if source.startswith("# ") else source
                lines = StringList(text.strip().splitlines(), source=self.arguments[0])
                self.state.nested_parse(lines, 0, box)
            else:
                box += nodes.literal_block(source, source, language="python")
                if printed:
                    box += nodes.literal_block(printed, printed.rstrip("\n"), language="text")
        return [box]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("notebook", Notebook)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
