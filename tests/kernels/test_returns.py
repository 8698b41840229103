"""Sums over time, on two short trajectories that can be worked by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from npvpg.kernels import returns

# The first trajectory was cut in a state of value 8, the second terminated.
REW = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
VAL = np.array([2.0, 4.0, 6.0, 8.0, 10.0])
LAST_VAL = np.array([8.0, 0.0])
START = np.array([0, 3, 5])
NOTHING = np.zeros(0)

WORKED: list[tuple[str, tuple[Any, ...], list[float]]] = [
    ("discounted_sum", (REW, LAST_VAL, START, 0.5), [4, 6, 8, 16, 16]),
    ("total_return", (REW, START, 0.5), [3, 3, 3, 16, 16]),
    ("td_residual", (REW, VAL, LAST_VAL, START, 0.5), [1, 1, 2, 5, 6]),
    ("n_step", (REW, VAL, LAST_VAL, START, 0.5, 1), [1, 1, 2, 5, 6]),
    ("n_step", (REW, VAL, LAST_VAL, START, 0.5, 2), [1.5, 2, 2, 8, 6]),
    ("n_step", (REW, VAL, LAST_VAL, START, 0.5, 3), [2, 2, 2, 8, 6]),
    ("n_step", (REW, VAL, LAST_VAL, START, 0.5, 99), [2, 2, 2, 8, 6]),
    ("gae", (REW, VAL, LAST_VAL, START, 0.5, 0.5), [1.375, 1.5, 2, 6.5, 6]),
    ("gae", (REW, VAL, LAST_VAL, START, 0.5, 0.0), [1, 1, 2, 5, 6]),
    ("gae", (REW, VAL, LAST_VAL, START, 0.5, 1.0), [2, 2, 2, 8, 6]),
    ("discount_weights", (START, 0.5), [1, 0.5, 0.25, 1, 0.5]),
]


@pytest.mark.parametrize("prefix", ["", "_"], ids=["compiled", "plain"])
@pytest.mark.parametrize(("name", "arguments", "want"), WORKED)
def test_worked_by_hand(
    prefix: str, name: str, arguments: tuple[Any, ...], want: list[float]
) -> None:
    have = getattr(returns, prefix + name)(*arguments)
    assert have.tolist() == want
    assert have.dtype == np.float64


@pytest.mark.parametrize(("name", "arguments", "want"), WORKED)
def test_a_trajectory_does_not_see_the_others(
    name: str, arguments: tuple[Any, ...], want: list[float]
) -> None:
    def second(x: Any) -> Any:
        if x is START:
            return np.array([0, 2])
        return {5: x[3:], 2: x[1:]}[len(x)] if isinstance(x, np.ndarray) else x

    have = getattr(returns, name)(*(second(x) for x in arguments))
    assert have.tolist() == want[3:]


def test_one_step() -> None:
    # A reward of 3, a value of 1 before it and of 4 after it.
    rew, val, last_val, start = (np.array(x) for x in ([3.0], [1.0], [4.0], [0, 1]))
    assert returns.discounted_sum(rew, last_val, start, 0.5).tolist() == [5]
    assert returns.total_return(rew, start, 0.5).tolist() == [3]
    assert returns.td_residual(rew, val, last_val, start, 0.5).tolist() == [4]
    assert returns.n_step(rew, val, last_val, start, 0.5, 1).tolist() == [4]
    assert returns.gae(rew, val, last_val, start, 0.5, 0.5).tolist() == [4]
    assert returns.discount_weights(start, 0.5).tolist() == [1]


def test_no_steps() -> None:
    start = np.array([0])
    assert returns.discounted_sum(NOTHING, NOTHING, start, 0.5).shape == (0,)
    assert returns.total_return(NOTHING, start, 0.5).shape == (0,)
    assert returns.td_residual(NOTHING, NOTHING, NOTHING, start, 0.5).shape == (0,)
    assert returns.n_step(NOTHING, NOTHING, NOTHING, start, 0.5, 1).shape == (0,)
    assert returns.gae(NOTHING, NOTHING, NOTHING, start, 0.5, 0.5).shape == (0,)
    assert returns.discount_weights(start, 0.5).shape == (0,)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_ends_of_the_range_of_gamma(gamma: float) -> None:
    to_go = returns.discounted_sum(REW, LAST_VAL, START, gamma)
    assert to_go.tolist() == (REW.tolist() if gamma == 0 else [15, 14, 12, 24, 16])
    total = returns.total_return(REW, START, gamma)
    assert total.tolist() == ([1, 1, 1, 8, 8] if gamma == 0 else [7, 7, 7, 24, 24])
    weights = returns.discount_weights(START, gamma)
    assert weights.tolist() == ([1, 0, 0, 1, 0] if gamma == 0 else [1, 1, 1, 1, 1])


def test_fractions_stay_fractions() -> None:
    third: Any = Fraction(1, 3)
    rew, val = np.array([third, 1]), np.array([Fraction(0), third])
    last_val, start = np.array([Fraction(1)]), np.array([0, 2])
    adv = returns._gae(rew, val, last_val, start, third, third)
    assert adv.tolist() == [Fraction(5, 9), 1]
    assert returns._total_return(rew, start, third).tolist() == [Fraction(2, 3)] * 2


def test_nothing_is_written_to() -> None:
    for name, arguments, _ in WORKED:
        before = [np.copy(x) for x in arguments]
        getattr(returns, name)(*arguments)
        assert all(np.array_equal(a, b) for a, b in zip(arguments, before, strict=True))
