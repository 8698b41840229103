"""Runs on a cluster leave the files that they leave here."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import npvpg
from npvpg.command.main import main
from npvpg.jobs.cluster_runs import put
from npvpg.jobs.remote import files_of

ROOT = Path(npvpg.__file__).parents[1]
RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
TRAIN = "train CartPole-v1 --seeds 0-3 --steps 4096 --evaluation-episodes 2 --out"
LONG = "train CartPole-v1 --seeds 0-1 --steps 400000 --no-stop-when-solved --evaluation-episodes 0"


def command(words: str, folder: Path) -> "subprocess.Popen[str]":
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-m", "npvpg", *words.split()],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(folder: Path) -> dict[str, bytes]:
    """Everything that does not hold a time."""
    kept = {"config.toml", "metrics.csv", "episodes.csv", "seeds.toml"}
    found = {name: data for name, data in files_of(folder).items() if Path(name).name in kept}
    return found | {"summary": (folder / "summary.json").read_bytes()}


@pytest.mark.slow
@RAY
def test_seeds_on_ray_leave_the_same_files(tmp_path: Path) -> None:
    there, here = (
        command(f"{TRAIN} there --engine ray", tmp_path),
        command(f"{TRAIN} here", tmp_path),
    )
    for process in (there, here):
        assert process.communicate()[1] == ""
        assert process.returncode == 0
    assert numbers(tmp_path / "there") == numbers(tmp_path / "here")
    assert len(numbers(tmp_path / "there")) == 4 * 3 + 2


@pytest.mark.slow
@RAY
def test_runs_that_are_stopped_bring_their_state_back_and_go_on_here(tmp_path: Path) -> None:
    process = command(f"{LONG} --out there --engine ray", tmp_path)
    until = time.monotonic() + 120
    while not (tmp_path / "there" / "seeds.toml").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(10)  # both train by then, or one does; wherever they stand, they go on
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=until - time.monotonic())
    assert process.returncode == 130
    assert err == "npvpg: stopped by SIGINT; go on with: npvpg train --resume there\n"
    rest = command("train --resume there", tmp_path)
    assert rest.communicate()[1] == ""
    assert command(f"{LONG} --out here", tmp_path).communicate()[1] == ""
    assert numbers(tmp_path / "there") == numbers(tmp_path / "here")


def test_a_checkpoint_is_written_after_its_logs_and_the_summary_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def note(path: Path, data: bytes) -> None:
        written.append(path.relative_to(tmp_path).as_posix())
        path.write_bytes(data)

    monkeypatch.setattr("npvpg.jobs.cluster_runs.write_atomically", note)
    names = ["summary.json", "checkpoint.safetensors", "episodes.csv", "videos/1.mp4", "times.csv"]
    files = {name: name.encode() for name in names}
    put(tmp_path, files)
    assert written[-2:] == ["checkpoint.safetensors", "summary.json"]
    (tmp_path / ".hidden.tmp").write_bytes(b"")
    assert files_of(tmp_path) == files
    assert files_of(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "train CartPole-v1 --engine ray",
            "--engine is for several seeds: name them, as in --seeds 0-9, or give --workers",
        ),
        (
            "train CartPole-v1 --seeds 0-1 --ray-address 127.0.0.1:1",
            "--ray-address is for a Ray cluster: ask for it by --engine ray, or --workers",
        ),
        (
            "sweep some.toml --ray-address 127.0.0.1:1",
            "--ray-address is for a Ray cluster: ask for it by --engine ray, or --workers",
        ),
    ],
)
def test_what_does_not_go_together(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"npvpg: error: {told}\n"


@pytest.mark.slow
@RAY
def test_a_sweep_on_ray_has_the_table_of_one_here(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'env = "CartPole-v1"\nseeds = "0-1"\n[settings]\nsteps = 1024\nevaluation_episodes = 0\n'
        "[vary]\npolicy_lr = [0.003, 0.03]\n"
    )
    for words in ("--out there --engine ray", "--out here"):
        assert command(f"sweep s.toml {words}", tmp_path).communicate()[1] == ""
    found: list[Any] = [
        json.loads((tmp_path / name / "sweep.json").read_text()) for name in ("there", "here")
    ]
    assert found[0] == found[1]
    assert len(found[0]["trials"]) == 2
