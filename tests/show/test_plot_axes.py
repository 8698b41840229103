"""What is drawn against what, the lines beside the picture, and groups compared."""

from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.runs import alike
from npvpg.runs.series import series


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run_of(name: str, seed: int, gamma: float = 0.9, shift: float = 0.0) -> Path:
    """Write a run of three updates and four episodes."""
    folder = Path(name)
    folder.mkdir()
    (folder / "config.toml").write_text(f'env = "CartPole-v1"\nseed = {seed}\ngamma = {gamma}\n')
    episodes = "".join(
        f"{step},{ret + shift},5\n" for step, ret in ((5, 1), (20, 2), (25, 3), (40, 4))
    )
    (folder / "episodes.csv").write_text("step,return,length\n" + episodes)
    (folder / "metrics.csv").write_text(
        "iteration,steps,episodes,mean_return,mean_length,entropy,grad_cosine\n"
        "1,20,2,1.5,5,0.7,0.25\n2,40,2,2.5,5,0.5,\n3,60,0,2.5,5,0.25,0.5\n"
    )
    (folder / "times.csv").write_text("iteration,steps,seconds\n1,20,0.5\n2,40,1.5\n3,60,2.0\n")
    return folder


@pytest.mark.parametrize(
    ("y", "x", "at", "values"),
    [
        ("return", "steps", [5, 20, 25, 40], [1, 2, 3, 4]),
        ("return", "time", [0.5, 0.5, 1.5, 1.5], [1, 2, 3, 4]),
        ("return", "episodes", [1, 2, 3, 4], [1, 2, 3, 4]),
        ("entropy", "steps", [20, 40, 60], [0.7, 0.5, 0.25]),
        ("entropy", "time", [0.5, 1.5, 2.0], [0.7, 0.5, 0.25]),
        ("entropy", "episodes", [2, 4, 4], [0.7, 0.5, 0.25]),
        ("grad_cosine", "steps", [20, 60], [0.25, 0.5]),
    ],
)
def test_any_column_is_drawn_against_any_clock(
    y: str, x: str, at: list[float], values: list[float]
) -> None:
    ((curve,), _) = alike.read([run_of("a", 0)])
    drawn = series(curve, y, x)  # type: ignore[arg-type]
    assert drawn.step.tolist() == at
    assert drawn.ret.tolist() == values


def test_the_lines_lie_beside_the_picture(capsys: pytest.CaptureFixture[str]) -> None:
    run_of("a", 0)
    run_of("b", 0, gamma=0.5)
    for suffix in ("png", "pdf", "svg"):
        line = f"plot a b --y entropy --x time --csv --label one,two --out c.{suffix}"
        assert main(line.split()) == 0
        assert Path(f"c.{suffix}").stat().st_size > 1000
    assert Path("c.csv").read_text().splitlines() == [
        "group,run,x,y",
        *("one,a,0.5,0.7", "one,a,1.5,0.5", "one,a,2.0,0.25"),
        *("two,b,0.5,0.7", "two,b,1.5,0.5", "two,b,2.0,0.25"),
    ]
    capsys.readouterr()
    assert main(["plot", "a", "--y", "kl"]) == 2
    assert "y must be return or a column of a/metrics.csv, got kl" in capsys.readouterr().err
    Path("a/times.csv").write_text("iteration,steps,seconds\n1,20,0.5\n")
    assert main(["plot", "a", "--x", "time"]) == 2
    assert "a/times.csv must have the time of every update" in capsys.readouterr().err


def test_another_picture_has_another_name(capsys: pytest.CaptureFixture[str]) -> None:
    run_of("a", 0)
    for flags, name in (
        ("", "curve"),
        ("--y entropy", "curve-entropy"),
        ("--x episodes", "curve-episodes"),
        ("--profile", "curve-profile"),
    ):
        assert main(f"plot a {flags}".split()) == 0
        assert capsys.readouterr().out == f"a/{name}.png\n"


def test_two_groups_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run_of(f"a{s}", s, shift=s) for s in range(3)]
    runs += [run_of(f"b{s}", s, gamma=0.5, shift=s + 1) for s in range(3)]
    names = " ".join(map(str, runs))
    assert main(f"plot {names} --label low,high --out c.png".split()) == 0
    first = capsys.readouterr().out.splitlines()[0]
    wins = np.mean([[(a > b) + 0.5 * (a == b) for b in (1, 2, 3)] for a in (0, 1, 2)])
    assert first.startswith(f"low ends better than high with probability {wins:.2f}, 95% interval ")
    assert first.endswith(", 3 and 3 runs")
    assert main(f"plot {names} --profile --out p.svg".split()) == 0
    assert capsys.readouterr().out.splitlines() == [
        first.replace("low", "gamma=0.9").replace("high", "gamma=0.5"),
        "p.svg",
    ]
    assert main(f"plot {names} --profile --label a --out p.svg".split()) == 2
    assert "label must name each of 2 groups once, got 1" in capsys.readouterr().err
