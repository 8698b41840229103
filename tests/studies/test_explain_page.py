"""The page of an update: what it says, what it holds, and that it works in a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.command.main import main
from npvpg.lab.reweighting import blocks
from npvpg.runs.evaluation import trained
from npvpg.studies import explain, explain_page
from npvpg.studies.explain import Explained
from verification.pages import browser

SHORT = "--steps 256 --envs 2 --hidden 8 --horizon 32 --evaluation-episodes 0"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def explained(settings: str) -> Explained:
    """Train, and take an update apart."""
    assert main(f"train {settings} {SHORT} --out run".split()) == 0
    with trained(Path("run")) as at:
        return explain.explain(at)


def gradient(found: Explained, psi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the gradient of an update again, with other weights."""
    pi = found.policy.at(found.theta, found.batch.obs)
    grad = pi.weighted_score(found.batch.act, psi * found.factor)
    entropy = pi.weighted_entropy_score(np.full(len(psi), found.entropy_weight))
    return np.asarray(grad + entropy)


def test_the_command_writes_a_page_that_needs_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(f"train CartPole-v1 {SHORT} --out run".split()) == 0
    capsys.readouterr()
    assert main(["explain", "run", "--update", "3", "--rows", "7", "--out", "page.html"]) == 0
    assert capsys.readouterr().out.endswith("page.html\n")
    text = Path("page.html").read_text(encoding="utf-8")
    assert "<h1>Update 3, taken apart</h1>" in text
    assert len(text) < 1_000_000
    links = set(
        re.findall(r"""(?:https?:)?//[^\s"'<]+""", re.sub(r"^// .*$", "", text, flags=re.M))
    )
    assert links == {"http://www.w3.org/1999/xlink"}  # a name, which nobody asks for
    assert text.count("<script") == 2
    (held,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text)
    assert len(json.loads(held)["weight"]) == text.count('<input type="range"') == 7
    before = {path.name for path in Path("run").iterdir()}
    assert "page.html" not in before


def test_what_cannot_be_a_page_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(f"train CartPole-v1 {SHORT} --out run".split()) == 0
    monkeypatch.setattr(explain_page, "MOST", 100)
    capsys.readouterr()
    for words, error in (
        ("--html", "unknown flag --html (here it is --out)"),
        ("--out page.txt", "out must end in .csv, .html, .png, .pdf, .svg, got page.txt"),
        ("--rows 5 --out page.html", "rows must be at most 4 on a page of this policy, got 5"),
    ):
        assert main(f"explain run {words}".split()) == 2
        assert capsys.readouterr().err == f"npvpg: error: {error}\n"
    assert [path.name for path in Path().iterdir()] == ["run"]
    assert main(["explain", "run", "--rows", "4", "--out", "page.html"]) == 0


@pytest.mark.skipif(browser.found() is None, reason="there is no chromium")
@pytest.mark.parametrize(
    "settings",
    [
        "CartPole-v1 --entropy-weight 0.5 --dtype float64",
        "Pendulum-v1 --algorithm reward-to-go --discount-weights --horizon 0",
    ],
)
def test_what_the_browser_works_out_is_the_gradient_made_again(
    settings: str, tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    found, n = explained(settings), 12
    steps = np.argsort(-np.abs(found.parts.share), kind="stable")[:n]
    asked = explain_page.asked_of(found, steps)
    path = tmp_path / "page.html"
    explain_page.write(path, found, n)
    rng = np.random.default_rng(0)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.found(), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.goto(path.resolve().as_uri())
        fields = page.locator("#steps [type=number]")
        for changed in (0, 1, n):
            weight = found.psi[steps].copy()
            weight[:changed] = 3 * rng.standard_normal(changed)
            for i in range(changed):
                fields.nth(i).fill(repr(float(weight[i])))

            def seen(name: str, *, of: str) -> NDArray[np.float64]:
                cells = page.locator(f"#{of} [data-of={name}]")
                return np.array(cells.evaluate_all("all => all.map(one => Number(one.value))"))

            python = asked.at(weight)
            psi = found.psi.copy()
            psi[steps] = weight
            again = gradient(found, psi)
            parts = [part for _, part in blocks(found.policy)]
            lengths = [np.linalg.norm(again[part]) for part in parts]
            cosines = [
                found.grad[part] @ again[part] / np.linalg.norm(found.grad[part]) / length
                for part, length in zip(parts, lengths, strict=True)
            ]
            after, cosine = seen("after", of="blocks"), seen("cosine", of="blocks")
            np.testing.assert_allclose(after, lengths, rtol=1e-12)
            np.testing.assert_allclose(cosine, cosines, rtol=1e-12)
            np.testing.assert_allclose(after, np.sqrt(python.squared), rtol=1e-13)
            np.testing.assert_allclose(
                seen("share", of="steps"), python.share, rtol=1e-12, atol=1e-14
            )
        told = page.locator("#told").inner_text()
        assert told.startswith("12 weights changed: length ")
        page.locator("#leave").click()
        after = seen("after", of="blocks")
        np.testing.assert_allclose(after, np.sqrt(asked.at(np.zeros(n)).squared), rtol=1e-12)
        page.locator("#reset").click()
        assert page.locator("#told").inner_text() == "The gradient as it was."
        page.locator("#steps [type=range]").first.fill("0.5")
        weight = found.psi[steps].copy()
        weight[0] = float(page.locator("#steps [type=number]").first.input_value())
        assert weight[0] == pytest.approx(0.5, abs=1e-3)
        after = seen("after", of="blocks")
        np.testing.assert_allclose(after, np.sqrt(asked.at(weight).squared), rtol=1e-12)
        chromium.close()
    assert list(browser.complaints(tmp_path, browser.found() or "", [path])) == []
