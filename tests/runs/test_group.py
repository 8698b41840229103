"""Several seeds: each the ordinary run, in whatever processes, however they end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import npvpg
from npvpg.command.main import main
from npvpg.runs import checkpoint
from npvpg.runs.over_seeds import over_seeds

ROOT = Path(npvpg.__file__).parents[1]
FLAGS = "--envs 2 --horizon 16 --hidden 8 --evaluation-episodes 2 --gamma 0.99"
SHORT = f"train CartPole-v1 --steps 512 {FLAGS}"
LONG = f"train CartPole-v1 --steps 6400 --checkpoint-every 1000 {FLAGS}"

# the first process to find a file "die" dies of it, the first to find a file "nan" breaks a rule
WORLD = """
import os
import signal
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

def found(name):
    try:
        Path(name).unlink()
    except FileNotFoundError:
        return False
    return True

class Odd(CartPoleEnv):
    def step(self, action):
        obs, *rest = super().step(action)
        if Path("armed").exists():
            if found("die"):
                os.kill(os.getpid(), signal.SIGKILL)
            if found("nan"):
                obs = obs * np.nan
        return obs, *rest

class Slow(CartPoleEnv):
    def step(self, action):
        Path("pid").write_text(str(os.getpid()))
        time.sleep(0.1)
        return super().step(action)

gymnasium.register("Odd-v0", Odd, max_episode_steps=500)
gymnasium.register("Slow-v0", Slow, max_episode_steps=500)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("odd_world.py").write_text(WORLD)
    yield
    for name in ("Odd-v0", "Slow-v0"):
        gymnasium.registry.pop(name, None)
    sys.modules.pop("odd_world", None)


def command(line: str) -> int:
    return main(line.split())


def timeless(directory: Path) -> dict[str, Any]:
    """Give all that a directory holds, below it as well, without what depends on the clock."""
    held: dict[str, Any] = {}
    for path in directory.rglob("*"):
        name = str(path.relative_to(directory))
        if path.name == "checkpoint.safetensors":
            arrays, metadata = checkpoint.load(path)
            assert metadata.pop("seconds") > 0
            held[name] = metadata, {key: array.tobytes() for key, array in arrays.items()}
        elif path.name == "summary.json" and path.parent != directory.resolve():
            held[name] = {
                key: value
                for key, value in json.loads(path.read_text()).items()
                if key not in ("seconds", "seconds_beside", "steps_per_second")
            }
        elif path.is_file() and path.name != "times.csv":
            held[name] = path.read_bytes()
    return held


def start(line: str) -> subprocess.Popen[str]:
    """Start the real command in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "npvpg", *line.split()],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def n_rows(run: Path) -> int:
    path = run / "metrics.csv"
    return path.read_bytes().count(b"\n") - 1 if path.exists() else -1


def saved_rows(run: Path) -> int:
    path = run / "checkpoint.safetensors"
    return int(checkpoint.load(path)[1]["metrics_rows"]) if path.exists() else -1


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited for {seconds} s"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a finished group, made by two processes."""
    path = tmp_path_factory.mktemp("made") / "group"
    assert command(f"{SHORT} --seeds 1,4-5 --jobs 2 --out {path}") == 0
    return path


class TestTheRuns:
    @pytest.mark.slow
    def test_each_is_the_one_that_its_seed_alone_makes_for_any_number_of_jobs(
        self, made: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for seed in (1, 4, 5):
            assert command(f"{SHORT} --seed {seed} --out alone/seed-{seed}") == 0
        capsys.readouterr()
        assert command(f"{SHORT} --seeds 4-5,1 --jobs 1 --out one") == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert "seeds       1,4-5 · 1 side by side\n" in out
        assert re.search(r"\nseed 4      512 steps · return [\d.]+\n", out)
        assert "\x1b" not in out
        alone, one, two = (timeless(path.resolve()) for path in (Path("alone"), Path("one"), made))
        assert one == two
        for name in ("seeds.toml", "summary.json", "curves.png"):
            assert one.pop(name)
        assert len(alone) == 3 * 6
        assert one == alone

    def test_the_summary_is_what_the_runs_say(
        self, made: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seeds = [1, 4, 5]
        shutil.copytree(made, "group")
        Path("group/summary.json").unlink()
        Path("group/curves.png").unlink()
        # a finished group has nothing left to do, and says the same again
        assert command("train --resume group") == 0
        out = capsys.readouterr().out
        assert "1,4-5 · 0 side by side · 3 of 3 done" in out
        assert timeless(Path("group").resolve()) == timeless(made)
        runs = [json.loads(Path(f"group/seed-{k}/summary.json").read_text()) for k in seeds]
        summary = json.loads(Path("group/summary.json").read_text())
        assert list(summary) == [
            "env",
            "reward_threshold",
            "seeds",
            "solved",
            "mean_return_100",
            "solved_at_step",
            "sampled",
            "greedy",
            "runs",
            "failed",
        ]
        assert (summary["env"], summary["reward_threshold"]) == ("CartPole-v1", 475)
        assert (summary["seeds"], summary["solved"], summary["failed"]) == (seeds, 0, {})
        means = [run["mean_return_100"] for run in runs]
        assert summary["mean_return_100"] == over_seeds(means)
        assert summary["greedy"] == over_seeds([r["evaluation"]["greedy"]["mean"] for r in runs])
        assert summary["solved_at_step"] is None
        assert [row["mean_return_100"] for row in summary["runs"]] == means
        found = summary["mean_return_100"]
        low, high = found["iqm_interval"]
        assert f"return      IQM  {found['iqm']:.1f} · 95% interval {low:.1f} to {high:.1f}" in out
        low, high = found["mean_interval"]
        assert f"            mean {found['mean']:.1f} · 95% interval {low:.1f} to {high:.1f}" in out
        assert "solved      0 of 3" in out
        assert Path("group/curves.png").read_bytes().startswith(b"\x89PNG")

        # the other commands take the group, and a run of it
        drawn = Path("group/curves.png").read_bytes()
        Path("group/curves.png").unlink()
        assert command("plot group") == 0
        assert capsys.readouterr().out == "group/curves.png\n"
        assert Path("group/curves.png").read_bytes() == drawn
        assert command("plot group/seed-4 group --out all.png") == 0
        capsys.readouterr()
        assert command("evaluate group/seed-4 --episodes 3 --json") == 0
        one = json.loads(capsys.readouterr().out)
        assert command("evaluate group --episodes 3 --json") == 0
        scores = json.loads(capsys.readouterr().out)
        assert scores["runs"]["4"] == one
        returns = [scores["runs"][str(k)]["sampled"]["mean"] for k in seeds]
        assert scores["sampled"] == over_seeds(returns)
        assert command("evaluate group --episodes 3") == 0
        out = capsys.readouterr().out
        assert f"seed 4      sampled {returns[1]:.1f} · greedy " in out
        assert f"sampled     IQM  {over_seeds(returns)['iqm']:.1f} · 95% interval " in out  # type: ignore[index]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("whole")
    assert command(f"{LONG} --seeds 0-2 --jobs 2 --out {path}/group") == 0
    return timeless(path / "group")


class TestStops:
    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_saves_every_run_and_a_resume_ends_the_same(
        self, number: signal.Signals, whole: dict[str, Any]
    ) -> None:
        process = start(f"{LONG} --seeds 0-2 --jobs 2 --out group")
        runs = [Path(f"group/seed-{seed}") for seed in range(3)]
        wait_until(lambda: sum(n_rows(run) > 10 for run in runs) >= 2)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # a terminal sends Ctrl-C to every process
        else:
            process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 128 + number
        assert err == f"npvpg: stopped by {number.name}; go on with: npvpg train --resume group\n"
        rows = [n_rows(run) for run in runs]
        assert rows == [saved_rows(run) for run in runs]  # nothing that was done is lost
        assert min(rows) < 200  # they were stopped, and have not all come to their end
        assert not Path("group/summary.json").exists()
        assert command("train --resume group --jobs 1") == 0
        assert timeless(Path("group").resolve()) == whole

    @pytest.mark.slow
    def test_without_the_parent_no_run_goes_on(self, whole: dict[str, Any]) -> None:
        process = start(f"{LONG} --seeds 0-2 --jobs 2 --out group")
        runs = [Path(f"group/seed-{seed}") for seed in range(3)]
        wait_until(lambda: sum(n_rows(run) > 10 for run in runs) >= 2)
        process.kill()
        process.wait()
        begun = [run for run in runs if run.exists()]
        wait_until(lambda: all(saved_rows(run) == n_rows(run) for run in begun))
        rows = [n_rows(run) for run in runs]
        time.sleep(0.5)
        assert [n_rows(run) for run in runs] == rows
        assert min(rows) < 200  # they were stopped, and have not all come to their end
        process.communicate()
        assert command("train --resume group --jobs 1") == 0
        assert timeless(Path("group").resolve()) == whole

    @pytest.mark.slow
    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux for processes")
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_an_update_that_takes_minutes_is_given_up(self, number: signal.Signals) -> None:
        line = "train odd_world:Slow-v0 --seeds 0 --envs 1 --horizon 3000 --steps 3000 --out group"
        process = start(line)
        pid = Path("pid")
        wait_until(lambda: pid.exists() and pid.read_text())
        process.send_signal(number)
        stat = Path("/proc", pid.read_text(), "stat")

        def ended() -> bool:
            return not stat.exists() or stat.read_text().split()[2] == "Z"

        wait_until(ended, 30)
        process.communicate(timeout=60)


class TestFailures:
    @pytest.mark.slow
    def test_a_run_that_fails_is_named_and_the_others_go_on(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("die", "nan", "armed"):
            Path(name).touch()
        line = f"train odd_world:Odd-v0 --steps 512 {FLAGS} --seeds 0-3 --jobs 1 --out group"
        assert command(line) == 1
        out, err = capsys.readouterr()
        died, broke = err.splitlines()
        alone = "; alone: npvpg train --resume group/seed-"
        assert died == f"npvpg: seed 0 failed: its process was ended by SIGKILL{alone}0"
        assert re.fullmatch(f"npvpg: seed 1 failed: .*nan.*{alone}1", broke)
        assert "\nseed 0      failed: its process was ended by SIGKILL\n" in out
        summary = json.loads(Path("group/summary.json").read_text())
        assert list(summary["failed"]) == ["0", "1"]
        assert [row["seed"] for row in summary["runs"]] == [2, 3]
        assert summary["mean_return_100"]["seeds"] == 2
        assert "\nsolved" not in out  # the environment has no threshold
        assert command("train --resume group --jobs 1") == 0
        assert "0-3 · 1 side by side · 2 of 4 done" in capsys.readouterr().out
        resumed = timeless(Path("group").resolve())
        assert command(line.replace("--out group", "--out again")) == 0
        assert timeless(Path("again").resolve()) == resumed

    def test_if_all_fail_there_is_no_summary(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("armed").touch()
        Path("nan").touch()
        line = f"train odd_world:Odd-v0 --steps 512 {FLAGS} --seeds 7 --out group"
        assert command(line) == 1
        assert capsys.readouterr().err.startswith("npvpg: seed 7 failed: ")
        assert sorted(path.name for path in Path("group").iterdir()) == ["seed-7", "seeds.toml"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("train CartPole-v1 --seeds a", "seeds must be a list such as 0-9 or 0,2,5-7, got 'a'"),
            ("train CartPole-v1 --seeds", "--seeds needs a value"),
            (
                "train CartPole-v1 --seeds 0-1 --seed 3",
                "--seeds takes the place of --seed: leave out one of them",
            ),
            ("train CartPole-v1 --seeds 0-1 --jobs 0", "jobs must be at least 1, got 0"),
            ("train CartPole-v1 --seeds 0-1 --jobs a", "--jobs must be an integer, got 'a'"),
            (
                "train CartPole-v1 --jobs 2",
                "--jobs is for several seeds: name them, as in --seeds 0-9",
            ),
            ("train CartPole-v1 --seeds 0-1 --gamma 2", "gamma must lie in [0, 1], got 2.0"),
            ("train --seeds 0-1", "no environment given; try: npvpg train CartPole-v1"),
            ("train CartPol-v1 --seeds 0-1", "unknown environment 'CartPol-v1' (did you mean Cart"),
            (
                "train CartPole-v1 --seeds 0-1 --out odd_world.py",
                "odd_world.py is a file; a run needs a directory",
            ),
        ],
    )
    def test_bad_input_is_answered_in_one_line(
        self, line: str, message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert command(line) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"npvpg: error: {message}")
        assert err.count("\n") == 1
        assert [path.name for path in Path().glob("[!_]*")] == ["odd_world.py"]

    def test_what_is_there_is_left_alone(
        self, made: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def error(line: str) -> str:
            before = timeless(Path().resolve())
            assert command(line) == 2
            assert timeless(Path().resolve()) == before
            return capsys.readouterr().err.removeprefix("npvpg: error: ").strip()

        shutil.copytree(made, "group")
        shutil.copytree(made / "seed-1", "other/seed-1")
        holds = (
            "group holds the runs of several seeds (seeds.toml): choose another --out, or continue "
            "them: npvpg train --resume group"
        )
        assert error(f"{SHORT} --seeds 5 --out group") == holds
        Path("group/summary.json").unlink()
        assert error(f"{SHORT} --out group") == holds
        assert error(f"{SHORT} --seeds 0-3 --out other").startswith(
            "other/seed-1 holds another run"
        )
        assert error(f"{SHORT} --seeds 0-3 --out other/seed-1").startswith(
            "other/seed-1 holds another run"
        )
        resume = "train --resume group"
        assert error(f"{resume} --seeds 0-3") == (
            "--resume goes on in its own directory: leave out --seeds"
        )
        assert error(f"{resume} --gamma 0.5").startswith("--resume goes on with the configuration")
        assert error(f"{resume}/seed-4 --jobs 2").startswith("--jobs is for several seeds")
        text = Path("group/seeds.toml").read_text()
        assert text.startswith('seeds = "1,4-5"\nenv = "CartPole-v1"\n')
        assert "\nsteps = 512\n" in text
        Path("group/seeds.toml").write_text(text.replace("gamma = 0.99", "gamma = 0.5"))
        assert error(resume).startswith(
            "group/seed-1/config.toml has another configuration than group/seeds.toml: gamma (0.99"
        )
        Path("group/seeds.toml").write_text(text.replace('"1,4-5"', '"0-"'))
        assert error(resume).startswith("group/seeds.toml: seeds must be a list such as 0-9")
        Path("group/seeds.toml").write_text("")
        assert error(resume).startswith("group/seeds.toml: seeds must be a list such as 0-9")
