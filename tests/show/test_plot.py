import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from npvpg.recent import rolling_mean
from npvpg.show import plot

PNG = b"\x89PNG\r\n\x1a\n"


def run_of(
    folder: Path, step: list[int], ret: list[float], env: str | None = "CartPole-v1"
) -> Path:
    folder.mkdir()
    rows = [f"{s},{float(r)!r},1\n" for s, r in zip(step, ret, strict=True)]
    (folder / "episodes.csv").write_text("step,return,length\n" + "".join(rows))
    if env is not None:
        (folder / "config.toml").write_text(f'env = "{env}"\n')
    return folder


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *args: Any, **kwargs: Any) -> None:
        figures.append(self)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def lines(axes: Axes) -> dict[str, Any]:
    return {str(line.get_label()): line for line in axes.get_lines()}


def test_one_run_shows_every_episode_and_the_rolling_mean(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    step, ret = list(range(10, 3010, 10)), [float(i % 7) for i in range(300)]
    plot.curve(tmp_path / "a.png", [run_of(tmp_path / "run", step, ret)])
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    (axes,) = drawn[0].axes
    dots = axes.get_lines()[0]
    assert dots.get_marker() == "."
    assert np.asarray(dots.get_xdata()).tolist() == step
    assert np.asarray(dots.get_ydata()).tolist() == ret
    mean = lines(axes)["mean of the last 100 episodes"]
    assert mean.get_xdata().tolist() == step
    assert mean.get_ydata().tolist() == rolling_mean(np.array(ret)).tolist()
    assert list(lines(axes)["solved: 475"].get_ydata()) == [475, 475]
    assert lines(axes)["solved: 475"].get_linestyle() == "--"
    assert axes.get_title() == "CartPole-v1"
    assert axes.get_xlabel() == "environment steps of all sub-environments"
    assert axes.get_ylabel() == "return of an episode [reward]"
    labels = {text.get_text() for text in drawn[0].legends[0].get_texts()}
    assert labels == {"one episode", "mean of the last 100 episodes", "solved: 475"}


def test_several_runs_show_their_mean_where_all_have_data(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    runs = [
        run_of(tmp_path / "a", [10, 20, 30], [1, 1, 1]),
        run_of(tmp_path / "b", [12, 25, 50], [3, 3, 3]),
        run_of(tmp_path / "c", [5, 45], [5, 5]),
    ]
    plot.curve(tmp_path / "a.png", runs, title="three")
    (axes,) = drawn[0].axes
    mean = lines(axes)["interquartile mean of 3 runs"]
    assert (mean.get_xdata()[0], mean.get_xdata()[-1]) == (12, 30)
    assert mean.get_ydata() == pytest.approx(3)
    (band,) = axes.collections
    _, heights = band.get_paths()[0].vertices.T  # type: ignore[union-attr]
    assert heights.min() == 1  # all three draws fall on the lowest run in 1 of 27 samples
    assert heights.max() == 5
    assert axes.get_title() == "three"
    assert axes.get_ylabel() == "return, mean of 100 episodes [reward]"


def test_one_run_of_four_that_is_far_off_does_not_move_the_middle(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    returns = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 1000.0}
    runs = [run_of(tmp_path / name, [10, 20], [ret, ret]) for name, ret in returns.items()]
    plot.curve(tmp_path / "a.png", runs)
    middle = lines(drawn[0].axes[0])["interquartile mean of 4 runs"]
    assert set(middle.get_ydata()) == {2.5}


def test_a_rolling_mean_holds_until_the_next_episode_ends(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    runs = [run_of(tmp_path / name, [0, 100, 200], [0, 2, 4]) for name in "ab"]
    plot.curve(tmp_path / "a.png", runs)
    mean = lines(drawn[0].axes[0])["interquartile mean of 2 runs"]
    expected = np.select([mean.get_xdata() < 100, mean.get_xdata() < 200], [0, 1], 2)
    assert mean.get_ydata().tolist() == expected.tolist()


def test_runs_that_do_not_overlap_have_no_mean(tmp_path: Path, drawn: list[Figure]) -> None:
    runs = [
        run_of(tmp_path / "a", [1, 2], [1, 2]),
        run_of(tmp_path / "b", [3, 4], [1, 2]),
        run_of(tmp_path / "c", [], []),
    ]
    plot.curve(tmp_path / "a.png", runs)
    assert not any(label.startswith("interquartile") for label in lines(drawn[0].axes[0]))


@pytest.mark.parametrize("count", [1, 2])
def test_runs_without_an_episode_are_drawn_empty(
    tmp_path: Path, drawn: list[Figure], count: int
) -> None:
    runs = [run_of(tmp_path / str(number), [], []) for number in range(count)]
    plot.curve(tmp_path / "a.png", runs)
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["no episode has ended yet"]


def test_the_summary_names_the_environment_too(tmp_path: Path, drawn: list[Figure]) -> None:
    run = run_of(tmp_path / "run", [1], [-100], env=None)
    (run / "summary.json").write_text(json.dumps({"env": "Acrobot-v1"}))
    plot.curve(tmp_path / "a.png", [run])
    assert "solved: -100" in lines(drawn[0].axes[0])


@pytest.mark.parametrize("env", [None, "Nowhere-v0", "no name at all", "Pendulum-v1"])
def test_without_a_threshold_there_is_no_dashed_line(
    tmp_path: Path, drawn: list[Figure], env: str | None
) -> None:
    plot.curve(tmp_path / "a.png", [run_of(tmp_path / "run", [1, 2], [3, 4], env)])
    assert not any(label.startswith("solved") for label in lines(drawn[0].axes[0]))


def test_a_damaged_summary_does_not_matter(tmp_path: Path, drawn: list[Figure]) -> None:
    run = run_of(tmp_path / "run", [1], [3])
    (run / "summary.json").write_text("{")
    plot.curve(tmp_path / "a.png", [run])
    assert drawn[0].axes[0].get_title() == "CartPole-v1"


def test_bad_runs_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    with pytest.raises(ValueError, match="runs must name at least 1 run directory, got none"):
        plot.curve(out, [])
    with pytest.raises(ValueError, match=r"absent/episodes.csv does not exist"):
        plot.curve(out, [tmp_path / "absent"])
    runs = [run_of(tmp_path / e, [1], [1], e) for e in ("Pendulum-v1", "CartPole-v1")]
    with pytest.raises(ValueError, match="of one environment, got CartPole-v1, Pendulum-v1"):
        plot.curve(out, runs)
    assert not out.exists()


def test_the_same_runs_give_the_same_file(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, [10, 20, 30], [1, 2, 4]) for name in "ab"]
    for name in ("a.png", "b.png"):
        plot.curve(tmp_path / name, runs)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = (
        "import sys, npvpg.show.plot as plot; plot.sparkline([1]);"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=50), st.integers(1, 60))
def test_a_sparkline_has_a_character_a_number_or_fewer(
    values: list[float | None], width: int
) -> None:
    line = plot.sparkline(values, width)
    assert len(line) == min(len(values), width)
    assert set(line) <= set("▁▂▃▄▅▆▇█ ")
    if len(values) <= width:
        assert [mark == " " for mark in line] == [value is None for value in values]


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=50, unique=True))
def test_a_sparkline_keeps_the_order_of_heights(values: list[int]) -> None:
    line = plot.sparkline(values, 50)
    assert line[int(np.argmin(values))] == "▁"
    assert line[int(np.argmax(values))] == "█"
    in_order = [line[index] for index in np.argsort(values)]
    assert in_order == sorted(in_order)


def test_the_corners_of_a_sparkline() -> None:
    assert plot.sparkline([], 5) == ""
    assert plot.sparkline([None, math.nan, math.inf], 5) == "   "
    assert plot.sparkline([3, 3, 3], 5) == "▄▄▄"
    assert plot.sparkline([0, 0, 10, 10, None, None], 3) == "▁█ "
    assert plot.sparkline(np.arange(3.0), 5) == "▁▅█"
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        plot.sparkline([1], 0)
