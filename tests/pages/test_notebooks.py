"""The notebooks still print what stands in them."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from verification.pages.notebooks import cells

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"


@pytest.mark.parametrize("name", ["gradient_by_hand", "train_and_look"])
def test_every_cell_prints_what_it_printed(name: str) -> None:
    shared: dict[str, Any] = {}
    told = 0
    for kind, source, printed in cells(FOLDER / f"{name}.ipynb"):
        if kind == "code":
            heard = io.StringIO()
            with contextlib.redirect_stdout(heard):
                exec(source, shared)
            assert heard.getvalue() == printed, source
            told += bool(printed)
    assert told >= 4
