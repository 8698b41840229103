from datetime import datetime
from pathlib import Path

import pytest

from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory, default_directory
from npvpg.runs.files import write_atomically

NOON = datetime(2030, 1, 2, 12, 0, 0)


def test_the_name_tells_environment_seed_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config("CartPole-v1", seed=7)
    first = default_directory(config, NOON)
    assert first.path == Path("runs/CartPole-v1-seed7-20300102-120000")
    first.create(config)
    assert default_directory(config, NOON).path == Path(f"{first.path}-2")


def test_an_identifier_with_a_module_makes_one_directory() -> None:
    path = default_directory(Config("my.module:ALE/Pong-v5"), NOON).path
    assert path == Path("runs/my.module-ALE-Pong-v5-seed0-20300102-120000")


def test_a_configuration_written_is_the_one_read(tmp_path: Path) -> None:
    config = Config("CartPole-v1", seed=3, hidden=(), policy_lr=1e-5)
    run = RunDirectory(tmp_path / "a" / "b")
    run.create(config)
    assert run.read_config() == config


@pytest.mark.parametrize(
    "name",
    [
        "config.toml",
        "metrics.csv",
        "episodes.csv",
        "times.csv",
        "metrics.jsonl",
        "tensorboard",
        "evaluations.csv",
        "best.safetensors",
        "checkpoint.safetensors",
        "curve.png",
        "summary.json",
    ],
)
def test_no_file_of_another_run_is_overwritten(tmp_path: Path, name: str) -> None:
    Path(tmp_path, name).write_text("precious")
    with pytest.raises(ValueError, match=rf"holds another run \({name}\): choose") as caught:
        RunDirectory(tmp_path).create(Config("CartPole-v1"))
    # what has no configuration would not go on
    assert ("--resume" in str(caught.value)) == (name == "config.toml")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Path(tmp_path, name).read_text() == "precious"


def test_a_directory_with_other_files_may_become_a_run(tmp_path: Path) -> None:
    Path(tmp_path, "notes.txt").touch()
    RunDirectory(tmp_path).create(Config("CartPole-v1"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    Path(tmp_path, "a").touch()
    with pytest.raises(ValueError, match="a is a file; a run needs a directory"):
        RunDirectory(tmp_path / "a").check_free()


def test_a_directory_without_configuration_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no run directory: it holds no config"):
        RunDirectory(tmp_path).read_config()


def test_a_file_in_a_directory_that_is_none_is_refused_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none/a\.png cannot be written: .*none is no di"):
        write_atomically(tmp_path / "none" / "a.png", b"")
