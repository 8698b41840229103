"""
What an environment of Gymnasium has promised, checked: it is taken at its word or refused.

Gymnasium's own vector environments write what they get into arrays of the declared type, which
wraps 300 in a uint8 to 44 and takes a dict for a sign that the episode has ended.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from npvpg.envs.faults import METADATA_RULE, RESET_RULE, STEP_RULE, EnvError, shown

NUMBERS = "biuf"  # kinds of NumPy's types that hold real numbers

MASK = "action_mask"  # of an info, as PettingZoo's environments and Gymnasium's Taxi have it
MASK_RULE = (
    "the action_mask in its info is ignored, and actions that it forbids are drawn as well: let "
    "step answer those with a reward, or no change"
)


def declared(env: Any) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """
    Look up the spaces of an environment.

    Parameters
    ----------
    env : gymnasium.Env
        The environment.

    Returns
    -------
    observations, actions : gymnasium.spaces.Space
        Its two spaces.

    Raises
    ------
    EnvError
        If one is missing or is no space, or its metadata is no dict.
    """
    found = []
    for name in ("observation_space", "action_space"):
        space = getattr(env, name, None)
        if not isinstance(space, spaces.Space):
            raise EnvError(
                f"{name} must be a gymnasium.spaces.Space, set in __init__, got {shown(space)}"
            )
        found.append(space)
    if not isinstance(env.metadata, Mapping):
        raise EnvError(f"{METADATA_RULE}, got {shown(env.metadata)}")
    return found[0], found[1]


def reset_result(returned: Any) -> Any:
    """
    Take the observation from what `reset` returned.

    Parameters
    ----------
    returned : object
        What it returned.

    Returns
    -------
    object
        The observation.

    Raises
    ------
    EnvError
        If it is no observation and dict.
    """
    is_pair = isinstance(returned, tuple | list) and len(returned) == 2
    if not is_pair or not isinstance(returned[1], Mapping):
        raise EnvError(f"{RESET_RULE}, got {shown(returned)}")
    return returned[0]


def kept(info: Any) -> dict[str, Any]:
    """
    Keep of an info what its reader is told of: whether it holds a mask of the actions.

    Parameters
    ----------
    info : mapping
        What `reset` returned beside the observation.

    Returns
    -------
    dict
        "action_mask", if there is one.
    """
    return {MASK: True} if MASK in info else {}


def five(returned: Any) -> Any:
    """
    Require the five values that `step` returns.

    Parameters
    ----------
    returned : object
        What it returned.

    Returns
    -------
    tuple or list
        The same.

    Raises
    ------
    EnvError
        If it is no tuple or list of five.
    """
    if not (isinstance(returned, (tuple, list)) and len(returned) == 5):
        size = f"{len(returned)} values" if isinstance(returned, tuple | list) else shown(returned)
        raise EnvError(f"{STEP_RULE}, got {size}")
    return returned


def step_result(returned: Any) -> tuple[Any, float, bool, bool]:
    """
    Take apart what `step` returned.

    Parameters
    ----------
    returned : object
        What it returned.

    Returns
    -------
    obs : object
        The observation.
    rew : float
        The reward.
    terminated, truncated : bool
        Whether the episode ended for good, or was cut.

    Raises
    ------
    EnvError
        If there are not five values, the reward is no number, or an end is neither true nor false.
    """
    if type(returned) is not tuple or len(returned) != 5:
        five(returned)
    obs, rew, terminated, truncated, _ = returned
    if type(rew) is not float:
        rew = _number(rew)
    if type(terminated) is not bool:
        terminated = _truth("terminated", terminated)
    if type(truncated) is not bool:
        truncated = _truth("truncated", truncated)
    return obs, rew, terminated, truncated


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


LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


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


def _number(rew: Any) -> float:
    """Take a reward that is no float of Python's."""
    try:
        array = numbers(rew, "reward")
    except EnvError:
        raise EnvError(f"reward must be one real number, got {shown(rew)}: {STEP_RULE}") from None
    if array.size != 1:
        raise EnvError(f"reward must be one real number, got {shown(rew)}: {STEP_RULE}")
    return float(array.item())


def _truth(name: str, flag: Any) -> bool:
    """Take the sign of an end that is no bool of Python's."""
    try:
        array = np.asarray(flag)
    except Exception:  # whatever a user may return
        array = np.empty(0)
    if array.dtype != np.bool_ or array.size != 1:
        raise EnvError(f"{name} must be True or False, got {shown(flag)}: {STEP_RULE}")
    return bool(array.item())
