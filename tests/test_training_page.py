"""Everything that docs/training.md says is run, with fakes for tools that are not ours."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import npvpg
from npvpg.command.main import main

PAGE = (Path(npvpg.__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^npvpg (.*)$", PAGE, re.MULTILINE)
WRAPPERS, LOOP = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_every_command_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    Path("wrappers.py").write_text(WRAPPERS)
    assert len(COMMANDS) == 8
    for line in COMMANDS:
        assert main(line.split()) == 0, line
    for file in (
        "first/best.safetensors",
        "first/evaluations.csv",
        "first/curve-entropy-time.csv",
        "second/summary.json",
        "logged/metrics.jsonl",
        "logged/tensorboard",
    ):
        assert Path("runs", file).exists()
    sys.modules.pop("wrappers", None)


class Fake(ModuleType):
    """Takes what a tool is told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.config: dict[str, Any] = {}

    def init(self, *, project: str, config: dict[str, Any]) -> None:
        self.config = config

    def start_run(self) -> "Fake":
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def log(self, numbers: dict[str, float], *, step: int) -> None:
        assert all(isinstance(value, float) for value in numbers.values())
        self.logged.append((step, numbers))

    log_metrics = log


def test_the_loop_needs_no_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = Fake("wandb"), Fake("mlflow")
    for fake in fakes:
        monkeypatch.setitem(sys.modules, fake.__name__, fake)
    exec(compile(LOOP, "training.md", "exec"), {})
    assert fakes[0].config["env"] == "CartPole-v1"
    for fake in fakes:
        steps = [step for step, _ in fake.logged]
        assert steps == sorted(set(steps))
        assert steps[-1] >= 20_000
        assert {"kl", "entropy", "mean_return"} <= fake.logged[-1][1].keys()
