"""From what the tests of a claim reported to a verdict on the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from verification.claims import Claim, ratio
from verification.plugin import ASSERTION
from verification.proofs import sort_key


class Verdict(Enum):
    """What a run says of a claim; silence is never assent."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_ESTABLISHED = "not established"


@dataclass(frozen=True)
class Result:
    """
    One claim after one run.

    Parameters
    ----------
    name : str
        Name of the claim.
    claim : Claim or None
        Its statement; None if no test states it.
    verdict : Verdict
        Whether it holds.
    reason : str
        Why it does not; empty if it holds.
    examples : int
        Observations made.
    error, allowed : float
        The worst observation, by error / allowed.
    example : str
        What was tried in it.
    seconds : float
        Time its tests took [s].
    tests : tuple of str
        Names of its tests.
    """

    name: str
    claim: Claim | None
    verdict: Verdict
    reason: str
    examples: int
    error: float
    allowed: float
    example: str
    seconds: float
    tests: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Worst error in units of the error allowed."""
        return ratio(self.error, self.allowed)

    @property
    def exact(self) -> bool:
        """Whether every observation was an equality."""
        return self.examples > 0 and self.error == 0 == self.allowed


def judge(name: str, record: Mapping[str, Any]) -> Result:
    """
    Decide what a run says of a claim.

    Parameters
    ----------
    name : str
        Name of the claim.
    record : mapping
        Its ``statement`` and ``tests``, as in `verification.plugin.Gatherer.report`.

    Returns
    -------
    Result
        With the verdict; a failed assertion makes it fail, anything less than every test passed
        with at least one observation leaves it not established.
    """
    tests: dict[str, dict[str, Any] | None] = record["tests"]
    stated = record["statement"]
    claim = Claim(**{**stated, "about": tuple(stated["about"])}) if stated else None
    ran = [seen for seen in tests.values() if seen is not None]
    observed = [seen for seen in ran if seen["count"]]
    worst = max(observed, key=lambda seen: ratio(seen["error"], seen["allowed"]), default=None)
    verdict, reason = _verdict(tests, claim, worst)
    return Result(
        name=name,
        claim=claim,
        verdict=verdict,
        reason=reason,
        examples=sum(seen["count"] for seen in ran),
        error=worst["error"] if worst else 0.0,
        allowed=worst["allowed"] if worst else 0.0,
        example=worst["example"] if worst else "",
        seconds=sum(seen["seconds"] for seen in ran),
        tests=tuple(tests),
    )


def _verdict(
    tests: Mapping[str, dict[str, Any] | None], claim: Claim | None, worst: dict[str, Any] | None
) -> tuple[Verdict, str]:
    for test, seen in tests.items():
        if seen and seen["outcome"] == "failed" and seen["failure"] == ASSERTION:
            return Verdict.FAILS, f"{test}: {seen['message']}"
    if worst and not ratio(worst["error"], worst["allowed"]) <= 1:
        # A test may have swallowed the verdict of `observe`.
        return Verdict.FAILS, f"error {worst['error']:.3g} exceeds {worst['allowed']:.3g}"
    reason = _shortfall(tests)
    if not reason and claim is None:
        reason = "no test states it"
    if not reason and worst is None:
        reason = "no example was tried"
    return (Verdict.NOT_ESTABLISHED if reason else Verdict.HOLDS), reason


def _shortfall(tests: Mapping[str, dict[str, Any] | None]) -> str:
    for test, seen in tests.items():
        if seen is None:
            return f"{test} did not run"
        if seen["outcome"] != "passed":
            return f"{test} {seen['outcome']}: {seen['message']}"
    return ""


def judge_all(report: Mapping[str, Any]) -> list[Result]:
    """
    Decide on every claim of a run.

    Parameters
    ----------
    report : mapping
        As `verification.plugin.Gatherer.report` writes it.

    Returns
    -------
    list of Result
        In the order of the names: A2 before A10 before B1.
    """
    claims: Mapping[str, Any] = report["claims"]
    return [judge(name, claims[name]) for name in sorted(claims, key=sort_key)]
