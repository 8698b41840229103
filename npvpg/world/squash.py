r"""
The tanh in front of a bounded Box: the other way, beside clipping, to keep actions inside it.

.. math:: a = c + h \tanh x

with centre :math:`c` and half-width :math:`h` of the Box. The policy acts in the unbounded space
of :math:`x`, which is what batches store; `npvpg.distributions.SquashedGaussian` knows the density
of :math:`a`.
"""

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from npvpg.world.spaces import bounded, leaves

if TYPE_CHECKING:
    _Wrapper = gym.vector.VectorActionWrapper[Any, Any, Any, Any]
else:  # no generic class before Gymnasium 1.4
    _Wrapper = gym.vector.VectorActionWrapper


class SquashAction(_Wrapper):
    """
    Vector environment whose Boxes of actions are reached through tanh.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment whose actions lie in a Box of finite bounds, or in a Tuple or Dict with one.

    Raises
    ------
    ValueError
        If there is no Box among the actions, or one without bounds.

    See Also
    --------
    npvpg.distributions.SquashedGaussian : The density of such actions.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        inner = env.single_action_space
        boxes = [leaf for leaf in leaves(inner) if isinstance(leaf, spaces.Box)]
        if not boxes or not all(box.is_bounded() for box in boxes):
            raise ValueError(f"actions to squash must lie in a bounded Box, got {inner}")
        self.bounded_action_space = inner
        self.single_action_space = _unbounded(inner)
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    def actions(self, actions: Any) -> Any:
        r"""
        Squash every Box of a batch of actions.

        .. math:: a = c + h\tanh x

        Parameters
        ----------
        actions : object
            Actions in the unbounded, batched space.

        Returns
        -------
        object
            Actions inside the bounds.
        """
        return _squashed(self.bounded_action_space, actions)


def half_width(box: spaces.Box) -> NDArray[np.float64]:
    r"""
    Give half the width of a Box.

    .. math:: h = (\text{high} - \text{low}) / 2

    Parameters
    ----------
    box : gymnasium.spaces.Box
        A Box of finite bounds.

    Returns
    -------
    ndarray of float64, shape of the Box
        Half-widths.
    """
    return np.asarray(box.high / 2.0 - box.low / 2.0, np.float64)


def _unbounded(space: spaces.Space[Any]) -> spaces.Space[Any]:
    if isinstance(space, spaces.Dict):
        return spaces.Dict({name: _unbounded(part) for name, part in space.spaces.items()})
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([_unbounded(part) for part in space.spaces])
    if isinstance(space, spaces.Box):
        return spaces.Box(-np.inf, np.inf, space.shape, np.float64)
    return space


def _squashed(space: spaces.Space[Any], batch: Any) -> Any:
    if isinstance(space, spaces.Dict):
        return {name: _squashed(part, batch[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_squashed(*part) for part in zip(space.spaces, batch, strict=True))
    if isinstance(space, spaces.Box):
        centre = space.high / 2.0 + space.low / 2.0
        # the sum may be rounded to beyond the bound
        return bounded(space, centre + half_width(space) * np.tanh(batch))
    return batch
