"""A policy as it leaves: every number of it, and what is done with each, told to any writer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from npvpg.normalize import BOUND
from npvpg.runs.evaluation import Trained
from npvpg.runs.heads import Head, heads
from npvpg.runs.modules import short
from npvpg.world.squash import BoundAction, ScaleAction, SquashAction, half_width, origin_and_unit

EXACT = 2**53  # whole numbers up to that are exact in float64

Kind = Literal["logits", "mean", "log_sigma"]


class Part(NamedTuple):
    """
    Some parameters of the distribution: outputs of the network, or free ones.

    Attributes
    ----------
    name : str
        What they are called: "logits", "arm.mean".
    kind : {"logits", "mean", "log_sigma"}
        What they are; a log sigma is clamped to [-20, 2].
    columns : slice
        Their columns among all parameters.
    outputs : slice or None
        Their columns among the outputs of the network; None if they are free.
    origin, unit : ndarray of float64, shape (D,), or None
        Of a mean and log sigma that are to be counted in the units of the Box: the mean becomes
        origin + unit mean, the log sigma log sigma + log unit.
    """

    name: str
    kind: Kind
    columns: slice
    outputs: slice | None
    origin: NDArray[np.float64] | None = None
    unit: NDArray[np.float64] | None = None


class Leaf(NamedTuple):
    """
    A space of the action that is neither Tuple nor Dict, and what it is made of.

    Attributes
    ----------
    name : str
        What its action is called: "action", "arm.action".
    space : gymnasium.spaces.Space
        Discrete, MultiDiscrete, MultiBinary or Box.
    parts : list of Part
        Logits: one for a Discrete or a MultiBinary, one for each number of a MultiDiscrete; or the
        mean and log sigma of a Box.
    squashed : bool
        Whether tanh brings it into its Box.
    """

    name: str
    space: Space[Any]
    parts: list[Part]
    squashed: bool

    @property
    def centre(self) -> NDArray[np.float64]:
        """Centre of a bounded Box, laid flat, (D,)."""
        assert isinstance(self.space, spaces.Box)
        return np.asarray(self.space.high / 2.0 + self.space.low / 2.0, np.float64).ravel()

    @property
    def half_width(self) -> NDArray[np.float64]:
        """Half its width, (D,)."""
        assert isinstance(self.space, spaces.Box)
        return half_width(self.space).ravel()

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and greatest numbers of a Box, (D,)."""
        assert isinstance(self.space, spaces.Box)
        low, high = self.space.low, self.space.high
        return low.astype(np.float64).ravel(), high.astype(np.float64).ravel()


@dataclass(frozen=True)
class Form:
    """
    A policy, as a writer needs it.

    Parameters
    ----------
    env : str
        Name of its environment.
    steps : int
        Steps it was trained for.
    obs_space, act_space : gymnasium.spaces.Space
        Spaces of one observation and of one action.
    moments : tuple of ndarray of float64, shape (O,), or None
        Mean, and one over the standard deviation, of observations; None if they are not normalised.
    activation : str
        "tanh" or "relu".
    layers : list of (ndarray (in, out), ndarray (out,))
        Weights and biases of the network.
    free : ndarray, shape (F,)
        Log sigmas that no observation changes, in the order of their columns.
    free_columns : tuple of int
        These columns among all parameters.
    greedy : float
        Probability of the most probable action in place of a draw.
    leaves : list of Leaf
        The action.
    """

    env: str
    steps: int
    obs_space: Space[Any]
    act_space: Space[Any]
    moments: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    activation: str
    layers: list[tuple[NDArray[Any], NDArray[Any]]]
    free: NDArray[Any]
    free_columns: tuple[int, ...]
    greedy: float
    leaves: list[Leaf]
    bound = BOUND

    @property
    def n_obs(self) -> int:
        """Number of numbers of an observation laid flat."""
        return len(self.layers[0][0])

    @property
    def obs_dtype(self) -> np.dtype[Any]:
        """Type of an observation, as `gymnasium.spaces.flatten` gives it."""
        return np.dtype(spaces.flatten_space(self.obs_space).dtype)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the network."""
        return self.layers[0][0].dtype

    @property
    def parts(self) -> list[Part]:
        """All parameters of the distribution, in the order of their columns."""
        return [part for leaf in self.leaves for part in leaf.parts]

    @property
    def folded(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Layers whose last gives the free parameters as well, which its zeros do not change."""
        weight, bias = self.layers[-1]
        n = len(bias) + len(self.free)
        network = np.delete(np.arange(n), self.free_columns)
        wide, long = np.zeros((len(weight), n), self.dtype), np.zeros(n, self.dtype)
        wide[:, network], long[network] = weight, bias
        long[list(self.free_columns)] = self.free
        return [*self.layers[:-1], (wide, long)]


def form(run: Trained) -> Form:
    """
    Take a policy apart.

    Parameters
    ----------
    run : Trained
        The run, as its last checkpoint has it.

    Returns
    -------
    Form
        The policy as it acts there.

    Raises
    ------
    ValueError
        If an action is a whole number beyond what a float64 holds.
    """
    env, (policy, theta) = run.env, run.acting
    bound = env if isinstance(env, BoundAction) else None
    act_space = env.single_action_space if bound is None else bound.bounded_action_space
    law, network = policy.distribution, policy.network
    n_free = law.n_params - network.sizes[-1]
    free_columns = law.scale_columns if n_free else ()
    moments = run.state.obs_moments
    parts = heads(env, law)
    made = Form(
        env=short(run.config.env),
        steps=run.state.steps,
        obs_space=env.single_observation_space,
        act_space=act_space,
        moments=(moments.mean, moments.inverse_std) if moments.n_rows else None,
        activation=network.activation,
        layers=network.unpack(theta[: network.size]),
        free=theta[network.size :],
        free_columns=free_columns,
        greedy=getattr(law, "probability", 0.0),
        leaves=list(_leaves(act_space, iter(parts), free_columns)),
    )
    for leaf in made.leaves:
        if isinstance(leaf.space, spaces.Box) and leaf.space.dtype.kind != "f":
            low, high = leaf.bounds
            if max(abs(low).max(), abs(high).max()) > EXACT:
                raise ValueError(f"actions must lie within 2**53 to be exported, got {leaf.space}")
    return made


def _leaves(
    space: Space[Any], parts: Iterator[Head], free: tuple[int, ...], name: str = ""
) -> Iterator[Leaf]:
    """Walk through the space of actions, and take for each leaf the heads that are its own."""
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _leaves(inner, parts, free, f"{name}.{key}" if name else str(key))
    elif isinstance(space, spaces.Tuple):
        for i, inner in enumerate(space.spaces):
            yield from _leaves(inner, parts, free, f"{name}[{i}]")
    else:
        n = space.nvec.size if isinstance(space, spaces.MultiDiscrete) else 1
        own = [next(parts) for _ in range(n)]
        found = [part for head in own for part in _parts(head, free)]
        squashed = isinstance(own[0].bound, SquashAction)
        yield Leaf(_called("action", name), space, found, squashed)


def _parts(head: Head, free: tuple[int, ...]) -> Iterator[Part]:
    """Name the parameters of a head."""
    start, stop = head.params.start, head.params.stop
    if not isinstance(head.space, spaces.Box):
        yield Part(_called("logits", head.name), "logits", head.params, _outputs(head.params, free))
        return
    middle = (start + stop) // 2
    counted: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None] = None, None
    if isinstance(head.bound, ScaleAction):
        origin, unit = origin_and_unit(head.space)
        counted = origin.ravel(), unit.ravel()
    for kind, columns in (("mean", slice(start, middle)), ("log_sigma", slice(middle, stop))):
        name = _called(kind, head.name)
        yield Part(name, kind, columns, _outputs(columns, free), *counted)  # type: ignore[arg-type]


def _outputs(columns: slice, free: tuple[int, ...]) -> slice | None:
    """Find the outputs of the network that these columns are."""
    if columns.start in free:
        return None
    before = sum(column < columns.start for column in free)
    return slice(columns.start - before, columns.stop - before)


def _called(what: str, where: str) -> str:
    """Name what belongs to a part of the action."""
    if not where or where.startswith("["):
        return what + where
    return f"{where}.{what}"
