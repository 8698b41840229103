import pytest

from npvpg.command.main import main
from npvpg.studies import groups


def test_exact_and_played_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    words = "groups --group 3 --horizon 2 --gamma 0.9 --episodes 300 --seed 2"
    assert main(words.split()) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.endswith("played std")
    assert len(rows) == 1 + len(groups.estimators(0.9, 3))
    found = {row[:30].strip(): [float(word) for word in row[30:].split()] for row in rows}
    for left, bias, std, played_bias, chance, played_std in found.values():
        assert abs(played_bias - bias) < 5 * chance
        assert played_std == pytest.approx(std, rel=0.1)
        assert abs(1 - left) <= bias + 1e-4
    assert found["others' mean (RLOO)"][:2] == [1, 0]
    assert found["mean"][:2] == pytest.approx([2 / 3, 1 / 3], abs=1e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--group 1", "group must be at least 2, got 1"),
        ("--episodes 3", "episodes must be at least 4, got 3"),
        ("--gamma 2", "gamma must lie in [0, 1], got 2.0"),
        ("--seed -1", "seed must be at least 0, got -1"),
        ("--horizon 4", "groups must number at most 500,000, got 2,783,282,502"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["groups", *words.split()]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {message}\n"
