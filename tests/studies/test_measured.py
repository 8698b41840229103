from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.lab.variance import GradientVariance
from npvpg.runs.algorithms import ALGORITHMS, WEIGHTS
from npvpg.runs.evaluation import trained
from npvpg.show import pictures
from npvpg.studies import variance, variance_picture

PNG = b"\x89PNG\r\n\x1a\n"
SHORT = "--steps 256 --envs 2 --hidden 8 --horizon 16 --evaluation-episodes 0 --gamma 0.99"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(line: str) -> int:
    return main(line.split())


@pytest.mark.slow
def test_runs_are_measured_and_the_exact_stands_beside(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(f"train CartPole-v1 --algorithm vpg {SHORT} --out run") == 0
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    capsys.readouterr()
    assert command("variance run run --episodes 9 --seed 4 --out a.png") == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["CartPole-v1,", "256", "steps"]
    names = [ALGORITHMS[name]["estimator"] for name in WEIGHTS]
    assert [line.split()[0] for line in lines[1:7]] == names
    assert lines[7].split()[0] == "run"  # two runs of one name are told apart
    assert lines[14].startswith("exact, 3 states")
    assert lines[-1] == "a.png"
    assert Path("a.png").read_bytes().startswith(PNG)
    assert command("variance run run --episodes 9 --seed 4 --out a.png") == 0
    assert capsys.readouterr().out == out
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before


def test_the_rewards_are_those_that_v_was_fitted_to() -> None:
    """Rewards ten times as small, and V with them: a hundredth of the variance."""
    flags = f"--algorithm vpg {SHORT} --value-steps 0 --policy-lr 1e-30 --dtype float64"
    found = {}
    for scale in (1, 0.1):
        assert command(f"train CartPole-v1 {flags} --reward-scale {scale} --out {scale}") == 0
        with trained(Path(str(scale))) as at:
            found[scale] = variance.measure(at, 10, 0)
    for name in ("reinforce", "reward-to-go"):  # V is the same in both
        assert found[0.1][name].total == pytest.approx(found[1][name].total / 100)
        assert found[0.1][name].relative == pytest.approx(found[1][name].relative)


def test_the_panels_say_what_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(
        pictures, "save", lambda figure, _: seen.extend(ax.get_title() for ax in figure.axes)
    )
    found = {"vpg": GradientVariance(1.0, 1.0, 1.0, 0.1, 0.1)}
    variance_picture.draw(Path("a.png"), {"here": found, "there": found})
    assert seen == [
        "here\nvariance relative to the mean gradient",
        "there\nvariance relative to the mean gradient",
        "variance as it is",
        "variance as it is",
    ]


def test_exact_variances_are_those_of_the_laboratory() -> None:
    found = variance.exactly(0)
    assert list(found) == list(WEIGHTS)
    totals = {name: of.total for name, of in found.items()}
    assert totals["reinforce"] > totals["reward-to-go"] > totals["baseline"]
    assert all(of.relative == of.total / of.signal for of in found.values())
    signals = [found[name].signal for name in ("reinforce", "reward-to-go", "baseline")]
    np.testing.assert_allclose(signals, signals[0])  # unbiased, all three


def test_what_tells_nothing_is_not_drawn_as_if_it_did() -> None:
    vague = GradientVariance(1.0, -1.0, np.inf, 5.0, np.inf)
    table = variance.table({"here": {"vpg": vague}})
    row, _, *advice = table.splitlines()[1:]
    assert row.split() == ["gae", *["not", "resolved"] * 2]
    assert advice[0].startswith("not resolved: the mean gradient is too small beside its noise")
    assert any("--episodes" in line for line in advice)
    clear = GradientVariance(1.0, 1.0, 1.0, 0.1, 0.1)
    assert "not resolved" not in variance.table({"here": {"vpg": clear}})
    variance_picture.draw(Path("a.png"), {"here": {"vpg": vague}})
    assert Path("a.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "variance needs RUN; see npvpg variance --help"),
        ("none", "none holds no run: it has no config.toml"),
        ("none --episodes 2", "episodes must be at least 3, got 2"),
        ("none --seed -1", "seed must be at least 0, got -1"),
        ("none --out a.jpg", "out must end in .png, .pdf or .svg, got a.jpg"),
        ("none --episode 3", "unknown flag --episode (did you mean --episodes?)"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(f"variance {words}") == 2
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"


def test_a_run_without_v_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(f"train CartPole-v1 --algorithm reinforce {SHORT} --out run") == 0
    capsys.readouterr()
    assert command("variance run") == 2
    message = "runs must have a value function, as --algorithm vpg, got estimator total-return"
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"
