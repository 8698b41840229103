import csv
from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.runs.evaluation import trained
from npvpg.runs.log import read_metrics
from npvpg.studies import explain

SHORT = "--steps 256 --envs 2 --hidden 8 --horizon 16 --evaluation-episodes 0"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(line: str) -> int:
    return main(line.split())


@pytest.mark.parametrize(
    "settings",
    [
        "CartPole-v1 --algorithm vpg --entropy-weight 0.01",
        "CartPole-v1 --algorithm reward-to-go --discount-weights",
        "Pendulum-v1 --per-step",
    ],
)
def test_an_update_is_the_one_that_was_made(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(f"train {settings} {SHORT} --dtype float64 --out run") == 0
    norms = read_metrics(Path("run/metrics.csv"))["grad_norm"]
    capsys.readouterr()
    for update in range(1, len(norms) + 1):
        with trained(Path("run")) as at:
            found = explain.explain(at, update)
        assert found.update == update
        assert np.linalg.norm(found.grad) == pytest.approx(norms[update - 1], rel=1e-9)
        assert found.parts.share.sum() == pytest.approx(1, abs=1e-9)


def test_a_run_that_began_with_another_is_made_again_from_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(f"train CartPole-v1 {SHORT} --out source") == 0
    assert command(f"train CartPole-v1 {SHORT} --seed 5 --init-from source --out run") == 0
    for update in (1, 4):
        assert command(f"explain run --update {update}") == 0  # as long as metrics.csv says
    assert capsys.readouterr().err == ""


def test_an_update_that_cannot_be_made_again_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(f"train CartPole-v1 {SHORT} --out run") == 0
    assert command("train --resume run --steps 512") == 0  # the step sizes fall later from now on
    capsys.readouterr()
    assert command("explain run --update 1") == 0
    assert command("explain run --update 6") == 2
    assert capsys.readouterr().err.startswith("npvpg: error: update 6 cannot be made again: its ")
    assert command("explain run") == 0


def test_the_command_lists_writes_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(f"train CartPole-v1 {SHORT} --out run") == 0
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    capsys.readouterr()
    assert command("explain run --update 2 --rows 3 --out all.csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("update 2: 32 steps, ")
    assert lines[4].split() == ["trajectory", "step", "action", "log", "π", "Φ", "|score|", "share"]
    assert len(lines) == 9
    assert lines[-1] == "all.csv"
    rows = list(csv.DictReader(Path("all.csv").read_text().splitlines()))
    assert len(rows) == 32
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=1e-9)
    largest = max(rows, key=lambda row: abs(float(row["share"])))
    assert lines[5].split()[:2] == [largest["trajectory"], largest["step"]]
    assert command("explain run --out one.svg") == 0  # the next of the run
    assert "<svg" in Path("one.svg").read_text()
    assert capsys.readouterr().out.splitlines()[0].startswith("update 9: ")
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("--update 0", "update must be at least 1, got 0"),
        ("--update 99", "update must be at most 9, the next of this run, got 99"),
        ("--out a.txt", "out must end in"),
    ],
)
def test_what_there_is_not_is_refused(
    words: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(f"train CartPole-v1 {SHORT} --out run") == 0
    capsys.readouterr()
    assert command(f"explain run {words}") == 2
    assert capsys.readouterr().err.startswith(f"npvpg: error: {error}")
