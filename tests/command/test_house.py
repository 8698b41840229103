"""List, doctor, completion, and the names that other libraries use."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

import gymnasium
import pytest

from npvpg.command.help import text
from npvpg.command.house import Completion
from npvpg.command.main import main
from npvpg.command.names import COMMANDS
from npvpg.command.parser import fields_of, read
from npvpg.command.peers import _NAMES
from npvpg.command.play import Watch
from npvpg.command.train import Train
from npvpg.jobs import health
from npvpg.kernels import compiler
from npvpg.runs import catalogue, config_file
from verification.learning.report import expected

ROOT = Path(__file__).parents[2]
PRESETS = {file.stem for file in config_file.PRESETS.glob("*.toml")}


def test_the_figures_are_those_of_the_page() -> None:
    """In one place: what the package knows is what the page says."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    known = tomllib.loads(catalogue.EXPECTED.read_text(encoding="utf-8"))
    assert set(known) == PRESETS
    for line in page.splitlines():
        env = line.strip("| ").partition(" ")[0]
        if line.startswith("|") and env in known:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            numbers = [float(n.replace(",", "")) for n in re.findall(r"-?[\d.,]*\d", cells[3])]
            assert numbers == [known[env]["return"], *known[env]["interval"]]
            assert float(cells[-1]) == known[env]["seconds"]


def test_they_are_written_from_the_page() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(("| CartPole", "| Pendulum"))]
    short = "\n".join(["<!-- results:begin -->", *rows, "<!-- results:end -->"])
    known = tomllib.loads(catalogue.EXPECTED.read_text(encoding="utf-8"))
    assert tomllib.loads(expected(short)) == {
        env: known[env] for env in ("Pendulum-v1", "CartPole-v1")
    }


def test_list_names_every_preset_and_what_else_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for env in PRESETS:
        assert re.search(rf"^{re.escape(env)} ", out, re.MULTILINE)
    assert re.search(r"^CartPole-v1 .* 2 choices +300,000 +500 \(.*compiled$", out, re.MULTILINE)
    assert "Taxi-v" in out
    assert "npvpg/" not in out
    for env in re.findall(r"\w+-v\d", out.partition("without a preset")[2]):
        assert env in gymnasium.registry


def test_what_is_missing_is_said_how_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda _: None)
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert re.search(r'^Hopper-v5 .*pip install "gymnasium\[mujoco\]"$', out, re.MULTILINE)
    assert "BipedalWalker" not in out


def test_doctor_finds_all_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for name in health.BELOW:
        assert re.search(rf"{name} \d", out)
    assert str(compiler.place()) in out
    assert re.search(r"^gradient +ok", out, re.MULTILINE)
    assert re.search(r"^a run +ok .*the same bytes$", out, re.MULTILINE)
    assert " NO " not in out


def test_doctor_tells_what_is_ill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "find_spec", lambda _: None)
    monkeypatch.setattr(compiler, "place", lambda: None)
    monkeypatch.setattr(health, "CLOSE", -1.0)
    monkeypatch.setattr(health, "_run", lambda: health.Finding("a run", "different bytes", False))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^kernels +NO +no folder", out, re.MULTILINE)
    assert re.search(r"^gradient +NO", out, re.MULTILINE)
    lacking = 'extra video not installed: pip install "gymnasium[classic-control]"'
    assert lacking in " ".join(out.split())


def test_every_extra_of_the_package_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    ours = set(extras) - {"test", "mutation", "docs"}
    assert set(health.EXTRAS) <= ours
    for name in health.EXTRAS:
        _, packages = health.EXTRAS[name]
        assert set(packages.replace('"', "").split()) == {
            package.partition(">")[0] for package in extras[name]
        }


@pytest.mark.parametrize("name", sorted(_NAMES))
def test_every_name_of_a_peer_leads_to_a_flag(name: str) -> None:
    fields = {**fields_of(Watch), **fields_of(Train)}
    assert set(_NAMES[name].split()) <= set(fields)
    assert name not in fields


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--learning-rate", "unknown flag --learning-rate (here it is --policy-lr and --value-lr)"),
        ("--n_steps", "unknown flag --n_steps (here it is --horizon)"),
        ("--total-timesteps=9", "unknown flag --total-timesteps (here it is --steps)"),
        ("--num-envs", "unknown flag --num-envs (here it is --envs)"),
        ("--ent-coef", "unknown flag --ent-coef (here it is --entropy-weight)"),
    ],
)
def test_peers_names_lead_to_ours(flag: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        read(Train, ["CartPole-v1", flag, "1"])


def test_the_help_of_train_is_in_groups_and_every_flag_has_its_unit() -> None:
    whole = text(Train, {})
    titles = ("what to train", "collecting", "weighing", "policy step", "value fit", "evaluation")
    at = [whole.index(f"\n{title}\n") for title in (*titles, "output")]
    assert at == sorted(at)
    for field in fields_of(Train).values():
        if field.kind is not bool and not field.is_word:
            assert re.search(rf"^  {field.flag} \S", whole, re.MULTILINE), field.flag


ASKED = [
    ("npvpg tra", "train"),
    ("npvpg train --video-e", "--video-every"),
    ("npvpg train --no-normalize-o", "--no-normalize-obs"),
    ("npvpg train --estimator reward", "reward-to-go"),
    ("npvpg train CartP", "CartPole-v1"),
    ("npvpg export --format on", "onnx"),
    ("npvpg completion z", "zsh"),
    ("npvpg watch pypro", "pyproject.toml"),
    ("npvpg train --resume pypro", "pyproject.toml"),
]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh", "fish"):
        with pytest.MonkeyPatch.context() as patch:
            printed: list[str] = []
            patch.setattr("builtins.print", lambda text, end="", kept=printed: kept.append(text))
            assert main(["completion", shell]) == 0
        (folder / shell).write_text("".join(printed))
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(scripts: Path) -> None:
    lines = [f"source {scripts / 'bash'}"]
    for line, _ in ASKED:
        words = line.split()
        lines.append(
            f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _npvpg; "
            'echo "${COMPREPLY[@]}"'
        )
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines() == [want for _, want in ASKED]
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize(("line", "want"), ASKED)
def test_fish_completes(scripts: Path, line: str, want: str) -> None:
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {scripts / 'fish'}; complete -C {line!r}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert [found.partition("\t")[0] for found in done.stdout.splitlines()] == [want]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes(scripts: Path) -> None:
    """In a terminal of its own, by the tabulator: its completion works nowhere else."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.update({"TERM": "dumb", "PS1": "> "})
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:

        def until(want: str, patience: float = 60.0) -> str:
            seen, end = "", time.monotonic() + patience
            while want not in seen and time.monotonic() < end:
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 65536).decode(errors="replace")
            return seen

        until("> ")
        os.write(terminal, f"source {scripts / 'zsh'}; echo rea''dy\n".encode())
        assert "ready" in until("ready")
        for line, want in ASKED:
            whole = " ".join([*line.split()[:-1], want])
            os.write(terminal, f"\x15{line}\t".encode())
            assert whole in until(whole)
    finally:
        os.write(terminal, b"\x15exit\n")
        os.waitpid(pid, 0)
        os.close(terminal)


def test_every_command_and_flag_is_in_every_script(scripts: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        written = (scripts / shell).read_text()
        for name in COMMANDS:
            assert name in written
        for field in fields_of(Train).values():
            if not field.is_word:
                assert (field.flag if shell != "fish" else f"-l {field.flag[2:]}") in written


def test_only_known_shells() -> None:
    with pytest.raises(ValueError, match="SHELL must be one of bash, zsh, fish, got 'tcsh'"):
        read(Completion, ["tcsh"])
