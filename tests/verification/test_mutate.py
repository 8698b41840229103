"""Only a bug that its claim catches, by its own check, counts as killed."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from verification.mutants import MUTANTS, Mutant, check, choose, read
from verification.mutate import Fate, plant, run
from verification.proofs import files_of

FILE = "npvpg/arithmetic.py"


def mutant(new: str, **changes: object) -> Mutant:
    told = {
        "name": new,
        "where": "npvpg.arithmetic.double",
        "old": "return x + x",
        "new": new,
        "claims": ("A1",),
    }
    return Mutant(**{**told, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "fate", "detail"),
    [
        (mutant("return x * x"), Fate.KILLED, "test_given_outside"),
        (mutant("return x * 2"), Fate.SURVIVED, "A1 still holds"),
        (mutant("return x * x", claims=("A1", "A2")), Fate.SURVIVED, "A2 still holds"),
        (mutant("return x[0]"), Fate.CRASHED, "TypeError"),
        (mutant("return x[0]", by="TypeError"), Fate.KILLED, "test_given_outside"),
        (mutant("two", old="2", where="npvpg.arithmetic"), Fate.UNIMPORTABLE, "NameError"),
        (mutant("x * x", old="x"), Fate.NO_MATCH, "occurs 2 times"),
        (mutant("return x * x", old="return x - x"), Fate.NO_MATCH, "occurs 0 times"),
        (mutant("return x x"), Fate.NO_MATCH, "must be Python"),
        (mutant("return x * x", where="npvpg.none.double"), Fate.NO_MATCH, "nothing is defined as"),
        (mutant("return x * x", claims=("B2",)), Fate.NEVER_RAN, "no test of B2 ran"),
        (mutant("return x * x", claims=("Z9",)), Fate.NEVER_RAN, "no test names Z9"),
    ],
    ids=lambda value: value.name if isinstance(value, Mutant) else None,
)
def test_fates(project: Path, bug: Mutant, fate: Fate, detail: str) -> None:
    before = (project / FILE).read_text()
    outcome = plant(bug, project)
    assert (outcome.fate, detail in outcome.detail) == (fate, True), outcome
    assert (project / FILE).read_text() == before


@pytest.mark.slow
def test_endless_loop(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verification.mutate.TIMEOUT", 5.0)
    outcome = plant(mutant("while True: x"), project)
    assert outcome.fate is Fate.TIMEOUT
    assert outcome.seconds < 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bugs", "code", "said"),
    [
        ([mutant("return x * x")], 0, "1 of 1 bugs killed"),
        ([mutant("return x * x"), mutant("return x * 2")], 1, "1 of 2 bugs killed"),
        ([mutant("return 0", claims=("B1",))], 1, "B1 fails without any bug"),
        ([mutant("return 0", claims=("B2",))], 1, "B2 not established without any bug"),
    ],
)
def test_exit_code(project: Path, bugs: list[Mutant], code: int, said: str) -> None:
    printed = StringIO()
    assert run(project, bugs, Console(file=printed, width=200), workers=1) == code
    assert said in printed.getvalue()


def test_only_the_files_that_name_a_claim(project: Path) -> None:
    assert files_of(project, ["A1"]) == ["verification/mathematics/test_arithmetic.py"]
    assert files_of(project, ["A"]) == []


ENTRY = '[[mutant]]\nname = "{}"\nwhere = "f"\nold = "a"\nnew = "{}"\nclaims = ["A1"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[mutant]", "must be TOML"),
        ('[[mutant]]\nname = "m"\n', "'m' must have claims, new, old, where"),
        (ENTRY.format("m", "b") + "other = 1\n", "unknown keys, got other"),
        (ENTRY.format("m", "b") * 2, "got 'm' twice"),
        (ENTRY.format("m", "b").replace('["A1"]', "[]"), "name a claim"),
    ],
)
def test_table_errors(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "verification").mkdir()
    (tmp_path / MUTANTS).write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path)


def test_choice() -> None:
    bugs = [mutant(f"return {i}") for i in range(10)]
    other = mutant("half", where="npvpg.b.Halves.of", claims=("B10",))
    assert choose(bugs, [], None, 0) == bugs
    for words, chosen in (
        (["return 3"], [bugs[3]]),
        (["Return 3", "return 5"], [bugs[3], bugs[5]]),
        (["B10"], [other]),
        (["npvpg/b.py"], [other]),
        (["Halves.of"], [other]),
        (["A1", "half"], [*bugs, other]),
    ):
        assert choose([*bugs, other], words, None, 0) == chosen
    samples = [choose(bugs, [], 4, seed) for seed in range(40)]
    assert all(len(sample) == 4 for sample in samples)
    assert {bug.name for sample in samples for bug in sample} == {bug.name for bug in bugs}
    assert choose(bugs, [], 4, 1) == choose(bugs, [], 4, 1)
    for words, sample in ((["return 3", "B1"], None), ([], 0)):
        with pytest.raises(ValueError, match=r"no mutant has 'B1'|at least 1"):
            choose([*bugs, other], words, sample, 0)
    with pytest.raises(ValueError, match="got none"):
        choose([], [], None, 0)


def test_check(project: Path) -> None:
    lost = mutant("x * x", old="x - x")
    told = ["x * x: the old code occurs 0 times in npvpg.arithmetic.double"]
    assert check(project, [mutant("return x * x"), lost]) == told


def test_every_planted_bug_still_matches() -> None:
    root = Path(__file__).parents[2]
    bugs = read(root)
    assert check(root, bugs) == []
    for name in {name for bug in bugs for name in bug.claims}:
        assert files_of(root, [name]), f"no test of {name}"
