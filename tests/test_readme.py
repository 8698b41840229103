"""The example that the README prints is the file, and it learns."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "reward_to_go.py"


def test_readme_prints_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- example:begin -->\n```python\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    assert block.group(1) == EXAMPLE.read_text(encoding="utf-8")
    lines = [line for line in block.group(1).splitlines() if line]
    assert len(lines) <= 25


def test_example_learns(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE))
    means = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert sum(means[:5]) / 5 < 60
    assert sum(means[-10:]) / 10 > 300
