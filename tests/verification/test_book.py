"""The proof book shows every claim as it is, by itself, and asks the network for nothing."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from verification import book, markup
from verification.claims import Claim
from verification.mutants import Mutant
from verification.proof_code import listing, proof_of
from verification.proofs import load_claims
from verification.results import Result, Verdict
from verification.source import excerpt, resolve

ROOT = Path(__file__).parents[2]
CLAIM = Claim(
    name="A1",
    title="A title with $x^2$",
    statement=r"\nabla_\theta J = \mathbb{E}\Bigl[\sum_t \gamma^t g_t\Phi_t\Bigr],\quad a < b",
    words="words & <signs>",
    assumptions="$\\gamma < 1$ and `code`",
    source="a paper",
    method="enumeration",
    tolerance=1e-12,
    tolerance_reason="rounding",
    about=("npvpg.kernels.returns.gae", "npvpg.mlp.MLP.backward"),
)
HOLDS = Result(
    name="A1",
    claim=CLAIM,
    verdict=Verdict.HOLDS,
    reason="",
    examples=1234,
    error=1e-15,
    allowed=1e-12,
    example="seed = <7>",
    seconds=1.5,
    tests=(
        "verification/mathematics/test_returns.py::test_gae_in_floats",
        "verification/mathematics/test_returns.py::test_gone[3]",
    ),
)
RESULTS = [
    HOLDS,
    replace(HOLDS, name="A2", error=0.0, allowed=0.0),
    replace(HOLDS, name="B1", verdict=Verdict.FAILS, error=math.nan, reason="error nan"),
    replace(HOLDS, name="B2", verdict=Verdict.NOT_ESTABLISHED, examples=0, reason="skipped"),
    replace(HOLDS, name="C1", claim=None, verdict=Verdict.NOT_ESTABLISHED, reason="unstated"),
]
BUG = Mutant("lambda & co", "npvpg.f", "a < b", "a > b", ("A1",), "issue 1")
SETTING = book.Setting("explore", 7, 12.3, "Python 3", "abc123")


@pytest.fixture(scope="module")
def page() -> str:
    return book.write(RESULTS, SETTING, [BUG], ROOT)


def article(page: str, name: str) -> str:
    found = re.search(rf'<article id="{name}">.*?</article>', page, re.DOTALL)
    assert found is not None
    return found.group()


def test_nothing_is_fetched(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|url\(", page)
    assert all(link.startswith("#") for link in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_page_is_well_formed(page: str) -> None:
    body = page[page.index("<body>") : page.index("</body>") + 7]
    ET.fromstring(re.sub(r"&ApplyFunction;", "", body))
    targets = re.findall(r'href="#([^"]*)"', page)
    assert targets == [result.name for result in RESULTS]


def test_summary(page: str) -> None:
    assert "2 of 5 claims hold" in page
    for text in ("Commit abc123", "explore, seed 7", "12 s", "Python 3"):
        assert text in re.sub(r"\s+", " ", page)


def test_a_claim_in_full(page: str) -> None:
    shown = article(page, "A1")
    for text in (
        'class="verdict holds">holds<',
        "Words &amp; &lt;signs&gt;.",
        "<code>code</code>",
        "1,234 examples in 1.5 s",
        "seed = &lt;7&gt;",
        "Worst error <b>1.0 × 10<sup>−15</sup></b>",
        "npvpg/mlp.py:",
        "<code>gae</code>",
        "1 planted bug ",
        "lambda &amp; co (issue 1)",
        "<del>a &lt; b</del><ins>a &gt; b</ins>",
        "width:50.0%",
    ):
        assert text in shown
    assert shown.count("<math") == 4


@pytest.mark.parametrize(
    ("name", "verdict", "told", "width"),
    [
        ("A2", "holds", "Equal in every example", "0.0%"),
        ("B1", "fails", "error nan", "100.0%"),
        ("B2", "not established", "No example was tried", None),
        ("C1", "not established", "unstated", None),
    ],
)
def test_verdicts(page: str, name: str, verdict: str, told: str, width: str | None) -> None:
    shown = article(page, name)
    assert f">{verdict}</span>" in shown
    assert told in shown
    assert (re.findall(r"width:([^\"]*)", shown) or [None]) == [width]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.25, "0.25"),
        (1234.0, "1234"),
        (2.06e-16, "2.1 × 10<sup>−16</sup>"),
        (1e6, "1.0 × 10<sup>6</sup>"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert markup.scientific(value) == text


def test_wrong_latex_is_refused() -> None:
    with pytest.raises(ValueError, match="is not LaTeX"):
        markup.displayed(r"\quadR = 1")


def test_excerpt_leaves_docstrings_out() -> None:
    part = excerpt("npvpg.kernels.returns.gae", ROOT)
    text = (ROOT / part.file).read_text(encoding="utf-8").splitlines()
    assert all(text[number - 1] == line for number, line in part.lines)
    assert part.lines[0][1].startswith("def _gae(")
    assert '"""' not in "".join(line for _, line in part.lines)
    constant = excerpt("npvpg.kernels.sampling.LOG_SIGMA_MIN", ROOT)
    assert constant.lines[0][1].startswith("LOG_SIGMA_MIN")
    method = excerpt("npvpg.mlp.MLP.backward", ROOT)
    assert method.short == "MLP.backward"


def test_the_proof_and_its_oracle_are_shown(page: str) -> None:
    told = article(page, "A1")
    for title in ("The proof", "What it draws and calls", "Its oracle", "1 planted bug that it"):
        assert told.count(f"<summary>{title}") == 1
    assert told.index("def test_gae_in_floats(roll)") < told.index("def _within(")
    assert told.index("def _within(") < told.index("def gae(\n")
    assert "test_gone" not in told
    assert "<script" not in page


def test_a_proof_without_the_statement_of_its_claim() -> None:
    stated = "verification.mathematics.test_derivatives.test_backpropagation"
    proof = proof_of(["verification/mathematics/test_derivatives.py::test_backpropagation"], ROOT)
    assert proof.tests == (stated,)
    assert "verification.mathematics.strategies.nets" in proof.helpers
    assert "verification.oracles.derivatives.relative_error" in proof.oracles
    text = (ROOT / "verification/mathematics/test_derivatives.py").read_text().splitlines()
    lines = listing(stated, ROOT).lines
    assert lines[0][1] == "@given(nets())"
    assert all(text[number - 1] == line for number, line in lines)
    assert not any("title=" in line for _, line in lines)
    with pytest.raises(ValueError, match="neither a function nor a class"):
        listing("verification.mathematics.strategies", ROOT)


@pytest.mark.parametrize("name", ["npvpg.nothing", "npvpg.mlp.MLP.nothing", "nowhere.at.all"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"nothing is named {name}"):
        resolve(name)


@pytest.mark.parametrize("claim", load_claims().values(), ids=lambda claim: claim.name)
def test_every_claim_can_be_shown(claim: Claim) -> None:
    assert claim.name[0] in book.FAMILIES
    assert "<math" in markup.displayed(claim.statement)
    for text in (claim.title, claim.words, claim.assumptions, claim.source, claim.method):
        assert markup.prose(text)
    for name in claim.about:
        assert excerpt(name, ROOT).lines
