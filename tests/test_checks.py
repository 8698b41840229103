import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg import checks

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(1)])
def test_the_unit_interval_is_closed(value: float) -> None:
    checks.unit_interval(gamma=value, lam=value)


@pytest.mark.parametrize("value", [-1e-9, 1.2, NAN, INF])
def test_outside_the_unit_interval(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^lam must lie in \[0, 1\], got {value}$"):
        checks.unit_interval(gamma=0.5, lam=value)


def test_at_least_allows_the_minimum_and_none() -> None:
    checks.at_least(1, n=1, size=None)


@pytest.mark.parametrize("value", [0, 0.999, -INF, NAN])
def test_below_the_minimum(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^n must be at least 1, got {value}$"):
        checks.at_least(1, n=value)


def test_positive_allows_none_and_the_smallest_number() -> None:
    checks.positive(lr=5e-324, max_grad_norm=None)


@pytest.mark.parametrize("value", [0, -0.0, -1, INF, NAN])
def test_not_positive(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^lr must be positive and finite, got {value}$"):
        checks.positive(lr=value)


@pytest.mark.parametrize(
    ("expected", "given"), [((3,), (3,)), ((-1, 2), (0, 2)), ((), ()), ((-1,), (7,))]
)
def test_shapes_that_pass(expected: tuple[int, ...], given: tuple[int, ...]) -> None:
    checks.shape(expected, x=np.zeros(given))


@pytest.mark.parametrize(
    ("expected", "given", "wanted"),
    [
        ((3,), (3, 1), "(3,)"),
        ((3,), (1,), "(3,)"),
        ((3,), (), "(3,)"),
        ((-1, 2), (2,), "(any, 2)"),
        ((-1, 2), (4, 1), "(any, 2)"),
    ],
)
def test_what_would_broadcast_is_refused(
    expected: tuple[int, ...], given: tuple[int, ...], wanted: str
) -> None:
    message = re.escape(f"x must have shape {wanted}, got {given}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        checks.shape(expected, first=np.zeros([max(n, 0) for n in expected]), x=np.zeros(given))


def test_finite_passes_nothing_and_integers() -> None:
    checks.finite(x=np.zeros(0), y=np.arange(3))


@pytest.mark.parametrize(
    ("x", "got"),
    [
        (np.array([0.0, NAN, INF]), "nan at index 1"),
        (np.array([-INF], np.float32), "-inf at index 0"),
        (np.array([[0.0, 1.0], [INF, 1.0]]), r"inf at index \(1, 0\)"),
    ],
)
def test_the_first_entry_that_is_not_finite_is_named(x: NDArray[Any], got: str) -> None:
    with pytest.raises(ValueError, match=f"^x must be finite, got {got}$"):
        checks.finite(x=x)


def test_offsets_that_pass() -> None:
    checks.offsets(np.array([0, 1, 3]), 3)
    checks.offsets(np.array([0]), 0)


@pytest.mark.parametrize(
    "start",
    [[0, 2], [0, 4], [1, 3], [0, 2, 2, 3], [0, 2, 1, 3], [], [[0, 3]], [0.0, 3.0]],
)
def test_what_is_no_list_of_offsets(start: Any) -> None:
    with pytest.raises(ValueError, match=r"^start must rise strictly from 0 to 3, got \["):
        checks.offsets(np.array(start), 3)
