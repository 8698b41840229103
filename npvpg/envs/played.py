"""What a whole rollout in one call asks of an environment."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from npvpg.envs.arrays import Arrays, Share
from npvpg.envs.attributes import AttributesVectorEnv

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


class PlayedVectorEnv(AttributesVectorEnv):
    """A vector environment held in arrays, and the two kernels that move it."""

    single_action_space: Box | Discrete
    reset_kernel: Callable[..., None]
    """Compiled loop that starts episodes, as in `npvpg.kernels.physics`."""
    step_kernel: Callable[..., int]
    """Compiled loop that takes a step."""
    resets_by_hand: ClassVar[bool] = False
    """Whether a reset takes more than `reset_kernel`."""
    _arrays: Arrays
    _act_shape: tuple[int, ...]
    _low: NDArray[np.float64]
    _high: NDArray[np.float64]

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return "compiled"

    @property
    def shares(self) -> Sequence[Share]:
        """The sub-environments, divided among the threads that step them."""
        return self._arrays.shares

    def side_by_side(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """
        Carry out what the shares have to do, each in a thread of its own.

        Parameters
        ----------
        works : sequence of callable
            As many as there are shares.

        Returns
        -------
        list
            What they return.
        """
        return self._arrays.side_by_side(works)

    @cached_property
    def pointers(self) -> tuple[Any, Any]:
        """`step_kernel` and `reset_kernel` in a form that compiled code takes as an argument."""
        act = np.empty(self._act_shape, self.act_bounds[0].dtype)
        return self._arrays.pointers(self.step_kernel, self.reset_kernel, act)

    @property
    def act_bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Least and greatest action, of the type that `step_kernel` takes."""
        space = self.single_action_space
        if isinstance(space, Box):
            return space.low, space.high
        first = np.asarray(space.start, np.int64)
        return first, np.asarray(first + space.n - 1)

    @property
    def start_bounds(self) -> Bounds:
        """Bounds of the numbers that an episode starts from."""
        return self._low, self._high

    @property
    def observations(self) -> NDArray[Any]:
        """Observations the sub-environments are in, shape (N, O)."""
        return self._arrays.obs
