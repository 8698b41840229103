"""Pendulum-v1, compiled."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.envs.classic_control import utils
from gymnasium.envs.classic_control.pendulum import DEFAULT_X, DEFAULT_Y, PendulumEnv
from numpy.typing import NDArray
from typing_extensions import override

from npvpg.envs.classic import ClassicVectorEnv
from npvpg.envs.played import Bounds
from npvpg.kernels.physics import pendulum


class PendulumVectorEnv(ClassicVectorEnv):
    """A pendulum with a weak motor; state (angle, angular velocity, last torque)."""

    env_id = "Pendulum-v1"
    original = PendulumEnv
    kernels = (pendulum.draw, pendulum.move)
    option = ("g", pendulum.GRAVITY)
    state_size = 3
    low = (-DEFAULT_X, -DEFAULT_Y)
    high = (DEFAULT_X, DEFAULT_Y)

    @override
    def _bounds(self, options: Mapping[str, Any] | None) -> Bounds:
        """Let the options "x_init" and "y_init" replace the bounds, as Gymnasium does."""
        if options is None or not ("x_init" in options or "y_init" in options):
            return self._low, self._high
        x = utils.verify_number_and_cast(options.get("x_init", DEFAULT_X))
        y = utils.verify_number_and_cast(options.get("y_init", DEFAULT_Y))
        high = np.array([x, y])
        return -high, high

    @override
    def _pose(self, state: NDArray[np.float64]) -> None:
        self._drawer.state = state[:2].copy()
        self._drawer.last_u = float(state[2])
