"""
Gymnasium's spaces as flat rows of numbers, for all sub-environments at once.

An observation is flattened as Gymnasium flattens it: whole numbers one-hot, Tuple and Dict part
after part; one that does not fit its space is refused. An action is a row with one column for each
number of the space, counted from 0; it becomes what the environment takes just before the step.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from npvpg.envs.faults import EnvError, shown
from npvpg.envs.fitting import LEAVES, misfits, numbers, rule

SUPPORTED = "Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of these"

MOST_VALUES = 10_000  # that are told apart one-hot: 80 kB a step

_COUNTED = (spaces.Discrete, spaces.MultiDiscrete)


def leaves(space: spaces.Space[Any]) -> list[spaces.Space[Any]]:
    """
    List the spaces that are neither Tuple nor Dict, in Gymnasium's order of flattening.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        The space.

    Returns
    -------
    list of gymnasium.spaces.Space
        Its parts; the space itself if it has none.
    """
    if isinstance(space, spaces.Dict):
        return [leaf for part in space.spaces.values() for leaf in leaves(part)]
    if isinstance(space, spaces.Tuple):
        return [leaf for part in space.spaces for leaf in leaves(part)]
    return [space]


def is_supported(space: spaces.Space[Any]) -> bool:
    """
    Say whether a space is made of what can be flattened, and holds a number at all.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        The space.

    Returns
    -------
    bool
        Whether it is.
    """
    parts = leaves(space)
    return all(isinstance(part, LEAVES) for part in parts) and n_columns(space) > 0


def check(obs_space: spaces.Space[Any], act_space: spaces.Space[Any]) -> None:
    """
    Refuse spaces that no policy of this package handles.

    Parameters
    ----------
    obs_space, act_space : gymnasium.spaces.Space
        Spaces of one sub-environment.

    Raises
    ------
    ValueError
        If one is not supported, or counts more values than can be told apart one-hot.
    """
    for name, space in (("observations", obs_space), ("actions", act_space)):
        if not is_supported(space):
            raise ValueError(f"{name} must lie in {SUPPORTED}, got {space}")
        n_values = sum(
            int(_counts(leaf)[0].sum()) for leaf in leaves(space) if isinstance(leaf, _COUNTED)
        )
        if n_values > MOST_VALUES:
            raise ValueError(
                f"{name} must count at most {MOST_VALUES:,} values, got {n_values:,} in "
                f"{shown(space)}: each takes a unit of the network; declare what the numbers mean "
                "as a Box"
            )


def n_columns(space: spaces.Space[Any]) -> int:
    """
    Count the numbers of a space: the columns of an action.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        The space, of supported parts.

    Returns
    -------
    int
        Number of columns, D.
    """
    return sum(math.prod(leaf.shape or ()) for leaf in leaves(space))


def flatten(space: spaces.Space[Any], obs: Any, n: int) -> NDArray[np.float64]:
    """
    Flatten the observations of n sub-environments, each as `gymnasium.spaces.flatten` does it.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        Space of one observation, supported.
    obs : object
        Observations in the batched space.
    n : int
        Number of sub-environments, N.

    Returns
    -------
    ndarray of float64, shape (N, O)
        A copy, one row for each.

    Raises
    ------
    EnvError
        If the structure or a shape is another than the space's, or a number does not fit it.
    """
    if isinstance(space, LEAVES):
        return _rows(space, obs, n)
    try:
        parts = _unnested(space, obs)
    except (KeyError, TypeError, ValueError):
        raise EnvError(f"observation must lie in {space}, got {shown(obs)}") from None
    return np.concatenate([_rows(*part, n) for part in zip(leaves(space), parts, strict=True)], 1)


def _unnested(space: spaces.Space[Any], batch: Any) -> list[Any]:
    if isinstance(space, spaces.Dict):
        named = [(part, batch[name]) for name, part in space.spaces.items()]
    elif isinstance(space, spaces.Tuple):
        named = list(zip(space.spaces, batch, strict=True))
    else:
        return [batch]
    return [leaf for part, inner in named for leaf in _unnested(part, inner)]


def _rows(leaf: spaces.Space[Any], batch: Any, n: int) -> NDArray[np.float64]:
    """Flatten what lies in one part; whole numbers become one-hot."""
    given = numbers(batch, "observations")
    width = math.prod(leaf.shape or ())
    if given.shape[:1] != (n,) or given.size != n * width:
        raise EnvError(
            f"observations must have shape {(n, *(leaf.shape or ()))}, got {given.shape}"
        )
    if not isinstance(leaf, spaces.Box) or given.dtype != leaf.dtype:
        given = given.reshape(n, *(leaf.shape or ()))
        bad = misfits(leaf, given)
        if bad.any():
            first = np.argwhere(bad)[0]
            raise EnvError(
                f"observation must {rule(leaf)}, got {given[tuple(first)]}", index=int(first[0])
            )
    rows = np.array(given, np.float64).reshape(n, width)
    if not isinstance(leaf, _COUNTED):
        return rows
    sizes, start = _counts(leaf)
    first = np.cumsum(sizes) - sizes
    hot = np.zeros((n, int(sizes.sum())))
    hot[np.arange(n)[:, np.newaxis], first + (rows - start).astype(np.int64)] = 1
    return hot


def _counts(
    leaf: "spaces.Discrete[Any] | spaces.MultiDiscrete",
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give how many values every number of a part has, and the first of them."""
    if isinstance(leaf, spaces.Discrete):
        return np.array([int(leaf.n)]), np.array([int(leaf.start)])
    return leaf.nvec.ravel(), leaf.start.ravel()


def unflatten(space: spaces.Space[Any], act: NDArray[Any]) -> Any:
    """
    Make of flat actions what the environment takes.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        Space of one action, supported.
    act : ndarray, shape (N, D), or (N,) where the space is Discrete
        Actions: whole numbers and bits count from 0, numbers for a Box may lie outside.

    Returns
    -------
    object
        Actions in the batched space, a copy; those for a Box as `bounded` makes them.
    """
    if isinstance(space, LEAVES):
        return _to_leaf(space, act)
    edges = np.cumsum([n_columns(leaf) for leaf in leaves(space)])[:-1]
    parts = zip(leaves(space), np.split(act, edges, axis=1), strict=True)
    return _nested(space, (_to_leaf(*part) for part in parts))


def bounded(box: spaces.Box, act: NDArray[Any]) -> NDArray[Any]:
    r"""
    Bring numbers into a Box, and to whole ones if it holds no others.

    .. math:: x = \min(\max(a, \text{low}), \text{high})

    of :math:`a`, or in a Box of integers of the whole number nearest to it, so that

    .. math:: P(x = k) = P(k - \tfrac12 < a < k + \tfrac12), \qquad \text{low} < k < \text{high},

    and the two bounds have what lies beyond.

    Parameters
    ----------
    box : gymnasium.spaces.Box
        The Box.
    act : ndarray, shape (N, ...) as the Box
        Numbers.

    Returns
    -------
    ndarray of the type of the Box, shape of `act`
        Numbers inside the bounds, which only then are turned into that type.
    """
    if box.dtype.kind == "f":
        return np.asarray(np.clip(act, box.low, box.high), box.dtype)
    whole = np.rint(act)
    above, below = whole >= box.high, whole <= box.low
    inside = np.where(above | below, 0, whole).astype(box.dtype)  # 2**63 is a float, and no int64
    return np.asarray(np.where(above, box.high, np.where(below, box.low, inside)), box.dtype)


def _to_leaf(leaf: Any, columns: NDArray[Any]) -> NDArray[Any]:
    batch = columns.reshape((len(columns), *leaf.shape))
    if isinstance(leaf, spaces.Box):
        return bounded(leaf, batch)
    start = leaf.start if isinstance(leaf, _COUNTED) else 0
    return np.asarray(batch + start, leaf.dtype)


def _nested(space: spaces.Space[Any], parts: Iterator[NDArray[Any]]) -> Any:
    if isinstance(space, spaces.Dict):
        return {name: _nested(part, parts) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_nested(part, parts) for part in space.spaces)
    return next(parts)
