from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from npvpg.lab.exact import Process, gradient, occupancy, random_process, solve


@pytest.fixture
def process() -> Process:
    return random_process(np.random.default_rng(0), 2, 3, 4, 0.9)


def test_sizes(process: Process) -> None:
    assert (process.n_states, process.n_actions) == (2, 3)
    assert process.final.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reward": np.zeros((2, 3, 2))}, r"reward must have shape \(2, 3, 3\)"),
        ({"transition": np.zeros((2, 3))}, "transition must have shape"),
        ({"transition": np.zeros((2, 3, 3))}, "transition must hold probabilities"),
        ({"initial": np.array([1.5, -0.5])}, "initial must hold probabilities"),
        ({"initial": np.array([np.nan, 1.0])}, "initial must hold probabilities"),
        ({"final": np.zeros(3)}, r"final must have shape \(2,\), got \(3,\)"),
        ({"final": np.array([0.0, np.inf])}, "final must be finite, got inf at index 1"),
        ({"horizon": 0}, "horizon must be at least 1, got 0"),
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\], got 1.5"),
    ],
)
def test_what_is_no_process_is_refused(
    process: Process, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(process, **change)


def test_shapes_are_checked(process: Process) -> None:
    wrong = np.full((3, 2), 0.5)
    for function in (solve, occupancy):
        with pytest.raises(ValueError, match=r"pi must have shape \(2, 3\), got \(3, 2\)"):
            function(process, wrong)
    with pytest.raises(ValueError, match="score must have shape"):
        gradient(process, np.full((2, 3), 1 / 3), np.zeros((2, 3)))


def test_a_process_is_drawn_from_its_generator() -> None:
    first, again = (random_process(np.random.default_rng(7), 3, 2, 4, 1.0) for _ in range(2))
    assert np.array_equal(first.transition, again.transition)
    with pytest.raises(ValueError, match="n_states must be at least 1, got 0"):
        random_process(np.random.default_rng(0), 0, 2, 4, 1.0)
