"""Every formula has a claim, every claim speaks of what there is, and a page says so."""

import re
from pathlib import Path

import pytest

from verification import coverage_map as covered
from verification.proofs import load_claims

ROOT = Path(__file__).parents[2]


def test_every_formula_has_a_claim() -> None:
    listed = covered.formulas()
    assert len(listed) > 50
    assert covered.missing(listed, covered.proofs(load_claims())) == []


def test_a_formula_without_a_claim_is_found() -> None:
    claims = load_claims()
    proved = covered.proofs(claims)
    for name in ("npvpg.kernels.returns.gae", "npvpg.distributions.categorical.Categorical.score"):
        rest = {key: value for key, value in proved.items() if key != name}
        assert name in covered.missing(covered.formulas(), rest)


def test_the_page_agrees() -> None:
    page = (ROOT / covered.PAGE).read_text(encoding="utf-8")
    new = covered.table(covered.formulas(), covered.proofs(load_claims()))
    assert covered.replace_table(page, new) == page
    rows = new.splitlines()[2:]
    assert len(rows) > 80
    for row in rows:  # an equation, its code and the proofs, all of which are there
        assert row.startswith("| $")
        links = re.findall(r"\]\((.*?)\)", row.rpartition("$ |")[2])
        assert len(links) > 1
        assert all((ROOT / "docs" / link).is_file() for link in links)


@pytest.mark.parametrize("text", ["", covered.BEGIN, f"{covered.END} {covered.BEGIN}"])
def test_markers_are_required(text: str) -> None:
    with pytest.raises(ValueError, match="must hold"):
        covered.replace_table(text, "x")


def test_canonical() -> None:
    direct = "npvpg.distributions.categorical.Categorical.kl"
    estimator = "npvpg.estimators.base.Estimator"
    assert covered.canonical("npvpg.distributions.Categorical.kl") == direct
    assert covered.canonical("npvpg.kernels.returns.gae") == "npvpg.kernels.returns.gae"
    assert covered.canonical("npvpg.estimators.Estimator.__call__") == estimator
    with pytest.raises(ValueError, match="nothing is named"):
        covered.canonical("npvpg.mlp.MLP.forwards")
