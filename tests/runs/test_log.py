import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npvpg.runs.log import (
    COUNTED,
    EPISODES,
    TIMES,
    EpisodesLog,
    MetricsLog,
    TimesLog,
    read_episodes,
    read_metrics,
    read_times,
)
from npvpg.state import Iteration
from npvpg.world.rollout import Episode

FLOATS = st.floats(allow_nan=False) | st.just(float("nan"))  # text has one NaN only
COUNTS = st.integers(0, 2**53)
EPISODE = st.builds(Episode, step=COUNTS, ret=FLOATS, length=COUNTS)


def iteration(number: int, **changes: Any) -> Iteration:
    recent = np.array([[9.5, 10.0]])[: changes.pop("finished", 1)]
    steps = changes.pop("steps", 100 * number)
    state = SimpleNamespace(iteration=number, steps=steps, recent=recent)
    seconds = changes.pop("seconds", 0.25)
    plain: dict[str, float] = {
        "entropy": 0.6,
        "kl": 1e-3,
        "grad_norm": 2.0,
        "explained_variance": 0.1,
        "value_loss": 3.0,
        "policy_lr": 0.005,
    }
    finished = (Episode(100 * number, 9.5, 10),)
    diagnostics = changes.pop("diagnostics", plain | changes)
    return Iteration(cast(Any, state), finished, diagnostics, seconds)


@settings(deadline=None)
@given(st.lists(st.lists(EPISODE, max_size=3), max_size=5))
def test_episodes_come_back_bit_for_bit(updates: list[list[Episode]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "episodes.csv")
        log = EpisodesLog(path)
        for episodes in updates:
            log.write(episodes)
        log.close()
        step, ret, length = read_episodes(path)
    episodes = [episode for update in updates for episode in update]
    assert log.rows == len(episodes)
    assert step.dtype == length.dtype == np.int64
    assert step.tolist() == [episode.step for episode in episodes]
    assert length.tolist() == [episode.length for episode in episodes]
    assert ret.tobytes() == np.array([episode.ret for episode in episodes], float).tobytes()


@settings(deadline=None)
@given(st.booleans(), FLOATS, COUNTS)
def test_metrics_come_back_bit_for_bit(finished: bool, entropy: float, steps: int) -> None:
    written = iteration(7, finished=int(finished), entropy=np.float64(entropy), steps=steps)
    with TemporaryDirectory() as folder:
        path = Path(folder, "metrics.csv")
        log = MetricsLog(path)
        log.write(written)
        log.close()
        read = read_metrics(path)
    assert tuple(read) == (*COUNTED, *written.diagnostics)
    expected = dict(written.diagnostics) | {
        "iteration": 7,
        "steps": steps,
        "episodes": 1,
        "mean_return": 9.5 if finished else None,
        "mean_length": 10.0 if finished else None,
    }
    assert expected.keys() == read.keys()
    for name, value in expected.items():
        wanted = np.array([np.nan if value is None else value], float)
        assert read[name].tobytes() == wanted.tobytes(), name


def test_the_text_is_plain_numbers_and_no_time(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.csv")
    log.write(iteration(1, kl=np.float32(0.1), finished=0, steps=np.int64(100), seconds=1234.5))
    log.close()
    assert (tmp_path / "metrics.csv").read_text() == (
        "iteration,steps,episodes,mean_return,mean_length,entropy,kl,grad_norm,"
        "explained_variance,value_loss,policy_lr\n"
        "1,100,1,,,0.6,0.10000000149011612,2.0,0.1,3.0,0.005\n"
    )


def test_a_row_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    metrics, episodes = MetricsLog(tmp_path / "m"), EpisodesLog(tmp_path / "e")
    metrics.write(iteration(1))
    episodes.write([Episode(3, 1.0, 3), Episode(5, 2.0, 2)])
    assert read_metrics(tmp_path / "m")["steps"].tolist() == [100]
    assert read_episodes(tmp_path / "e")[1].tolist() == [1, 2]
    metrics.close()
    episodes.close()


def test_an_update_without_episodes_adds_no_row(tmp_path: Path) -> None:
    log = EpisodesLog(tmp_path / "e")
    log.write([])
    log.close()
    assert (tmp_path / "e").read_text() == "step,return,length\n"


@given(st.integers(0, 6), st.integers(0, 40))
@settings(deadline=None)
def test_a_resumed_log_equals_one_that_never_stopped(keep: int, torn: int) -> None:
    with TemporaryDirectory() as folder:
        whole, stopped = Path(folder, "whole.csv"), Path(folder, "stopped.csv")
        log = MetricsLog(whole)
        for number in range(10):
            log.write(iteration(number, kl=number / 7))
        log.close()
        lines = whole.read_bytes().splitlines(keepends=True)
        stopped.write_bytes(b"".join(lines[:7]) + lines[7][:torn])  # killed in mid-line
        log = MetricsLog(stopped, keep_rows=keep)
        assert log.rows == keep
        assert stopped.read_bytes() == b"".join(lines[: keep + 1])
        for number in range(keep, 10):
            log.write(iteration(number, kl=number / 7))
        log.close()
        assert stopped.read_bytes() == whole.read_bytes()


def test_a_log_that_lost_rows_is_not_resumed_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    text = "step,return,length\n1,1.0,1\n2,1.0"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"episodes.csv must have 2 rows to go on, got 1$"):
        EpisodesLog(path, keep_rows=2)
    assert path.read_text() == text


def test_a_cut_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "episodes.csv"
    text = "step,return,length\n1,1.0,1\n2,1.0,1\n"
    path.write_text(text)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        EpisodesLog(path, keep_rows=1)
    assert path.read_text() == text


def test_a_new_log_never_overwrites(tmp_path: Path) -> None:
    EpisodesLog(tmp_path / "e").close()
    with pytest.raises(ValueError, match="e exists and would be overwritten"):
        EpisodesLog(tmp_path / "e")


@pytest.mark.parametrize("content", [None, b"", b"step,return,len", b"a,b,c\n", b"\xff\xfe\n"])
def test_a_log_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "episodes.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]*episodes.csv [^\n]*$"):
        EpisodesLog(path, keep_rows=0)
    with pytest.raises(ValueError, match=r"^[^\n]*episodes.csv [^\n]*$"):
        read_episodes(path)


@pytest.mark.parametrize("row", ["1,2.0", "1,2.0,3,4", "1,x,3", "7", ",2.0,3", ""])
def test_a_damaged_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "episodes.csv"
    path.write_text(f"step,return,length\n1,1.0,1\n{row}\n")
    with pytest.raises(ValueError, match=r"line 3, got|step and length of every episode"):
        read_episodes(path)


def test_negative_keep_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep_rows must be at least 0, got -1"):
        EpisodesLog(tmp_path / "e", keep_rows=-1)


def test_sync_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EpisodesLog(tmp_path / "e")
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log.sync()
    log.close()
    log.close()
    assert len(synced) == 1


def test_the_columns_are_those_documented() -> None:
    assert EPISODES == ("step", "return", "length")
    assert TIMES == ("iteration", "steps", "seconds")
    assert COUNTED == ("iteration", "steps", "episodes", "mean_return", "mean_length")


def test_any_algorithm_says_of_its_updates_what_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    log = MetricsLog(path)
    log.write(iteration(1, diagnostics={"surrogate": 1.5, "backtracks": np.int64(3)}))
    log.write(iteration(2, diagnostics={"backtracks": 4}))
    log.close()
    read = read_metrics(path)
    assert tuple(read) == (*COUNTED, "surrogate", "backtracks")
    assert read["backtracks"].tolist() == [3, 4]
    assert np.isnan(read["surrogate"]).tolist() == [False, True]


def test_a_log_of_an_older_version_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    head = "iteration,steps,episodes,mean_return,mean_length,entropy,gone\n"
    path.write_text(head + "1,100,1,9.5,10.0,0.5,7.0\n")
    log = MetricsLog(path, keep_rows=1)
    log.write(iteration(2))
    log.close()
    assert path.read_text() == head + "1,100,1,9.5,10.0,0.5,7.0\n2,200,1,9.5,10.0,0.6,\n"


@pytest.mark.parametrize("name", ["steps", "a,b", "a b", ""])
def test_a_diagnostic_that_can_head_no_column_is_named(tmp_path: Path, name: str) -> None:
    log = MetricsLog(tmp_path / "m")
    with pytest.raises(ValueError, match=f"diagnostics must be named .* got '{name}'$"):
        log.write(iteration(1, diagnostics={name: 1.0}))
    log.sync()
    log.close()
    assert not (tmp_path / "m").exists()


def test_times_are_cut_back_by_update_and_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    log = TimesLog(path, keep_iterations=4)  # of a version that wrote none
    for number in (5, 6, 7):
        log.write(iteration(number), 0.25 * number)
    log.close()
    log = TimesLog(path, keep_iterations=5)
    log.write(iteration(6), 9.0)
    log.close()
    read = read_times(path)
    assert {name: column.tolist() for name, column in read.items()} == {
        "iteration": [5, 6],
        "steps": [500, 600],
        "seconds": [1.25, 9.0],
    }
