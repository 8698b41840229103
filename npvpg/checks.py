"""Checks of arguments: every message names the argument, the rule and the value."""

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_interval(**values: float) -> None:
    """
    Require every value to lie in [0, 1].

    Parameters
    ----------
    **values : float
        The values under their names.

    Raises
    ------
    ValueError
        If a value lies outside [0, 1] or is not a number.

    Examples
    --------
    >>> unit_interval(gamma=1.2)
    Traceback (most recent call last):
    ValueError: gamma must lie in [0, 1], got 1.2
    """
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {value}")


def at_least(minimum: float, **values: float | None) -> None:
    """
    Require every value that is given to be at least `minimum`.

    Parameters
    ----------
    minimum : float
        The smallest value allowed.
    **values : float or None
        The values under their names; None passes.

    Raises
    ------
    ValueError
        If a value is smaller than `minimum` or is not a number.

    Examples
    --------
    >>> at_least(1, n=0)
    Traceback (most recent call last):
    ValueError: n must be at least 1, got 0
    """
    for name, value in values.items():
        if value is not None and not value >= minimum:
            raise ValueError(f"{name} must be at least {minimum}, got {value}")


def positive(**values: float | None) -> None:
    """
    Require every value that is given to be positive and finite.

    Parameters
    ----------
    **values : float or None
        The values under their names; None passes.

    Raises
    ------
    ValueError
        If a value is zero, negative, infinite or not a number.

    Examples
    --------
    >>> positive(policy_lr=-1)
    Traceback (most recent call last):
    ValueError: policy_lr must be positive and finite, got -1
    """
    for name, value in values.items():
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} must be positive and finite, got {value}")


def shape(expected: tuple[int, ...], **arrays: NDArray[Any]) -> None:
    """
    Require every array to have exactly this shape; what would broadcast but differs is refused.

    Parameters
    ----------
    expected : tuple of int
        The shape; -1 stands for any length.
    **arrays : ndarray
        The arrays under their names.

    Raises
    ------
    ValueError
        If a shape differs.

    Examples
    --------
    >>> shape((3,), weight=np.zeros((3, 1)))
    Traceback (most recent call last):
    ValueError: weight must have shape (3,), got (3, 1)
    """
    for name, array in arrays.items():
        given = array.shape if isinstance(array, np.ndarray) else np.shape(array)
        if given == expected:
            continue
        if len(given) != len(expected) or any(
            want not in (-1, have) for want, have in zip(expected, given, strict=True)
        ):
            wanted = str(expected).replace("-1", "any")
            raise ValueError(f"{name} must have shape {wanted}, got {given}")


def finite(**arrays: NDArray[Any]) -> None:
    """
    Require every entry of every array to be finite.

    Parameters
    ----------
    **arrays : ndarray
        The arrays under their names.

    Raises
    ------
    ValueError
        If an entry is NaN or infinite; the first such index is named.

    Examples
    --------
    >>> finite(rew=np.array([0.0, np.nan]))
    Traceback (most recent call last):
    ValueError: rew must be finite, got nan at index 1
    """
    for name, array in arrays.items():
        good = np.isfinite(array)
        if not good.all():
            index = tuple(int(i) for i in np.argwhere(~good)[0])
            at = index[0] if len(index) == 1 else index
            raise ValueError(f"{name} must be finite, got {array[index]} at index {at}")


def offsets(start: NDArray[np.int64], n_steps: int) -> None:
    """
    Require offsets of non-empty trajectories that fill `n_steps` steps.

    Parameters
    ----------
    start : ndarray of int64, shape (K + 1,)
        Offsets: from 0 to `n_steps`, strictly increasing.
    n_steps : int
        Length of the flat arrays, S.

    Raises
    ------
    ValueError
        If `start` breaks this rule.

    Examples
    --------
    >>> offsets(np.array([0, 2]), 3)
    Traceback (most recent call last):
    ValueError: start must rise strictly from 0 to 3, got [0 2]
    """
    start = np.asarray(start)
    good = start.ndim == 1 and start.size > 0 and np.issubdtype(start.dtype, np.integer)
    if not good or start[0] != 0 or start[-1] != n_steps or (np.diff(start) <= 0).any():
        raise ValueError(f"start must rise strictly from 0 to {n_steps}, got {start}")


_Rule = tuple[str, Callable[[Any], bool]]
_UNIT: _Rule = "must lie in [0, 1]", lambda x: 0 <= x <= 1
_BELOW_ONE: _Rule = "must lie in [0, 1)", lambda x: 0 <= x < 1
_AT_LEAST_0: _Rule = "must be at least 0", lambda x: x >= 0
_AT_LEAST_1: _Rule = "must be at least 1", lambda x: x >= 1
_NOT_NEGATIVE: _Rule = "must be at least 0 and finite", lambda x: 0 <= x < math.inf
_POSITIVE: _Rule = "must be positive and finite", lambda x: 0 < x < math.inf

RULES: dict[str, _Rule] = {
    **dict.fromkeys(("gamma", "lam"), _UNIT),
    **dict.fromkeys(("beta1", "beta2"), _BELOW_ONE),
    **dict.fromkeys(("seed", "horizon", "value_steps", "value_minibatch"), _AT_LEAST_0),
    **dict.fromkeys(("evaluation_episodes", "eval_every", "policy_minibatch"), _AT_LEAST_0),
    **dict.fromkeys(("steps", "n", "n_steps", "n_episodes", "envs", "episodes"), _AT_LEAST_1),
    **dict.fromkeys(("policy_steps", "cg_steps", "backtracks"), _AT_LEAST_1),
    "checkpoint_every": _AT_LEAST_1,
    "video_every": _AT_LEAST_0,
    **dict.fromkeys(("entropy_weight", "max_grad_norm", "start", "stop"), _NOT_NEGATIVE),
    **dict.fromkeys(("damping", "stop_kl", "value_clip"), _NOT_NEGATIVE),
    **dict.fromkeys(("policy_lr", "value_lr", "reward_scale", "eps", "clip"), _POSITIVE),
    "init_log_sigma": ("must lie in [-20, 2]", lambda x: -20 <= x <= 2),
}
"""What a setting may be, by its name: the same wherever a setting of that name stands."""


def settings(described: Any) -> None:
    """
    Require the numbers of a dataclass to be what settings of their names may be.

    Parameters
    ----------
    described : dataclass
        Its fields that have an entry in `RULES` are looked at.

    Raises
    ------
    ValueError
        If one breaks its rule.

    Examples
    --------
    >>> from npvpg.optimizers import Adam
    >>> Adam(beta1=1.0)
    Traceback (most recent call last):
    ValueError: beta1 must lie in [0, 1), got 1.0
    """
    for field in fields(described):
        text, holds = RULES.get(field.name, ("", None))
        value = getattr(described, field.name)
        if holds is not None and not holds(value):
            raise ValueError(f"{field.name} {text}, got {value}")
