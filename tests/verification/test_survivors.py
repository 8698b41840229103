"""What a generic mutation run leaves over must be listed, and only that."""

from pathlib import Path

import pytest

from verification.survivors import main, read, statuses, where_of

RESULTS = """
    npvpg.kernels.returns.x__gae__mutmut_1: killed
    npvpg.kernels.returns.x__gae__mutmut_2: survived
    npvpg.kernels.returns.x__gae__mutmut_3: timeout
    npvpg.mlp.xǁMLPǁinit__mutmut_12: {}
"""
LIBRARY = """
@compiled
def _gae(rew, gamma):
    # From the last step to the first.
    next_adv = (0 *
                gamma)
    return rew + next_adv
"""
MLP = """
class MLP:
    def init(self, scale):
        return self.draw(scale, 2)
"""
# As mutmut writes them: every function as it was and once for each change.
CHANGED = """
def x__gae__mutmut_orig(rew, gamma):
    next_adv = 0 * gamma
    return rew + next_adv

def x__gae__mutmut_2(rew, gamma):
    next_adv = 0 / gamma
    return rew + next_adv
"""
CHANGED_MLP = """
class MLP:
    def init(self, scale):
        return self.draw(scale, 2)

    def xǁMLPǁinit__mutmut_orig(self, scale):
        return self.draw(scale, 2)

    def xǁMLPǁinit__mutmut_12(self, scale):
        return self.draw(None, 2)
"""
ENTRY = """[[survivor]]
where = "npvpg.kernels.returns._gae"
old = "0 * gamma"
new = "0 / gamma"
reason = "0 either way"
"""


def run(root: Path, listed: str, *, last: str = "killed") -> int:
    for name, text in {
        "verification/survivors.toml": listed,
        "npvpg/kernels/returns.py": LIBRARY,
        "npvpg/mlp.py": MLP,
        "mutants/npvpg/kernels/returns.py": CHANGED,
        "mutants/npvpg/mlp.py": CHANGED_MLP,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return main(lambda *a: RESULTS.format(last), root)


@pytest.mark.parametrize("last", ["killed", "timeout", "segfault"])
def test_all_is_well(last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, ENTRY, last=last) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "npvpg/kernels/returns.py 3 changes, 2 killed, 1 survived",
        "npvpg/mlp.py 1 changes, 1 killed, 0 survived",
        "all 4 changes, 3 killed, 1 survived",
    ]


@pytest.mark.parametrize(
    ("listed", "last", "said"),
    [
        ("survivor = []", "killed", "returns._gae: next_adv = 0 * gamma -> next_adv = 0 / gam"),
        (
            ENTRY,
            "survived",
            "npvpg.mlp.MLP.init: return self.draw(scale, 2) -> return self.draw(None, 2): is not",
        ),
        (ENTRY, "no tests", "is not listed"),
        (ENTRY, "suspicious", "is not listed"),
        (ENTRY * 2, "killed", "is listed twice"),
        (ENTRY.replace("/ gamma", "+ gamma"), "killed", "is listed but does not survive"),
        (ENTRY.replace("0 * ", "1 * "), "killed", "the old code occurs 0 times"),
        (ENTRY.replace("._gae", ""), "killed", "must stand in a function"),
        (ENTRY, "not checked", "npvpg/mlp.py: 1 of 1 changes were not tried"),
    ],
)
def test_what_must_not_be(
    listed: str, last: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, listed, last=last) == 1
    assert said in capsys.readouterr().out


def test_a_run_of_nothing_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "verification").mkdir()
    (tmp_path / "verification" / "survivors.toml").write_text("survivor = []", encoding="utf-8")
    assert main(lambda *a: "", tmp_path) == 1


def test_a_reason_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="survivor must have reason, got"):
        run(tmp_path, ENTRY.replace("0 either way", ""))


def test_names() -> None:
    assert statuses("  a.x_f__mutmut_1: killed\nnothing\n") == {"a.x_f__mutmut_1": "killed"}
    assert where_of("npvpg.mlp.xǁMLPǁ__post_init____mutmut_4") == "npvpg.mlp.MLP.__post_init__"
    assert where_of("npvpg.a.x__f__mutmut_4") == "npvpg.a._f"


def test_the_list_of_the_repository_can_be_read() -> None:
    assert read(Path(__file__).parents[2]) is not None
