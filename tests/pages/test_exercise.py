"""A broken copy fails its claim, the mended one holds, and the place is not told."""

from pathlib import Path

import pytest

from verification.exercise import exercises, hand_out, main, mended

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_find_the_bug(tmp_path: Path) -> None:
    (bug,) = (bug for bug in exercises(ROOT) if bug.name == "n-step reads the next episode")
    folder = tmp_path / "copy"
    hand_out(bug, ROOT, folder)
    assert not (folder / "verification" / "mutants.toml").exists()
    file = folder / "npvpg" / "kernels" / "returns.py"
    good = ROOT / "npvpg" / "kernels" / "returns.py"
    assert file.read_text(encoding="utf-8") != good.read_text(encoding="utf-8")
    assert not any(mended(bug, folder).values())
    file.write_text(good.read_text(encoding="utf-8"), encoding="utf-8")
    assert all(mended(bug, folder).values())


def test_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["0"]) == 2
    assert "number must lie in" in capsys.readouterr().err
    assert main(["1", "--out", str(tmp_path)]) == 2
    assert main(["1", "--check", "--out", str(tmp_path / "none")]) == 2


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(exercises(ROOT)) > 50
