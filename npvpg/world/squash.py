r"""
What stands between a policy and a Box of actions: a change of unit, or a tanh.

.. math:: a = c + h x, \qquad a = c + h \tanh x

with centre :math:`c` and half-width :math:`h` of the Box. The policy acts in the unbounded space
of :math:`x`, which is what batches store; the laws in `npvpg.distributions` know the density of
:math:`a`.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, final

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from typing_extensions import override

from npvpg.world.spaces import bounded, leaves, n_columns

FAR: Final = 1e12  # a Box that is wider is one without bounds, as types have a largest number

if TYPE_CHECKING:
    _Wrapper = gym.vector.VectorActionWrapper[Any, Any, Any, Any]
else:  # no generic class before Gymnasium 1.4
    _Wrapper = gym.vector.VectorActionWrapper


class BoundAction(_Wrapper, ABC):
    """
    Vector environment whose Boxes of actions are reached through a map.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with a Box among its actions.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self.bounded_action_space = env.single_action_space
        self.single_action_space = _unbounded(env.single_action_space)
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    @abstractmethod
    def to_box(self, box: spaces.Box, x: NDArray[Any]) -> NDArray[np.float64]:
        """
        Map what a policy chose for a Box.

        Parameters
        ----------
        box : gymnasium.spaces.Box
            The Box.
        x : ndarray, shape (N, ...) as the Box
            Unbounded numbers.

        Returns
        -------
        ndarray of float64, shape of `x`
            Numbers in the units of the Box, which may lie outside.
        """

    def actions(self, actions: Any) -> Any:
        """
        Map every Box of a batch of actions.

        Parameters
        ----------
        actions : object
            Actions in the unbounded, batched space.

        Returns
        -------
        object
            Actions inside the bounds.
        """
        return self._mapped(self.bounded_action_space, actions)

    def _mapped(self, space: spaces.Space[Any], batch: Any) -> Any:
        if isinstance(space, spaces.Dict):
            return {name: self._mapped(part, batch[name]) for name, part in space.spaces.items()}
        if isinstance(space, spaces.Tuple):
            return tuple(self._mapped(*part) for part in zip(space.spaces, batch, strict=True))
        if isinstance(space, spaces.Box):
            return bounded(space, self.to_box(space, batch))  # it may be rounded to beyond
        return batch


@final
class SquashAction(BoundAction):
    r"""
    Vector environment whose Boxes of actions are reached through tanh.

    .. math:: a = c + h\tanh x

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
        inner = env.single_action_space
        boxes = [leaf for leaf in leaves(inner) if isinstance(leaf, spaces.Box)]
        if not boxes or not all(box.is_bounded() for box in boxes):
            raise ValueError(f"actions to squash must lie in a bounded Box, got {inner}")
        super().__init__(env)

    @override
    def to_box(self, box: spaces.Box, x: NDArray[Any]) -> NDArray[np.float64]:
        centre = box.high / 2.0 + box.low / 2.0
        return np.asarray(centre + half_width(box) * np.tanh(x))


@final
class ScaleAction(BoundAction):
    r"""
    Vector environment whose Boxes of actions are counted from their centres, in half-widths.

    .. math:: a = \min(\max(c + h x, \text{low}), \text{high})

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Environment with a Box among its actions.

    See Also
    --------
    origin_and_unit : The numbers c and h of a Box, of one without bounds as well.
    """

    @override
    def to_box(self, box: spaces.Box, x: NDArray[Any]) -> NDArray[np.float64]:
        origin, unit = origin_and_unit(box)
        return np.asarray(origin + unit * x)


def origin_and_unit(box: spaces.Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""
    Give where the numbers of a Box are counted from, and in what.

    .. math:: c = (\text{low} + \text{high}) / 2, \qquad h = (\text{high} - \text{low}) / 2

    Parameters
    ----------
    box : gymnasium.spaces.Box
        The Box.

    Returns
    -------
    origin, unit : ndarray of float64, shape of the Box
        Of a number that has not both bounds, or bounds so far apart that they are none, or one
        value alone: the number in the Box that is nearest to 0, and 1.
    """
    low, high = (np.asarray(bound, np.float64) for bound in (box.low, box.high))
    with np.errstate(invalid="ignore"):  # inf - inf
        width, middle = high / 2 - low / 2, high / 2 + low / 2
    known = (width > 0) & (width < FAR)
    return np.where(known, middle, np.clip(0, low, high)), np.where(known, width, 1.0)


def scales(space: spaces.Space[Any]) -> bool:
    """
    Say whether a `ScaleAction` changes anything.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        Space of one action.

    Returns
    -------
    bool
        Whether a Box of it is counted from other than 0 or in other than 1.
    """
    boxes = [origin_and_unit(leaf) for leaf in leaves(space) if isinstance(leaf, spaces.Box)]
    return any(origin.any() or (unit != 1).any() for origin, unit in boxes)


def reach(env: VectorEnv[Any, Any, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Give the bounds beyond which what a policy chose is clipped.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        The environment.

    Returns
    -------
    low, high : ndarray of float64, shape (D,)
        In the policy's units, for every column of an action; infinite where nothing is clipped.
        Numbers for a Box of integers are clipped where they are nearest to one outside.
    """
    space = env.bounded_action_space if isinstance(env, BoundAction) else env.single_action_space
    low, high = np.full((2, n_columns(space)), [[-np.inf], [np.inf]])
    column = 0
    for leaf in leaves(space):
        columns = slice(column, column := column + n_columns(leaf))
        if isinstance(leaf, spaces.Box) and not isinstance(env, SquashAction):
            half = 0.0 if leaf.dtype.kind == "f" else 0.5
            origin, unit = origin_and_unit(leaf) if isinstance(env, ScaleAction) else (0.0, 1.0)
            low[columns] = ((leaf.low - half - origin) / unit).ravel()
            high[columns] = ((leaf.high + half - origin) / unit).ravel()
    return low, high


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
