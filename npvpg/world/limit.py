"""An end for episodes that have none."""

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

if TYPE_CHECKING:
    _Wrapper = VectorWrapper[Any, Any, Any, Any, Any]
else:  # not generic in every version of Gymnasium
    _Wrapper = VectorWrapper


class LimitSteps(_Wrapper):
    """
    Vector environment, autoreset disabled, whose episodes are cut after a number of steps.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment of N sub-environments.
    n_steps : int
        Steps of the longest episode.

    Notes
    -----
    It does what `gymnasium.wrappers.TimeLimit` does for one environment; Gymnasium has none for
    those that are registered as vectors.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], n_steps: int) -> None:
        super().__init__(env)
        self.n_steps = n_steps
        self._taken = np.zeros(env.num_envs, np.int64)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        """Begin episodes, and to count their steps."""
        mask = (options or {}).get("reset_mask")
        self._taken[slice(None) if mask is None else np.array(mask)] = 0
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> Any:
        """Take a step; what has taken its last is truncated."""
        obs, rew, terminated, truncated, info = self.env.step(actions)
        self._taken += 1
        return obs, rew, terminated, np.logical_or(truncated, self._taken >= self.n_steps), info
