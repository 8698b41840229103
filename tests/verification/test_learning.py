"""The results: their arithmetic, and that training goes on where it stood. No time is asserted."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from npvpg.runs import config_file
from npvpg.runs.group import GroupDirectory
from verification.learning import report, suite
from verification.learning.__main__ import main
from verification.learning.published import PUBLISHED, SOURCES, published

ENV = "Hopper-v5"
SMALL = {"steps": 512, "envs": 2, "horizon": 64, "hidden": (4,), "evaluation_episodes": 2}


def fake(folder: Path, returns: list[float | None], env: str = ENV) -> GroupDirectory:
    """A group whose runs came to these numbers; the run of a None has no end."""
    group = GroupDirectory(folder / env)
    config = suite.configuration(env, 1_000_000)
    group.create(config, tuple(range(len(returns))))
    for seed, ret in enumerate(returns):
        run = group.run(seed)
        run.create(dataclasses.replace(config, seed=seed))
        for file in (run.metrics, run.checkpoint, run.curve):
            file.touch()
        rows = "".join(f"{step},{ret or 0},10\n" for step in range(10, 1000, 10))
        run.episodes.write_text(f"step,return,length\n{rows}")
        if ret is not None:
            summary = {
                "mean_return_100": ret,
                "seconds": 60.0 + seed,
                "evaluation": {"greedy": {"mean": ret + 1000}},
            }
            run.summary.write_text(json.dumps(summary))
    return group


def test_a_row_is_the_interquartile_mean_of_the_finished_runs(tmp_path: Path) -> None:
    row = report.read_row(fake(tmp_path, [0.0, 400.0, 420.0, 9000.0]))
    assert row is not None
    assert row.seeds == (0, 1, 2, 3)
    assert row.sampled["iqm"] == 410.0  # the middle half
    assert row.greedy is not None
    assert row.greedy["iqm"] == 1410.0
    assert row.seconds == 61.5
    low, high = row.sampled["iqm_interval"] or (0, 0)
    assert 0 <= low < 410 < high <= 9000


def test_seeds_beyond_one_that_has_no_end_do_not_count(tmp_path: Path) -> None:
    row = report.read_row(fake(tmp_path, [100.0, 300.0, None, 9000.0]))
    assert row is not None
    assert row.seeds == (0, 1)
    assert row.sampled["iqm"] == 200.0
    assert report.read_row(fake(tmp_path / "b", [None, 5.0])) is None


def test_table(tmp_path: Path) -> None:
    fake(tmp_path, [380.0, 400.0])
    fake(tmp_path, [100.0], "LunarLander-v3")
    first, second = (
        line.split(" | ")
        for line in report.table(report.read(tmp_path, ["Ant-v5", "LunarLander-v3", ENV])).split(
            "\n"
        )[2:4]
    )
    assert first[:5] == ["| LunarLander-v3", "1 M", "1", "**100**", "1,100"]
    assert second[:5] == [f"| {ENV}", "1 M", "2", "**390** (380 to 400)", "1,390"]
    assert second[5].startswith("391 (Spinning Up VPG, 1 M); 1,253 (tianshou A2C, 1 M)")
    assert second[6] == "60 |"  # of 60 and 61, half to even
    text = report.table(report.read(tmp_path, [ENV]))
    assert SOURCES["su"].text in text
    assert SOURCES["slm"].text not in text


def test_an_empty_folder_has_no_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must hold a finished run, got none"):
        report.read(tmp_path, [ENV])


def test_published_numbers_have_sources_and_environments() -> None:
    for other in PUBLISHED:
        assert other.source in SOURCES
        assert other.env in suite.SUITE
    assert len({(other.env, other.source) for other in PUBLISHED}) == len(PUBLISHED)
    for env in suite.SUITE:
        kinds = [other.sampled for other in published(env)]
        assert kinds == sorted(kinds, reverse=True), f"{env}: those measured as here come first"


def test_every_environment_of_the_results_has_a_preset_and_the_reverse() -> None:
    assert set(suite.SUITE) == {path.stem for path in config_file.PRESETS.glob("*.toml")}


def test_write_puts_table_and_picture_in_their_place(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    fake(tmp_path, [380.0, 400.0])
    fake(tmp_path, [100.0], "LunarLander-v3")
    with pytest.raises(ValueError, match="must hold <!-- results:begin -->"):
        report.write(tmp_path, page, list(suite.SUITE))
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    for _ in range(2):  # the second time over its own output
        written = report.write(tmp_path, page, list(suite.SUITE))
        assert page.read_text() == f"before\n{report.BEGIN}\n{written}\n{report.END}\nafter\n"
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_training_skips_what_is_finished_and_goes_on_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_file, "preset", lambda env: dict(SMALL))
    two = {"CartPole-v1": 2, "Acrobot-v1": 1}
    assert suite.carry_out(tmp_path, two, 1) == {}
    group = GroupDirectory(tmp_path / "CartPole-v1")
    summary = group.summary.read_bytes()
    lost = group.run(1).episodes.read_bytes()
    kept = group.run(0).metrics.stat().st_mtime_ns
    shutil.rmtree(group.run(1).path)
    capsys.readouterr()
    assert suite.carry_out(tmp_path, two, 1) == {}
    assert "Acrobot-v1: finished" in capsys.readouterr().out
    assert group.run(1).episodes.read_bytes() == lost
    assert group.run(0).metrics.stat().st_mtime_ns == kept
    assert group.summary.read_bytes() == summary
    with pytest.raises(ValueError, match="must hold seeds 0 to 2, got 0-1"):
        suite.carry_out(tmp_path, {"CartPole-v1": 3}, 1)
    with pytest.raises(ValueError, match=r"must hold runs of the preset, got .*steps \(512, was"):
        suite.carry_out(tmp_path, two, 1, steps=1024)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("", "ENV must be one without --train or --write, got 0"),
        ("CartPole-v2", "ENV must be one of CartPole-v1, Acrobot-v1"),
        ("CartPole-v1 --seeds 0", "--seeds must be at least 1, got 0"),
        ("--write nowhere --page nowhere.md", "nowhere.md must hold"),
    ],
)
def test_what_cannot_be_done_takes_one_line(
    words: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert text in capsys.readouterr().err.splitlines()[-1]
