r"""
Equations that stand beside the code that computes them and the claims that hold them to it.

In a page of the book::

    ```{equation} eglp
    :code: npvpg.policy.PolicyAt.score
    :claims: C1 C2
    E_{a\sim\pi}\bigl[\nabla_\theta\log\pi_\theta(a\mid s)\bigr] = 0
    ```

The code is read from the source as it is, and one of the claims must speak of it. An equation
without either, or numbered in any other way, is an error, and errors end the build.
"""

from __future__ import annotations

import html
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.nodes import make_id
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from verification.claims import Claim
from verification.coverage_map import proofs
from verification.formulas import ROOT, canonical
from verification.markup import displayed, formula, prose, scientific
from verification.pages.sources import link_to
from verification.proofs import load_claims
from verification.source import excerpt

ERRORS = Path("verification/pages/errors.toml")
_logger = logging.getLogger(__name__)


@cache
def all_claims() -> dict[str, Claim]:
    """Import every proof once."""
    return load_claims()


@cache
def _proved() -> dict[str, list[str]]:
    return proofs(all_claims())


@cache
def last_seen() -> dict[str, dict[str, Any]]:
    """Read the worst error of every claim, as `verification.pages.errors` last wrote them."""
    loaded: dict[str, dict[str, Any]] = tomllib.loads((ROOT / ERRORS).read_text(encoding="utf-8"))
    return loaded


def fault(code: list[str], claims: list[str]) -> str:
    """
    Say what an equation lacks.

    Parameters
    ----------
    code : list of str
        Dotted names of what computes it.
    claims : list of str
        Names of claims about that.

    Returns
    -------
    str
        Empty if there is code, every claim is known and has been run, and each piece of code is
        spoken of by one of them.
    """
    if not code:
        return "an equation must name the code that computes it"
    if not claims:
        return "an equation must name a claim that holds the code to it"
    for name in claims:
        if name not in all_claims():
            return f"no proof states claim {name}"
        if name not in last_seen():
            return f"claim {name} has no error seen: run python -m verification.pages.errors {name}"
    return next(filter(None, (_unproved(name, claims) for name in code)), "")


def _unproved(name: str, claims: list[str]) -> str:
    """Say if nothing has that name, or none of the claims speaks of it."""
    try:
        known = canonical(name)
    except ValueError as error:
        return str(error)
    about = {
        proof for part in (known, known.rpartition(".")[0]) for proof in _proved().get(part, ())
    }
    return "" if about & set(claims) else f"none of {', '.join(claims)} speaks of {name}"


class Equation(SphinxDirective):
    """A numbered equation with its code and its claims."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar = {"code": directives.unchanged, "claims": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Lay out the equation, what computes it, and what was seen of its claims."""
        code, claims = (self.options.get(name, "").split() for name in ("code", "claims"))
        lacking = fault(code, claims)
        if lacking:
            raise self.error(f"equation {self.arguments[0]}: {lacking}")
        label, text = self.arguments[0], "\n".join(self.content)
        shown = nodes.math_block(text, text, nowrap=False, label=label, docname=self.env.docname)
        shown["proved"] = True
        self.set_source_info(shown)
        domain: Any = self.env.domains["math"]
        domain.note_equation(self.env.docname, label, location=shown)
        # "4.1": the first of page 04, as pages have numbers in their names
        chapter = self.env.docname.rpartition("/")[2].partition("-")[0].lstrip("0")
        number = str(domain.get_equation_number_for(label))
        shown["number"] = f"{chapter}.{number}" if chapter.isdigit() else number
        domain.equations[label] = (self.env.docname, shown["number"])
        target = nodes.target("", "", ids=[make_id(f"equation-{label}")])
        self.state.document.note_explicit_target(target)
        box = nodes.container(classes=["equation-box"])
        box += [target, shown, *map(self._code, code), *map(self._claim, claims)]
        return [box]

    def _code(self, name: str) -> nodes.Node:
        part = excerpt(name, ROOT)
        first = part.lines[0][0] if part.lines else 1
        text = "\n".join(line for _, line in part.lines)
        block = nodes.literal_block(text, text, language="python")
        href = link_to(self.env, f"{part.file}#L{first}")
        told = f"<details><summary><code>{html.escape(part.short)}</code></summary>"
        where = f'<p class="where"><a href="{href}">{html.escape(part.file)}:{first}</a></p>'
        parts = [nodes.raw("", told + where, format="html"), block]
        return nodes.container("", *parts, nodes.raw("", "</details>", format="html"))

    def _claim(self, name: str) -> nodes.Node:
        claim, seen = all_claims()[name], last_seen()[name]
        if seen["allowed"] == 0 == seen["error"]:
            told = f"equal in all {seen['examples']:,} examples"
        else:
            told = (
                f"worst error {scientific(seen['error'])} where {scientific(seen['allowed'])} "
                f"is allowed, {seen['examples']:,} examples"
            )
        href = link_to(self.env, f"{stated()[name]}")
        text = (
            f'<p class="claim"><a href="{href}">{name}</a>: {prose(claim.words)}. '
            f'<span class="seen">Last seen: {told}.</span></p>'
        )
        return nodes.raw("", text, format="html")


@cache
def stated() -> dict[str, str]:
    """Say where each claim is stated: file and line, as a link has them."""
    from verification.coverage_map import stated_in  # noqa: PLC0415

    return stated_in()


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(formula(node.astext(), display=False))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    # docutils may have moved the name of the equation here from the target before it
    ids: list[str] = node.get("ids", [])
    names = "".join(f'<span id="{name}"></span>' for name in ids)
    self.body.append(f'<div class="math-block">{names}{number}{displayed(node.astext())}</div>')
    raise nodes.SkipNode


def _only_proved(app: Sphinx, doctree: nodes.document) -> None:
    """Refuse a number that was got past the directive."""
    for node in doctree.findall(nodes.math_block):
        if node.get("label") and not node.get("proved"):
            _logger.error("equation %s has no code and no claim", node["label"], location=node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("equation", Equation)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("doctree-read", _only_proved)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
