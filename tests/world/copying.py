"""Three-step tasks whose best action can be read off the observation, in spaces of every kind."""

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

STEPS = 3


class Copy(gymnasium.Env[Any, Any]):
    """Show a random element of a space; the reward is how much of it the action repeats."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        # every environment samples from a generator of its own
        self.observation_space, self.action_space = deepcopy(space), space

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.t = 0
        return self._show(), {}

    def _show(self) -> Any:
        self.shown = self.observation_space.sample()
        return self.shown

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        reward = float(np.mean(_repeated(self.action_space, self.shown, action)))
        self.t += 1
        return self._show(), reward, self.t == STEPS, False, {}


def _repeated(space: spaces.Space[Any], shown: Any, action: Any) -> list[float]:
    """How much of every part is repeated, from 0 to 1."""
    if isinstance(space, spaces.Dict):
        return [x for k in space for x in _repeated(space[k], shown[k], action[k])]
    if isinstance(space, spaces.Tuple):
        each = zip(space, shown, action, strict=True)
        return [x for part in each for x in _repeated(*part)]
    if isinstance(space, spaces.Box):
        return [float(1 - np.mean(np.abs(shown - action) / (space.high - space.low)))]
    return [float(np.mean(np.equal(shown, action)))]


BOX = spaces.Box(-1, 1, (1,))
TASKS = {
    "Shifted": spaces.Discrete(4, start=-3),
    "Digits": spaces.MultiDiscrete([3, 4], start=[1, -2]),
    "Bits": spaces.MultiBinary(3),
    "Pair": spaces.Tuple([spaces.Discrete(3), BOX]),
    "Nest": spaces.Dict({"b": spaces.Tuple([spaces.MultiBinary(2), BOX]), "a": spaces.Discrete(3)}),
}
for name, space in TASKS.items():
    gymnasium.register(f"{name}-v0", f"{__name__}:Copy", kwargs={"space": space})
