"""The page shows what the checks really say."""

import re
from pathlib import Path
from typing import Any

import pytest

from npvpg import testing
from npvpg.testing import TheoremError

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def test_the_page_shows_real_code_and_real_failures() -> None:
    names: dict[str, Any] = {}
    broken = ""
    for kind, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "text":
            assert broken == body.strip("\n")
            continue
        try:
            exec(compile(body, str(PAGE), "exec"), names)
        except TheoremError as error:
            broken = str(error)
    assert broken


def test_the_page_shows_every_check() -> None:
    page = PAGE.read_text(encoding="utf-8")
    checks = [name for name in testing.__all__ if name.startswith("check_")]
    assert len(checks) == 4
    assert all(f"    {name}(" in page for name in checks)


@pytest.mark.parametrize("name", ["test_my_distribution", "test_my_estimator"])
def test_three_lines_pass(name: str) -> None:
    names: dict[str, Any] = {}
    for kind, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "python" and "class " not in body and "def test" in body:
            exec(compile(body, str(PAGE), "exec"), names)
    names[name]()
