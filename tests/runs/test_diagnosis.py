"""Every warning catches a planted bug in a real training, and a healthy one is silent."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npvpg
from npvpg import vpg
from npvpg.jobs import run
from npvpg.optimizers import Linear
from npvpg.policy import PolicyAt
from npvpg.runs import diagnosis
from npvpg.runs.config_file import configure
from npvpg.runs.directory import RunDirectory
from npvpg.show.screen import Screen
from npvpg.stages import ValueFit, Weigh

PAGE = Path(npvpg.__file__).parents[1] / diagnosis.PAGE


def warnings_of(path: Path, env: str = "CartPole-v1", **changes: Any) -> list[str]:
    """Train, and give the sections that were warned of."""
    settings = {"steps": 130_000, "evaluation_episodes": 0} | changes
    summary = run.train(configure(env, **settings), RunDirectory(path))
    return [
        re.findall(r"\(docs/diagnostics.md#(.*)\)$", text)[0]
        for text in summary.get("warnings", [])
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_healthy_run_is_silent(seed: int, tmp_path: Path) -> None:
    assert warnings_of(tmp_path / "run", seed=seed, steps=300_000) == []


@pytest.mark.slow
def test_pendulum_is_silent_too(tmp_path: Path) -> None:
    assert warnings_of(tmp_path / "run", "Pendulum-v1", steps=120_000) == []


@pytest.mark.slow
def test_weights_that_lost_their_steps_are_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, weigh = np.random.default_rng(0), Weigh.__call__

    def loose(self: Weigh, *args: Any) -> Any:
        weighed = weigh(self, *args)
        return weighed._replace(psi=rng.permutation(weighed.psi))

    monkeypatch.setattr(Weigh, "__call__", loose)
    assert "gradient-noise" in warnings_of(tmp_path / "run", steps=300_000)


def test_a_value_that_is_never_fitted_explains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ValueFit, "__call__", lambda self, value, phi, memory, *_: (phi, memory))
    assert warnings_of(tmp_path / "run")[0] == "explained-variance"


def test_without_a_value_nothing_is_said_of_it(tmp_path: Path) -> None:
    found = warnings_of(tmp_path / "run", algorithm="reward-to-go", steps=80_000)
    assert "explained-variance" not in found


def test_steps_that_are_too_long_are_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lr = Linear.__call__
    monkeypatch.setattr(Linear, "__call__", lambda self, fraction: 100 * lr(self, fraction))
    assert "kl-jumps" in warnings_of(tmp_path / "run", steps=20_000)


def test_weights_of_the_wrong_sign_collapse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weigh = Weigh.__call__

    def flipped(self: Weigh, *args: Any) -> Any:
        weighed = weigh(self, *args)
        return weighed._replace(psi=-weighed.psi)

    monkeypatch.setattr(Weigh, "__call__", flipped)
    assert warnings_of(tmp_path / "run") == ["entropy-collapse"]


@pytest.mark.slow
def test_an_entropy_of_the_wrong_sign_collapses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = PolicyAt.weighted_entropy_score
    monkeypatch.setattr(PolicyAt, "weighted_entropy_score", lambda pi, weight: -score(pi, weight))
    found = warnings_of(tmp_path / "run", "Pendulum-v1", entropy_weight=30.0, policy_lr=0.05)
    assert "entropy-collapse" in found


def test_actions_in_the_wrong_unit_are_clipped(tmp_path: Path) -> None:
    (tmp_path / "unit.py").write_text(
        "import gymnasium\n"
        "def hundredth(env):\n"
        "    return gymnasium.wrappers.RescaleAction(env, -0.01, 0.01)\n"
    )
    wrapper = f"{tmp_path}/unit.py:hundredth"
    settings = {"wrapper": (wrapper,), "action_bound": "clip", "steps": 24_000}
    assert warnings_of(tmp_path / "run", "Pendulum-v1", **settings) == ["clipped-actions"]


def test_it_is_said_once_a_run_in_however_many_pieces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configure("CartPole-v1", steps=20_000, policy_lr=0.3, evaluation_episodes=0)
    whole, part = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "part")
    summary = run.train(config, whole, screen=Screen())
    out = capsys.readouterr().out
    assert "warning     one update moved the policy by a KL of " in out
    assert out.count("warning ") == len(summary["warnings"])
    run.train(config, part, until=10_000)
    again = run.train(config, part, resume=True, screen=Screen())
    assert again["warnings"] == summary["warnings"]
    assert "moved the policy" not in capsys.readouterr().out


def test_every_warning_has_its_section() -> None:
    sections = {
        re.sub(r"\W+", "-", line[3:].lower())
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    }
    source = Path(diagnosis.__file__).read_text(encoding="utf-8")
    named = {name for name in sections if f'"{name}"' in source}
    assert named == sections
    assert len(sections) == 5


def test_in_short_it_is_what_the_page_says() -> None:
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    sections = {
        re.sub(r"\W+", "-", part.partition("\n")[0].lower()): " ".join(part.split())
        for part in parts
    }
    assert sections.keys() == diagnosis.ABOUT.keys()
    for name, about in diagnosis.ABOUT.items():
        flags = re.findall(r"--[a-z-]+", about)
        assert flags
        assert set(flags) <= set(re.findall(r"--[a-z-]+", sections[name]))


def test_looking_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure("CartPole-v1", steps=10_000, evaluation_episodes=0)
    seen, blind = RunDirectory(tmp_path / "seen"), RunDirectory(tmp_path / "blind")
    run.train(config, seen)
    monkeypatch.setattr(vpg, "half_cosine", lambda *_, **__: 0.0)
    run.train(config, blind)
    assert seen.episodes.read_bytes() == blind.episodes.read_bytes()
    assert seen.metrics.read_bytes() != blind.metrics.read_bytes()
