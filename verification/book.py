"""The proof book: one page that states every claim, its proof and how close it came to failing."""

from __future__ import annotations

import html
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from verification.claims import Claim
from verification.markup import (
    code,
    displayed,
    folded,
    label,
    measure,
    planted,
    prose,
    scientific,
    sentence,
)
from verification.mutants import Mutant
from verification.proof_code import listing, proof_of
from verification.results import Result, Verdict
from verification.source import excerpt

PACKAGES = ("numpy", "numba", "gymnasium", "scipy", "mpmath", "hypothesis", "pytest")
FAMILIES = {
    "A": "Derivatives",
    "B": "Distributions",
    "C": "Score identities",
    "D": "Returns and advantages",
    "E": "Policy-gradient theorems",
    "F": "Variance",
    "G": "Optimiser and loop",
    "H": "Environments",
    "K": "Steps that stay near the policy that acted",
    "L": "The text beside the code",
    "M": "Groups of episodes from one first state",
    "N": "Prediction by temporal differences",
    "P": "Gradients through known dynamics",
    "R": "How runs are judged",
    "S": "Spaces",
    "T": "What the texts say loosely",
    "U": "Updates taken apart",
    "X": "The exact laboratory",
}
STYLE = Path(__file__).with_suffix(".css")


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
        Of the repository, with a plus sign if files differ from it; empty outside one.
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
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = "+" if _git(root, "status", "--porcelain", "--", "npvpg", "verification") else ""
        packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        versions = f"Python {platform.python_version()}, {packages}"
        return Setting(profile, seed, seconds, versions, commit + changed if commit else "")


def _git(root: Path, *arguments: str) -> str:
    try:
        command = ["git", *arguments]
        asked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()


def statement(claim: Claim, result: Result) -> str:
    """
    Write what a claim says and under what it was tested.

    Parameters
    ----------
    claim : Claim
        The claim.
    result : Result
        What its run gave.

    Returns
    -------
    str
        HTML.
    """
    entries = {
        "Assumes": prose(claim.assumptions),
        "Source": prose(claim.source),
        "Method": prose(claim.method),
        "Tolerance": f"{scientific(claim.tolerance)}: {prose(claim.tolerance_reason)}",
        "Tried": f"{result.examples:,} examples in {result.seconds:.1f} s",
    }
    if result.example:
        entries["Worst at"] = f'<pre class="wrap">{html.escape(result.example)}</pre>'
    rows = "".join(f"<dt>{key}</dt><dd>{text}</dd>" for key, text in entries.items())
    said = f"{displayed(claim.statement)}<p>{sentence(claim.words)}</p>"
    return f"{said}{measure(result)}<dl>{rows}</dl>"


def article(result: Result, mutants: Sequence[Mutant], root: Path) -> str:
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
    title = prose(result.claim.title) if result.claim else "Not stated"
    bugs = [mutant for mutant in mutants if result.name in mutant.claims]
    parts = [
        f'<article id="{html.escape(result.name)}"><div class="head">'
        f'<h3><span class="name">{html.escape(result.name)}</span>{title}</h3>{label(result)}</div>'
    ]
    if result.reason:
        parts.append(f'<p class="small">{html.escape(result.reason)}</p>')
    if result.claim:
        parts.append(statement(result.claim, result))
        parts += [code(excerpt(name, root)) for name in result.claim.about]
    proof = proof_of(result.tests, root)
    for title, names in (
        ("The proof", proof.tests),
        ("What it draws and calls", proof.helpers),
        ("Its oracle", proof.oracles),
    ):
        parts.append(folded(title, [code(listing(name, root)) for name in names]))
    count = "1 planted bug" if len(bugs) == 1 else f"{len(bugs)} planted bugs"
    parts.append(folded(f"{count} that it must catch", [planted(mutant) for mutant in bugs]))
    return "".join(parts) + "</article>"


def contents(results: Sequence[Result]) -> str:
    """
    List the claims, a line each.

    Parameters
    ----------
    results : sequence of Result
        In the order to show them.

    Returns
    -------
    str
        HTML table with the worst error in units of the error allowed.
    """
    rows = []
    for family, members in groupby(results, key=lambda result: result.name[:1]):
        rows.append(f'<tr class="family"><th colspan="4">{FAMILIES.get(family, family)}</th></tr>')
        for result in members:
            title = prose(result.claim.title) if result.claim else "Not stated"
            error = "exact" if result.exact else scientific(result.ratio)
            name = html.escape(result.name)
            rows.append(
                f'<tr><td class="name">{name}</td><td><a href="#{name}">{title}</a></td>'
                f'<td class="number wide">{error if result.examples else "–"}</td>'
                f'<td class="number">{label(result)}</td></tr>'
            )
    return (
        '<table><tr><th></th><th>Claim</th><th class="number wide">error / allowed</th>'
        f'<th class="number"></th></tr>{"".join(rows)}</table>'
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
    examples = sum(result.examples for result in results)
    seed = "" if setting.seed is None else f", seed {setting.seed}"
    families = "".join(
        f"<h2>{FAMILIES.get(family, family)}</h2>"
        + "".join(article(result, mutants, root) for result in members)
        for family, members in groupby(results, key=lambda result: result.name[:1])
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>The proof book of npvpg</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<h1>The proof book of npvpg</h1>
<p class="lead">{holding} of {len(results)} claims hold, in {examples:,} examples.
{len(mutants)} planted bugs watch over them.</p>
<p>Each claim is compared with an oracle that shares no code with the library; the proof, what it
draws and its oracle are folded below it. The bar shows the worst of all examples, which is the
one whose error came nearest to what was allowed there: the tolerance of the claim, times the size
that its reason names. A full bar would reach the error allowed. One tenth of it fills five sixths
of the bar, one hundredth four sixths, and a millionth nothing. A claim that ran no example, or
whose check was skipped, is <i>not established</i>.
<code>python -m verification</code> wrote this page; <code>python -m verification --mutants</code>
plants each bug in a copy of the library and requires its claim to fail.</p>
<p class="small">Commit {html.escape(setting.commit or "unknown")}. Profile
{html.escape(setting.profile)}{seed}, {setting.seconds:.0f} s. {html.escape(setting.versions)}.</p>
{contents(results)}
{families}
</body>
</html>
"""
