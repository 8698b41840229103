"""Every example runs as it is read, from the simplest to the whole, and shows what it says."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
ORDER = ("total_return", "reward_to_go", "gaussian_pendulum", "baseline", "gae")


def _printed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *given: str
) -> list[float]:
    """Numbers at the ends of the lines that an example prints."""
    monkeypatch.setattr(sys, "argv", [name, *given])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    return [float(line.split()[-1]) for line in lines if "mean return" in line]


def test_they_are_short() -> None:
    for name in ORDER:
        lines = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 60, name
        assert lines[0].startswith('"""'), name


@pytest.mark.parametrize(("name", "updates"), [("total_return", 60), ("baseline", 25)])
def test_it_learns(
    name: str, updates: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    means = _printed(name, monkeypatch, capsys, str(updates))
    assert len(means) == updates
    assert sum(means[-5:]) > 4 * sum(means[:5])


def test_the_gaussian_acts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    means = _printed("gaussian_pendulum", monkeypatch, capsys, "3")
    assert len(means) == 3
    assert all(-2000 < mean < -600 for mean in means)


def test_the_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    *_, total = _printed("gae", monkeypatch, capsys, "4096")
    assert 0 < total <= 500


def test_from_scratch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    means = _printed("from_scratch", monkeypatch, capsys, "2", "1")
    assert len(means) == 2
    assert all(5 < mean <= 500 for mean in means)
