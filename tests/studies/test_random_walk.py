import itertools
from pathlib import Path

import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.studies import random_walk

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_walks_step_by_one_from_the_middle_to_an_end() -> None:
    state, rew, start = random_walk.walks(np.random.default_rng(0), 200)
    assert len(start) == 201
    for a, b in itertools.pairwise(start):
        assert state[a] == 9
        assert (np.abs(np.diff(state[a:b])) == 1).all()
        assert not rew[a : b - 1].any()
        assert (int(state[b - 1]), float(rew[b - 1])) in {(0, -1.0), (18, 1.0)}
    # 100 steps on average; the standard deviation of one walk is 81
    assert abs(float(np.diff(start).mean()) - 100) < 5 * 81 / 200**0.5


def test_a_repetition_does_not_depend_on_their_number() -> None:
    few, many = random_walk.repetitions(3, 2), random_walk.repetitions(3, 4)
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one.state, other.state)


def test_step_size_zero_learns_nothing() -> None:
    sets = random_walk.repetitions(0, 2)
    assert random_walk.errors(sets, 4, 0.0) == pytest.approx([0.3**0.5, 0.3**0.5])


def test_the_command_prints_a_table_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["random-walk", "--repetitions", "2", "--out", "a.png"]) == 0
    head, *rows, path = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["n", "alpha", "error"]
    assert [int(row.split()[0]) for row in rows] == list(random_walk.NS)
    assert path == "a.png"
    assert Path("a.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--repetitions 0", "repetitions must be at least 1, got 0"),
        ("--seed -1", "seed must be at least 0, got -1"),
        ("--out a.jpg", "out must end in .png, .pdf or .svg, got a.jpg"),
        ("7", "random-walk takes flags only, got 7"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["random-walk", *words.split()]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"
