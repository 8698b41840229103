"""
What an environment of Gymnasium has promised, checked: it is taken at its word or refused.

Gymnasium's own vector environments take a dict for a sign that the episode has ended.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from npvpg.envs.faults import METADATA_RULE, RESET_RULE, STEP_RULE, EnvError, shown
from npvpg.envs.fitting import numbers

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
