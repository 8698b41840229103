from typing import Any

import numpy as np
import pytest

from npvpg.lab.analytic import LinearQuadratic, closed_form, riccati

EYE = np.eye(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"A": np.eye(3)}, r"A must have shape \(2, 2\), got \(3, 3\)"),
        ({"B": np.ones(2)}, r"B must have shape \(any, any\), got \(2,\)"),
        ({"Q": np.array([[1.0, 2.0], [0.0, 1.0]])}, "Q must be symmetric"),
        ({"R": np.array([[np.nan]])}, r"R must be finite, got nan at index \(0, 0\)"),
        ({"P": np.eye(1)}, r"P must have shape \(2, 2\), got \(1, 1\)"),
    ],
)
def test_what_is_no_system_is_refused(change: dict[str, Any], message: str) -> None:
    parts = {"A": EYE, "B": np.ones((2, 1)), "Q": EYE, "R": np.eye(1)}
    with pytest.raises(ValueError, match=message):
        LinearQuadratic(**(parts | change))


def test_sizes() -> None:
    system = LinearQuadratic(EYE, np.ones((2, 1)), EYE, np.eye(1))
    assert (system.n_state, system.n_obs, system.n_act) == (2, 2, 1)
    assert not system.P.any()


def test_one_step_by_hand() -> None:
    """From x = 2: a = 0.5 x + 1 + 2 e, x' = x + a; J = -(4 + 4 + 4) - 0.5 (16 + 4)."""
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one, one)
    theta = np.array([0.5, 1.0, np.log(2)])
    solved = closed_form(system, theta, 0.5, 1, np.array([2.0]), 0 * one)
    assert pytest.approx(-22) == solved.J
    # d/dK = 2 d/da = 2 (-2 * 2 - 0.5 * 2 * 4), d/db half of it, d/dlog sigma = -2 * 4 * 1.5
    assert solved.gradient == pytest.approx([-16, -8, -12])


def test_the_value_of_a_state_by_hand() -> None:
    """As above with the noise and without its cost: after the step only x'^2 is left."""
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one, one)
    solved = closed_form(system, np.array([0.5, 1.0, np.log(2)]), 0.5, 1, np.array([2.0]), 0 * one)
    value = solved.value(np.array([[[2.0], [0.0]], [[3.0], [1.0]]]))
    # from 0: a = 1, x' = 1, and the noise costs 4 + 0.5 * 4
    assert value == pytest.approx(np.array([[-22, -1 - 0.5 - 6], [-9, -1]]))


@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_what_no_action_reaches_has_no_best_gain(gamma: float) -> None:
    A, B = np.diag([2.0, 0.5]), np.array([[0.0], [1.0]])
    with pytest.raises(ValueError, match="system must be one that actions can hold, got A = "):
        riccati(LinearQuadratic(A, B, np.eye(2), np.eye(1)), gamma)


def test_the_golden_gain() -> None:
    """With all ones and no discount the cost is the golden ratio."""
    one = np.eye(1)
    gain, P = riccati(LinearQuadratic(one, one, one, one), 1.0)
    golden = (1 + 5**0.5) / 2
    assert P.item() == pytest.approx(golden)
    assert gain.item() == pytest.approx(-golden / (1 + golden))


def test_errors() -> None:
    one = np.eye(1)
    system = LinearQuadratic(one, one, one, one)
    arguments = (0.9, 2, np.zeros(1), one)
    with pytest.raises(ValueError, match=r"theta must have shape \(3,\), got \(2,\)"):
        closed_form(system, np.zeros(2), *arguments)
    with pytest.raises(ValueError, match="horizon must be at least 1, got 0"):
        closed_form(system, np.zeros(3), 0.9, 0, np.zeros(1), one)
    with pytest.raises(ValueError, match=r"mean must have shape \(1,\), got \(2,\)"):
        closed_form(system, np.zeros(3), 0.9, 1, np.zeros(2), one)
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got -1"):
        riccati(system, -1)
