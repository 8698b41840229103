from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.estimators import TotalReturn
from npvpg.studies import exact

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_command_prints_a_table_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["exact", "--states", "2", "--horizon", "2", "--gamma", "0.9", "--out", "a.png"]) == 0
    )
    head, *rows, path = capsys.readouterr().out.splitlines()
    assert head.split() == ["in", "units", "of", "|grad", "J|", "bias", "std", "rms", "error"]
    assert len(rows) == len(exact.estimators(0.9)) + 3
    assert path == "a.png"
    assert Path("a.png").read_bytes().startswith(PNG)
    for row in rows:
        bias, std, rms = (float(word) for word in row.split()[-3:])
        assert rms == pytest.approx(np.hypot(bias, std), abs=2e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("CartPole-v1", "exact takes flags only, got CartPole-v1"),
        ("--gamma 2", "gamma must lie in [0, 1], got 2.0"),
        ("--episodes 1", "episodes must be at least 2, got 1"),
        ("--states 0", "states must be at least 1, got 0"),
        ("--error -1", "error must be at least 0, got -1.0"),
        ("--seed -1", "seed must be at least 0, got -1"),
        ("--out a.jpg", "out must end in .png, .pdf or .svg, got a.jpg"),
        ("--horizon 50", "episodes must have at most 1000000 steps in all, got more"),
        ("--actions 1", "actions must make a difference to the return, got 1"),
        ("--horzon 3", "unknown flag --horzon (did you mean --horizon?)"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exact", *words.split()]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"
    assert not Path("exact.png").exists()


def test_variance_falls_with_the_batch() -> None:
    asked = exact.study(2, 2, 2, 0.9, 10, 1.0, 0)
    one, ten = (asked.error_of(TotalReturn(0.9), n_trajectories=n)[1] for n in (1, 10))
    assert one == pytest.approx(ten * 10**0.5)
