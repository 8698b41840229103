"""Acrobot-v1, compiled."""

import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from numpy.typing import NDArray
from typing_extensions import override

from npvpg.envs.classic import ClassicVectorEnv
from npvpg.kernels.physics import acrobot


class AcrobotVectorEnv(ClassicVectorEnv):
    """Two links and a motor in the elbow; state (two angles, two angular velocities)."""

    env_id = "Acrobot-v1"
    original = AcrobotEnv
    kernels = (acrobot.draw, acrobot.move)
    state_size = 4
    low = (-0.1,) * 4
    high = (0.1,) * 4
    resets_by_hand = True

    @override
    def _start(self, noise: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
        super()._start(noise, rows)
        # Gymnasium's first state is float32, and NumPy's float32 cosine is not the C library's:
        # the two differ in the last bit for one angle in five.
        angles = noise[:, :2].astype(np.float32)
        self._arrays.obs[rows, 0:4:2] = np.cos(angles)
        self._arrays.obs[rows, 1:4:2] = np.sin(angles)
