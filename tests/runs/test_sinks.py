"""What other tools read: the numbers of metrics.csv, in whatever pieces a run was made."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.jobs import run
from npvpg.runs import sinks
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import read_metrics

SHORT = Config("CartPole-v1", steps=256, envs=2, horizon=16, hidden=(4,), evaluation_episodes=0)


def test_json_lines_are_the_rows_whatever_the_pieces(tmp_path: Path) -> None:
    whole, part = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "part")
    run.train(SHORT, whole, also=("jsonl",))
    run.train(SHORT, part, also=("jsonl",), until=100)
    with part.lines.open("a") as file:  # killed after its last checkpoint
        file.write('{"iteration": 5, "steps": 160}\n{"iteration": 6, "st')
    run.train(SHORT, part, resume=True)  # it is kept up without being asked for again
    assert part.lines.read_bytes() == whole.lines.read_bytes()
    rows = [json.loads(line) for line in whole.lines.read_text().splitlines()]
    columns = read_metrics(whole.metrics)
    assert len(rows) == len(columns["steps"]) == 8
    for number, row in enumerate(rows):
        for name, value in row.items():
            held = columns[name][number]
            assert np.isnan(held) if value is None else held == value


def test_scalars_of_tensorboard_are_the_rows_whatever_the_pieces(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    directory = RunDirectory(tmp_path / "run")
    run.train(SHORT, directory, also=("tensorboard",), until=100)
    run.train(SHORT, directory, resume=True)
    events = EventAccumulator(str(directory.tensorboard))
    events.Reload()
    columns = read_metrics(directory.metrics)
    assert set(events.Tags()["scalars"]) == columns.keys() - {"steps"}
    kl = events.Scalars("kl")
    assert [event.step for event in kl] == columns["steps"].tolist()
    assert [event.value for event in kl] == columns["kl"].astype(np.float32).tolist()


@pytest.mark.slow
def test_several_seeds_write_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flags = "--steps 64 --envs 2 --horizon 16 --evaluation-episodes 0 --jobs 2"
    assert main(f"train CartPole-v1 --seeds 0-1 --out g --jsonl {flags}".split()) == 0
    assert all(Path(f"g/seed-{seed}/metrics.jsonl").stat().st_size for seed in (0, 1))


def test_a_package_that_is_missing_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert main(["train", "CartPole-v1", "--out", "run", "--tensorboard"]) == 2
    assert capsys.readouterr().err == (
        'npvpg: error: tensorboard is not installed: pip install "npvpg[tensorboard]"\n'
    )
    assert not Path("run").exists()
    with pytest.raises(ValueError, match="also must be of jsonl, tensorboard, got csv"):
        sinks.check(("csv",))
