"""An environment of any spaces that plays given observations and remembers its actions."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
from gymnasium import spaces


class Recording(gym.Env[Any, Any]):
    """
    Environment that says what it was told to and keeps what it was sent.

    Parameters
    ----------
    obs_space, act_space : gymnasium.spaces.Space
        Its spaces.
    script : sequence
        Observations, from the reset on; the space's own samples if not given.
    """

    def __init__(
        self, obs_space: spaces.Space[Any], act_space: spaces.Space[Any], script: Sequence[Any] = ()
    ) -> None:
        self.observation_space, self.action_space = obs_space, act_space
        self.script, self.t = script, 0
        self.actions: list[Any] = []

    def _observe(self) -> Any:
        if not self.script:
            return self.observation_space.sample()
        return self.script[self.t]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Begin the script."""
        self.t, self.actions = 0, []
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Keep the action, and go on in the script."""
        self.actions.append(action)
        self.t += 1
        return self._observe(), 0.0, False, False, {}
