"""The report of runs: what stands in it, what spoils nothing, and that it opens in a browser."""

import base64
import html
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from npvpg.command.main import main
from npvpg.runs import alike
from npvpg.runs.over_seeds import over_seeds
from npvpg.runs.record import read
from npvpg.show import comparing, report, report_film
from npvpg.show.numbers import number
from verification.pages import browser

PAGE = Path(__file__).parents[2] / "docs" / "report.md"
SHORT = "--steps 1024 --envs 2 --hidden 8 --horizon 32 --evaluation-episodes 2"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train once: two seeds with one step size, two with another, each evaluated on the way."""
    folder = tmp_path_factory.mktemp("runs")
    for name, lr in (("slow", 0.001), ("fast", 0.3)):
        words = f"train CartPole-v1 {SHORT} --policy-lr {lr} --eval-every 512"
        for seed in (0, 1):
            assert (
                main([*words.split(), "--seed", str(seed), "--out", f"{folder}/{name}-{seed}"]) == 0
            )
    return folder


@pytest.fixture
def copy(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the runs in the working directory, to be damaged."""
    monkeypatch.chdir(tmp_path)
    for each in runs.iterdir():
        shutil.copytree(each, tmp_path / each.name)
    return tmp_path


def text_of(path: Path) -> str:
    """Read what a page shows, without tags."""
    page = re.sub(r"<(style|svg)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_run(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = json.loads(Path("fast-0/summary.json").read_text())
    assert main(["report", "fast-0"]) == 0
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == (str(Path("fast-0/report.html")) + "\n", "")
    assert not [path for path in copy.iterdir() if path.is_file()]
    page = Path("fast-0/report.html").read_text(encoding="utf-8")
    links = set(re.findall(r"""https?://[^\s"'<]+""", page))
    assert links == {"http://www.w3.org/1999/xlink"}  # a name, which nobody asks for
    assert "<script" not in page
    told = text_of(Path("fast-0/report.html"))
    assert told.count("CartPole-v1: 1 run") == 2  # title and heading
    values = [summary["mean_return_100"], summary["best"]["evaluation"]["sampled"]["mean"]]
    for value in (*values, *(score["mean"] for score in summary["evaluation"].values())):
        assert number(value) in told
    for name, version in summary["versions"].items():
        assert re.search(rf"{name}\s+{re.escape(version)}", told)
    assert "policy_lr 0.006 0.3" in told
    pictures = re.findall(r'<svg [^>]*aria-label="([^"]*)"', page)
    assert pictures[0] == "return against environment steps"
    assert pictures[1] == "return of evaluations on the way, sampled"
    columns = Path("fast-0/metrics.csv").read_text().split("\n")[0].split(",")[5:]
    assert len(pictures) == 2 + len(columns)
    first = Path("fast-0/report.html").read_bytes()
    assert main(["report", "fast-0"]) == 0
    assert Path("fast-0/report.html").read_bytes() == first


def test_groups_are_compared(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [Path(name) for name in ("slow-0", "slow-1", "fast-0", "fast-1")]
    assert main(["report", *map(str, paths), "--out", "all.html"]) == 0
    told = text_of(Path("all.html"))
    assert "CartPole-v1: 4 runs in 2 groups" in told
    groups, _ = alike.group(alike.read(paths)[0])
    (line,) = comparing.compared(groups)
    assert line.startswith("policy_lr=0.001 ends better than policy_lr=0.3 with probability ")
    assert line in told
    for group in groups:
        found = over_seeds([read(one)[0].score for one in group.curves])
        assert found is not None
        assert found["iqm_interval"] is not None
        low, high = found["iqm_interval"]
        assert f"{number(found['iqm'])} {number(low)} to {number(high)}" in told
    assert "policy_lr 0.006 0.001 0.3" in told
    assert "steps 300000 1024 1024" in told
    assert "npvpg train CartPole-v1 --seeds 0-1 --steps 1024" in told
    capsys.readouterr()


def test_long_labels_get_letters(copy: Path) -> None:
    paths = [Path("slow-0"), Path("slow-1"), Path("fast-0")]
    for name, old, new in (("slow-0", "gamma = 0.99", "gamma = 0.5"), ("slow-0", "[8]", "[4, 4]")):
        config = Path(name, "config.toml")
        assert old in config.read_text()
        config.write_text(config.read_text().replace(old, new))
    report.write(Path("a.html"), paths)
    told = text_of(Path("a.html"))
    assert re.search(r"A hidden=4 4, gamma=0.5, policy_lr=0.001 ", told)
    assert re.search(r"B hidden=8, gamma=0.99, policy_lr=0.001 ", told)
    assert "policy_lr 0.006 0.001 0.001 0.3" in told
    assert ">B, 1 run<" in Path("a.html").read_text()


def _no_summary(run: Path) -> None:
    (run / "summary.json").unlink()


def _half_a_summary(run: Path) -> None:
    whole = (run / "summary.json").read_text()
    (run / "summary.json").write_text(whole[: len(whole) // 2])


def _strange_summary(run: Path) -> None:
    values = {
        "steps": [],
        "evaluation": {"sampled": 3},
        "warnings": 1,
        "versions": 2,
        "seconds": True,
    }
    (run / "summary.json").write_text(json.dumps(values))


def _list_for_a_summary(run: Path) -> None:
    (run / "summary.json").write_text("[1]")


def _no_config(run: Path) -> None:
    (run / "config.toml").unlink()


def _half_a_config(run: Path) -> None:
    whole = (run / "config.toml").read_text()
    (run / "config.toml").write_text(whole[: len(whole) // 2])


def _no_metrics(run: Path) -> None:
    (run / "metrics.csv").write_text("nothing\n")


def _no_episodes(run: Path) -> None:
    (run / "episodes.csv").unlink()


def _no_episode(run: Path) -> None:
    (run / "episodes.csv").write_text("step,return,length\n")


def _bad_evaluations(run: Path) -> None:
    (run / "evaluations.csv").write_text("a,b\n")


@pytest.mark.parametrize(
    ("damage", "note"),
    [
        (_no_summary, "fast-1 is not finished"),
        (_half_a_summary, "fast-1/summary.json cannot be read"),
        (_strange_summary, None),
        (_list_for_a_summary, "fast-1/summary.json is no summary of a run"),
        (_no_config, "fast-1: its configuration is not whole"),
        (_half_a_config, "fast-1: its configuration is not whole"),
        (_no_metrics, "fast-1/metrics.csv must start with"),
        (_no_episodes, "fast-1/episodes.csv does not exist: left out"),
        (_no_episode, "fast-1: no episode has ended"),
        (_bad_evaluations, "fast-1/evaluations.csv must start with"),
    ],
)
def test_a_damaged_run_spoils_nothing(
    damage: Any, note: str | None, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(Path("fast-1"))
    capsys.readouterr()
    for names in (["fast-1", "fast-0"], ["fast-1"]):
        code = main(["report", *names, "--out", "all.html"])
        err = capsys.readouterr().err
        if damage is _no_episodes and names == ["fast-1"]:
            assert (code, err) == (2, "npvpg: error: fast-1/episodes.csv does not exist\n")
            continue
        assert code == 0
        told = text_of(Path("all.html"))
        if note is not None:
            assert note in told
            assert note in err
        assert ("Every run" in told) == (len(names) == 2 and damage is not _no_episodes)
        for heading in ("Learning", "Diagnostics", "Settings", "Make it again"):
            assert f" {heading} " in told


def test_what_is_no_report_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("fast-1", "other")
    config = Path("other/config.toml")
    config.write_text(config.read_text().replace("CartPole-v1", "Pendulum-v1"))
    for words, error in (
        ("fast-0 --out a.pdf", "out must end in .html, got a.pdf"),
        ("fast-0 other", "runs must be of one environment, got CartPole-v1, Pendulum-v1"),
        ("nowhere", "nowhere/episodes.csv does not exist"),
        (
            "fast-0 --out nowhere/a.html",
            "nowhere/a.html cannot be written: nowhere is no directory",
        ),
        ("", "report needs RUN; see npvpg report --help"),
    ):
        assert main(["report", *words.split()]) == 2
        assert capsys.readouterr().err == f"npvpg: error: {error}\n"


def test_a_warning_leads_to_what_it_means(copy: Path) -> None:
    path = Path("fast-1/summary.json")
    summary = json.loads(path.read_text())
    summary["warnings"] = [
        "one update moved the policy by a KL of 0.2 nat (docs/diagnostics.md#kl-jumps)",
        "something <new> (docs/diagnostics.md#new)",
    ]
    path.write_text(json.dumps(summary))
    summary = json.loads(Path("fast-0/summary.json").read_text())
    summary["warnings"] = []
    Path("fast-0/summary.json").write_text(json.dumps(summary))
    report.write(Path("a.html"), [Path("fast-0"), Path("fast-1")])
    page = Path("a.html").read_text()
    assert '<a href="#kl-jumps">one update moved the policy by a KL of 0.2 nat</a>' in page
    assert page.count('id="kl-jumps"') == 1
    assert "1 of 2 runs: fast-1." in page
    assert "something &lt;new&gt;" in page
    report.write(Path("a.html"), [Path("fast-0")])
    assert "No run warned of anything." in Path("a.html").read_text()


def test_a_small_film_lies_in_the_page_and_a_large_one_beside_it(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("slow-0", "fast-0"):
        Path(name, "videos").mkdir()
        for step in (1, 2):
            Path(name, "videos", f"step-00000{step}.mp4").write_bytes(b"%d" % step * 90)
    Path("fast-0/watch.gif").write_bytes(b"gif" * 20)
    monkeypatch.setattr(report_film, "LARGEST", 100)
    Path("out").mkdir()
    report.write(Path("out/a.html"), [Path("slow-0"), Path("fast-0")])
    page = Path("out/a.html").read_text()
    held = base64.b64encode(b"2" * 90).decode()
    assert f'src="data:video/mp4;base64,{held}"' in page
    (way,) = re.findall(r'<a href="([^"#]*)">', page)
    assert (Path("out") / way).read_bytes() == b"gif" * 20
    assert "data:image/gif" not in page
    report.write(Path("out/a.html"), [Path("fast-0")])
    assert "data:image/gif;base64," in Path("out/a.html").read_text()


def test_names_are_escaped(copy: Path) -> None:
    odd = Path('<i>&"x"')
    Path("fast-0").rename(odd)
    report.write(Path("a.html"), [odd, Path("fast-1"), Path("slow-0")])
    page = Path("a.html").read_text()
    assert "<i>" not in page
    assert "&lt;i&gt;&amp;&quot;x&quot;" in page


def test_no_number_of_a_run_is_made_up(copy: Path) -> None:
    """A mean over those seeds that have a number would be that of survivors."""
    _no_summary(Path("fast-1"))
    report.write(Path("a.html"), [Path("fast-0"), Path("fast-1")])
    told = text_of(Path("a.html"))
    row = told[told.index("seeds 0-1") : told.index("Return: mean")].split()
    ends = [read(one)[0].score for one in alike.read([Path("fast-0"), Path("fast-1")])[0]]
    assert row[2:5] == ["2", "1,024", number(over_seeds(ends)["iqm"])]  # type: ignore[index]
    assert " ".join(row).count("0 of 2 1 not finished – – – ") == 1  # sampled, greedy, best


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (commands,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in commands.splitlines():
        command, *words = shlex.split(line, comments=True)
        assert command == "npvpg"
        jobs = ["--jobs", "1"] if words[0] == "train" else []
        assert main([*words, *jobs]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "compared.html"}
    assert Path("runs/adam/report.html").is_file()
    assert "ends better than" in text_of(Path("compared.html"))


@pytest.mark.skipif(browser.found() is None, reason="there is no chromium")
def test_it_opens_wide_and_narrow_light_and_dark(copy: Path) -> None:
    pytest.importorskip("playwright.sync_api")
    Path("pages").mkdir()
    _no_summary(Path("fast-1"))
    names = ["slow-0", "slow-1", "fast-0", "fast-1"]
    report.write(Path("pages/all.html"), [Path(name) for name in names])
    report.write(Path("pages/one.html"), [Path("slow-0")])
    chromium = browser.found() or ""
    pages = sorted(Path("pages").iterdir())
    assert list(browser.complaints(Path("pages"), chromium, pages)) == []
