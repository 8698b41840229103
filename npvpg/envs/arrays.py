"""The arrays that N sub-environments are held in."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba import config, typeof, types
from numpy.typing import NDArray

from npvpg import checks
from npvpg.envs.generators import Generators
from npvpg.kernels.compiler import Pointer
from npvpg.kernels.physics import NEVER


class Share(NamedTuple):
    """
    Sub-environments that one thread steps.

    Attributes
    ----------
    rows : slice
        Which ones.
    buffers : tuple
        What ``step`` of the kernels takes after the actions: state, steps, limit, obs, ..., rng,
        and whatever else an environment hands to its kernels.
    """

    rows: slice
    buffers: tuple[Any, ...]


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
    more : tuple
        What else the kernels of an environment take, at the end.
    shares : list of Share
        The sub-environments, divided among threads; one share unless `divide` was called.
    """

    def __init__(self, n: int, state_size: int, obs: NDArray[Any], limit: int) -> None:
        self.state = np.zeros((n, state_size))
        self.steps = np.full(n, NEVER, dtype=np.int64)
        self.limit = limit
        self.obs = obs
        self.rew = np.zeros(n)
        self.ends = np.zeros((2, n), dtype=np.bool_)
        self.generators = Generators(n)
        self.more: tuple[Any, ...] = ()
        self._pool: ThreadPoolExecutor | None = None
        self.shares = [Share(slice(0, n), self.buffers)]

    def divide(self, mores: Sequence[Callable[[NDArray[np.uint64]], tuple[Any, ...]]]) -> None:
        """
        Divide the sub-environments among threads.

        Parameters
        ----------
        mores : sequence of callable
            For each thread, what gives from the generators of its share what else its kernels take.
        """
        rng = self.generators.rows
        self.more = mores[0](rng)
        n, edges = len(rng), np.linspace(0, len(rng), len(mores) + 1).astype(int).tolist()
        self.shares = [Share(slice(0, n), self.buffers)]
        if len(mores) == 1:
            return
        self._pool = ThreadPoolExecutor(len(mores) - 1)
        self.shares = []
        for low, high, more in zip(edges, edges[1:], mores, strict=False):
            rows = slice(low, high)
            own = self.state[rows], self.steps[rows], self.limit, self.obs[rows], self.rew[rows]
            ends = np.zeros((2, high - low), np.bool_)
            self.shares.append(Share(rows, (*own, ends, rng[rows], *more(rng[rows]))))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def side_by_side(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Carry out what the shares have to do; the first of it in this thread."""
        if self._pool is None:
            return [work() for work in works]
        running = [self._pool.submit(work) for work in works[1:]]
        return [works[0](), *(each.result() for each in running)]

    def step(self, step: Callable[..., int], act: NDArray[Any]) -> int:
        """
        Take a step in all sub-environments, or in none.

        Parameters
        ----------
        step : callable
            The kernel.
        act : ndarray, shape (N,) or (N, D)
            Actions.

        Returns
        -------
        int
            The first that could not, as `step` says it; -1 if all could.
        """
        if self._pool is None:
            return step(act, *self.buffers)
        if (self.steps < 0).any():
            return int(np.argmax(self.steps < 0))
        shares = self.shares
        self.side_by_side([partial(step, act[rows], *buffers) for rows, buffers in shares])
        for rows, buffers in shares:
            self.ends[:, rows] = buffers[5]
        return -1

    @property
    def buffers(self) -> tuple[Any, ...]:
        """What ``step`` of the kernels takes after the actions, in its order."""
        rng = self.generators.rows
        own = self.state, self.steps, self.limit, self.obs, self.rew, self.ends, rng
        return *own, *self.more

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
        state, steps, _, obs, _, _, _, *more = arrays
        return (
            Pointer(step, types.int64(act_type, *arrays)),
            Pointer(reset, types.void(noise, rows_type, state, steps, obs, *more)),
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
        fault = step(act, state, steps, self.limit, obs, rew, ends, rng, *self.more)
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
