"""What a generic mutation run leaves over must be listed, and only that."""

from pathlib import Path

import pytest

from verification.survivors import Change, change, main, read, statuses

RESULTS = """
    npvpg.kernels.returns.x__gae__mutmut_1: killed
    npvpg.kernels.returns.x__gae__mutmut_2: survived
    npvpg.kernels.returns.x__gae__mutmut_3: timeout
    npvpg.mlp.xǁMLPǁinit__mutmut_12: {}
"""
DIFF = """# name: survived
--- npvpg/kernels/returns.py
+++ npvpg/kernels/returns.py
@@ -59,7 +59,7 @@
     adv = np.empty_like(rew)
     for k in range(start.size - 1):
-        next_adv = 0 * gamma
+        next_adv = 0 / gamma
         for t in range(start[k + 1] - 1, start[k] - 1, -1):
"""
ENTRY = """[[survivor]]
file = "npvpg/kernels/returns.py"
function = "_gae"
old = "next_adv = 0 * gamma"
new = "next_adv = 0 / gamma"
reason = "0 either way"
"""


def run(root: Path, listed: str, *, last: str = "killed") -> int:
    (root / "verification").mkdir()
    (root / "verification" / "survivors.toml").write_text(listed, encoding="utf-8")
    return main(lambda *a: RESULTS.format(last) if a[0] == "results" else DIFF, root)


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
        ("survivor = []", "killed", "returns.py, _gae: next_adv = 0 * gamma -> next_adv = 0 / gam"),
        (ENTRY, "survived", "mlp.py, MLP.init: next_adv = 0 * gamma -> next_adv = 0 / gamma: surv"),
        (ENTRY, "no tests", "survives and is not listed"),
        (ENTRY, "suspicious", "survives and is not listed"),
        (ENTRY * 2, "killed", "is listed but does not survive"),
        (ENTRY.replace("/ gamma", "+ gamma"), "killed", "is listed but does not survive"),
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


def test_names_and_changes() -> None:
    assert statuses("  a.x_f__mutmut_1: killed\nnothing\n") == {"a.x_f__mutmut_1": "killed"}
    assert change("npvpg.mlp.xǁMLPǁ__post_init____mutmut_4", DIFF) == Change(
        "npvpg/mlp.py", "MLP.__post_init__", "next_adv = 0 * gamma", "next_adv = 0 / gamma"
    )


def test_the_list_of_the_repository_can_be_read() -> None:
    assert read(Path(__file__).parents[2]) is not None
