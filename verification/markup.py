"""The parts of the proof book in HTML: formulas, prose, numbers, bars, code and bugs."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

from math_core import LatexToMathML

from verification.mutants import Mutant
from verification.results import Result, Verdict
from verification.source import Excerpt

DECADES = 6  # of error / allowed that the bar shows
CLASSES = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.NOT_ESTABLISHED: "open"}
_CONVERTER = LatexToMathML(fancy_error=False)


def formula(latex: str, *, display: bool) -> str:
    """
    Convert LaTeX to MathML.

    Parameters
    ----------
    latex : str
        Without delimiters.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        A ``math`` element.

    Raises
    ------
    ValueError
        If the LaTeX is wrong: a formula half shown is worse than none.
    """
    try:
        return _CONVERTER.convert_with_local_state(latex, displaystyle=display)
    except Exception as error:  # the converter's own exception is not exported for typing
        raise ValueError(f"{latex!r} is not LaTeX: {error}") from None


def displayed(latex: str) -> str:
    r"""
    Set a statement on lines of its own.

    Parameters
    ----------
    latex : str
        As `formula` takes it; formulas that ``,\quad`` parts get a line each, so that a narrow
        page need not cut them.

    Returns
    -------
    str
        HTML.
    """
    grouped = r"\begin" in latex or r"\left" in latex
    lines = [latex] if grouped else re.split(r",\s*\\q?quad(?![A-Za-z])\s*", latex)
    return "".join(f'<div class="formula">{formula(line, display=True)}</div>' for line in lines)


def prose(text: str) -> str:
    """
    Escape a text and set its inline formulas.

    Parameters
    ----------
    text : str
        Plain text; LaTeX between dollar signs, code between backquotes.

    Returns
    -------
    str
        HTML.
    """
    parts = re.split(r"\$([^$]+)\$", text)
    return "".join(
        formula(part, display=False)
        if index % 2
        else re.sub(r"`+([^`]+)`+", r"<code>\1</code>", html.escape(part))
        for index, part in enumerate(parts)
    )


def scientific(value: float) -> str:
    """
    Write a number to two digits.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    str
        HTML: "2.1 × 10<sup>−16</sup>".
    """
    if not math.isfinite(value) or value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.2g}" if abs(value) < 100 or not math.isfinite(value) else f"{value:.0f}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} × 10<sup>{int(exponent)}</sup>".replace("<sup>-", "<sup>−")


def sentence(words: str) -> str:
    """
    Make a sentence of a statement in words.

    Parameters
    ----------
    words : str
        As `prose` takes it.

    Returns
    -------
    str
        HTML, with a capital and a full stop.
    """
    return prose(words[:1].upper() + words[1:].rstrip(".") + ".")


def share(result: Result) -> float:
    """
    Length of a claim's bar.

    Parameters
    ----------
    result : Result
        A claim after a run.

    Returns
    -------
    float
        100 [per cent] where the error seen is the error allowed, 0 at `DECADES` powers of ten
        below it and for an exact claim.
    """
    if result.ratio == 0:
        return 0.0
    if not math.isfinite(result.ratio):
        return 100.0
    return min(max(100 * (1 + math.log10(result.ratio) / DECADES), 0.5), 100.0)


def measure(result: Result) -> str:
    """
    Draw the worst error beside the error allowed, on a logarithmic scale.

    Parameters
    ----------
    result : Result
        A claim after a run.

    Returns
    -------
    str
        HTML.
    """
    if not result.examples:
        return '<div class="scale">No example was tried.</div>'
    if result.exact:
        seen, allowed = "Equal in every example", "no error allowed"
    else:
        seen = f"Worst error <b>{scientific(result.error)}</b>"
        allowed = f"allowed there <b>{scientific(result.allowed)}</b>"
    return (
        f'<div class="scale"><div class="bar {CLASSES[result.verdict]}">'
        f'<span style="width:{share(result):.1f}%"></span></div>'
        f'<div class="ends"><span>{seen}</span><span>{allowed}</span></div></div>'
    )


def label(result: Result) -> str:
    """
    Write the verdict.

    Parameters
    ----------
    result : Result
        A claim after a run.

    Returns
    -------
    str
        HTML; in words, so that colour is not needed.
    """
    return f'<span class="verdict {CLASSES[result.verdict]}">{result.verdict.value}</span>'


def planted(mutant: Mutant) -> str:
    """
    Show one planted bug.

    Parameters
    ----------
    mutant : Mutant
        The bug.

    Returns
    -------
    str
        HTML: what is replaced by what.
    """
    source = f" ({prose(mutant.source)})" if mutant.source else ""
    return (
        f"<details><summary>{html.escape(mutant.name)}{source}</summary>"
        f"<pre>{html.escape(mutant.where)}\n<del>{html.escape(mutant.old)}</del>"
        f"<ins>{html.escape(mutant.new)}</ins></pre></details>"
    )


def code(part: Excerpt) -> str:
    """
    Show some lines of code, folded.

    Parameters
    ----------
    part : Excerpt
        Of the library, of a proof or of an oracle.

    Returns
    -------
    str
        HTML.
    """
    numbered = "\n".join(
        f'<span class="n">{number:4d}</span>  {html.escape(line)}' for number, line in part.lines
    )
    first = part.lines[0][0] if part.lines else 1
    return (
        f"<details><summary><code>{html.escape(part.short)}</code> "
        f"{html.escape(part.file)}:{first}</summary><pre>{numbered}</pre></details>"
    )


def folded(title: str, parts: Sequence[str]) -> str:
    """
    Fold some parts under a line.

    Parameters
    ----------
    title : str
        The line: HTML.
    parts : sequence of str
        HTML.

    Returns
    -------
    str
        HTML; empty if there is nothing to fold.
    """
    if not parts:
        return ""
    nested = "".join(parts)
    return f'<details><summary>{title}</summary><div class="nested">{nested}</div></details>'
