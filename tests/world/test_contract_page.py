"""docs/environments.md: every line of the contract names a test that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/environments.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    file, named = "", 0
    for link, test in re.findall(
        r"\]\(\.\./((?:tests|verification)/[\w/]+\.py)\)|`(test_\w+)`", PAGE
    ):
        file = link or file
        if test:
            named += 1
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), (file, test)
    assert named > 30


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "test |" not in line]
    assert len(rows) > 25
    assert [row for row in rows if "`test_" not in row] == []


def test_the_command_plays_what_it_says() -> None:
    (command,) = re.findall(r"-m pytest -q -n 0 (.+)", PAGE)
    for path in command.split():
        assert (ROOT / path).is_file(), path
