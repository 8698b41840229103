"""MountainCar-v0 and MountainCarContinuous-v0, compiled."""

import numpy as np
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv
from gymnasium.envs.classic_control.mountain_car import MountainCarEnv
from numpy.typing import NDArray
from typing_extensions import override

from npvpg.envs.classic import ClassicVectorEnv
from npvpg.kernels.physics import mountain_car, mountain_car_continuous


class MountainCarVectorEnv(ClassicVectorEnv):
    """A car between two hills with three forces; state (position, velocity)."""

    env_id = "MountainCar-v0"
    original = MountainCarEnv
    kernels = (mountain_car.draw, mountain_car.move)
    option = ("goal_velocity", 0.0)
    state_size = 2
    low = (-0.6,)
    high = (-0.4,)


class MountainCarContinuousVectorEnv(ClassicVectorEnv):
    """A car between two hills with any force; state (position, velocity, 1 if float32)."""

    env_id = "MountainCarContinuous-v0"
    original = Continuous_MountainCarEnv
    kernels = (mountain_car_continuous.draw, mountain_car_continuous.move)
    option = ("goal_velocity", 0.0)
    state_size = 3
    low = (-0.6,)
    high = (-0.4,)

    @override
    def _pose(self, state: NDArray[np.float64]) -> None:
        self._drawer.state = state[:2].copy()
