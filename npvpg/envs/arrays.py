"""The arrays that N sub-environments are held in."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import config, typeof, types
from numpy.typing import NDArray

from npvpg import checks
from npvpg.envs.generators import Generators
from npvpg.kernels.compiler import Pointer
from npvpg.kernels.physics import NEVER


class Arrays:
    """
    All that the kernels read and write; they are never replaced by other arrays.

    Parameters
    ----------
    n : int
        Number of sub-environments, N.
    state_size : int
        Numbers that make up the state of one.
    obs : ndarray, shape (N, O)
        Of the type of the observations; overwritten.
    limit : int
        Steps after which an episode is truncated.

    Attributes
    ----------
    state, steps, limit, obs, rew, ends
        As `npvpg.kernels.physics` describes them.
    generators : Generators
        What initial states are drawn from.
    """

    def __init__(self, n: int, state_size: int, obs: NDArray[Any], limit: int) -> None:
        self.state = np.zeros((n, state_size))
        self.steps = np.full(n, NEVER, dtype=np.int64)
        self.limit = limit
        self.obs = obs
        self.rew = np.zeros(n)
        self.ends = np.zeros((2, n), dtype=np.bool_)
        self.generators = Generators(n)

    @property
    def buffers(self) -> tuple[Any, ...]:
        """What ``step`` of the kernels takes after the actions, in its order."""
        rng = self.generators.rows
        return self.state, self.steps, self.limit, self.obs, self.rew, self.ends, rng

    def pointers(
        self, step: Callable[..., int], reset: Callable[..., None], act: NDArray[Any]
    ) -> tuple[Any, Any]:
        """
        Kernels in a form that compiled code takes as arguments.

        Parameters
        ----------
        step, reset : callable
            The kernels.
        act : ndarray
            Actions of the type and shape that `step` will get.

        Returns
        -------
        step, reset : Pointer
            The same; under NUMBA_DISABLE_JIT as they are.
        """
        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            return step, reset
        rows = np.empty(0, np.int64)
        act_type, noise, rows_type, *arrays = (
            typeof(x) for x in (act, np.empty((1, 1)), rows, *self.buffers)
        )
        state, steps, _, obs, *_ = arrays
        return (
            Pointer(step, types.int64(act_type, *arrays)),
            Pointer(reset, types.void(noise, rows_type, state, steps, obs)),
        )

    def step_rows(
        self, step: Callable[..., int], act: NDArray[Any], rows: NDArray[np.int64]
    ) -> int:
        """
        Take a step in some of the sub-environments, or in none.

        Parameters
        ----------
        step : callable
            The kernel.
        act : ndarray, shape (R,) or (R, D)
            Their actions.
        rows : ndarray of int64, shape (R,)
            Which ones.

        Returns
        -------
        int
            The first row of `act` that could not, as `step` says it; -1 if all could.
        """
        whole = self.state, self.steps, self.obs, self.rew, self.generators.rows
        state, steps, obs, rew, rng = parts = [array[rows] for array in whole]
        ends = np.empty((2, rows.size), np.bool_)
        fault = step(act, state, steps, self.limit, obs, rew, ends, rng)
        if fault < 0:
            for array, part in zip(whole, parts, strict=True):
                array[rows] = part
            self.ends[:, rows] = ends
        return fault

    @property
    def kept(self) -> dict[str, NDArray[Any]]:
        """What the next step and the next reset depend on."""
        rng = self.generators.rows
        return {"state": self.state, "steps": self.steps, "obs": self.obs, "rng": rng}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """
        Go back to where `kept` was copied.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The copies.

        Raises
        ------
        ValueError
            If an array is missing, unknown, or has the wrong shape or type.
        """
        own = self.kept
        if set(arrays) != set(own):
            raise ValueError(f"arrays must be named {sorted(own)}, got {sorted(arrays)}")
        for name, array in own.items():
            checks.shape(array.shape, **{name: arrays[name]})
            if arrays[name].dtype != array.dtype:
                raise ValueError(f"{name} must be {array.dtype}, got {arrays[name].dtype}")
        for name, array in own.items():
            array[...] = arrays[name]
        self.generators.restore(arrays["rng"])
