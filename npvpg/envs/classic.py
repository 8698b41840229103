"""What the compiled twins of Gymnasium's classic control problems have in common."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import utils
from gymnasium.error import DependencyNotInstalled, ResetNeeded
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from npvpg.envs.base import CompiledVectorEnv
from npvpg.kernels.physics import NEVER


class ClassicVectorEnv(CompiledVectorEnv):
    """
    A compiled twin of one of Gymnasium's own environments.

    From the same state and action, or the same seed, it gives the same numbers.

    Parameters
    ----------
    num_envs : int
        Number of sub-environments.
    max_episode_steps : int, optional
        Time limit; Gymnasium's own if None, no limit if -1 [steps].
    copy : bool
        As in `CompiledVectorEnv`.
    autoreset_mode : AutoresetMode or str
        Disabled is the only one there is.
    render_mode : {"rgb_array"}, optional
        Whether `render` draws; needs pygame.

    Raises
    ------
    ValueError
        If an argument is out of range or a mode is not offered.
    gymnasium.error.DependencyNotInstalled
        If `render_mode` is given and pygame is missing.
    """

    env_id: ClassVar[str]
    """Name of the original."""
    original: ClassVar[Callable[..., Any]]
    """Class of the original: it gives the spaces, and draws."""
    kernels: ClassVar[tuple[Callable[..., Any], Callable[..., Any]]]
    """The compiled `reset` and `step` of its module in `npvpg.kernels.physics`."""
    state_size: ClassVar[int]
    """Length of a state."""
    low: ClassVar[tuple[float, ...]]
    """Lower bounds of the numbers an episode starts from."""
    high: ClassVar[tuple[float, ...]]
    """Upper bounds of those numbers."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be rgb_array or None, got {render_mode}")
        if render_mode is not None and find_spec("pygame") is None:
            raise DependencyNotInstalled(
                'rendering needs pygame: pip install "gymnasium[classic-control]"'
            )
        if max_episode_steps is None:
            max_episode_steps = gymnasium.spec(self.env_id).max_episode_steps or -1
        self._drawer = self.original(render_mode=render_mode)
        super().__init__(
            num_envs,
            observation_space=self._drawer.observation_space,
            action_space=self._drawer.action_space,
            state_size=self.state_size,
            low=self.low,
            high=self.high,
            max_episode_steps=max_episode_steps,
            copy=copy,
            autoreset_mode=autoreset_mode,
        )
        self.render_mode = render_mode
        fps = self._drawer.metadata["render_fps"]
        self.metadata |= {"render_modes": ["rgb_array"], "render_fps": fps}
        self.reset_kernel, self.step_kernel = self.kernels

    def _bounds(
        self, options: Mapping[str, Any] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Let the options "low" and "high" replace the bounds, as Gymnasium does."""
        if options is None or not ("low" in options or "high" in options):
            return self._low, self._high
        low, high = utils.maybe_parse_reset_bounds(dict(options), self.low[0], self.high[0])
        return np.full_like(self._low, low), np.full_like(self._high, high)

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """
        Draw every sub-environment, by Gymnasium's own code from the same state.

        Returns
        -------
        tuple of ndarray of uint8, shape (height, width, 3)
            One picture a sub-environment.

        Raises
        ------
        ValueError
            If the environment was made without ``render_mode="rgb_array"``.
        gymnasium.error.ResetNeeded
            If a sub-environment was never reset.
        """
        if self.render_mode is None:
            raise ValueError('render_mode must be "rgb_array" to render, got None')
        if (self._steps == NEVER).any():
            raise ResetNeeded("every sub-environment must be reset before it is drawn")
        pictures = []
        for state in self._state:
            self._pose(state)
            pictures.append(self._drawer.render())
        return tuple(pictures)

    def _pose(self, state: NDArray[np.float64]) -> None:
        """Bring the original into a state."""
        self._drawer.state = state.copy()

    def close_extras(self, **kwargs: Any) -> None:
        """Release what drawing holds."""
        self._drawer.close()
