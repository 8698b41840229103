"""An equation without code or claim ends the build, and so does one that got a number otherwise."""

import subprocess
import sys
from pathlib import Path

import pytest

from verification.pages import equations, statements
from verification.pages.links import dead

ROOT = Path(__file__).parents[2]
SCORE = "npvpg.policy.PolicyAt.score"
CONF = """
import sys
sys.path.insert(0, {root!r})
extensions = ["verification.pages.sources", "verification.pages.equations"]
html_math_renderer = "mathml"
"""
PAGE = """
Page
====

.. equation:: eglp
   :code: npvpg.policy.PolicyAt.score
   :claims: C1 C2

   E[\\nabla\\log\\pi] = 0

See :eq:`eglp`.
"""


def _built(tmp_path: Path, page: str) -> subprocess.CompletedProcess[str]:
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text(CONF.format(root=str(ROOT)), encoding="utf-8")
    (source / "index.rst").write_text(page, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-E", str(source), str(tmp_path / "out")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_code_claim_and_error_stand_beside_it(tmp_path: Path) -> None:
    done = _built(tmp_path, PAGE)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<math" in html
    assert "backward_samples" in html  # the code, from the source
    assert "Last seen: worst error" in html
    assert 'href="#equation-eglp"' in html
    assert (tmp_path / "out" / "_source" / "npvpg" / "policy.py.html").exists()
    assert not [line for line in dead(tmp_path / "out") if "_source" in line or "equation" in line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "told"),
    [
        (PAGE.replace("   :code: npvpg.policy.PolicyAt.score\n", ""), "must name the code"),
        (PAGE.replace("   :claims: C1 C2\n", ""), "must name a claim"),
        (
            PAGE.replace(".. equation:: eglp", ".. math::\n   :label: eglp").replace(
                "   :code: npvpg.policy.PolicyAt.score\n   :claims: C1 C2\n", ""
            ),
            "no claim",
        ),
    ],
)
def test_the_build_ends(page: str, told: str, tmp_path: Path) -> None:
    done = _built(tmp_path, page)
    assert done.returncode != 0
    assert told in done.stderr


@pytest.mark.parametrize(
    ("code", "claims", "told"),
    [
        ([SCORE], ["C1"], ""),
        ([], ["C1"], "must name the code"),
        ([SCORE], [], "must name a claim"),
        ([SCORE], ["Z9"], "no proof states claim Z9"),
        ([SCORE], ["D1"], "none of D1 speaks of"),
        (["npvpg.policy.PolicyAt.scores"], ["C1"], "nothing is named"),
    ],
)
def test_fault(code: list[str], claims: list[str], told: str) -> None:
    said = equations.fault(code, claims)
    assert said == told if not told else told in said


def test_every_error_last_seen_was_allowed() -> None:
    for name, seen in equations.last_seen().items():
        assert name in equations.all_claims()
        assert seen["error"] <= seen["allowed"]
        assert seen["examples"] > 0


def test_every_statement_is_accounted_for() -> None:
    listed = statements.rows()
    assert {row["text"] for row in listed} == set(statements.TEXTS)
    assert len(listed) >= 88
    assert [statements.fault(row) for row in listed if statements.fault(row)] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"page": "book/99-none"}, "no page"),
        ({"claims": "Z9"}, "no proof"),
        ({"code": "examples/none.py"}, "no file"),
        ({"claims": ""}, "no remark"),
        ({"text": "S9"}, "must have text"),
    ],
)
def test_a_row_that_lacks_something(change: dict[str, str], told: str) -> None:
    row = {"text": "S0", "says": "x", "page": "book/04-eglp", "code": SCORE, "claims": "C1"}
    assert statements.fault(row) == ""
    assert told in statements.fault(row | change)


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="x"></p><a href="#x"></a><a href="#y"></a><a href="b.html"></a>', encoding="utf-8"
    )
    assert list(dead(tmp_path)) == ["a.html: #y names nothing", "a.html: b.html is not there"]
