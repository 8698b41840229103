"""Sweeps: whatever stops them, they end with the table that they would have had."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import npvpg
from npvpg.command.main import main
from npvpg.jobs.stopping import scheduler
from npvpg.jobs.sweep_run import ranked
from npvpg.runs.report import Report
from npvpg.runs.sweep import read
from npvpg.runs.sweep_directory import SweepDirectory

ROOT = Path(npvpg.__file__).parents[1]
SWEEP = """
env = "CartPole-v1"
seeds = "0-3"
[settings]
steps = 1024
envs = 2
horizon = 16
hidden = [8]
evaluation_episodes = 0
stop_when_solved = false
[vary]
policy_lr = [0.003, 0.03]
value_steps = [2, 1, 3, 4, 5]
"""


def row(trial: int, iqm: float, low: float | None, high: float) -> dict[str, Any]:
    interval = None if low is None else [low, high]
    return {"trial": trial, "mean_return_100": {"iqm": iqm, "iqm_interval": interval}}


def test_the_order_is_that_of_the_lower_ends() -> None:
    """The highest mean may rest on one lucky seed, and the interval says so."""
    lucky, steady, poor = row(0, 90, 20, 160), row(1, 80, 70, 85), row(2, 60, 55, 69)
    failed = {"trial": 3, "mean_return_100": None}
    order = ranked([failed, poor, lucky, steady])
    assert [each["trial"] for each in order] == [1, 2, 0, 3]
    assert [each["beside_best"] for each in order] == [True, False, True, False]


def test_of_single_seeds_the_order_is_that_of_the_numbers() -> None:
    assert [r["trial"] for r in ranked([row(0, 1, None, 0), row(1, 2, None, 0)])] == [1, 0]


def sweep(words: str, folder: Path, stop_after: int | None = None) -> "tuple[int, str, str]":
    """Carry the command out, and interrupt it once so many runs are finished."""
    process = subprocess.Popen(
        [sys.executable, "-m", "npvpg", "sweep", *words.split(), "--jobs", "2"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if stop_after is not None:
        while len(list(folder.glob("stopped/*/*/summary.json"))) < stop_after:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


@pytest.mark.slow
def test_forty_runs_stopped_twice_end_as_those_that_were_not(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(SWEEP)
    assert sweep("sweep.toml --out whole", tmp_path)[0] == 0
    code, _, err = sweep("sweep.toml --out stopped", tmp_path, 5)
    assert code == 130
    assert err.endswith("go on with: npvpg sweep --resume stopped\n")
    assert sweep("--resume stopped", tmp_path, 20)[0] == 130
    code, out, err = sweep("--resume stopped", tmp_path)
    assert (code, err) == (0, "")
    assert "of 40 done" in out
    for name in ("sweep.json", "sweep.html", "sweep.toml"):
        assert (tmp_path / "stopped" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()
    found = json.loads((tmp_path / "whole" / "sweep.json").read_text())
    assert len(found["trials"]) == 10
    assert all(each["mean_return_100"]["seeds"] == 4 for each in found["trials"])


@pytest.mark.slow
def test_a_small_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "small.toml", tmp_path / "out"
    small = SWEEP.replace("0-3", "0-1").replace("1024", "512").replace("[2, 1, 3, 4, 5]", "[1]")
    file.write_text(small)
    assert main(["sweep", str(file), "--out", str(out), "--jobs", "1"]) == 0
    text = capsys.readouterr().out
    assert "trials      2 · seeds 0-1" in text
    assert "policy_lr 0.03 · value_steps 1" in text
    page = (out / "sweep.html").read_text()
    assert "data:image/png;base64," in page
    assert page.count("<tr") == 3
    assert (out / "trial-001" / "curves.png").exists()
    assert main(["sweep", str(file), "--out", str(out)]) == 2
    assert f"{out} holds another sweep: choose another --out" in capsys.readouterr().err
    before = (out / "sweep.json").read_bytes()
    assert main(["sweep", "--resume", str(out)]) == 0
    assert (out / "sweep.json").read_bytes() == before


@pytest.mark.slow
def test_a_run_that_fails_costs_its_trial_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "small.toml", tmp_path / "out"
    world = tmp_path / "broken_world.py"
    world.write_text(
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class World(CartPoleEnv):\n"
        "    def __init__(self, fails=False):\n"
        "        super().__init__()\n"
        "        self.fails = fails\n"
        "    def step(self, action):\n"
        "        assert not self.fails\n"
        "        return super().step(action)\n"
    )
    small = (
        SWEEP.replace("0-3", "0-1").replace("1024", "64").replace("CartPole-v1", f"{world}:World")
    )
    small = small[: small.index("[vary]")] + "[vary]\nenv_arg = [{fails = true}, {}]\n"
    file.write_text(small)
    assert main(["sweep", str(file), "--out", str(out), "--jobs", "1"]) == 1
    told = capsys.readouterr()
    assert told.err.count("npvpg: trial 0, seed ") == 2
    found = json.loads((out / "sweep.json").read_text())["trials"]
    assert [each["trial"] for each in found] == [1, 0]
    assert found[1]["mean_return_100"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no file given; try: npvpg sweep FILE.toml"),
        (["none.toml"], "none.toml does not exist"),
        (["--resume", "none"], "none holds no sweep: it has no sweep.toml"),
        (["a.toml", "--resume", "b"], "--resume goes on as the sweep began: leave out a.toml"),
    ],
)
def test_what_is_no_sweep(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *words]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {told}\n"


class Reports:
    """Two runs that report by turns, one as good as its steps, the other worth nothing."""

    n = 2

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def carry_out(self, jobs: Any, stops: Any = None) -> Any:
        """Report until a run is over, or is stopped."""
        self.jobs = [job.name for job in jobs]
        ended = set()
        for step in range(100, 1001, 100):
            for k, job in enumerate(jobs):
                if job.name in ended:
                    continue
                report = Report(job.name, "training", step, float(step * (k % 2)))
                if stops(report):
                    ended.add(job.name)
                    report = report.ended(finished=False)
                yield report


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rule", ['"asha"', '"median"', '"asha"\nreduction_factor = 2'])
def test_a_scheduler_of_ray_tune_stops_what_does_badly(tmp_path: Path, rule: str) -> None:
    file = tmp_path / "s.toml"
    lines = SWEEP.replace("[2, 1, 3, 4, 5]", "[1, 2, 3]").replace("1024", "1000")
    file.write_text(f"{lines}\n[stop]\nscheduler = {rule}\n")
    directory = SweepDirectory(tmp_path / "out")
    directory.create(file)
    stops = scheduler(directory, 1000)
    names = [f"{number}/{config.seed}" for number, config in directory.left()]
    jobs = [SimpleNamespace(name=name) for name in names]
    reports = list(Reports().carry_out(jobs, stops))
    stopped = {report.name for report in reports if report.state == "stopped"}
    assert stopped
    assert stopped <= set(names[::2])  # those that are worth nothing
    for name in stopped:
        directory.stop(name, 100)
    assert {f"{n}/{c.seed}" for n, c in directory.left()} == set(names) - stopped


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('scheduler = "best"', "stop must have the scheduler asha or median, got"),
        ("", "stop must have the scheduler asha or median, got"),
    ],
)
def test_a_scheduler_that_there_is_not(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(f"{SWEEP}\n[stop]\n{text}\n")
    with pytest.raises(ValueError, match=told):
        read(file)


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
@pytest.mark.filterwarnings("ignore")
def test_a_setting_that_the_scheduler_does_not_have(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(f'{SWEEP}\n[stop]\nscheduler = "asha"\npatience = 3\n')
    directory = SweepDirectory(tmp_path / "out")
    directory.create(file)
    with pytest.raises(ValueError, match=r"^stop: .*patience"):
        scheduler(directory, 1000)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
def test_a_run_that_is_stopped_is_not_begun_again(tmp_path: Path) -> None:
    """In processes of this machine; of two rates, one of which learns nothing at all."""
    text = SWEEP.replace("0-3", "0-1").replace("1024", "60000").replace("[2, 1, 3, 4, 5]", "[1]")
    text = text.replace("[0.003, 0.03]", "[0.03, 1e-12]").replace("horizon = 16", "horizon = 256")
    stop = '[stop]\nscheduler = "asha"\ngrace_period = 20000\nreduction_factor = 2\n'
    (tmp_path / "sweep.toml").write_text(f"{text}\n{stop}")
    code, _, err = sweep("sweep.toml --out out", tmp_path)
    assert (code, err) == (0, "")
    found = json.loads((tmp_path / "out" / "sweep.json").read_text())["trials"]
    stopped = {f"{row['trial']}/{seed}" for row in found for seed in row["stopped"]}
    assert stopped
    assert all(name.startswith("1/") for name in stopped)
    assert found[0]["trial"] == 0
    before = (tmp_path / "out" / "sweep.json").read_bytes()
    code, out, _ = sweep("--resume out", tmp_path)
    assert code == 0
    assert "4 of 4 done" in out
    assert (tmp_path / "out" / "sweep.json").read_bytes() == before
