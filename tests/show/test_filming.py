"""Films made while a run trains: they change no number of it."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

import npvpg
from npvpg.command.main import main
from npvpg.jobs import run as jobs
from npvpg.runs import checkpoint
from npvpg.runs.directory import RunDirectory
from npvpg.show import film

pytestmark = [
    pytest.mark.skipif(find_spec("pygame") is None, reason="pygame is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]

SHARED = """
import random

import gymnasium
import numpy as np
from gymnasium import spaces


class Shared(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"]}
    observation_space = spaces.Box(-5, 5, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode=None, torn=False):
        self.render_mode, self.torn = render_mode, torn
        np.random.rand(), random.random()

    def reset(self, *, seed=None, options=None):
        np.random.seed(seed % 2**32)
        random.seed(seed)
        self.t = 0
        return np.random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action):
        self.t += 1
        obs = np.array([np.random.uniform(-1, 1), random.random()], np.float32)
        return obs, float(obs[0]), self.t == 9, False, {}

    def render(self):
        np.random.rand(), random.random()
        if self.torn:
            raise RuntimeError("no canvas")
        return np.zeros((400, 400, 3), np.uint8)
"""
SHORT: dict[str, Any] = {
    "steps": 320,
    "envs": 2,
    "horizon": 16,
    "hidden": (8,),
    "evaluation_episodes": 2,
    "quiet": True,
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(film, "suffix", lambda: ".gif")
    Path("shared_world.py").write_text(SHARED)
    yield
    sys.modules.pop("shared_world", None)


def numbers(run: Path) -> dict[str, Any]:
    """Give all that a run must not owe to chance or time."""
    arrays, _ = checkpoint.load(run / "checkpoint.safetensors")
    logs = {name: (run / name).read_bytes() for name in ("metrics.csv", "episodes.csv")}
    return logs | {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("env", ["CartPole-v1", "shared_world.py:Shared"])
def test_films_change_no_number(env: str) -> None:
    """Not even where all environments draw from the same global generators."""
    env = str(Path(env).absolute()) if ".py" in env else env
    plain = npvpg.train(env, out="plain", **SHORT)
    filmed = npvpg.train(env, out="filmed", video_every=96, **SHORT)
    assert numbers(filmed.path) == numbers(plain.path)
    assert filmed.summary["evaluation"] == plain.summary["evaluation"]
    names = [file.name for file in sorted(Path("filmed/videos").iterdir())]
    assert names == [f"step-{steps:09}.gif" for steps in (96, 192, 288)]
    assert not Path("plain/videos").exists()


def test_a_film_is_what_is_seen_of_a_run_that_ends_there() -> None:
    npvpg.train("CartPole-v1", out="long", video_every=64, lr_decay="constant", seed=3, **SHORT)
    short = npvpg.train(
        "CartPole-v1", out="short", lr_decay="constant", seed=3, **SHORT | {"steps": 128}
    )
    npvpg.watch(short.path, video="a.gif", seed=3)
    with Image.open("a.gif") as one, Image.open("long/videos/step-000000128.gif") as other:
        frames = [
            [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(g)] for g in (one, other)
        ]
    assert len(frames[0]) == len(frames[1]) > 3
    for a, b in zip(*frames, strict=True):
        assert np.abs(a[60:].astype(int) - b[60:]).max() <= 8  # the line on the training apart


def test_a_resumed_run_films_what_is_left() -> None:
    words = "train CartPole-v1 --envs 2 --horizon 16 --hidden 8 --evaluation-episodes 0"
    words += " --steps 320 --video-every 96 --out run"
    assert main(words.split()) == 0
    whole = {file.name: file.read_bytes() for file in Path("run/videos").iterdir()}
    config = RunDirectory(Path("run")).read_config()
    jobs.train(config, RunDirectory(Path("cut")), until=128)
    assert [file.name for file in Path("cut/videos").iterdir()] == ["step-000000096.gif"]
    jobs.train(config, RunDirectory(Path("cut")), resume=True)
    assert {file.name: file.read_bytes() for file in Path("cut/videos").iterdir()} == whole


def test_what_cannot_render_is_told_before_anything_is_trained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("shared_world.py").write_text(SHARED.replace('["rgb_array"]', "[]"))
    words = "train shared_world.py:Shared --steps 64 --video-every 10 --out run"
    assert main(words.split()) == 2
    assert "shared_world:Shared cannot be watched" in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_film_that_fails_costs_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    words = "train shared_world.py:Shared --env-arg torn=true --envs 2 --horizon 16 --hidden 8"
    words += " --steps 64 --video-every 40 --out run"
    assert main(words.split()) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "film none was drawn: the environment cannot be drawn: RuntimeError: no canvas" in out
    assert list(Path("run/videos").iterdir()) == []


def test_a_run_of_before_there_were_films_goes_on() -> None:
    npvpg.train("CartPole-v1", out="run", **SHORT)
    text = Path("run/config.toml").read_text()
    assert "video_every = 0\n" in text
    Path("run/config.toml").write_text(text.replace("video_every = 0\n", ""))
    assert npvpg.evaluate("run", episodes=1)["greedy"]["episodes"] == 1
