"""The real command with environments that break, leave, print or lie elsewhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import gymnasium
import pytest

import npvpg
from npvpg.command.main import main
from npvpg.runs import manners
from npvpg.runs.config import Config

ROOT = Path(npvpg.__file__).parents[1]
SHORT = "--steps 64 --envs 2 --horizon 16 --hidden 4 --evaluation-episodes 1"
WORLDS = """
import os
import sys

import gymnasium
import numpy as np
from gymnasium import spaces


class Corridor(gymnasium.Env):
    observation_space = spaces.Box(-np.inf, np.inf, (1,))
    action_space = spaces.Discrete(2)

    def __init__(self, length=5, word="none", render_mode=None):
        assert length, word
        self.length, self.at = length, 0
        self.after()

    def after(self):
        pass

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.at += 1
        if self.at == self.length - 1:
            self.during()
        return np.full(1, self.at, np.float32), 1.0, self.at == self.length, False, {}

    def during(self):
        pass


class Exits(Corridor):
    def during(self):
        sys.exit("window closed")


class Fails(Corridor):
    def during(self):
        raise RuntimeError("motor broken")


class Prints(Corridor):
    def during(self):
        print("python says")
        os.write(1, b"c says\\n")


class Unseeded(Corridor):
    def reset(self, *, seed=None, options=None):
        super().reset()
        self.at = 0
        return np.random.default_rng().normal(size=1).astype(np.float32), {}


def short(length=2):
    return Corridor(length)


gymnasium.register("Registered-v0", Corridor, reward_threshold=7)
"""


class Done(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Done]]:
    """Run the command beside the file of such environments, or elsewhere."""
    tmp_path.joinpath("corridors.py").write_text(WORLDS)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    modules, registered = set(sys.modules), set(gymnasium.registry)

    def start(*words: str, at: str = ".", code: int = 0) -> Done:
        monkeypatch.chdir(tmp_path / at)
        capfd.readouterr()
        assert main(words) == code
        done = Done(*capfd.readouterr())
        assert "Traceback" not in done.stderr
        return done

    yield start
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    for name in set(gymnasium.registry) - registered:
        if not name.startswith("npvpg/"):  # those are registered once, by an import
            del gymnasium.registry[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["./corridors.py:Corridor", "corridors:Corridor", "corridors:short", "corridors:Registered-v0"],
)
@pytest.mark.parametrize("mode", ["--no-async-envs", "--async-envs"])
def test_a_run_of_an_environment_of_one_s_own_goes_on_from_anywhere(
    name: str, mode: str, run: Callable[..., Done], tmp_path: Path
) -> None:
    out = str(tmp_path / "a run")
    printed = run("train", name, *SHORT.split(), mode, "--out", out).stdout
    assert f"npvpg evaluate '{out}'" in printed
    assert f"corridors:{name.split(':')[1]} (" in printed
    tmp_path.joinpath("elsewhere").mkdir()
    run("evaluate", out, "--episodes", "1", at="elsewhere")
    run("train", "--resume", out, at="elsewhere")
    text = Path(out, "config.toml").read_text()
    assert text.startswith(f'env = "{tmp_path}/corridors.py:{name.split(":")[1]}"\n')


def test_arguments_reach_the_environment_and_are_kept(
    run: Callable[..., Done], tmp_path: Path
) -> None:
    words = ["corridors:Corridor", *SHORT.split(), "--out", "run"]
    run("train", *words, "--env-arg", "length=3", "--env-arg=word=8x8")
    text = tmp_path.joinpath("run", "config.toml").read_text()
    assert '\nenv_arg = { "length" = 3, "word" = "8x8" }\n' in text
    score = json.loads(run("evaluate", "run", "--episodes", "2", "--json").stdout)
    assert score["sampled"]["mean"] == 3.0
    error = run("train", *words[:-1], "other", "--env-arg", "size=3", code=2).stderr
    assert "environment corridors:Corridor cannot be made: TypeError: " in error
    assert error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Exits", "sys.exit('window closed')"),
        ("Fails", "RuntimeError: motor broken"),
    ],
)
@pytest.mark.parametrize("mode", ["--no-async-envs", "--async-envs", "--seeds=0-1"])
def test_an_environment_that_ends_or_fails_is_told_in_one_line_with_its_place(
    name: str, words: str, mode: str, run: Callable[..., Done]
) -> None:
    code = 1 if mode.startswith("--seeds") else 2
    error = run("train", f"corridors:{name}", *SHORT.split(), mode, code=code).stderr
    cause = "window closed" if name == "Exits" else "motor broken"
    place = next(n for n, text in enumerate(WORLDS.splitlines(), 1) if cause in text)
    assert words in error
    assert f"corridors.py:{place})" in error
    assert error.count("\n") == (2 if code == 1 else 1)
    if mode == "--no-async-envs":
        shown = run("train", f"corridors:{name}", *SHORT.split(), "--traceback", code=2).stderr
        assert "in during" in shown
        assert "npvpg/" not in shown
        assert shown.endswith(error)


def test_json_is_nothing_but_json_whatever_the_environment_prints(
    run: Callable[..., Done],
) -> None:
    run("train", "corridors:Prints", *SHORT.split(), "--out", "run")
    done = run("evaluate", "run", "--episodes", "1", "--json")
    assert json.loads(done.stdout)["sampled"]["episodes"] == 1
    assert "python says" in done.stderr
    assert "c says" in done.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["train", "corridors:Coridor"],
            "unknown environment 'corridors:Coridor' (did you mean corridors:Corridor?)",
        ),
        (
            ["train", "corridors:Registred-v0"],
            "unknown environment 'corridors:Registred-v0' (did you mean corridors:Registered-v0?)",
        ),
        (["train", "none.py:A"], "{}/none.py does not exist, which environment none:A lies in"),
        (
            ["train", "broken.py:A"],
            "cannot import the module of environment 'broken:A': "
            "ZeroDivisionError: division by zero ({}/broken.py:1)",
        ),
        (
            ["train", "wrong.py:A"],
            "cannot import the module of environment 'wrong:A': SyntaxError: ",
        ),
        (["train", "sub/numpy.py:A"], "{}/sub/numpy.py must have another name, got numpy, which "),
    ],
)
def test_a_module_that_is_wrong_is_told_in_one_line(
    words: list[str],
    error: str,
    run: Callable[..., Done],
    tmp_path: Path,
) -> None:
    tmp_path.joinpath("broken.py").write_text("1 / 0\n")
    tmp_path.joinpath("wrong.py").write_text("class A\n")
    tmp_path.joinpath("sub").mkdir()
    tmp_path.joinpath("sub", "numpy.py").write_text("")
    gymnasium.register("Registree-v0", entry_point="elsewhere:Registree")  # of another module
    try:
        told = run(*words, code=2).stderr
    finally:
        del gymnasium.registry["Registree-v0"]
    assert told.startswith(f"npvpg: error: {error.format(tmp_path)}")
    assert told.count("\n") == 1


def test_whether_an_environment_follows_from_its_seed_is_seen(tmp_path: Path) -> None:
    tmp_path.joinpath("seen.py").write_text(WORLDS.replace("Registered-v0", "Seen-v0"))
    for name, follows in (("Corridor", True), ("Unseeded", False), ("Fails", True)):
        assert manners.follows_from_seed(Config(f"{tmp_path}/seen.py:{name}")) is follows
    assert manners.follows_from_seed(Config("CartPole-v1"))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["<&- >&- 2>&-", "| true"])
def test_a_closed_end_stops_nothing(how: str, tmp_path: Path) -> None:
    line = f"{sys.executable} -m npvpg train CartPole-v1 {SHORT} --out run {how}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert tmp_path.joinpath("run", "summary.json").is_file()
