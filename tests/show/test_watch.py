"""Films of a policy: what is seen is what the policy does and thinks, and changes nothing."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from PIL.GifImagePlugin import GifImageFile

import npvpg
from npvpg.command.main import main
from npvpg.runs.evaluation import trained
from npvpg.runs.heads import Head, heads
from npvpg.runs.watching import Moment, play, visible
from npvpg.show import film, window
from npvpg.show.frame import Bar, Painter, Span, thoughts
from npvpg.world.actor import Actor
from npvpg.world.streams import Purpose, generator
from npvpg.world.vector import SeededVectorEnv

pytestmark = [
    pytest.mark.skipif(find_spec("pygame") is None, reason="pygame is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]
needs_ffmpeg = pytest.mark.skipif(
    find_spec("imageio_ffmpeg") is None, reason="imageio-ffmpeg is not installed"
)

OWN = """
import gymnasium
import numpy as np
from gymnasium import spaces


class Own(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Dict(
        {
            "bits": spaces.MultiBinary(2),
            "go": spaces.MultiDiscrete([2, 3]),
            "push": spaces.Box(-1, 3, (2,)),
        }
    )

    def __init__(self, render_mode=None, returns=None):
        self.render_mode, self.returns = render_mode, returns

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action):
        self.t += 1
        obs = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return obs, float(action["push"][0]), self.t == 5, False, {}

    def render(self):
        if self.returns == "fault":
            raise RuntimeError("no canvas")
        return None if self.returns == "none" else np.full((20, 30, 3), 40 * self.t, np.uint8)


class Blind(Own):
    metadata = {"render_modes": ["ansi"]}


class Dark(Own):
    metadata = {}
"""
SHORT: dict[str, Any] = {"steps": 64, "envs": 2, "horizon": 16, "hidden": (8,), "quiet": True}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    yield
    sys.modules.pop("own_world", None)


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., Path]:
    """Train on an environment of one's own, which lies beside no run."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "own_world.py").write_text(OWN)

    def made(name: str = "Own", **settings: Any) -> Path:
        env = f"{folder / 'own_world.py'}:{name}"
        out = tmp_path / "runs" / name
        return npvpg.train(env, out=out, evaluation_episodes=0, **SHORT, **settings).path

    return made


def moments(run: Path, **how: Any) -> list[Moment]:
    with trained(run) as of, visible(of.config) as env:
        given = {"fraction": of.fraction, "seed": 0, **how}
        return list(play(env, of.algorithm, of.state, **given))


def test_a_gif_shows_every_step_and_the_end(own: Callable[..., Path]) -> None:
    run = own()
    seen = npvpg.watch(run, video="a.gif", episodes=2, seed=3)
    assert seen.film == Path("a.gif")
    assert seen.lengths == (5, 5)
    with GifImageFile("a.gif") as picture:
        assert picture.n_frames == 12  # five steps and the end, twice
        assert picture.size == (540 + 320, 360)  # twenty rows are small: eighteen times as many
        duration = []
        for k in range(12):
            picture.seek(k)
            duration.append(picture.info["duration"])
    assert duration == ([100] * 5 + [1100]) * 2


@needs_ffmpeg
def test_a_film_is_laid_into_the_run_where_there_is_no_display(own: Callable[..., Path]) -> None:
    import imageio_ffmpeg  # noqa: PLC0415 - an extra

    run = own()
    assert npvpg.watch(run).film == run / "watch.mp4"
    frames = imageio_ffmpeg.read_frames(str(run / "watch.mp4"))
    assert next(frames)["source_size"] == (860, 360)
    assert len(list(frames)) == 5 + 1 + 10  # the end stays for a second
    assert sorted(path.name for path in run.iterdir() if path.name.startswith(".")) == []
    assert list(Path().glob("*.mp4")) == []


def test_without_ffmpeg_it_is_a_gif(
    own: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = own()
    monkeypatch.setattr(film, "find_spec", lambda _: None)
    assert npvpg.watch(run).film == run / "watch.gif"
    with pytest.raises(ValueError, match=r"a\.mp4 needs a package .* pip install imageio-ffmpeg"):
        npvpg.watch(run, video="a.mp4")


def test_what_is_seen_is_what_the_environment_does(own: Callable[..., Path]) -> None:
    seen = moments(own(), episodes=2, seed=4)
    assert [m.step for m in seen] == [0, 1, 2, 3, 4, 5] * 2
    assert [m.episode for m in seen] == [1] * 6 + [2] * 6
    assert [int(m.picture[0, 0, 0]) for m in seen] == [0, 40, 80, 120, 160, 200] * 2
    assert [m.act is None for m in seen] == ([False] * 5 + [True]) * 2
    for before, after in itertools.pairwise(seen):
        if before.act is not None:
            reward = min(max(1 + 2 * float(before.act[4]), -1), 3)  # of the Box, in its units
            assert after.ret - before.ret == pytest.approx(reward, rel=1e-6)


def test_the_same_seed_shows_the_same_and_another_something_else(own: Callable[..., Path]) -> None:
    run = own()

    def acts(**how: Any) -> NDArray[Any]:
        return np.stack([m.act for m in moments(run, **how) if m.act is not None])

    assert np.array_equal(acts(), acts())
    assert not np.array_equal(acts(), acts(seed=1))
    assert not np.array_equal(acts(), acts(greedy=True))
    assert np.array_equal(acts(greedy=True), acts(greedy=True))


def test_greedy_takes_the_mode(own: Callable[..., Path]) -> None:
    run = own()
    with trained(run) as of:
        law = of.algorithm.policy.distribution
    for moment in moments(run, greedy=True)[:-1]:
        assert moment.act is not None
        assert np.array_equal(moment.act, law.mode(moment.params[np.newaxis])[0])


def test_a_scaled_number_is_shown_in_the_units_of_its_box() -> None:
    made = npvpg.make("Pendulum-v1", action_bound="scale", envs=1)
    (part,) = heads(made.env, made.policy.distribution)
    (span,) = thoughts(part, np.array([0.75, np.log(0.5)]), np.array([1.5]))
    made.env.close()
    assert span == Span("0", 1.5, 0.5, 2.5, 2.0, (-2, 2))


def test_thoughts_are_probabilities_and_spans(own: Callable[..., Path]) -> None:
    run = own(action_bound="clip")
    with trained(run) as of:
        parts = heads(of.env, of.algorithm.policy.distribution)
    assert [part.name for part in parts] == ["bits", "go[0]", "go[1]", "push"]
    params = np.array([0.0, np.log(3), 0, np.log(3), 0, 0, np.log(2), 0.5, 5.0, 0.0, np.log(0.25)])
    act = np.array([0.0, 1, 1, 2, 9.0, 1.5])
    bits, first, second, push = (thoughts(part, params, act) for part in parts)
    assert [(b.label, b.taken) for b in bits if isinstance(b, Bar)] == [
        ("bit 0", False),
        ("bit 1", True),
    ]
    assert [b.probability for b in bits if isinstance(b, Bar)] == pytest.approx([0.5, 0.75])
    assert [b.probability for b in first if isinstance(b, Bar)] == pytest.approx([0.25, 0.75])
    assert [b.probability for b in second if isinstance(b, Bar)] == pytest.approx([0.25, 0.25, 0.5])
    assert [b.taken for b in (*first, *second) if isinstance(b, Bar)] == [
        False, True, False, False, True,
    ]  # fmt: skip
    assert push == [
        Span("0", 0.5, -0.5, 1.5, 3.0, (-1, 3)),  # 9 is clipped
        Span("1", 5.0, 4.75, 5.25, 1.5, (-1, 3)),
    ]


def test_a_squashed_number_is_shown_in_its_box() -> None:
    made = npvpg.make("Pendulum-v1", action_bound="tanh", envs=1)
    (part,) = heads(made.env, made.policy.distribution)
    (span,) = thoughts(part, np.array([0.5, np.log(0.5)]), np.array([0.1]))
    made.env.close()
    assert isinstance(span, Span)
    want = 2 * np.tanh([0.5, 0.0, 1.0, 0.1])
    assert [span.mean, span.low, span.high, span.taken] == pytest.approx(want, rel=1e-6)
    assert span.bounds == (-2, 2)


def test_the_mixture_with_the_mode_is_what_is_shown() -> None:
    made = npvpg.make("CartPole-v1", greedy=0.5, envs=1)
    learner = made.algorithm.init(0)
    policy, _ = made.algorithm.acting(learner, 1.0)
    (part,) = heads(made.env, policy.distribution)
    bars = thoughts(part, np.log([0.25, 0.75]), None)
    made.env.close()
    assert [bar.probability for bar in bars if isinstance(bar, Bar)] == pytest.approx(
        [0.125, 0.875]
    )


@pytest.mark.parametrize("height", [20, 21, 400, 1001])
def test_frames_are_even_whatever_the_picture(height: int) -> None:
    painted = Painter("x", [])
    moment = Moment(np.zeros((height, 33, 3), np.uint8), 1, 0, 0.0, None, np.zeros(0), None)
    frame = painted.draw(moment)
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    assert 360 <= frame.shape[0] <= 720


def test_bars_are_as_long_as_probabilities() -> None:
    part = Head("", spaces.Discrete(2), npvpg.Categorical(2), slice(0, 2), slice(0, 1), None)
    picture, params = np.zeros((400, 400, 3), np.uint8), np.log(np.array([0.25, 0.75]))
    frame = Painter("x", [part]).draw(Moment(picture, 1, 0, 0.0, None, params, np.array([1])))
    panel = frame[:, 400:].astype(int)
    blue = (panel == (0, 114, 178)).all(axis=2)  # what was done
    light = (panel == (150, 190, 225)).all(axis=2)
    assert blue.sum() / light.sum() == pytest.approx(3, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "npvpg/Acrobot-v1"])
def test_what_is_seen_is_what_the_compiled_environment_does(name: str, tmp_path: Path) -> None:
    scaled = {"normalize_rewards": True, "reward_scale": 0.1, "estimator": "gae", "horizon": 16}
    settings = {**SHORT, **scaled, "evaluation_episodes": 0}
    run = npvpg.train(name, out=tmp_path / "run", **settings).path
    seen = moments(run, seed=7)
    with trained(run) as of:
        one = npvpg.make(name, envs=1).env  # compiled
        driver = SeededVectorEnv(one, 7, Purpose.WATCHED_EPISODE)
        policy, theta = of.acting
        learner, actor = of.state.learner, Actor(policy, theta, of.state.obs_moments)
        obs, ret = driver.reset(np.ones(1, bool), np.zeros(1, np.int64)), 0.0
        rng = generator(7, Purpose.WATCHED_ACTION, 0)
        scale = 0.1 / np.sqrt(learner.return_moments.var[0] + 1e-8)
        for moment in seen:
            assert moment.ret == ret
            v = float(of.algorithm.value.at(learner.phi, actor.see(obs)).values[0])
            assert moment.value == pytest.approx(v / scale, rel=1e-12)
            if moment.act is not None:
                act = actor.act(obs, policy.noise(rng, 1))
                assert np.array_equal(act.ravel(), moment.act)
                obs, rew, *_ = driver.step(act)
                ret += rew[0]
        one.close()
    assert 0.1 / scale != pytest.approx(1, rel=0.05)


def test_of_what_goes_by_fast_some_frames_are_left_out(tmp_path: Path) -> None:
    run = npvpg.train("CartPole-v1", out=tmp_path / "run", evaluation_episodes=0, **SHORT).path
    seen = npvpg.watch(run, video="a.gif")
    with GifImageFile("a.gif") as picture:  # fifty steps a second
        assert picture.n_frames == -(-seen.lengths[0] // 2) + 1
        assert picture.info["duration"] == 40


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "Blind",
            r"environment own_world:Blind cannot be watched: it must offer rgb_array .* ansi",
        ),
        ("Dark", r"environment own_world:Dark cannot be watched: .* offers nothing"),
    ],
)
def test_what_cannot_render_says_so(own: Callable[..., Path], name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        npvpg.watch(own(name), video="a.gif")
    assert not Path("a.gif").exists()


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        ("none", r"render\(\) must return an array \(height, width, 3\) of uint8, got None"),
        ("fault", r"the environment cannot be drawn: RuntimeError: no canvas \(.*own_world\.py"),
    ],
)
def test_what_renders_no_picture_says_so(own: Callable[..., Path], returns: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        npvpg.watch(own(env_arg={"returns": returns}), video="a.gif")
    assert sorted(Path().iterdir()) == [Path("mine"), Path("runs")]


@pytest.mark.slow
def test_several_seeds_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "train CartPole-v1 --seeds 0,1 --jobs 1 --steps 64 --envs 2 --horizon 16 --hidden 8"
    assert main([*words.split(), "--evaluation-episodes", "0", "--out", "both"]) == 0
    capsys.readouterr()
    assert main(["watch", "both"]) == 2
    assert "both holds the runs of several seeds: name one, such as both/seed-0" in (
        capsys.readouterr().err
    )


def test_the_command_tells_returns_and_the_film(
    own: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = own()
    capsys.readouterr()
    assert main(["watch", str(run), "--video", "a.gif", "--episodes", "2", "--greedy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    ends = [seen for seen in moments(run, episodes=2, greedy=True) if seen.act is None]
    want = [f"episode {end.episode}: return {end.ret:g} in 5 steps" for end in ends]
    assert lines == [*want, "a.gif"]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--video a.avi", "a film must end in .mp4 or .gif, got 'a.avi'"),
        ("--episodes 0", "episodes must be at least 1, got 0"),
        ("--seed -1", "seed must be at least 0, got -1"),
        ("--video none/a.gif", "none/a.gif cannot be written: none is no directory"),
    ],
)
def test_misuse_is_one_line(
    own: Callable[..., Path], flags: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = own()
    assert main(["watch", str(run), *flags.split()]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"npvpg: error: {says}"


def test_a_window_shows_every_moment(
    own: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the driver that draws nowhere: what a window gets is what a film gets."""
    pygame = pytest.importorskip("pygame")
    run = own()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(window, "WAIT", 0.0)
    frames: list[NDArray[np.uint8]] = []
    flip = pygame.display.flip

    def spy() -> None:
        drawn = pygame.surfarray.array3d(pygame.display.get_surface())
        frames.append(drawn.swapaxes(0, 1).copy())
        flip()

    monkeypatch.setattr(pygame.display, "flip", spy)
    seen = npvpg.watch(run)
    assert seen.film is None
    assert seen.lengths == (5,)
    painted = painter_of(run)
    want = [painted.draw(moment) for moment in moments(run)]
    assert len(frames) == len(want)
    for have, due in zip(frames, want, strict=True):
        assert np.array_equal(have, due)


def test_the_best_policy_is_watched_and_written(tmp_path: Path) -> None:
    kept = {"eval_every": 64, "evaluation_episodes": 2, "horizon": 32, "policy_lr": 0.05}
    settings = {**SHORT, "steps": 512, **kept}
    run = npvpg.train("CartPole-v1", out=tmp_path / "run", **settings).path
    with trained(run, best=True) as of:
        best = of.state
    with trained(run) as of:
        last = of.state
    assert best.steps < last.steps  # else there is nothing to tell apart
    texts = [npvpg.export(run, "json", best=kind).read_text() for kind in (True, False)]
    assert [json.loads(each)["steps"] for each in texts] == [best.steps, last.steps]
    (run / "best.safetensors").unlink()
    with pytest.raises(ValueError, match=r"best\.safetensors does not exist"):
        npvpg.watch(run, best=True)


def test_q_ends_the_window(own: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pygame = pytest.importorskip("pygame")
    run = own()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("DISPLAY", ":0")
    event = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_q)
    monkeypatch.setattr(pygame.event, "get", lambda: [event])
    assert npvpg.watch(run, episodes=3).lengths == ()


def painter_of(run: Path) -> Painter:
    with trained(run) as of, visible(of.config) as env:
        return film.painter(of.config, env, of.algorithm)


def test_nothing_is_left_in_the_environment_of_the_process(own: Callable[..., Path]) -> None:
    before = dict(os.environ)
    npvpg.watch(own(), video="a.gif")
    assert {k: v for k, v in os.environ.items() if "PYGAME" not in k} == {
        k: v for k, v in before.items() if "PYGAME" not in k
    }
