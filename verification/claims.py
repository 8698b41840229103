r"""
Claims as data: a proof says what it proves, and reports how close it came to failing.

A claim is stated once, on a test that establishes it; ``@claim("C1")`` names it on others::

    @claim(
        name="C1",
        title="The expected score of a categorical policy is zero",
        statement=r"\sum_a \pi_\theta(a|s)\,\nabla_\theta\log\pi_\theta(a|s) = 0",
        words="averaged over its own actions, the score of a categorical policy vanishes",
        assumptions="every logit is finite",
        source="Spinning Up, part 3, EGLP lemma",
        method="exact sum over the actions",
        tolerance=1e-13,
        tolerance_reason="one rounding error per action and parameter",
        about=("npvpg.policy.PolicyAt.score",),
    )
    @given(nets())
    def test_expected_score_is_zero(net):
        observe(error, 1e-13 * scale, example=lambda: f"{net}")

`observe` asserts, so a proof cannot report an error without being held to it; `require` does so
for what is true or is not. The order of
``@claim``, ``@given`` and ``@pytest.mark.parametrize`` does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TypeVar

import pytest

EXAMPLE_LENGTH = 1000

Test = TypeVar("Test", bound=Callable[..., object])


class DisprovedError(AssertionError):
    """An observed error exceeds what the claim allows."""


@dataclass(frozen=True)
class Claim:
    r"""
    What a claim says; `python -m verification` and the proof book print it.

    Parameters
    ----------
    name : str
        Short name, unique in the suite: "A1".
    title : str
        One line of plain text.
    statement : str
        The claim in LaTeX, without delimiters.
    words : str
        The claim in plain words; one line of the table.
    assumptions : str
        What must hold for the statement to be true.
    source : str
        Paper with equation or section.
    method : str
        How the oracle reaches its value: "complex step", "enumeration".
    tolerance : float
        Error allowed [in the unit `tolerance_reason` names]; 0 for a bitwise claim.
    tolerance_reason : str
        Why that tolerance: one line.
    about : tuple of str
        Dotted names of the code the claim speaks of: "npvpg.mlp.MLP.backward".
    """

    name: str
    title: str
    statement: str
    words: str
    assumptions: str
    source: str
    method: str
    tolerance: float
    tolerance_reason: str
    about: tuple[str, ...]


CLAIMS: dict[str, Claim] = {}
"""Every claim stated in a module imported so far, by name."""


def claim(
    name: str,
    *,
    title: str = "",
    statement: str = "",
    words: str = "",
    assumptions: str = "",
    source: str = "",
    method: str = "",
    tolerance: float | None = None,
    tolerance_reason: str = "",
    about: tuple[str, ...] = (),
) -> Callable[[Test], Test]:
    """
    Say which claim a test establishes, and the first time what the claim states.

    Parameters
    ----------
    name : str
        Name of the claim: "A1".
    title, statement, words, assumptions, source, method, tolerance_reason : str
        As in `Claim`; all of them, or none when another test states the claim.
    tolerance : float, optional
        As in `Claim`.
    about : tuple of str
        As in `Claim`.

    Returns
    -------
    callable
        Decorator of a test.

    Raises
    ------
    ValueError
        If the statement is incomplete, or differs from an earlier one of the same name.
    """
    given = {
        "title": title,
        "statement": statement,
        "words": words,
        "assumptions": assumptions,
        "source": source,
        "method": method,
        "tolerance_reason": tolerance_reason,
        "about": about,
    }
    if any(given.values()) or tolerance is not None:
        missing = [key for key, value in given.items() if not value]
        if tolerance is None:
            missing.append("tolerance")
            tolerance = math.nan
        if missing:
            raise ValueError(f"claim {name} must state {', '.join(missing)}")
        if not (math.isfinite(tolerance) and tolerance >= 0):
            raise ValueError(f"tolerance of claim {name} must be finite and >= 0, got {tolerance}")
        if isinstance(about, str):
            raise ValueError(f"about of claim {name} must be a tuple of names, got {about!r}")
        stated = Claim(
            name=name,
            title=title,
            statement=statement,
            words=words,
            assumptions=assumptions,
            source=source,
            method=method,
            tolerance=float(tolerance),
            tolerance_reason=tolerance_reason,
            about=tuple(about),
        )
        # pytest may import a module a second time under another name: the same text is welcome.
        if CLAIMS.setdefault(name, stated) != stated:
            changed = [
                f.name
                for f in fields(Claim)
                if getattr(CLAIMS[name], f.name) != getattr(stated, f.name)
            ]
            raise ValueError(f"claim {name} is stated twice, with different {', '.join(changed)}")
    mark: Callable[[Test], Test] = pytest.mark.claim(name)
    return mark


@dataclass
class Observations:
    """What the observations of one test add up to; the worst is the largest error / allowed."""

    count: int = 0
    error: float = 0.0
    allowed: float = 0.0
    example: str = ""

    @property
    def ratio(self) -> float:
        """Worst error in units of the error allowed; 0 before the first observation."""
        return ratio(self.error, self.allowed)


def ratio(error: float, allowed: float) -> float:
    """
    Error in units of the error allowed.

    Parameters
    ----------
    error, allowed : float
        Both >= 0, in one unit.

    Returns
    -------
    float
        `error` / `allowed`; 0 if both are 0, infinity if `error` is NaN or nothing is allowed.
    """
    if math.isnan(error):
        return math.inf
    if allowed == 0:
        return 0.0 if error == 0 else math.inf
    return error / allowed


_running: ContextVar[Observations | None] = ContextVar("running", default=None)


@contextmanager
def observing() -> Iterator[Observations]:
    """Collect what `observe` reports inside the block."""
    seen = Observations()
    token = _running.set(seen)
    try:
        yield seen
    finally:
        _running.reset(token)


def observe(error: float, allowed: float, example: str | Callable[[], str] = "") -> None:
    """
    Record one example of the running claim and hold it to the error allowed.

    Parameters
    ----------
    error : float
        Error seen, >= 0; 0 or 1 for a bitwise check.
    allowed : float
        Error allowed, finite and >= 0, in the unit of `error`.
    example : str or callable
        What was tried, kept if it is the worst so far; a callable is asked only then.

    Raises
    ------
    DisprovedError
        If `error` exceeds `allowed` or is NaN.
    ValueError
        If `error` is negative or `allowed` could never fail.
    RuntimeError
        If no claim is running, so that the example would count for none.
    """
    seen = _running.get()
    if seen is None:
        raise RuntimeError("observe speaks for a claim: decorate the test with @claim")
    error, allowed = float(error), float(allowed)
    if error < 0:
        raise ValueError(f"error must be >= 0, got {error}")
    if not (math.isfinite(allowed) and allowed >= 0):
        raise ValueError(f"allowed must be finite and >= 0, got {allowed}")
    worse = seen.count == 0 or ratio(error, allowed) > seen.ratio
    seen.count += 1
    if worse:
        seen.error, seen.allowed = error, allowed
        seen.example = (example() if callable(example) else example)[:EXAMPLE_LENGTH]
    if not error <= allowed:
        told = seen.example if worse else "see the worst example"
        raise DisprovedError(f"error {error:.3g} exceeds the {allowed:.3g} allowed: {told}")


def require(holds: object, example: str | Callable[[], str] = "") -> None:
    """
    Hold the claim to what is so or is not, and has no size.

    Parameters
    ----------
    holds : object
        What must be true.
    example : str or callable, optional
        The input, or what gives it.

    Raises
    ------
    DisprovedError
        If it is not.
    """
    observe(0 if holds else 1, 0, example)
