import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from safetensors.numpy import save_file

from npvpg.runs import checkpoint, files

NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
)
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
METADATA = st.dictionaries(st.text(), JSON, max_size=4)
LAYOUTS = st.sampled_from([np.asarray, np.transpose, np.atleast_1d, lambda a: a.reshape(-1)[::-2]])


def assert_same_bits(loaded: NDArray[Any], saved: NDArray[Any]) -> None:
    native = np.array(saved, dtype=saved.dtype.newbyteorder("="), order="C")
    assert loaded.dtype == native.dtype
    assert loaded.dtype.isnative
    assert loaded.shape == native.shape
    assert loaded.tobytes() == native.tobytes()


@settings(deadline=None)
@given(
    st.dictionaries(st.text(min_size=1).filter(lambda s: s != "__metadata__"), ARRAYS, max_size=4),
    METADATA,
    LAYOUTS,
)
def test_everything_comes_back_bit_for_bit(
    arrays: dict[str, NDArray[Any]], metadata: dict[str, Any], layout: Any
) -> None:
    arrays = {name: layout(array) for name, array in arrays.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.safetensors")
        checkpoint.save(path, arrays, metadata)
        loaded, read = checkpoint.load(path)
    assert read == metadata
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert_same_bits(loaded[name], array)


@pytest.mark.parametrize(
    "array",
    [
        np.array(0.1),
        np.array(True),
        np.array([-0.0, np.nan, np.inf, 5e-324]),
        np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f"),  # a NaN with a payload
        np.array([2**63 - 1, -(2**63)]),
        np.empty((0, 3), np.float32),
        np.arange(6.0).astype(">f8").reshape(2, 3).T,
        np.arange(6, dtype=">i8")[::-2],
        np.broadcast_to(np.float32(0.1), (2, 2)),
    ],
)
def test_corners_come_back_bit_for_bit(tmp_path: Path, array: NDArray[Any]) -> None:
    checkpoint.save(tmp_path / "a", {"x": array}, {})
    loaded, _ = checkpoint.load(tmp_path / "a")
    assert_same_bits(loaded["x"], array)


def test_loaded_arrays_are_the_callers_own(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a", {"x": np.zeros(2)}, {})
    for _ in range(2):
        loaded, _ = checkpoint.load(tmp_path / "a")
        loaded["x"] += 1
        assert loaded["x"].tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.complex128, object, "U3", "M8[s]", np.longdouble])
def test_an_array_that_the_file_cannot_hold_is_refused(tmp_path: Path, dtype: Any) -> None:
    with pytest.raises(ValueError, match="theta must hold booleans, integers or floats, got"):
        checkpoint.save(tmp_path / "a", {"theta": np.zeros(2, dtype)}, {})
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_are_not_json_are_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    checkpoint.save(path, {}, {"step": 1})
    with pytest.raises(ValueError, match="metadata must be JSON"):
        checkpoint.save(path, {}, {"step": np.zeros(2)})
    assert checkpoint.load(path) == ({}, {"step": 1})


def test_every_truncation_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a"
    checkpoint.save(path, {"x": np.arange(3), "y": np.ones(2, bool)}, {"step": 1})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^[^\n]*a is truncated[^\n]*$"):
            checkpoint.load(path)


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*absent does not exist$"):
        checkpoint.load(tmp_path / "absent")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_other_file_is_told_in_one_line(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "foreign")
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^[^\n]*no checkpoint of npvpg[^\n]*$"):
            checkpoint.load(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"version": "1"}])
def test_the_tensors_of_another_program_are_foreign(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    save_file({"theta": np.zeros(3)}, tmp_path / "a", metadata=metadata)
    with pytest.raises(ValueError, match=r"a is no checkpoint of npvpg$"):
        checkpoint.load(tmp_path / "a")


@pytest.mark.parametrize("text", [None, "{", ""])
def test_a_checkpoint_without_its_dictionary_is_refused(tmp_path: Path, text: str | None) -> None:
    header = {"format": checkpoint.FORMAT, "version": checkpoint.VERSION}
    save_file({}, tmp_path / "a", metadata=header | ({} if text is None else {"metadata": text}))
    with pytest.raises(ValueError, match=r"^[^\n]*a is truncated or is no checkpoint[^\n]*$"):
        checkpoint.load(tmp_path / "a")


def test_a_later_version_of_the_format_is_named(tmp_path: Path) -> None:
    header = {"format": checkpoint.FORMAT, "version": "2", "metadata": json.dumps({})}
    save_file({}, tmp_path / "a", metadata=header)
    with pytest.raises(ValueError, match=r"version 2; this npvpg reads version 1$"):
        checkpoint.load(tmp_path / "a")


def test_a_directory_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no checkpoint of npvpg"):
        checkpoint.load(tmp_path)


class Bomb:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_loading_runs_no_code(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "a").write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match="is no checkpoint of npvpg"):
        checkpoint.load(tmp_path / "a")
    assert not trace.exists()
    pickle.loads((tmp_path / "a").read_bytes())
    assert trace.exists()  # the file was a bomb indeed


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    path = tmp_path / "a"
    checkpoint.save(path, {"x": np.zeros(3)}, {"step": 1})

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[stage], fail)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(path, {"x": np.ones(3)}, {"step": 2})
    assert checkpoint.load(path)[1] == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_reach_the_disk_before_the_name_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        order.append("directory" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        order.append("replace")
        assert self.parent == target.parent  # elsewhere it would be a copy
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    files.write_atomically(tmp_path / "a", b"x")
    assert [step.replace("directory", "file") for step in order] == ["file", "replace", "file"]
    if Path("/proc/self/fd").exists():
        assert order == ["file", "replace", "directory"]


def test_new_files_have_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    files.write_atomically(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


WRITER = """
import sys, numpy as np
from pathlib import Path
from npvpg.runs.checkpoint import save
for number in range(10**9):
    save(Path(sys.argv[1]), {"x": np.full(100_000, number)}, {"number": number})
"""


def test_a_reader_never_sees_half_a_file_and_a_kill_leaves_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    checkpoint.save(path, {"x": np.full(100_000, -1)}, {"number": -1})
    seen: set[Any] = set()
    with subprocess.Popen([sys.executable, "-c", WRITER, path]) as writer:
        try:
            while len(seen) < 5:
                assert writer.poll() is None
                arrays, metadata = checkpoint.load(path)
                assert (arrays["x"] == metadata["number"]).all()
                seen.add(metadata["number"])
        finally:
            writer.kill()
    arrays, metadata = checkpoint.load(path)
    assert (arrays["x"] == metadata["number"]).all()
