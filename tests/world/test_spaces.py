from typing import Any

import numpy as np
import pytest
from gymnasium import spaces as gym_spaces

from npvpg.world import spaces

NEST = gym_spaces.Dict(
    {
        "b": gym_spaces.Tuple([gym_spaces.Discrete(3, start=5), gym_spaces.MultiBinary((2, 2))]),
        "a": gym_spaces.Box(-1, 1, (2,)),
    }
)


def test_leaves_come_in_the_order_of_the_keys() -> None:
    kinds = [type(leaf).__name__ for leaf in spaces.leaves(NEST)]
    assert kinds == ["Box", "Discrete", "MultiBinary"]
    assert spaces.n_columns(NEST) == 2 + 1 + 4


@pytest.mark.parametrize(
    ("space", "due"),
    [
        (NEST, True),
        (gym_spaces.MultiDiscrete([2]), True),
        (gym_spaces.Box(0, 1, (0,)), False),
        (gym_spaces.Tuple([]), False),
        (gym_spaces.Tuple([NEST, gym_spaces.Text(2)]), False),
        (gym_spaces.Sequence(NEST), False),
        (gym_spaces.OneOf([NEST]), False),
        (gym_spaces.Graph(gym_spaces.Box(0, 1, (1,)), None), False),
    ],
)
def test_what_is_supported(space: gym_spaces.Space[Any], due: bool) -> None:
    assert spaces.is_supported(space) is due


def test_one_hot_and_side_by_side() -> None:
    obs = {
        "a": np.array([[0.5, -0.5], [0.0, 1.0]], np.float32),
        "b": (np.array([5, 7]), np.arange(8).reshape(2, 2, 2) % 2),
    }
    flat = spaces.flatten(NEST, obs, 2)
    assert flat.tolist() == [[0.5, -0.5, 1, 0, 0, 0, 1, 0, 1], [0, 1, 0, 0, 1, 0, 1, 0, 1]]
    assert flat.dtype == np.float64


def test_the_result_is_a_copy() -> None:
    obs = np.zeros((2, 3))
    flat = spaces.flatten(gym_spaces.Box(-1, 1, (3,)), obs, 2)
    obs[:] = 1
    assert not flat.any()


@pytest.mark.parametrize(
    ("obs", "message"),
    [
        ({"a": np.zeros((2, 2))}, "observation must lie in Dict"),
        ([1, 2], "observation must lie in Dict"),
        (
            {"a": np.zeros((2, 3)), "b": (np.full(2, 5), np.zeros((2, 2, 2)))},
            r"\(2, 2\), got \(2, 3",
        ),
        ({"a": np.zeros((2, 2)), "b": (np.full(2, 5),)}, "observation must lie in Dict"),
        ({"a": np.zeros((2, 2)), "b": (np.full(2, 5.5), np.zeros((2, 2, 2)))}, r"got 5.5 from"),
        ({"a": np.zeros((2, 2)), "b": (np.full(2, 4), np.zeros((2, 2, 2)))}, r"got 4 from"),
        ({"a": np.zeros((2, 2)), "b": (np.full(2, 8), np.zeros((2, 2, 2)))}, r"got 8 from"),
    ],
)
def test_what_does_not_lie_in_the_space_is_refused(obs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spaces.flatten(NEST, obs, 2)


def test_rows_become_actions() -> None:
    act = np.array([[0.5, -9.0, 2, 0, 1, 1, 0]])
    made = spaces.unflatten(NEST, act)
    assert list(made) == ["a", "b"]
    assert made["a"].tolist() == [[0.5, -1]]
    assert made["b"][0].tolist() == [7]
    assert made["b"][1].tolist() == [[[0, 1], [1, 0]]]
    assert [x.dtype for x in (made["a"], *made["b"])] == [np.float32, np.int64, np.int8]
