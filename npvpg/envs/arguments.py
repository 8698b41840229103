"""What callers hand to a vector environment, brought into the form of the kernels or refused."""

from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from npvpg import checks
from npvpg.kernels.physics import NEVER


def rows(mask: Any, n: int) -> NDArray[np.int64]:
    """
    Rows that a mask selects.

    Parameters
    ----------
    mask : ndarray of bool, shape (N,)
        The option "reset_mask" of a reset.
    n : int
        Number of sub-environments, N.

    Returns
    -------
    ndarray of int64, shape (R,)
        The rows, ascending.

    Raises
    ------
    TypeError, ValueError
        Where Gymnasium raises the same.
    """
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"reset_mask must be a numpy array, got {type(mask)}")
    if mask.shape != (n,):
        raise ValueError(f"reset_mask must have shape ({n},), got {mask.shape}")
    if mask.dtype != np.bool_:
        raise TypeError(f"reset_mask must have dtype bool, got {mask.dtype}")
    if not mask.any():
        raise ValueError(f"reset_mask must select a sub-environment, got {mask}")
    return mask.nonzero()[0]


def actions(given: ArrayLike, shape: tuple[int, ...], *, discrete: bool) -> NDArray[Any]:
    """
    Actions as the kernels take them.

    Parameters
    ----------
    given : array_like of int, shape (N,), or of float, shape (N, D)
        The actions; float32 stays float32.
    shape : tuple of int
        Shape that they must have.
    discrete : bool
        Whether they must be integers.

    Returns
    -------
    ndarray of int64, float32 or float64
        In C order.

    Raises
    ------
    ValueError
        If they have another shape or type.
    """
    act = np.asarray(given)
    if act.dtype.kind not in ("iu" if discrete else "iuf"):
        raise ValueError(
            f"actions must be {'integers' if discrete else 'numbers'}, got {act.dtype}"
        )
    checks.shape(shape, actions=act)
    single = act.dtype == np.float32
    wanted = np.int64 if discrete else np.float32 if single else np.float64
    return np.array(act, dtype=wanted, order="C")


def refusal(
    i: int, act: NDArray[Any], steps: NDArray[np.int64], action_space: Space[Any]
) -> Exception:
    """
    Why a sub-environment cannot take a step.

    Parameters
    ----------
    i : int
        Its number.
    act : ndarray, shape (N,) or (N, D)
        The actions.
    steps : ndarray of int64, shape (N,)
        As in `npvpg.kernels.physics`.
    action_space : gymnasium.Space
        Where an action must lie.

    Returns
    -------
    ResetNeeded, AssertionError or ValueError
        What is to be raised.
    """
    if steps[i] == NEVER:
        return ResetNeeded(f"sub-environment {i} was never reset: call reset() first")
    if steps[i] < 0:
        over = np.flatnonzero(steps < 0).tolist()
        return AssertionError(f"the episodes of sub-environments {over} are over: reset them")
    return ValueError(f"actions must lie in {action_space}, got {act[i]} for sub-environment {i}")
