from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.estimators import BaselinedReturn, RewardToGo, TotalReturn
from npvpg.lab.analytic import closed_form, play
from npvpg.studies import analytic, systems

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_command_prints_a_table_and_draws(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analytic, "UPDATES", 2)
    assert main(["analytic", "--episodes", "16", "--out", "a.png"]) == 0
    *rows, path = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 * (1 + len(analytic.KINDS))
    assert path == "a.png"
    assert Path("a.png").read_bytes().startswith(PNG)


def test_all_kinds_estimate_one_gradient() -> None:
    """Means over 4000 episodes agree within 5 standard errors, coordinate by coordinate."""
    setting = systems.quadratic()
    rng = np.random.default_rng(0)
    first = setting.first(rng, 4000)
    noise = rng.standard_normal((5, 4000, 1))
    path = play(setting.system, setting.policy, setting.theta, first, noise)
    solved = closed_form(
        systems.double_integrator()[0],
        setting.theta,
        systems.GAMMA,
        5,
        systems.MEAN,
        systems.COVARIANCE,
    )
    for estimator in (TotalReturn, RewardToGo, BaselinedReturn):
        each = analytic.score_gradients(setting, path, estimator(systems.GAMMA))
        error = np.abs(each.mean(axis=0) - solved.gradient)
        assert (error < 5 * each.std(axis=0) / 4000**0.5).all()


@pytest.mark.slow
def test_the_pathwise_gradient_learns_and_detached_it_does_not() -> None:
    learns = analytic.learn(analytic.PATHWISE, "nothing", 0)
    detached = analytic.learn(analytic.PATHWISE, "reward", 0)
    assert learns[-1] < 0.05 * learns[0]
    assert detached[-1] > 0.5 * detached[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--episodes 1", "episodes must be at least 16, got 1"),
        ("--seed -1", "seed must be at least 0, got -1"),
        ("--out a", "out must end in .png, .pdf or .svg, got a"),
        ("x", "analytic takes flags only, got x"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analytic", *words.split()]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"
