"""The parts of an action: which columns and which law of a policy belong to which space."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg.distributions import Distribution, Product
from npvpg.world.spaces import bounded
from npvpg.world.squash import BoundAction


class Head(NamedTuple):
    """
    One part of an action.

    Attributes
    ----------
    name : str
        Where it lies in the action, such as "arm" or "arm[1]"; empty if it is all of it.
    space : gymnasium.spaces.Space
        Discrete, MultiBinary or Box; a number of a MultiDiscrete is a Discrete.
    law : Distribution
        Its distribution.
    params : slice
        Its columns of the parameters.
    columns : slice
        Its columns of the action as the policy gives it.
    bound : BoundAction or None
        What stands between it and its Box.
    """

    name: str
    space: spaces.Space[Any]
    law: Distribution
    params: slice
    columns: slice
    bound: BoundAction | None

    def mapped(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """
        Give numbers for a Box in its own units, which may lie outside.

        Parameters
        ----------
        x : ndarray, shape (S, D)
            Numbers as the policy gives them.

        Returns
        -------
        ndarray of float64, shape (S, D)
            The same in the units of the Box.
        """
        box = self.space
        assert isinstance(box, spaces.Box)
        shaped = x.astype(np.float64).reshape(-1, *box.shape)
        return (shaped if self.bound is None else self.bound.to_box(box, shaped)).reshape(x.shape)

    def sent(self, act: NDArray[Any]) -> NDArray[Any]:
        """
        Give what the environment gets of numbers for a Box.

        Parameters
        ----------
        act : ndarray, shape (S, D)
            Numbers as the policy gives them.

        Returns
        -------
        ndarray, shape (S, D)
            Numbers inside the Box.
        """
        box = self.space
        assert isinstance(box, spaces.Box)
        return bounded(box, self.mapped(act).reshape(-1, *box.shape)).reshape(act.shape)


def heads(env: VectorEnv, law: Distribution) -> list[Head]:
    """
    Part the actions of a policy.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        The environment, as `npvpg.runs.environments.make` makes it.
    law : Distribution
        Distribution of actions, as `npvpg.runs.build.distribution` chooses it.

    Returns
    -------
    list of Head
        The parts, in the order of the columns.
    """
    bound = env if isinstance(env, BoundAction) else None
    space = env.single_action_space if bound is None else bound.bounded_action_space
    laws = iter(law.parts if isinstance(law, Product) else (law,))
    found: list[Head] = []
    params = columns = 0
    for name, part in _named(space):
        own = next(laws)
        n_columns = int(np.prod(own.event_shape))
        found.append(
            Head(
                name,
                part,
                own,
                slice(params, params + own.n_params),
                slice(columns, columns + n_columns),
                bound if isinstance(part, spaces.Box) else None,
            )
        )
        params, columns = params + own.n_params, columns + n_columns
    return found


def _named(space: spaces.Space[Any], name: str = "") -> Iterator[tuple[str, spaces.Space[Any]]]:
    """List the parts that have a law of their own, by name."""
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _named(part, f"{name}.{key}" if name else str(key))
    elif isinstance(space, spaces.Tuple):
        for i, part in enumerate(space.spaces):
            yield from _named(part, f"{name}[{i}]")
    elif isinstance(space, spaces.MultiDiscrete):
        pairs = zip(space.nvec.ravel().tolist(), space.start.ravel().tolist(), strict=True)
        for i, (n, start) in enumerate(pairs):
            yield f"{name}[{i}]", spaces.Discrete(n, start=start)
    else:
        yield name, space
