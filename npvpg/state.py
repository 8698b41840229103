"""What a run is between two updates, and what an update says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from npvpg.normalize import RunningMoments
from npvpg.world.rollout import Episode, Position


class TrainState(NamedTuple):
    """
    Everything a run needs to go on, and nothing else: numbers and arrays.

    Attributes
    ----------
    iteration : int
        Updates made.
    steps : int
        Environment steps taken, over all sub-environments.
    learner : NamedTuple
        What the algorithm learns and remembers, such as `npvpg.vpg.Learner`.
    obs_moments : RunningMoments
        Statistics of the observations.
    position : Position
        Where the sub-environments stand.
    recent : ndarray of float64, shape (at most 100, 2)
        Return and length of the last finished episodes.
    """

    iteration: int
    steps: int
    learner: Any
    obs_moments: RunningMoments
    position: Position
    recent: NDArray[np.float64]

    def observe(self, obs: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Show raw observations as the policy sees them.

        Parameters
        ----------
        obs : ndarray of float64, shape (S, O)
            Observations as the environment gave them.

        Returns
        -------
        ndarray of float64, shape (S, O)
            Normalised by the statistics of this state, which do not change.
        """
        return self.obs_moments.normalize(obs)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """
        Lay the state out as named arrays, for a file.

        Returns
        -------
        dict of str to ndarray
            Arrays under dotted names.
        """
        arrays: dict[str, NDArray[Any]] = {}

        def lay(prefix: str, value: Any) -> None:
            if hasattr(value, "_asdict"):
                value = value._asdict()
            if isinstance(value, Mapping):
                for name, part in value.items():
                    lay(f"{prefix}.{name}", part)
            else:
                arrays[prefix.removeprefix(".")] = np.asarray(value)

        lay("", self)
        return arrays

    @staticmethod
    def from_arrays(arrays: dict[str, NDArray[Any]], learner: type[Any]) -> "TrainState":
        """
        Rebuild a state from named arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `to_arrays` made.
        learner : type
            Type of what is learnt, `npvpg.algorithm.Algorithm.learner`.

        Returns
        -------
        TrainState
            The same state.

        Raises
        ------
        ValueError
            If an array is missing.
        """

        def below(key: str) -> list[str]:
            return [name for name in arrays if name == key or name.startswith(f"{key}.")]

        def build(kind: Any, prefix: str) -> Any:
            key = prefix.removeprefix(".")
            if hasattr(kind, "_fields"):
                hints = get_type_hints(kind) | ({"learner": learner} if kind is TrainState else {})
                old = [f for f in kind._field_defaults if not below(f"{prefix}.{f}"[1:])]
                parts = (f for f in kind._fields if f not in old)
                return kind(**{f: build(hints[f], f"{prefix}.{f}") for f in parts})
            if get_origin(kind) is Mapping:
                return {name.removeprefix(f"{key}."): arrays[name] for name in below(key)}
            if key not in arrays:
                raise ValueError(f"arrays must hold {key}, got {sorted(arrays)}")
            return int(arrays[key]) if kind is int else arrays[key]

        state: TrainState = build(TrainState, "")
        return state


@dataclass(frozen=True)
class Iteration:
    """
    What one update did.

    Parameters
    ----------
    state : TrainState
        State after the update.
    episodes : tuple of Episode
        Episodes that finished in its batch.
    diagnostics : mapping of str to float
        What the algorithm says of the update: for `npvpg.vpg.VPG` the mean entropy of the policy
        that acted [nat], the mean divergence from it to the new one (kl) [nat], the length of the
        gradient before it was bounded (grad_norm), 1 - Var(target - V) / Var(target) with V before
        its update, 0 if the target is constant (explained_variance), half the mean squared error
        of V before its update (value_loss), and the step size (policy_lr). Where actions lie in a
        Box with bounds, the share of their numbers that were clipped (clipped).
    seconds : float
        Wall-clock time since `train` began, the one entry that two equal runs do not share.
    """

    state: TrainState
    episodes: tuple[Episode, ...]
    diagnostics: Mapping[str, float]
    seconds: float

    @property
    def iteration(self) -> int:
        """Number of this update, from 1."""
        return self.state.iteration

    @property
    def steps(self) -> int:
        """Environment steps taken so far, over all sub-environments."""
        return self.state.steps

    @property
    def mean_return(self) -> float | None:
        """Mean return of the last 100 finished episodes; None before the first [reward]."""
        recent = self.state.recent[:, 0]
        return float(recent.mean()) if len(recent) else None

    @property
    def mean_length(self) -> float | None:
        """Mean length of the last 100 finished episodes; None before the first [steps]."""
        recent = self.state.recent[:, 1]
        return float(recent.mean()) if len(recent) else None
