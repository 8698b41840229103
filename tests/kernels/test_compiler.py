"""The cache of compiled kernels, in processes of their own around a package of their own."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import njit

import npvpg
from npvpg.kernels import compiler
from npvpg.kernels.physics import cartpole
from npvpg.kernels.physics.loops import loops

PROGRAM = """
import numpy as np
from numba.core.event import install_recorder

with install_recorder("numba:compile") as compiled:
    from npvpg.kernels.physics import cartpole, mountain_car
    rows, steps = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for module, size in (cartpole, 4), (mountain_car, 2):
        state, obs = np.zeros((1, size)), np.zeros((1, size), np.float32)
        module.reset(np.full((1, size), 0.25), rows, state, steps, obs)
        print(obs.ravel().tolist(), end=" ")
print(len(compiled.buffer) // 2)
"""
RESULT = "[0.25, 0.25, 0.25, 0.25] [0.25, 0.0]"
CALLED = "        obs[j] = state[j]\n\n\ndraw"


class Place:
    """A package, and what its processes find around them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "npvpg"
        self.variables = {"PYTHONPATH": str(folder), "HOME": str(folder / "home")}

    def start(self, program: str = PROGRAM) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-B", "-c", program],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> str:
        out, err = self.start().communicate()
        assert err == ""
        return out.strip()

    def files(self) -> list[Path]:
        return sorted(self.package.rglob("*.nbc"))


def copied(folder: Path) -> Place:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(npvpg.__file__).parent, folder / "npvpg", ignore=ignored)
    return Place(folder)


@pytest.fixture
def cold(tmp_path: Path) -> Place:
    return copied(tmp_path)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose kernels were compiled by processes that began together."""
    place = copied(tmp_path_factory.mktemp("used"))
    processes = [place.start() for _ in range(2)]
    for process in processes:
        out, err = process.communicate()
        assert (out.startswith(RESULT), err) == (True, "")
    return place.folder


@pytest.fixture
def warm(used: Path, tmp_path: Path) -> Place:
    shutil.copytree(used / "npvpg", tmp_path / "npvpg")
    return Place(tmp_path)


@pytest.mark.slow
def test_processes_that_began_together_did_not_disturb_each_other(warm: Place) -> None:
    """And loops over functions are read back, those of each environment."""
    assert warm.run() == f"{RESULT} 0"
    assert not list(warm.package.rglob("*.part"))
    (folder,) = {file.parent for file in warm.files()}
    assert folder.parent == warm.package / "kernels" / "__pycache__"


@pytest.mark.slow
def test_a_kernel_follows_one_of_another_file(warm: Place) -> None:
    """The loop is in one file, what it calls in another."""
    file = warm.package / "kernels" / "physics" / "cartpole.py"
    source = file.read_text()
    assert CALLED in source
    file.write_text(source.replace(CALLED, CALLED.replace("state[j]", "2 * state[j]")))
    assert warm.run().startswith(RESULT.replace("[0.25, 0.25, 0.25, 0.25]", "[0.5, 0.5, 0.5, 0.5]"))
    file.write_text(source)
    assert warm.run() == f"{RESULT} 0"  # what was kept before


@pytest.mark.slow
def test_damaged_files_are_compiled_anew(warm: Place) -> None:
    files = warm.files()
    assert len(files) == 4  # draw and reset of both
    for file, damage in zip(files, ["empty", "cut", "changed", "replaced"], strict=True):
        content = file.read_bytes()
        changed = content[:-99] + bytes([content[-99] ^ 1]) + content[-98:]
        whole = hashlib.sha256(b"no pickle").digest() + b"no pickle"
        bad = {"empty": b"", "cut": content[:-1], "changed": changed, "replaced": whole}
        file.write_bytes(bad[damage])
    assert warm.run() == f"{RESULT} 4"
    assert warm.run() == f"{RESULT} 0"
    assert warm.files() == files


@pytest.mark.slow
def test_the_users_folder_serves_where_the_package_cannot_be_written(cold: Place) -> None:
    (cold.package / "kernels" / "__pycache__").write_text("no folder")
    assert cold.run() == f"{RESULT} 4"
    assert cold.run() == f"{RESULT} 0"
    assert list((cold.folder / "home").rglob("*.nbc"))


def test_without_a_place_it_compiles_and_says_so(cold: Place) -> None:
    cold.variables["HOME"] = "/dev/null"
    (cold.package / "kernels" / "__pycache__").write_text("no folder")
    out, err = cold.start().communicate()
    assert out == f"{RESULT} 4\n"
    assert err.count("compiled kernels are not kept: no folder for them can be written") == 1
    assert err.count("Warning") == 1


def test_a_place_that_was_named_is_the_only_one(warm: Place) -> None:
    warm.variables["NUMBA_CACHE_DIR"] = str(warm.folder / "here")
    assert warm.run() == f"{RESULT} 4"
    assert len(list((warm.folder / "here").rglob("*.nbc"))) == 4
    warm.variables["NUMBA_CACHE_DIR"] = "/dev/null/nowhere"
    _, err = warm.start("from npvpg.kernels import compiler; compiler.place()").communicate()
    assert "set NUMBA_CACHE_DIR to one that can" in err


def test_a_disk_that_is_full_stops_nothing(cold: Place) -> None:
    full = "import pathlib\ndef write(*_): raise OSError\npathlib.Path.write_bytes = write\n"
    out, err = cold.start(full + PROGRAM).communicate()
    assert (out, err) == (f"{RESULT} 4\n", "")
    assert not cold.files()


def test_bounds_are_checked_in_other_code(warm: Place) -> None:
    warm.variables["NUMBA_BOUNDSCHECK"] = "1"
    assert warm.run() == f"{RESULT} 4"


def test_folders_of_other_sources_are_forgotten_in_the_end(warm: Place) -> None:
    parent = warm.package / "kernels" / "__pycache__"
    (folder,) = parent.glob("npvpg-*")
    for i in range(12):
        (parent / f"npvpg-{i}").mkdir()
    file = warm.package / "kernels" / "physics" / "pendulum.py"
    file.write_text(file.read_text() + "# other sources\n")
    warm.start("from npvpg.kernels import compiler; compiler.place()").communicate()
    left = list(parent.glob("npvpg-*"))
    assert len(left) == compiler.KEPT_FOLDERS
    assert folder not in left


def test_what_is_around_a_users_function_is_not_kept() -> None:
    def draw(noise: object, state: object, obs: object) -> None: ...

    compiled: Any = njit(draw)
    reset, step = (
        getattr(loop, "_cache", None) for loop in loops(compiled, cartpole.move, n_actions=2)
    )
    assert not isinstance(reset, compiler.KernelCache)
    assert isinstance(step, compiler.KernelCache)
