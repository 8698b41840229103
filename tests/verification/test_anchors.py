"""Code is found by what it is, once, wherever it stands and however it is written."""

import ast
from pathlib import Path

import pytest

from verification.anchors import check, plant

MODULE = """
LIMIT = 10


def outer(x, key=len):
    # A comment may stand anywhere,
    y = (x +
         LIMIT)  # here
    if y > 3:
        y = call(x, key=1)
        y -= 1
    return f"{y} {x}"


class Thing:
    size: int = 3

    @property
    def half(self):
        return self.size / 2

    @half.setter
    def half(self, value):
        self.size = 2 * value
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("HERE = 1")
    (tmp_path / "lib" / "mod.py").write_text(MODULE)
    return tmp_path


@pytest.mark.parametrize(
    ("where", "old", "new", "changed"),
    [
        ("lib.mod", "LIMIT = 10", "LIMIT = 11", "LIMIT = 11\n"),
        ("lib.mod", " 10", "0xB", "LIMIT = 11\n"),
        ("lib.mod.outer", "y=x+LIMIT", "y = x", "    y = x\n"),
        ("lib.mod.outer", "x + LIMIT", "x", "    y = x\n"),
        ("lib.mod.outer", "key=1", "key=2", "call(x, key=2)"),
        ("lib.mod.outer", "key=1", "other=1", "call(x, other=1)"),
        ("lib.mod.outer", "LIMIT", "LIMIT if x else 0", "x + (LIMIT if x else 0)"),
        (
            "lib.mod.outer",
            "if y > 3:\n  y = call(x, key = 1)\n  y -= 1",
            "pass",
            "LIMIT\n    pass\n    return",
        ),
        ("lib.mod.outer", "y = call(x, key=1); y -= 1", "y = 0", "if y > 3:\n        y = 0\n"),
        ("lib.mod.outer", "y -= 1", "y += 1\ny = 0", "        y += 1\n        y = 0\n"),
        ("lib.mod.outer", "call(x, key=1)", "0", "y = 0"),
        ("lib.mod.Thing", "3", "4", "size: int = 4"),
        ("lib.mod.Thing.half", "2 * value", "value", "self.size = value"),
        ("lib", "HERE", "THERE", "THERE = 1"),
    ],
)
def test_change(root: Path, where: str, old: str, new: str, changed: str) -> None:
    check(root, where, old, new)
    planted = plant(root, where, old, new)
    text = ast.unparse(planted.tree)
    assert changed in text + "\n"
    assert changed not in ast.unparse(ast.parse(planted.file.read_text(encoding="utf-8")))
    assert planted.scope in ast.walk(planted.tree)


@pytest.mark.parametrize(
    ("where", "old", "new", "message"),
    [
        ("lib.mod.outer", "y", "z", "occurs 5 times in lib.mod.outer"),
        ("lib.mod.outer", "key=2", "key=1", "occurs 0 times"),
        ("lib.mod.outer", "x + LIMIT", "y = 1", "occurs 0 times"),
        ("lib.mod.outer", "return", "pass", "occurs 0 times"),
        ("lib.mod.Thing.third", "1", "2", "nothing is defined as Thing.third"),
        ("nowhere.mod", "1", "2", "no module is named nowhere.mod"),
        ("lib.mod", "x x", "x", "must be Python, got 'x x'"),
        ("lib.mod", "x", "# nothing", "must hold code"),
        ("lib.mod", "(x)", "x", "must change something"),
    ],
)
def test_errors(root: Path, where: str, old: str, new: str, message: str) -> None:
    for make in (check, plant):
        with pytest.raises(ValueError, match=message):
            make(root, where, old, new)
