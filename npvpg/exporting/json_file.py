"""A policy as JSON: weights, normaliser and what belongs to them as plain numbers."""

import json
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from npvpg import __version__
from npvpg.exporting.form import Form, Leaf


def dumps(policy: Form) -> str:
    """
    Write a policy as JSON.

    Parameters
    ----------
    policy : Form
        The policy.

    Returns
    -------
    str
        The text; a float of it is read as the very number, an infinite bound is null. An
        observation laid flat is normalised in float64, ``clip((obs - mean) * scale, -bound,
        bound)``, brought to the type of the network and led through its layers, ``x @ weight +
        bias``, all but the last followed by the activation. What each number of the output is, the
        parts of the action say: of a Gaussian ``origin + unit * x`` is sent, of x its tanh where it
        is squashed, and clipped.
    """
    moments = policy.moments
    told = {
        "format": "npvpg-policy",
        "version": 1,
        "npvpg": __version__,
        "environment": policy.env,
        "steps": policy.steps,
        "observation": {"space": str(policy.obs_space), "size": policy.n_obs},
        "normaliser": None
        if moments is None
        else {
            "mean": moments[0].tolist(),
            "scale": moments[1].tolist(),
            "bound": policy.bound,
        },
        "network": {
            "type": policy.dtype.name,
            "activation": policy.activation,
            "layers": [
                {"weight": weight.tolist(), "bias": bias.tolist()} for weight, bias in policy.layers
            ],
        },
        "greedy": policy.greedy,
        "action": _action(policy.act_space, iter(policy.leaves), policy),
    }
    return json.dumps(told, allow_nan=False) + "\n"


def _action(space: Space[Any], leaves: Any, policy: Form) -> Any:
    """Say what the action is made of, nested as it is."""
    if isinstance(space, spaces.Dict):
        return {
            "kind": "dict",
            "parts": {k: _action(part, leaves, policy) for k, part in space.spaces.items()},
        }
    if isinstance(space, spaces.Tuple):
        return {
            "kind": "tuple",
            "parts": [_action(part, leaves, policy) for part in space.spaces],
        }
    return _leaf(next(leaves), policy)


def _leaf(leaf: Leaf, policy: Form) -> dict[str, Any]:
    """Say which outputs, or free numbers, a leaf is made of."""
    space = leaf.space
    told: dict[str, Any] = {"shape": list(space.shape or ()), "type": str(space.dtype)}
    for part in leaf.parts:
        if part.outputs is not None:
            where: Any = {"outputs": [part.outputs.start, part.outputs.stop]}
        else:
            at = policy.free_columns.index(part.columns.start)
            where = {"free": policy.free[at : at + part.columns.stop - part.columns.start].tolist()}
        told.setdefault(part.kind, []).append(where)
    if isinstance(space, spaces.Box):
        told = {
            name: value[0] if name in ("mean", "log_sigma") else value
            for name, value in told.items()
        }
        low, high = leaf.bounds
        told |= {"kind": "gaussian", "squashed": leaf.squashed}
        told |= {"low": _finite(low), "high": _finite(high)}
        mean = leaf.parts[0]
        origin, unit = (0 * low, 1 + 0 * low) if mean.origin is None else (mean.origin, mean.unit)
        if leaf.squashed:
            origin, unit = leaf.centre, leaf.half_width
        assert unit is not None
        told |= {"origin": origin.tolist(), "unit": unit.tolist()}
    elif isinstance(space, spaces.MultiBinary):
        told |= {"kind": "bernoulli"}
    else:
        told |= {"kind": "categorical", "start": np.ravel(space.start).tolist()}  # type: ignore[attr-defined]
    return told


def _finite(bounds: Any) -> list[float | None]:
    """Give bounds, and null where there is none."""
    return [value if np.isfinite(value) else None for value in bounds.tolist()]
