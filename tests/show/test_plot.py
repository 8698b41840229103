import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from npvpg.recent import rolling_mean
from npvpg.show import plot

PNG = b"\x89PNG\r\n\x1a\n"
MEAN = "mean of the last 100 episodes, which lags behind a rise"


def run_of(
    folder: Path,
    step: list[int],
    ret: list[float],
    env: str | None = "CartPole-v1",
    seed: int | None = None,
    more: str = "",
) -> Path:
    """Write a run; unless given, the seed is made of the name."""
    folder.mkdir(parents=True)
    rows = [f"{s},{float(r)!r},1\n" for s, r in zip(step, ret, strict=True)]
    (folder / "episodes.csv").write_text("step,return,length\n" + "".join(rows))
    if env is not None:
        seed = zlib.crc32(folder.name.encode()) if seed is None else seed
        (folder / "config.toml").write_text(f'env = "{env}"\nseed = {seed}\n{more}')
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
    mean = lines(axes)[MEAN]
    assert mean.get_xdata().tolist() == step
    assert mean.get_ydata().tolist() == rolling_mean(np.array(ret)).tolist()
    assert list(lines(axes)["solved: 475"].get_ydata()) == [475, 475]
    assert lines(axes)["solved: 475"].get_linestyle() == "--"
    assert axes.get_title() == "CartPole-v1"
    assert axes.get_xlabel() == "environment steps of all sub-environments"
    assert axes.get_ylabel() == "return of an episode [reward]"
    labels = {text.get_text() for text in drawn[0].legends[0].get_texts()}
    assert labels == {"one episode", MEAN, "solved: 475"}


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


@pytest.mark.parametrize("env", [None, "Nowhere-v0", "no name at all", "Pendulum-v1"])
def test_without_a_threshold_there_is_no_dashed_line(
    tmp_path: Path, drawn: list[Figure], env: str | None
) -> None:
    plot.curve(tmp_path / "a.png", [run_of(tmp_path / "run", [1, 2], [3, 4], env)])
    assert not any(label.startswith("solved") for label in lines(drawn[0].axes[0]))


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


def test_algorithms_are_never_averaged(tmp_path: Path, drawn: list[Figure]) -> None:
    """Four runs of one and four of another are two lines, whichever directories are named."""
    gae = 'estimator = "gae"\nstandardize = true\nvalue_target = "return"\n'
    total = 'estimator = "total-return"\nstandardize = true\nvalue_target = "return"\n'
    runs = [
        run_of(tmp_path / f"{name}{s}", [10, 20], [ret, ret], seed=s, more=more)
        for name, ret, more in (("a", 1.0, gae), ("b", 9.0, total))
        for s in range(4)
    ]
    assert plot.curve(tmp_path / "a.png", runs[::-1]) == []
    (axes,) = drawn[0].axes
    found = {name: set(line.get_ydata()) for name, line in lines(axes).items() if "runs" in name}
    assert found == {"gae, 4 runs": {1.0}, "total-return, 4 runs": {9.0}}
    assert len(axes.collections) == 2
    colors = {line.get_color() for name, line in lines(axes).items() if "runs" in name}
    assert len(colors) == 2
    labels = {text.get_text() for text in drawn[0].legends[0].get_texts()}
    assert labels == {"gae, 4 runs", "total-return, 4 runs", "solved: 475"}
    plot.curve(tmp_path / "a.png", runs, labels=["mine", "theirs"])
    assert {"mine, 4 runs", "theirs, 4 runs"} <= lines(drawn[1].axes[0]).keys()
    with pytest.raises(ValueError, match="label must name each of 2 groups once, got 1"):
        plot.curve(tmp_path / "a.png", runs, labels=["mine"])


def test_single_runs_that_differ_are_lines_of_their_own(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    more = ("gamma = 0.9\nhidden = [8, 8]\n", "gamma = 0.99\nhidden = []\n")
    runs = [run_of(tmp_path / str(len(m)), [10, 20], [1, 2], seed=0, more=m) for m in more]
    plot.curve(tmp_path / "a.png", runs)
    assert lines(drawn[0].axes[0]).keys() == {
        "gamma=0.9, hidden=8 8, 1 run",
        "gamma=0.99, hidden=none, 1 run",
        "solved: 475",
    }


def test_a_run_without_a_configuration_stays_alone(tmp_path: Path, drawn: list[Figure]) -> None:
    runs = [run_of(tmp_path / name, [10, 20], [1, 1], env=None) for name in "ab"]
    plot.curve(tmp_path / "a.png", runs)
    assert lines(drawn[0].axes[0]).keys() == {f"{run}, 1 run" for run in runs}


def test_one_seed_counts_once(tmp_path: Path, drawn: list[Figure]) -> None:
    seeds = {"a": 0, "b": 1, "c": 0}
    runs = [run_of(tmp_path / name, [10, 20], [1, 1], seed=seeds[name]) for name in seeds]
    notes = plot.curve(tmp_path / "a.png", [*runs, runs[1]])
    assert notes == [f"{runs[2]} is the run of {runs[0]} again: left out"]
    assert "interquartile mean of 2 runs" in lines(drawn[0].axes[0])


def test_a_run_that_was_cut_short_does_not_stop_the_others(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    runs = [run_of(tmp_path / name, [10, 20, 30], [1, 2, 3]) for name in "abcde"]
    for run in (runs[0], runs[1]):
        (run / "summary.json").write_text("{}")
    (runs[2] / "episodes.csv").write_text("step,ret")  # killed as it began
    (runs[3] / "episodes.csv").write_text("step,return,length\n")
    (runs[4] / "episodes.csv").write_text("step,return,length\n10,1.0,1\n20,2.0,1\n30,")
    notes = plot.curve(tmp_path / "a.png", runs)
    assert len(notes) == 3
    assert notes[0].startswith(f"{runs[2]}/episodes.csv must start with the line")
    assert notes[0].endswith(": left out")
    assert notes[1] == f"{runs[3]}: no episode has ended"
    assert notes[2] == f"{runs[4]} is not finished: the mean ends with it, at step 20"
    mean = lines(drawn[0].axes[0])["interquartile mean of 3 runs"]
    assert mean.get_xdata()[-1] == 20


@pytest.mark.parametrize(("suffix", "head"), [("png", PNG), ("PDF", b"%PDF-"), ("svg", b"<?xml")])
def test_the_suffix_is_the_format_and_no_time_is_in_it(
    tmp_path: Path, suffix: str, head: bytes
) -> None:
    runs = [run_of(tmp_path / name, [10, 20, 30], [1, 2, 4]) for name in "ab"]
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        plot.curve(file, runs)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(head)


def test_other_formats_are_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", [10], [1])
    with pytest.raises(ValueError, match=r"out must end in .png, .pdf or .svg, got [^ ]*a.jpg"):
        plot.curve(tmp_path / "a.jpg", [run])


def test_the_legend_lies_outside_of_what_is_drawn(tmp_path: Path, drawn: list[Figure]) -> None:
    more = {"a": "n = 1\n", "b": "n = 1\n", "c": "n = 2\n", "d": "n = 2\n"}
    runs = [run_of(tmp_path / name, [10, 20], [1, 1], more=more[name]) for name in more]
    plot.curve(tmp_path / "a.png", runs)
    figure = drawn[0]
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())


def test_matplotlib_is_imported_only_to_draw() -> None:
    modules = "npvpg.show.plot, npvpg.show.screen, npvpg.studies.ablation"
    code = f"import sys, {modules}; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
