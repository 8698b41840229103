"""All algorithms over seeds: ordinary groups, one figure, and what is finished stays."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.runs.algorithms import ALGORITHMS, WEIGHTS
from npvpg.studies.ablation import half_way

SMALL = "envs = 2\nhorizon = 16\nhidden = [8]\nevaluation_episodes = 2\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SMALL)


def command(line: str) -> int:
    return main(line.split())


@pytest.mark.slow
def test_it_trains_all_draws_and_goes_on_where_it_stood(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "ablation CartPole-v1 --config small.toml --steps 256 --seeds 3-4 --jobs 1 --episodes 8"
    assert command(f"{line} --out all") == 0
    assert capsys.readouterr().out.endswith("all/ablation.png\n")
    assert Path("all/ablation.png").read_bytes().startswith(b"\x89PNG")
    summary = json.loads(Path("all/ablation.json").read_text())
    assert list(summary["algorithms"]) == list(ALGORITHMS)
    for name, settings in ALGORITHMS.items():
        assert summary["algorithms"][name]["seeds"] == [3, 4]
        measured = summary["algorithms"][name].get("variance", {"total": 0})
        assert (measured["total"] > 0) == (name in WEIGHTS)
        config = tomllib.loads(Path(f"all/{name}/seed-4/config.toml").read_text())
        due = {"envs": 2, "steps": 256, "stop_when_solved": False} | settings
        assert {key: config[key] for key in due} == due
    fixed = tomllib.loads(Path("all/fixed/config.toml").read_text())
    assert fixed["estimator"] == "gae"
    assert fixed["steps"] == 256  # the same schedules: it is the run itself, stopped half-way
    for name in ("metrics.csv", "episodes.csv"):
        half, whole = (Path(f"all/{run}/{name}").read_bytes() for run in ("fixed", "vpg/seed-3"))
        assert whole.startswith(half)
        assert len(half) < len(whole)
    lines = Path("all/fixed/metrics.csv").read_text().splitlines()
    assert int(lines[-1].split(",")[1]) == summary["fixed_at_step"]

    # what is lost is made again, and is the same; what is finished is not touched
    kept = Path("all/vpg/seed-3/metrics.csv").stat().st_mtime_ns
    lost = Path("all/n-step/seed-4/episodes.csv").read_bytes()
    shutil.rmtree("all/n-step/seed-4")
    Path("all/ablation.json").unlink()
    assert command("ablation --resume all --jobs 1 --episodes 8") == 0
    assert Path("all/n-step/seed-4/episodes.csv").read_bytes() == lost
    assert Path("all/vpg/seed-3/metrics.csv").stat().st_mtime_ns == kept
    assert json.loads(Path("all/ablation.json").read_text()) == summary

    capsys.readouterr()
    assert command(f"{line} --out all") == 2
    assert "all/reinforce holds the runs of several seeds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "no environment given; try: npvpg ablation CartPole-v1"),
        ("A B", "ablation takes one ENV, got A and B"),
        ("CartPole-v1 --steps 0", "steps must be at least 1, got 0"),
        ("CartPole-v1 --jobs 0", "jobs must be at least 1, got 0"),
        ("CartPole-v1 --episodes 2", "episodes must be at least 3, got 2"),
        ("CartPole-v1 --seeds 3-1", "seeds must have ranges that rise, got '3-1'"),
        ("CartPole-v1 --config none.toml", "none.toml does not exist"),
        ("CartPole-v1 --gamma 1", "unknown flag --gamma"),
        ("--resume none", "none/reinforce/seeds.toml does not exist"),
        ("--resume a --steps 3", "--resume goes on as the ablation began: leave out --steps"),
        ("CartPole-v1 --resume a", "--resume knows its environment: leave out CartPole-v1"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(f"ablation {words}") == 2
    err = capsys.readouterr().err
    assert err.startswith(f"npvpg: error: {message}")
    assert err.count("\n") == 1


def test_half_way_is_half_of_the_improvement() -> None:
    step = np.array([10, 20, 30, 40])
    assert half_way(step, np.array([0.0, 0.0, 3.0, 3.0]), 100) == 30  # means 0, 0, 1, 1.5
    assert half_way(step, np.array([5.0, 4.0, 3.0, 2.0]), 100) == 10
    assert half_way(step[:0], np.zeros(0), 100) == 50


def test_half_way_of_negative_returns() -> None:
    """Half of the improvement, not half of the best return, which all of these would exceed."""
    step = np.arange(1, 401)
    ret = np.concatenate([np.full(200, -500.0), np.full(200, -100.0)])
    assert half_way(step, ret, 400) == 250  # where 50 of the last 100 are of the better kind
    assert half_way(step, ret - 1000, 400) == 250
