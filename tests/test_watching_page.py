"""Every command and every block of Python on the page runs."""

import contextlib
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from npvpg.command.main import main

PAGE = Path(__file__).parents[1] / "docs" / "watching.md"

pytestmark = [
    pytest.mark.skipif(find_spec("pygame") is None, reason="pygame is not installed"),
    pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    names: dict[str, Any] = {}
    n_commands = 0
    for kind, body in re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        if kind == "python":
            exec(compile(body, str(PAGE), "exec"), names)
            continue
        assert kind == "sh"
        for line in body.splitlines():
            words, _, target = line.partition(" > ")
            command, *rest = shlex.split(words)
            assert command == "npvpg"
            with contextlib.ExitStack() as stack:
                if target:
                    file = stack.enter_context(Path(target).open("w"))
                    stack.enter_context(contextlib.redirect_stdout(file))
                assert main(rest) == 0, line
            n_commands += 1
    assert n_commands == 11
    sys.modules.pop("cart_policy", None)
    left = {path.name for path in tmp_path.iterdir() if path.name != "__pycache__"}
    assert left == {"runs", "cart.gif", "cart_policy.py", "npvpg.bash"}
    suffix = "mp4" if find_spec("imageio_ffmpeg") else "gif"
    assert (tmp_path / "runs" / "cart" / f"watch.{suffix}").is_file()
    films = [path.name for path in (tmp_path / "runs" / "pendulum" / "videos").iterdir()]
    assert sorted(films) == [f"step-000010240.{suffix}", f"step-000020480.{suffix}"]
    assert names["action"].shape == (1,)
    assert names["action"][0] == names["cart_policy"].act(names["obs"])


def test_what_the_page_says_of_peers(capsys: pytest.CaptureFixture[str]) -> None:
    line = re.search(r"`npvpg (train CartPole-v1 --n-steps 5)`", PAGE.read_text("utf-8"))
    assert line is not None
    assert main(line.group(1).split()) == 2
    assert "here it is --horizon" in capsys.readouterr().err
