"""
Numbers in the types that a space declares: as they were given, or refused.

Gymnasium's own vector environments write what they get into arrays of the declared type, which
wraps 300 in a uint8 to 44.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from npvpg.envs.faults import EnvError, shown

NUMBERS = "biuf"  # kinds of NumPy's types that hold real numbers
LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def fitted(space: spaces.Space[Any], obs: Any, name: str = "observation") -> Any:
    """
    Copy an observation, in the types that its space declares.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        Space of the observation.
    obs : object
        The observation.
    name : str
        Its name in a message.

    Returns
    -------
    object
        The same numbers; where the space is no Box or the like, the observation itself.

    Raises
    ------
    EnvError
        If its structure or a shape is another, or a number cannot be had in the declared type.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(obs, Mapping) or set(obs) != set(space.spaces):
            got = f"the keys {sorted(map(str, obs))}" if isinstance(obs, Mapping) else shown(obs)
            raise EnvError(f"{name} must be a dict of the keys {list(space.spaces)}, got {got}")
        return {k: fitted(part, obs[k], f"{name}[{k!r}]") for k, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        if not isinstance(obs, tuple | list) or len(obs) != len(space.spaces):
            raise EnvError(f"{name} must be a tuple of {len(space.spaces)} parts, got {shown(obs)}")
        parts = enumerate(zip(space.spaces, obs, strict=True))
        return tuple(fitted(part, inner, f"{name}[{k}]") for k, (part, inner) in parts)
    if not isinstance(space, LEAVES):
        return obs
    given = numbers(obs, name)
    if given.shape != space.shape:
        raise EnvError(f"{name} must have shape {space.shape}, got {given.shape}")
    if given.dtype == space.dtype and isinstance(space, spaces.Box):
        return given.copy()
    bad = misfits(space, given)
    if bad.any():
        raise EnvError(f"{name} must {rule(space)}, got {given[bad][0]}")
    return given.astype(space.dtype)


def numbers(given: Any, name: str) -> NDArray[Any]:
    """
    See something as an array of real numbers.

    Parameters
    ----------
    given : object
        What should be one.
    name : str
        Its name in a message.

    Returns
    -------
    ndarray
        The array; it may share memory with what was given.

    Raises
    ------
    EnvError
        If it is none: text, complex numbers, objects, lists of different lengths.
    """
    try:
        array = np.asarray(given)
    except Exception as error:  # lists of different lengths, tensors of other devices ...
        raise EnvError(f"{name} must hold real numbers, got {shown(given)}") from error
    if array.dtype.kind not in NUMBERS:
        raise EnvError(f"{name} must hold real numbers, got {shown(given)}")
    return array


def misfits(leaf: spaces.Space[Any], given: NDArray[Any]) -> NDArray[np.bool_]:
    """
    Say which numbers cannot be had in the type that a part of a space declares.

    Parameters
    ----------
    leaf : Box, Discrete, MultiDiscrete or MultiBinary
        The part.
    given : ndarray, shape (..., *leaf.shape)
        Numbers.

    Returns
    -------
    ndarray of bool, shape of `given`
        True where one is refused.
    """
    if isinstance(leaf, spaces.Discrete):
        return _outside(given, leaf.start, int(leaf.n))
    if isinstance(leaf, spaces.MultiDiscrete):
        return _outside(given, leaf.start, leaf.nvec)
    if isinstance(leaf, spaces.MultiBinary):
        return _outside(given, 0, 2)
    with np.errstate(over="ignore", invalid="ignore"):
        held = given.astype(leaf.dtype)
    if held.dtype.kind == "f":
        return np.asarray(np.isfinite(given) & ~np.isfinite(held))
    return np.asarray(held != given)


def rule(leaf: spaces.Space[Any]) -> str:
    """
    Say what a number must do to lie in a part of a space.

    Parameters
    ----------
    leaf : Box, Discrete, MultiDiscrete or MultiBinary
        The part.

    Returns
    -------
    str
        The rule, after "must".

    Examples
    --------
    >>> rule(spaces.Box(0, 255, (2,), np.uint8))
    'fit uint8, whole numbers from 0 to 255'
    """
    if not isinstance(leaf, spaces.Box):
        return f"lie in {leaf}"
    if leaf.dtype.kind not in "iu":
        return f"fit {leaf.dtype}"
    info = np.iinfo(leaf.dtype)
    return f"fit {leaf.dtype}, whole numbers from {info.min} to {info.max}"


def _outside(given: NDArray[Any], first: Any, count: Any) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        index = given - np.asarray(first, np.float64)
        return np.asarray((index != np.floor(index)) | ~(index >= 0) | ~(index < count))
