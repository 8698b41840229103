"""A claim holds only if every test of it ran, passed and observed something."""

import math
from pathlib import Path

import numpy as np
import pytest

from verification.__main__ import main
from verification.claims import (
    CLAIMS,
    DisprovedError,
    claim,
    observe,
    observing,
    ratio,
    require,
)
from verification.launch import launch
from verification.proofs import choose, load_claims, named, sort_key
from verification.results import Verdict, judge_all

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_verdicts(project: Path, workers: str) -> None:
    ran = launch(project, options=[workers, "-k", "not slow"], timeout=120)
    assert ran.report is not None, ran.output
    results = {result.name: result for result in judge_all(ran.report)}
    order = ["A1", "A2", "A10", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8"]
    assert list(results) == order
    verdicts = {name: result.verdict for name, result in results.items()}
    assert [n for n, v in verdicts.items() if v is Verdict.HOLDS] == ["A1", "A2"]
    assert [n for n, v in verdicts.items() if v is Verdict.FAILS] == ["A10", "B1", "B7"]
    reasons = {
        "A10": "error 2 exceeds the 1 allowed: large",
        "B1": "error nan",
        "B2": "test_skipped skipped: Skipped: no time",
        "B3": "no example was tried",
        "B4": "lost",
        "B5": "test_other_half_is_slow did not run",
        "B6": "no test states it",
        "B8": "test_expected_to_fail xfail",
    }
    for name, words in reasons.items():
        assert words in results[name].reason
    assert (results["A1"].error, results["A1"].example) == (0.2, "at 2")
    assert results["A1"].examples >= 10 + 2
    assert results["A1"].ratio == 0.2
    assert results["A2"].exact
    assert not results["A1"].exact
    assert (results["A10"].error, results["A10"].allowed) == (2.0, 1.0)
    stated = results["A1"].claim
    assert stated is not None
    assert stated.about == ("npvpg.arithmetic.double",)


def test_only_the_claims_asked_for(project: Path) -> None:
    ran = launch(project, claims=["A2", "Z9"], options=["-n0"], timeout=120)
    assert ran.report is not None, ran.output
    found = {r.name: (r.verdict, len(r.tests)) for r in judge_all(ran.report)}
    assert found == {"A2": (Verdict.HOLDS, 1), "Z9": (Verdict.NOT_ESTABLISHED, 0)}


def test_a_file_that_cannot_be_imported_is_told(project: Path) -> None:
    (project / "verification" / "mathematics" / "test_broken.py").write_text("import nowhere\n")
    ran = launch(project, options=["-n0"], timeout=120)
    assert ran.report is not None, ran.output
    assert ran.report["collection_errors"] == ["verification/mathematics/test_broken.py"]


def test_observe_keeps_the_worst_by_ratio() -> None:
    with observing() as seen:
        observe(0.0, 0.0, "exact")
        observe(1e-3, 1.0, "small")
        observe(1e-9, 2e-9, lambda: "half")
        observe(0.4, 1.0, "less")
    assert (seen.count, seen.error, seen.allowed, seen.example) == (4, 1e-9, 2e-9, "half")
    assert seen.ratio == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("error", "allowed"), [(1.1, 1.0), (math.nan, 1.0), (math.inf, 1.0), (1e-300, 0.0), (1, 0)]
)
def test_observe_asserts(error: float, allowed: float) -> None:
    with observing() as seen, pytest.raises(DisprovedError, match="exceeds"):
        observe(error, allowed)
    assert seen.count == 1
    assert not seen.ratio <= 1


@pytest.mark.parametrize(("error", "allowed"), [(-1.0, 1.0), (0, math.inf), (0, math.nan), (0, -1)])
def test_observe_refuses_what_could_never_fail(error: float, allowed: float) -> None:
    with observing(), pytest.raises(ValueError, match="must be"):
        observe(error, allowed)


def test_observe_needs_a_claim() -> None:
    with pytest.raises(RuntimeError, match="@claim"):
        observe(0, 1)


def test_require_asserts() -> None:
    with observing() as seen:
        require(True, "held")
        require(np.bool_(True))
        with pytest.raises(DisprovedError, match="exceeds the 0 allowed: not held"):
            require(np.bool_(False), lambda: "not held")
    assert (seen.count, seen.error, seen.allowed, seen.example) == (3, 1, 0, "not held")
    with pytest.raises(RuntimeError, match="@claim"):
        require(True)


def test_observing_nests() -> None:
    with observing() as outer:
        with observing() as inner:
            observe(0, 1)
        observe(0, 1)
    assert (outer.count, inner.count) == (1, 1)


@pytest.mark.parametrize(
    ("error", "allowed", "expected"),
    [(0, 0, 0), (1, 0, math.inf), (math.nan, 1, math.inf), (1, 4, 0.25), (0, 1, 0)],
)
def test_ratio(error: float, allowed: float, expected: float) -> None:
    assert ratio(error, allowed) == expected


def test_a_statement_is_complete_and_unique() -> None:
    with pytest.raises(ValueError, match="Z1 must state words, assumptions"):
        claim(name="Z1", title="t", statement="x")
    told = dict.fromkeys(("title", "statement", "words", "assumptions", "source", "method"), "x")
    try:
        for tolerance in (math.inf, -1.0, math.nan):
            with pytest.raises(ValueError, match="tolerance"):
                claim("Z1", **told, tolerance=tolerance, tolerance_reason="r", about=("npvpg",))
        claim("Z1", **told, tolerance=0, tolerance_reason="r", about=("npvpg",))
        claim("Z1", **told, tolerance=0, tolerance_reason="r", about=("npvpg",))
        with pytest.raises(ValueError, match="Z1 is stated twice, with different tolerance"):
            claim("Z1", **told, tolerance=1, tolerance_reason="r", about=("npvpg",))
    finally:
        CLAIMS.pop("Z1", None)


def test_names_as_they_are_typed() -> None:
    assert choose(ROOT, ["E1,B2", "A1", "E1,"]) == ["E1", "B2", "A1"]
    assert choose(ROOT, []) == []
    for word, near in (("e1", "E1"), ("A1,Z1", "1"), ("E 1", "E1")):
        with pytest.raises(ValueError, match=f"a proof, got .*; the nearest is .*{near}"):
            choose(ROOT, [word])


def test_an_unknown_claim_is_told_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("verification.__main__.launch", None)
    assert main(["--claims", "A1,Z9"]) == 2
    assert "got 'Z9'; the nearest is" in capsys.readouterr().err


def test_order() -> None:
    assert sorted(["B1", "A10", "A2", "A2b"], key=sort_key) == ["A2", "A2b", "A10", "B1"]


def test_every_proof_imports() -> None:
    claims = load_claims()
    assert list(claims) == list(named(ROOT))
    assert list(claims) == sorted(claims, key=sort_key)
    assert {"A1", "D3", "E1"} <= set(claims)
