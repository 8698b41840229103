"""The hyperbolic tangent in loops, beside the one of the C library."""

from typing import Any

import numpy as np
import pytest
from numba import typeof

from npvpg.kernels import activations

KINDS = [np.float32, np.float64]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "_"], ids=["compiled", "plain"])
def test_close_to_the_library(kind: type[Any], prefix: str) -> None:
    # every size, on both sides of each multiple of log(2) / 2 that the reduction subtracts
    powers = 2.0 ** np.arange(-60, 6)
    steps = np.log(2) / 4 * np.arange(1, 120)
    x = np.concatenate([powers, steps * (1 - 1e-6), steps * (1 + 1e-6), [0.1, 0.77, 9.0, 25.0]])
    x = np.concatenate([x, -x]).astype(kind)
    want = np.tanh(x.astype(np.float64)).astype(kind)
    have, scratch = x.copy(), np.empty(x.size + 3, kind)
    name = f"{prefix}tanh{8 * x.itemsize}"
    getattr(activations, name)(have, scratch)
    assert have.dtype == kind
    assert (np.abs(have - want) <= 2 * np.spacing(np.abs(want))).all()
    assert np.array_equal(have[: x.size // 2], -have[x.size // 2 :])  # odd, to the last bit


@pytest.mark.parametrize("prefix", ["", "_"], ids=["compiled", "plain"])
@pytest.mark.parametrize(("kind", "bound"), [(np.float32, 1.5), (np.float64, 1.75)])
def test_what_rounding_takes_is_given_back(kind: type[Any], bound: float, prefix: str) -> None:
    # Without either of the two corrections the largest error is about 2 units, or 2.7.
    rng = np.random.default_rng([98, 0])
    x = np.concatenate([rng.uniform(0, 1.5, 8000), np.exp(rng.uniform(-6, 2.5, 8000))]).astype(kind)
    have = x.copy()
    getattr(activations, f"{prefix}tanh{8 * x.itemsize}")(have, np.empty_like(have))
    want = np.tanh(x.astype(np.longdouble))
    unit = np.spacing(want.astype(kind)).astype(np.longdouble)
    assert (np.abs(have.astype(np.longdouble) - want) / unit).max() <= bound


@pytest.mark.parametrize("kind", KINDS)
def test_special_numbers(kind: type[Any]) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30], kind)
    activations.tanh(x, np.empty_like(x))
    want = np.array([0.0, -0.0, 1, -1, np.nan, 1, -1, 1e-30], kind)
    assert x.tobytes() == want.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_code_chooses_by_the_type(kind: type[Any]) -> None:
    x = np.array([0.3, -2.0], kind)
    want = x.copy()
    activations.tanh(want, np.empty_like(want))
    call = activations._typed_tanh(typeof(x), typeof(x))
    call(x, np.empty_like(x))
    assert x.tobytes() == want.tobytes()


def test_nothing() -> None:
    activations.tanh(np.zeros(0), np.zeros(0))
