"""Colours and signs that stay apart, and pictures that no setting of the process spoils."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from npvpg.runs.algorithms import ALGORITHMS
from npvpg.show import pictures

# Vienot, Brettel and Mollon 1999: what a deuteranope sees, in linear RGB
DEUTERANOPE = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def lab(color: str, *, deuteranope: bool) -> np.ndarray:
    """Colour in CIE Lab, D65."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if deuteranope:
        linear = np.clip(DEUTERANOPE @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ linear
        / [0.9505, 1.0, 1.089]
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deuteranope", [False, True])
def test_the_six_algorithms_stay_apart(deuteranope: bool) -> None:
    names = {values["estimator"] for values in ALGORITHMS.values() if "estimator" in values}
    assert len(names) == 6
    styles = [pictures.OF_ESTIMATOR[name] for name in names]
    seen = [lab(style.color, deuteranope=deuteranope) for style in styles]
    apart = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
    assert apart > 15  # a difference of 2 is just noticeable
    for part in ("color", "dashes", "marker"):
        assert len({getattr(style, part) for style in pictures.STYLES}) >= 7


def test_the_scale_becomes_lighter_step_by_step() -> None:
    lightness = [lab(pictures.scale(k / 9), deuteranope=False)[0] for k in range(10)]
    steps = np.diff(lightness)
    assert steps.min() > 4
    assert steps.max() < 2 * steps.min()
    assert lightness[-1] < 90


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["module://nowhere.backend_inline", "nonsense", "tkagg", ""])
def test_a_figure_is_drawn_whatever_backend_is_set(tmp_path: Path, backend: str) -> None:
    code = (
        "import os, sys; from pathlib import Path; from npvpg.show import pictures;"
        "pictures.save(pictures.figure(2, 2), Path(sys.argv[1]));"
        "assert os.environ['MPLBACKEND'] == sys.argv[2]"
    )
    path = tmp_path / "a.png"
    env = os.environ | {"MPLBACKEND": backend}
    subprocess.run([sys.executable, "-c", code, str(path), backend], check=True, env=env)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_backend_of_a_notebook_is_left_to_it() -> None:
    code = (
        "from npvpg.show import pictures; pictures.figure(2, 2); import matplotlib;"
        "assert matplotlib.rcParams._get('backend') == 'svg'"
    )
    env = os.environ | {"MPLBACKEND": "svg"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_a_picture_that_fails_is_told_and_nothing_more() -> None:
    told: list[str] = []
    with pictures.spared(told.append):
        raise RuntimeError("latex could\nnot be found")
    with pictures.spared(told.append):
        raise KeyError
    with pictures.spared(told.append):
        pass
    assert told == ["none was drawn: latex could not be found", "none was drawn: KeyError"]
    with pytest.raises(KeyboardInterrupt), pictures.spared(told.append):
        raise KeyboardInterrupt
