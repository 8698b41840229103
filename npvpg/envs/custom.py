"""A compiled vector environment made of a user's own two functions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from numba import njit
from numba.extending import is_jitted

from npvpg import checks
from npvpg.envs.base import CompiledVectorEnv
from npvpg.kernels.physics.loops import loops

Function = Callable[..., Any]


@dataclass(frozen=True)
class CompiledEnv:
    """
    Description of an environment given by two functions that Numba can compile.

    Calling it with a number of sub-environments makes the vector environment, so it can be
    registered with Gymnasium as a ``vector_entry_point``.

    Parameters
    ----------
    reset : callable
        ``reset(noise, state, obs)`` starts an episode: writes the rows ``state`` (float64,
        `state_size`) and ``obs`` (O,) from ``noise``, `n_reset_noise` numbers uniform in [0, 1).
    step : callable
        ``step(state, action, obs)`` takes one step: overwrites ``state`` and ``obs`` and returns
        ``(reward, terminated)``. ``action`` is an int, or a row (D,) of float32 or float64, not
        clipped. With `n_step_noise` > 0 it is ``step(state, action, obs, noise)``.
    observation_space : Box
        Observations, of shape (O,).
    action_space : Discrete or Box
        Actions; a Box has shape (D,).
    state_size : int
        Numbers that make up the state. All an episode depends on must be among them: then a
        checkpoint holds it and a resumed run is exact.
    max_episode_steps : int
        Steps after which an episode is truncated; -1 for never [steps].
    n_reset_noise, n_step_noise : int
        Random numbers that a start and a step use.

    Raises
    ------
    ValueError
        If a number is out of range.

    Notes
    -----
    Functions that are not compiled yet are compiled here. The loop around them is compiled on the
    first reset and step of every process, a second or so: it is not kept on disk, where nothing
    tells when your functions, or what they use, have changed. Numba does not check indices either;
    run once under ``NUMBA_BOUNDSCHECK=1``.

    Examples
    --------
    A point that the action moves left or right, from anywhere in [0, 1) to beyond 2:

    >>> def reset(noise, state, obs):
    ...     state[0] = noise[0]
    ...     obs[0] = state[0]
    >>> def step(state, action, obs):
    ...     state[0] += 0.5 if action == 1 else -0.5
    ...     obs[0] = state[0]
    ...     return -1.0, state[0] > 2.0
    >>> walk = CompiledEnv(
    ...     reset,
    ...     step,
    ...     observation_space=Box(-np.inf, np.inf, (1,)),
    ...     action_space=Discrete(2),
    ...     state_size=1,
    ...     max_episode_steps=100,
    ...     n_reset_noise=1,
    ... )
    >>> envs = walk(2)
    >>> envs.reset(seed=0)[0]
    array([[0.6369617],
           [0.5118216]], dtype=float32)
    >>> envs.step([1, 0])[0]
    array([[1.1369617 ],
           [0.01182162]], dtype=float32)
    """

    reset: Function
    step: Function
    observation_space: Box
    action_space: Discrete | Box
    state_size: int
    max_episode_steps: int
    n_reset_noise: int = 0
    n_step_noise: int = 0

    def __post_init__(self) -> None:
        """Check the counts; the rest is checked when an environment is made."""
        checks.at_least(0, n_reset_noise=self.n_reset_noise, n_step_noise=self.n_step_noise)

    def __call__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED,
    ) -> CompiledVectorEnv:
        """
        Make the vector environment.

        Parameters
        ----------
        num_envs : int
            Number of sub-environments.
        max_episode_steps : int, optional
            Another time limit [steps].
        copy : bool
            As in `CompiledVectorEnv`.
        autoreset_mode : AutoresetMode or str
            As in `CompiledVectorEnv`.

        Returns
        -------
        CompiledVectorEnv
            The environment.
        """
        return _CustomVectorEnv(
            self,
            num_envs,
            max_episode_steps=self.max_episode_steps
            if max_episode_steps is None
            else max_episode_steps,
            copy=copy,
            autoreset_mode=autoreset_mode,
        )


class _CustomVectorEnv(CompiledVectorEnv):
    """The vector environment that a `CompiledEnv` makes."""

    def __init__(
        self,
        description: CompiledEnv,
        num_envs: int,
        *,
        max_episode_steps: int,
        copy: bool,
        autoreset_mode: AutoresetMode | str,
    ) -> None:
        super().__init__(
            num_envs,
            observation_space=description.observation_space,
            action_space=description.action_space,
            state_size=description.state_size,
            low=np.zeros(description.n_reset_noise),
            high=np.ones(description.n_reset_noise),
            max_episode_steps=max_episode_steps,
            copy=copy,
            autoreset_mode=autoreset_mode,
        )
        space = description.action_space
        first, count = (int(space.start), int(space.n)) if isinstance(space, Discrete) else (0, 0)
        self.reset_kernel, self.step_kernel = loops(
            _compiled(description.reset),
            _compiled(description.step),
            n_actions=count,
            first=first,
            n_noise=description.n_step_noise,
        )


@cache
def _compiled(function: Function) -> Function:
    """Compile a function, once, unless it is."""
    compiled: Function = function if is_jitted(function) else njit(function)
    return compiled
