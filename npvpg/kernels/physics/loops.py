"""The loops over all sub-environments, the same around the two functions of any environment."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.pcg64 import next_double
from npvpg.kernels.physics import ENDED


@cache
def loops(
    draw: Callable[..., None],
    move: Callable[..., tuple[float, bool]],
    *,
    n_actions: int,
    first: int = 0,
    n_noise: int = 0,
) -> tuple[Callable[..., None], Callable[..., int]]:
    """
    Compile `reset` and `step` of an environment.

    Parameters
    ----------
    draw, move : callable
        Its compiled functions, see `npvpg.kernels.physics`.
    n_actions, first : int
        Number of its actions, and the least of them; 0 actions if they are rows of numbers.
    n_noise : int
        Uniform random numbers that `move` gets at its end, as a row; 0 if it gets none.

    Returns
    -------
    reset : callable
        ``reset(noise, rows, state, steps, obs)`` starts an episode in the sub-environments that
        ``rows`` (R,) int64 names, from the rows of ``noise`` (R, M) float64.
    step : callable
        ``step(act, state, steps, limit, obs, rew, ends, rng)`` takes one step in every
        sub-environment, or in none. ``act`` is (N,) int64 or (N, D); ``limit`` the steps after
        which an episode is truncated; ``rng`` (N, 4) uint64 what noise is drawn from. It returns
        the first sub-environment that must be reset or got an action that does not exist; -1 if
        all took their step.
    """

    def reset(
        noise: NDArray[np.float64],
        rows: NDArray[np.int64],
        state: NDArray[np.float64],
        steps: NDArray[np.int64],
        obs: NDArray[Any],
    ) -> None:
        for k in range(rows.size):
            i = rows[k]
            draw(noise[k], state[i], obs[i])
            steps[i] = 0

    def step(
        act: NDArray[Any],
        state: NDArray[np.float64],
        steps: NDArray[np.int64],
        limit: int,
        obs: NDArray[Any],
        rew: NDArray[np.float64],
        ends: NDArray[np.bool_],
        rng: NDArray[np.uint64],
    ) -> int:
        n = steps.size
        for i in range(n):
            if steps[i] < 0 or (n_actions > 0 and not first <= act[i] < first + n_actions):
                return i
        # the counts are constants: of the branches on them, compiled code holds one
        if n_noise > 0:
            noise = np.empty(n_noise)
        for i in range(n):
            if n_noise > 0:
                for j in range(n_noise):
                    noise[j] = next_double(rng[i])
                rew[i], ends[0, i] = move(state[i], act[i], obs[i], noise)
            else:
                rew[i], ends[0, i] = move(state[i], act[i], obs[i])
            steps[i] += 1
            ends[1, i] = steps[i] >= limit
            if ends[0, i] or ends[1, i]:
                steps[i] = ENDED
        return -1

    return jit(reset), jit(step)


@cache
def given(move: Callable[..., tuple[float, bool]], value: float) -> Callable[..., Any]:
    """
    Fix the last argument of a `move`, an option of the environment.

    Parameters
    ----------
    move : callable
        ``move(state, action, obs, option)``, compiled.
    value : float or bool
        The option.

    Returns
    -------
    callable
        ``move(state, action, obs)``, compiled.
    """

    def chosen(
        state: NDArray[np.float64], action: Any, obs: NDArray[np.float32]
    ) -> tuple[float, bool]:
        return move(state, action, obs, value)

    return jit(chosen)
