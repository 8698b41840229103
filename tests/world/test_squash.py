from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from npvpg.world.squash import SquashAction, half_width
from npvpg.world.vector import SeededVectorEnv

BOX = spaces.Box(np.array([-1, 0], np.float32), np.array([1, 6], np.float32))
PAIR = spaces.Dict({"b": BOX, "a": spaces.Discrete(2)})


class Echo(gymnasium.Env[Any, Any]):
    """An environment that keeps the action it was sent."""

    observation_space = spaces.Discrete(1)

    def __init__(self, act: spaces.Space[Any]) -> None:
        self.action_space = act

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return 0, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.sent = action
        return 0, 0.0, False, False, {}


def vector(act: spaces.Space[Any]) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: Echo(act)] * 2, autoreset_mode=AutoresetMode.DISABLED)


def test_boxes_lose_their_bounds_and_nothing_else_changes() -> None:
    env = SquashAction(vector(PAIR))
    assert env.bounded_action_space == PAIR
    assert env.single_action_space == spaces.Dict(
        {"a": spaces.Discrete(2), "b": spaces.Box(-np.inf, np.inf, (2,), np.float64)}
    )
    assert env.action_space["a"].shape == (2,)  # type: ignore[index]
    assert env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    assert half_width(BOX).tolist() == [1, 3]


def test_actions_arrive_inside_in_the_type_of_the_box() -> None:
    inner = vector(PAIR)
    driver = SeededVectorEnv(SquashAction(inner), seed=0)
    driver.reset(np.ones(2, bool), np.zeros(2, np.int64))
    driver.step(np.array([[1, 0.0, 0.0], [0, 50.0, -50.0]]))
    sent = [env.unwrapped.sent for env in inner.envs]  # type: ignore[attr-defined]
    assert [x["a"] for x in sent] == [1, 0]
    assert [x["b"].tolist() for x in sent] == [[0, 3], [1, 0]]
    assert sent[0]["b"].dtype == np.float32


@pytest.mark.parametrize(
    "act",
    [spaces.Discrete(2), spaces.MultiBinary(2), spaces.Tuple([BOX, spaces.Box(0, np.inf, (1,))])],
)
def test_what_has_no_bounded_box_is_refused(act: spaces.Space[Any]) -> None:
    with pytest.raises(ValueError, match="actions to squash must lie in a bounded Box, got "):
        SquashAction(vector(act))
