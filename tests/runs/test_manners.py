"""An environment of one's own: tried before the training, and wrapped, from any directory."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import npvpg
from npvpg.command.main import main
from npvpg.runs import environments, manners
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory

WORLDS = """
import gymnasium, numpy as np
from gymnasium import spaces

class Good(gymnasium.Env):
    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.seen(), {}
    def seen(self):
        return self.np_random.uniform(-1, 1, 2).astype(np.float32)
    def step(self, action):
        self.t += 1
        return self.seen(), float(action), self.t >= 5, False, {}

class Reused(Good):  # which is copied here
    def reset(self, *, seed=None, options=None):
        self.o = np.zeros(2, np.float32)
        super().reset(seed=seed)
        return self.o, {}
    def seen(self):
        self.o += 0.1
        return self.o

class Unseeded(Good):
    def reset(self, *, seed=None, options=None):
        self.t = 0
        return np.zeros(2, np.float32), {}

class Chance(Good):
    def seen(self):
        return np.random.rand(2).astype(np.float32)

class Outside(Good):
    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    def seen(self):
        return np.full(2, 3, np.float32)

class Wide(Good):
    action_space = spaces.Box(-7, 3, (1,))
    def step(self, action):
        return super().step(action[0])

class FourValues(Good):
    def step(self, action):
        return super().step(action)[:4]

class Bare(Good):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)[0]

class NoOptions(Good):
    def reset(self, *, seed=None):
        return super().reset(seed=seed)

class Whole(Good):
    def step(self, action):
        obs, reward, *_ = super().step(action)
        return obs, reward, 0, False, {}

class Words(Good):
    def step(self, action):
        obs, _, *rest = super().step(action)
        return obs, "1", *rest

class NaN(Good):
    def step(self, action):
        obs, _, *rest = super().step(action)
        return obs, float("nan"), *rest

class Fails(Good):
    def step(self, action):
        raise KeyError("gone")

class Double(gymnasium.RewardWrapper):
    def reward(self, reward):
        return 2 * reward

def plus_one(env):
    return gymnasium.wrappers.TransformReward(env, lambda r: r + 1)

def nothing(env):
    return None

number = 3
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("own_worlds.py").write_text(WORLDS)
    yield
    sys.modules.pop("own_worlds", None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Good", ""),
        ("Reused", ""),
        ("Unseeded", "reset does not call super().reset(seed=seed), which seeds self.np_random"),
        ("Chance", "the same seed and actions give other observations: draw from self.np_random"),
        ("Outside", "reset returns an observation that is not in observation_space"),
        ("Wide", ""),
        ("FourValues", "step must return five values: obs, reward, terminated, truncated, info"),
        ("Bare", "reset must return two values: obs, info"),
        ("NoOptions", "reset must take options"),
        ("Whole", "terminated is no bool"),
        ("Words", "the reward is no number"),
        ("NaN", "the reward is nan"),
        ("Fails", "KeyError: 'gone'"),
    ],
)
def test_complaints_come_in_plain_words(name: str, told: str, tmp_path: Path) -> None:
    with environments.quiet():
        found = manners.complaints(Config(f"{tmp_path}/own_worlds.py:{name}"))
    assert any(text.startswith(told) for text in found) if told else found == []
    assert all("\n" not in text and "\x1b" not in text for text in found)


def test_environments_of_packages_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "check_env", lambda *_, **__: 1 / 0)
    assert manners.complaints(Config("CartPole-v1")) == []


SHORT = "--steps 64 --envs 2 --horizon 16 --hidden 4 --evaluation-episodes 2"


def test_they_warn_and_stop_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(f"train ./own_worlds.py:Chance {SHORT} --out run".split()) == 0
    line = "check       the same seed and actions give other observations"
    assert line in capsys.readouterr().out
    assert main(f"train ./own_worlds.py:Unseeded {SHORT} --out other".split()) == 0
    assert "check       reset does not call super().reset(seed=seed)" in capsys.readouterr().out
    assert main(f"train ./own_worlds.py:Good {SHORT} --out good".split()) == 0
    assert "check " not in capsys.readouterr().out


def test_wrappers_are_kept_and_found_from_any_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "--wrapper ./own_worlds.py:Double --wrapper own_worlds:plus_one"
    assert main(f"train CartPole-v1 {SHORT} {line} --out run".split()) == 0
    assert "wrapped in  own_worlds:Double, then own_worlds:plus_one" in capsys.readouterr().out
    config = RunDirectory(Path("run")).read_config()
    assert config.wrapper == tuple(f"{tmp_path}/own_worlds.py:{n}" for n in ("Double", "plus_one"))
    episodes = np.loadtxt("run/episodes.csv", delimiter=",", skiprows=1, ndmin=2)
    np.testing.assert_array_equal(episodes[:, 1], 3 * episodes[:, 2])  # 2 * 1 + 1 a step
    Path("below").mkdir()
    monkeypatch.chdir("below")
    sys.modules.pop("own_worlds")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(tmp_path)])
    assert main(["train", "--resume", "../run", "--steps", "128"]) == 0
    assert main(["train", "--config", "../run/config.toml", "--out", "again"]) == 0
    assert npvpg.evaluate("../run", episodes=1)["sampled"]["mean"] % 3 == 0
    assert main(["evaluate", "../run", "--episodes", "2"]) == 0


def test_a_script_names_them_likewise(tmp_path: Path) -> None:
    made = npvpg.make("./own_worlds.py:Good", wrapper=["own_worlds.py:Double"], envs=2)
    made.env.close()
    assert made.config.env == f"{tmp_path}/own_worlds.py:Good"
    assert made.config.wrapper == (f"{tmp_path}/own_worlds.py:Double",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_worlds:Doubl", "got 'own_worlds:Doubl' (did you mean own_worlds:Double?)"),
        ("own_worlds:number", "wrapper must be MODULE:NAME or FILE.py:NAME of a class or function"),
        ("Double", "wrapper must be MODULE:NAME or FILE.py:NAME of a class or function"),
        ("no_such:A", "cannot import the module of wrapper 'no_such:A'"),
        ("own_worlds:nothing", "must make a gymnasium.Env, got None"),
    ],
)
def test_what_is_no_wrapper_is_told_in_one_line(
    name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(f"train CartPole-v1 {SHORT} --wrapper {name} --out run".split()) == 2
    err = capsys.readouterr().err
    assert message.removeprefix("got ") in err
    assert err.count("\n") == 1
