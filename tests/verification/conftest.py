"""A tiny repository with a library of one function, and claims of every kind about it."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = '''
TWO = 2


def double(x):
    """Twice x."""
    return x + x


def unclaimed(x):
    return x
'''
PROOFS = """
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npvpg.arithmetic import double
from verification.claims import claim, observe

about = ("npvpg.arithmetic.double",)
told = dict(title="t", statement="x", words="w", assumptions="a", source="s", method="m",
            tolerance=1.0, tolerance_reason="r", about=about)


@settings(max_examples=20)
@given(st.integers(0, 9))
@claim(name="A1", **told)
def test_given_outside(x):
    observe(abs(double(x) - 2 * x), 1.0, f"x = {x}")


@claim("A1")
@pytest.mark.parametrize("x", [1, 2])
@given(st.just(0))
def test_given_inside(x, y):
    observe(abs(double(x) - 2 * x) + x / 10, 1.0, lambda: f"at {x}")


@claim(name="A2", **told)
def test_exact():
    observe(0, 0)


@claim(name="A10", **told)
def test_wrong():
    observe(0.5, 1.0, "small")
    observe(2.0, 1.0, "large")


@claim(name="B1", **told)
def test_nan():
    observe(float("nan"), 1.0)


@claim(name="B2", **told)
def test_skipped():
    pytest.skip("no time")


@claim(name="B3", **told)
def test_silent():
    assert double(1) == 2


@claim(name="B4", **told)
def test_crash():
    observe(0, 1)
    raise KeyError("lost")


@claim(name="B5", **told)
def test_half():
    observe(0, 1)


@claim("B5")
def test_other_half_is_slow():
    observe(0, 1)


@claim("B6")
def test_unstated():
    observe(0, 1)


@claim(name="B7", **told)
def test_swallowed():
    with pytest.raises(AssertionError):
        observe(2, 1)


@claim(name="B8", **told)
@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    observe(0, 1)
    raise KeyError


def test_that_speaks_for_no_claim():
    raise RuntimeError
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Root of the tiny repository; the machinery in it is the real one."""
    (tmp_path / "npvpg").mkdir()
    (tmp_path / "npvpg" / "__init__.py").touch()
    (tmp_path / "npvpg" / "arithmetic.py").write_text(LIBRARY, encoding="utf-8")
    mathematics = tmp_path / "verification" / "mathematics"
    mathematics.mkdir(parents=True)
    for name in ("__init__.py", "claims.py", "plugin.py", "planted.py"):
        shutil.copy(ROOT / "verification" / name, tmp_path / "verification" / name)
    (mathematics / "__init__.py").touch()
    (mathematics / "test_arithmetic.py").write_text(PROOFS, encoding="utf-8")
    settings = '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    return tmp_path
