import importlib.util
import json
import tomllib
from pathlib import Path

import pytest

import npvpg
from npvpg import theirs

ROOT = Path(npvpg.__file__).parents[1]


def load(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_the_place_is_the_last_line_of_the_user_s_own_that_took_part(tmp_path: Path) -> None:
    text = "import json\n\n\ndef f():\n    json.loads('x')\n\n\nf()\n"
    with pytest.raises(json.JSONDecodeError) as caught:
        load(tmp_path / "mine.py", text)
    assert theirs.told(caught.value).startswith("JSONDecodeError: Expecting value: ")
    assert theirs.told(caught.value).endswith(f" ({tmp_path}/mine.py:5)")
    assert [frame.name for frame in theirs.frames(caught.value)][-2:] == ["<module>", "f"]


def test_a_package_that_is_installed_is_the_user_s_unless_it_is_below_us(tmp_path: Path) -> None:
    for package, is_theirs in (("world", True), ("gymnasium", False), ("numpy", False)):
        path = tmp_path / "site-packages" / package / "made.py"
        with pytest.raises(ZeroDivisionError) as caught:
            load(path, "1 / 0")
        assert (str(path) in theirs.told(caught.value)) is is_theirs


def test_what_an_error_came_from_is_seen_though_it_was_not_to_be_shown(tmp_path: Path) -> None:
    def hide() -> None:
        try:
            load(tmp_path / "mine.py", "1 / 0")
        except ZeroDivisionError:
            raise ValueError("told otherwise") from None

    with pytest.raises(ValueError, match="told") as caught:
        hide()
    files = [frame.filename for frame in theirs.frames(caught.value)]
    assert f"{tmp_path}/mine.py" in files


def test_the_version_and_the_marker_of_types_stand_in_the_package_alone() -> None:
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"] == {"path": "npvpg/__init__.py"}
    assert Path(npvpg.__file__).with_name("py.typed").is_file()
