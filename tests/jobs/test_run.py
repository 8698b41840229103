"""A run that is stopped, in whatever way, and resumed ends as one that never stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import npvpg
from npvpg.jobs import run
from npvpg.jobs.interrupt import Interrupted
from npvpg.runs import checkpoint
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.log import read_times
from npvpg.show import plot
from npvpg.show.screen import Screen

ROOT = Path(npvpg.__file__).parents[1]
# a checkpoint per update makes a run long enough to be caught in the middle of it
LINE = (
    "train CartPole-v1 --steps 4000 --envs 2 --horizon 16 --hidden 8 --checkpoint-every 1 "
    "--normalize-obs --normalize-rewards --evaluation-episodes 0 --no-stop-when-solved"
)


def start(line: str, cwd: Path) -> subprocess.Popen[str]:
    """Start the real command in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "npvpg", *line.split()],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(line: str, cwd: Path) -> None:
    process = start(line, cwd)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def wait_for_rows(process: subprocess.Popen[str], path: Path, rows: int) -> None:
    """Wait until a log holds so many rows, and so the run is about half way."""
    for _ in range(6000):
        if path.exists() and path.read_bytes().count(b"\n") > rows:
            break
        time.sleep(0.01)
    assert process.poll() is None, "the run ended before it could be stopped"


def outcome(directory: Path) -> dict[str, bytes]:
    """Give all that must not depend on interruptions: the state, array by array, and the logs."""
    arrays, _ = checkpoint.load(directory / "checkpoint.safetensors")
    files = {name: (directory / name).read_bytes() for name in ("metrics.csv", "episodes.csv")}
    return {name: array.tobytes() for name, array in arrays.items()} | files


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("uninterrupted")
    finish(f"{LINE} --out run", path)
    result = outcome(path / "run")
    assert {"learner.theta", "learner.phi"} < result.keys()
    assert result["metrics.csv"].count(b"\n") == 1 + 125
    return result


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a run that is about a third through."""
    process = start(f"{LINE} --out run", tmp_path)
    try:
        wait_for_rows(process, tmp_path / "run" / "metrics.csv", 40)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(
    running: subprocess.Popen[str], tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    running.kill()
    running.communicate()
    assert outcome(tmp_path / "run") != uninterrupted
    finish("train --resume run", tmp_path)
    assert outcome(tmp_path / "run") == uninterrupted


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal_and_resumed_equals_uninterrupted(
    running: subprocess.Popen[str],
    tmp_path: Path,
    uninterrupted: dict[str, bytes],
    number: signal.Signals,
    code: int,
) -> None:
    os.killpg(running.pid, number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == code
    assert err == f"npvpg: stopped by {number.name}; go on with: npvpg train --resume run\n"
    _, metadata = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    rows = (tmp_path / "run" / "metrics.csv").read_bytes().count(b"\n") - 1
    assert 40 <= metadata["metrics_rows"] == rows < 125  # nothing that was done is lost
    finish("train --resume run", tmp_path)
    assert outcome(tmp_path / "run") == uninterrupted


def test_ctrl_c_with_processes_prints_one_line(tmp_path: Path) -> None:
    process = start(f"{LINE} --async-envs --out run", tmp_path)
    wait_for_rows(process, tmp_path / "run" / "metrics.csv", 20)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "npvpg: stopped by SIGINT; go on with: npvpg train --resume run\n"


@pytest.mark.slow
def test_an_environment_that_breaks_in_its_process_prints_one_line(tmp_path: Path) -> None:
    tmp_path.joinpath("broken.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Broken(CartPoleEnv):\n"
        "    def step(self, action):\n"
        "        obs, *rest = super().step(action)\n"
        "        return obs[:3], *rest\n"
        "gymnasium.register('Broken-v0', Broken)\n"
    )
    line = "train broken:Broken-v0 --steps 64 --envs 2 --horizon 16 --out run"
    for mode in ("--async-envs", "--no-async-envs"):
        process = start(f"{line}{mode} {mode}", tmp_path)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert err.startswith("npvpg: error: ")
        assert err.count("\n") == 1


class StopAfter(Screen):
    """A screen that presses Ctrl-C after so many updates."""

    def __init__(self, updates: int) -> None:
        super().__init__(quiet=True)
        self.updates = updates

    def iteration(self, *_: object) -> None:
        self.updates -= 1
        if self.updates == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["reward-to-go", "gae"])
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_any_number_of_stops_changes_nothing(env: str, estimator: str, tmp_path: Path) -> None:
    config = Config(
        env,
        steps=1600,
        envs=2,
        horizon=50,
        hidden=(8,),
        estimator=estimator,
        checkpoint_every=1000,
        evaluation_episodes=0,
    )
    whole, pieces = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "pieces")
    run.train(config, whole)
    with pytest.raises(Interrupted):
        run.train(config, pieces, screen=StopAfter(1))
    for updates in (1, 2):
        with pytest.raises(Interrupted):
            run.train(config, pieces, resume=True, screen=StopAfter(updates))
    run.train(config, pieces, resume=True)
    assert outcome(pieces.path) == outcome(whole.path)
    run.train(config, pieces, resume=True)  # there is nothing left to do
    assert outcome(pieces.path) == outcome(whole.path)


def test_a_run_stopped_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    config = Config("CartPole-v1", steps=64, envs=2, horizon=16, evaluation_episodes=0)
    whole, again = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "again")
    run.train(config, whole)
    again.create(config)
    run.train(config, again, resume=True)
    assert outcome(again.path) == outcome(whole.path)
    # killed in its first update: logs were begun, a checkpoint was not
    again.checkpoint.unlink()
    run.train(config, again, resume=True)
    assert outcome(again.path) == outcome(whole.path)


def test_time_adds_up_over_the_pieces(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    config = Config("CartPole-v1", steps=256, envs=2, horizon=16, evaluation_episodes=0)
    with pytest.raises(Interrupted):
        run.train(config, directory, screen=StopAfter(4))
    _, metadata = checkpoint.load(directory.checkpoint)
    summary = run.train(config, directory, resume=True)
    assert summary["seconds"] >= round(metadata["seconds"], 3) > 0
    assert json.loads(directory.summary.read_text()) == summary


def test_times_rise_over_the_pieces_and_no_result_depends_on_them(tmp_path: Path) -> None:
    config = Config("CartPole-v1", steps=256, envs=2, horizon=16, evaluation_episodes=0)
    whole, pieces, old = (RunDirectory(tmp_path / name) for name in ("whole", "pieces", "old"))
    run.train(config, whole)
    for directory in (pieces, old):
        with pytest.raises(Interrupted):
            run.train(config, directory, screen=StopAfter(4))
    old.times.unlink()  # as versions left it that wrote none
    for directory, first in ((pieces, 1), (old, 5)):
        run.train(config, directory, resume=True)
        times = read_times(directory.times)
        assert times["iteration"].tolist() == list(range(first, 9))
        assert times["steps"][-1] == 256
        assert (np.diff(times["seconds"]) > 0).all()
        assert outcome(directory.path) == outcome(whole.path)
        assert directory.finished


def test_blas_has_one_thread_while_training_and_what_it_had_before_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    class Look(Screen):
        def iteration(self, *_: object) -> None:
            seen.append(threads())

    seen: list[set[int]] = []
    config = Config("CartPole-v1", steps=32, envs=2, horizon=16, evaluation_episodes=0)
    with threadpool_limits(2, user_api="blas"):
        run.train(config, RunDirectory(tmp_path / "a"), screen=Look(quiet=True))
        assert seen == [{1}]
        assert threads() == {2}
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # whoever set it knows better
        run.train(config, RunDirectory(tmp_path / "b"), screen=Look(quiet=True))
        assert seen == [{1}, {2}]


def test_a_run_is_finished_without_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no font")

    monkeypatch.setattr(plot, "curve", fail)
    directory = RunDirectory(tmp_path / "run")
    config = Config("CartPole-v1", steps=32, envs=2, horizon=16, evaluation_episodes=1)
    run.train(config, directory, screen=Screen())
    out = capsys.readouterr().out
    assert "picture     none was drawn: no font\n" in out
    assert " · 1 episode\n" in out  # which shows no spread
    assert "interval" not in out
    assert directory.finished


def test_a_run_that_stops_early_is_the_run_itself(tmp_path: Path) -> None:
    config = Config("CartPole-v1", steps=160, envs=2, horizon=16, evaluation_episodes=0)
    whole, part = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "part")
    run.train(config, whole)
    assert run.train(config, part, until=65)["steps"] == 96
    assert whole.metrics.read_bytes().startswith(part.metrics.read_bytes())
    assert run.train(config, part, resume=True, until=96)["steps"] == 96
    run.train(config, part, resume=True)
    assert outcome(part.path) == outcome(whole.path)


def test_dtype_is_that_of_the_configuration(tmp_path: Path) -> None:
    for dtype in ("float32", "float64"):
        directory = RunDirectory(tmp_path / dtype)
        config = Config(
            "CartPole-v1",
            steps=32,
            envs=2,
            horizon=16,
            evaluation_episodes=0,
            dtype=dtype,
        )
        run.train(config, directory)
        arrays, _ = checkpoint.load(directory.checkpoint)
        assert arrays["learner.theta"].dtype == arrays["learner.phi"].dtype == np.dtype(dtype)
