"""The proof book: one page that states every claim, its proof and how close it came to failing."""

from __future__ import annotations

import html
import math
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from latex2mathml.converter import convert

from verification.mutate import Mutant
from verification.results import Result, Verdict
from verification.source import excerpt

PACKAGES = ("numpy", "numba", "gymnasium", "hypothesis", "scipy", "mpmath")
DECADES = 8  # of error / allowed that the bar shows
STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #5d6878; --line: #d9dee6; --page: #fff;
  --good: #16784a; --bad: #b3261e; --open: #8a6100; --code: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --dim: #9aa5b5; --line: #333c49;
  --page: #14181e; --good: #57c793; --bad: #ff8a80; --open: #e5b85c; --code: #1c222b; } }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--page);
  color: var(--ink); font: 1rem/1.55 Georgia, "Times New Roman", serif; }
h1 { font-size: 1.9rem; margin: 0.5rem 0; } h2 { font-size: 1.25rem; margin: 0 0 0.3rem; }
section { border-top: 1px solid var(--line); padding: 1.4rem 0 0.6rem; }
.holds { color: var(--good); } .fails { color: var(--bad); } .not { color: var(--open); }
.formula { overflow-x: auto; padding: 0.4rem 0; } math { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: 0.15rem 0.8rem; margin: 0.6rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.bar { height: 0.5rem; background: var(--code); border-radius: 0.25rem; margin: 0.3rem 0; }
.bar span { display: block; height: 100%; border-radius: 0.25rem; background: currentColor; }
pre { background: var(--code); padding: 0.6rem; overflow-x: auto; font-size: 0.8rem; }
summary { cursor: pointer; color: var(--dim); } nav a { margin-right: 0.6rem; }
a { color: inherit; } small { color: var(--dim); }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; } dt { margin-top: 0.4rem; } }
"""
CLASSES = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.NOT_ESTABLISHED: "not"}


@dataclass(frozen=True)
class Setting:
    """
    Under what a run was made.

    Parameters
    ----------
    profile : str
        Hypothesis profile.
    seed : int or None
        Seed of a random profile.
    seconds : float
        Wall-clock time [s].
    versions : str
        Of Python and the packages.
    commit : str
        Of the repository; empty outside one.
    """

    profile: str
    seed: int | None
    seconds: float
    versions: str
    commit: str

    @staticmethod
    def of(root: Path, profile: str, seed: int | None, seconds: float) -> Setting:
        """
        Describe this process.

        Parameters
        ----------
        root : Path
            Root of the repository.
        profile : str
            Hypothesis profile.
        seed : int or None
            Seed of a random profile.
        seconds : float
            Wall-clock time [s].

        Returns
        -------
        Setting
            With the versions and the commit filled in.
        """
        asked = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        versions = f"Python {platform.python_version()}, {packages}"
        return Setting(profile, seed, seconds, versions, asked.stdout.strip())


def bar(result: Result) -> str:
    """
    Draw the worst error beside the error allowed, on a logarithmic scale.

    Parameters
    ----------
    result : Result
        A claim after a run.

    Returns
    -------
    str
        HTML; an exact claim has an empty bar.
    """
    ratio = result.ratio
    share = 0.0
    if ratio > 0:
        share = 100.0 if not math.isfinite(ratio) else 100 * (1 + math.log10(ratio) / DECADES)
    share = min(max(share, 0.0), 100.0)
    return f'<div class="bar"><span style="width:{share:.0f}%"></span></div>'


def section(result: Result, mutants: Sequence[Mutant], root: Path) -> str:
    """
    Write one claim.

    Parameters
    ----------
    result : Result
        The claim after a run.
    mutants : sequence of Mutant
        All planted bugs.
    root : Path
        Root of the repository.

    Returns
    -------
    str
        HTML.
    """
    kind, claim = CLASSES[result.verdict], result.claim
    if claim is None:
        return f'<section id="{result.name}"><h2>{result.name}</h2><p>Not stated.</p></section>'
    error = "exact" if result.exact else f"{result.error:.2g} of {result.allowed:.2g} allowed"
    planted = [mutant.name for mutant in mutants if result.name in mutant.claims]
    entries = {
        "Assumes": claim.assumptions,
        "Source": claim.source,
        "Method": claim.method,
        "Tolerance": f"{claim.tolerance:g}: {claim.tolerance_reason}",
        "Examples": f"{result.examples:,} in {result.seconds:.1f} s",
        "Worst error": error + (f", at {result.example}" if result.example else ""),
        "Planted bugs": "; ".join(planted) or "none",
    }
    if result.reason:
        entries["Reason"] = result.reason
    rows = "".join(f"<dt>{key}</dt><dd>{html.escape(text)}</dd>" for key, text in entries.items())
    code = ""
    for name in claim.about:
        part = excerpt(name, root)
        numbered = "\n".join(f"{number:4d}  {line}" for number, line in part.lines)
        title = html.escape(f"{name} — {part.file}")
        code += f"<details><summary>{title}</summary><pre>{html.escape(numbered)}</pre></details>"
    return (
        f'<section id="{result.name}"><h2>{result.name} · {html.escape(claim.title)}</h2>'
        f'<p>{html.escape(claim.words)} <strong class="{kind}">{result.verdict.value}</strong></p>'
        f'<div class="formula">{convert(claim.statement, display="block")}</div>'
        f'<div class="{kind}">{bar(result)}</div><dl>{rows}</dl>{code}</section>'
    )


def write(
    results: Sequence[Result], setting: Setting, mutants: Sequence[Mutant], root: Path
) -> str:
    """
    Write the page.

    Parameters
    ----------
    results : sequence of Result
        All claims after a run.
    setting : Setting
        Under what it was made.
    mutants : sequence of Mutant
        All planted bugs.
    root : Path
        Root of the repository.

    Returns
    -------
    str
        A page that needs nothing else: no script, no font, no picture.
    """
    holding = sum(result.verdict is Verdict.HOLDS for result in results)
    links = " ".join(
        f'<a class="{CLASSES[r.verdict]}" href="#{r.name}">{r.name}</a>' for r in results
    )
    seed = "" if setting.seed is None else f", seed {setting.seed}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>npvpg: proof book</title><style>{STYLE}</style></head><body>"
        f"<h1>Proof book</h1><p>{holding} of {len(results)} claims hold.</p>"
        f"<p><small>Profile {setting.profile}{seed}; {setting.seconds:.0f} s; {setting.versions}; "
        f"commit {setting.commit or 'unknown'}. A bar shows the worst error seen beside the error "
        f"allowed, {DECADES} decades long; an exact claim has none.</small></p><nav>{links}</nav>"
        + "".join(section(result, mutants, root) for result in results)
        + "</body></html>\n"
    )
