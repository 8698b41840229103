"""Every formula has a claim, every claim speaks of what there is, and a page says so."""

import re
from pathlib import Path

import pytest

from verification import coverage_map as covered
from verification.formulas import canonical, formulas
from verification.proofs import load_claims

ROOT = Path(__file__).parents[2]


def test_every_formula_has_a_claim() -> None:
    listed = formulas()
    assert len(listed) > 50
    assert covered.missing(listed, covered.proofs(load_claims())) == []


def test_a_formula_without_a_claim_is_found() -> None:
    claims = load_claims()
    proved = covered.proofs(claims)
    for name in ("npvpg.kernels.returns.gae", "npvpg.distributions.categorical.Categorical.score"):
        rest = {key: value for key, value in proved.items() if key != name}
        assert name in covered.missing(formulas(), rest)


def test_the_page_agrees() -> None:
    page = (ROOT / covered.PAGE).read_text(encoding="utf-8")
    new = covered.table(formulas(), covered.proofs(load_claims()))
    # Lines of code move with every change: .ci/run compares them, by --check.
    without = [re.sub(r"#L\d+", "", text) for text in (covered.replace_table(page, new), page)]
    assert without[0] == without[1]
    rows = new.splitlines()[2:]
    assert len(rows) > 80
    for row in rows:  # an equation, its code and the proofs, each link to where it begins
        assert row.startswith("| $")
        code, *proofs = re.findall(r"\[(.*?)\]\((.*?)#L(\d+)\)", row.rpartition("$ |")[2])
        assert code[0].strip("`").rpartition(".")[2] in _begins(code[1], int(code[2]))
        assert proofs
        assert all(f'"{name}"' in _begins(file, int(line)) for name, file, line in proofs)


def _begins(file: str, line: int) -> str:
    """Decorators and the name that they decorate."""
    lines = (ROOT / "docs" / file).read_text(encoding="utf-8").splitlines()
    return "\n".join(lines[line - 1 :][:4])


def test_check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covered, "table", lambda *_: "another")
    assert covered.main(["--check"]) == 1
    assert "docs/formulas.md is old" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", covered.BEGIN, f"{covered.END} {covered.BEGIN}"])
def test_markers_are_required(text: str) -> None:
    with pytest.raises(ValueError, match="must hold"):
        covered.replace_table(text, "x")


def test_canonical() -> None:
    direct = "npvpg.distributions.categorical.Categorical.kl"
    estimator = "npvpg.estimators.base.Estimator"
    assert canonical("npvpg.distributions.Categorical.kl") == direct
    assert canonical("npvpg.kernels.returns.gae") == "npvpg.kernels.returns.gae"
    assert canonical("npvpg.estimators.Estimator.__call__") == estimator
    with pytest.raises(ValueError, match="nothing is named"):
        canonical("npvpg.mlp.MLP.forwards")
