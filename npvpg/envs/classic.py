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
from typing_extensions import override

from npvpg.envs.base import CompiledVectorEnv
from npvpg.envs.played import Bounds
from npvpg.kernels.physics import NEVER
from npvpg.kernels.physics.loops import given, loops


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
        As in `CompiledVectorEnv`.
    render_mode : {"rgb_array"}, optional
        Whether `render` draws; needs pygame.
    **options : float or bool
        The original's own, if it has any: `sutton_barto_reward`, `g` or `goal_velocity`. Kernels
        for other values than the usual one are compiled when they are first needed.

    Raises
    ------
    ValueError
        If an argument is out of range, a mode is not offered, or the original has no such option.
    gymnasium.error.DependencyNotInstalled
        If `render_mode` is given and pygame is missing.
    """

    env_id: ClassVar[str]
    """Name of the original."""
    original: ClassVar[Callable[..., Any]]
    """Class of the original: it gives the spaces, and draws."""
    kernels: ClassVar[tuple[Callable[..., None], Callable[..., tuple[float, bool]]]]
    """Its compiled functions `draw` and `move`, see `npvpg.kernels.physics`."""
    option: ClassVar[tuple[str, float] | None] = None
    """Name and usual value of its option."""
    state_size: ClassVar[int]
    """Numbers that make up its state."""
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
        **options: float,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be rgb_array or None, got {render_mode}")
        if render_mode is not None and find_spec("pygame") is None:
            raise DependencyNotInstalled(
                'rendering needs pygame: pip install "gymnasium[classic-control]"'
            )
        if max_episode_steps is None:
            max_episode_steps = gymnasium.spec(self.env_id).max_episode_steps or -1
        for name in options:
            if self.option is None or name != self.option[0]:
                own = "has no options" if self.option is None else f"has {self.option[0]} only"
                raise ValueError(f"options must be those of {self.env_id}, which {own}, got {name}")
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
        self._use(*options.values())

    def _use(self, chosen: float | None = None) -> None:
        """Take the kernels for a value of the option, or for the usual one."""
        draw, move = self.kernels
        if self.option is not None and chosen is not None:
            name, usual = self.option
            if not isinstance(chosen, (int, float, np.number)) or not np.isfinite(chosen):
                raise ValueError(f"{name} must be a finite number, got {chosen!r}")
            value = type(usual)(chosen)
            setattr(self._drawer, self._attribute_of_option, value)
            if value != usual:
                move = given(move, value)
        count = int(getattr(self.single_action_space, "n", 0))
        self.reset_kernel, self.step_kernel = loops(draw, move, n_actions=count)
        self.__dict__.pop("pointers", None)  # those of other kernels

    @property
    def _attribute_of_option(self) -> str:
        """Under which the original keeps its option, publicly or not."""
        name = self.option[0] if self.option else ""
        return name if hasattr(self._drawer, name) else f"_{name}"

    @override
    def attribute(self, i: int, name: str) -> Any:
        """Ask the original, in the state of the sub-environment."""
        if name in ("step", "reset", "close", "np_random", "np_random_seed"):
            return super().attribute(i, name)
        self._pose(self._arrays.state[i])
        return getattr(self._drawer, name)

    @override
    def set_attr(self, name: str, values: Any) -> None:
        if self.option is None or name != self._attribute_of_option:
            super().set_attr(name, values)
            return
        each = values if isinstance(values, (list, tuple)) else [values] * self.num_envs
        if len(each) != self.num_envs or len(set(each)) > 1:
            raise ValueError(f"{name} must be the same in all sub-environments, got {values}")
        self._use(each[0])

    @override
    def _bounds(self, options: Mapping[str, Any] | None) -> Bounds:
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
        if (self._arrays.steps == NEVER).any():
            raise ResetNeeded("every sub-environment must be reset before it is drawn")
        pictures = []
        for state in self._arrays.state:
            self._pose(state)
            pictures.append(self._drawer.render())
        return tuple(pictures)

    def _pose(self, state: NDArray[np.float64]) -> None:
        """Bring the original into a state."""
        self._drawer.state = state.copy()

    def close_extras(self, **kwargs: Any) -> None:
        """Release what drawing holds."""
        self._drawer.close()
