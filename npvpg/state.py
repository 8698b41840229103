"""What a run is between two updates, and what an update says of itself."""

from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from npvpg.normalize import RunningMoments
from npvpg.optimizers import OptimizerState
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
    theta, phi : ndarray, shape (P,)
        Parameters of policy and value function.
    policy_optimizer, value_optimizer : OptimizerState
        What the optimisers remember.
    obs_moments : RunningMoments
        Statistics of the observations.
    return_moments : RunningMoments
        Statistics of the reward-to-go.
    position : Position
        Where the sub-environments stand.
    recent : ndarray of float64, shape (at most 100, 2)
        Return and length of the last finished episodes.
    """

    iteration: int
    steps: int
    theta: NDArray[Any]
    phi: NDArray[Any]
    policy_optimizer: OptimizerState
    value_optimizer: OptimizerState
    obs_moments: RunningMoments
    return_moments: RunningMoments
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
        for name, value in self._asdict().items():
            if hasattr(value, "_asdict"):
                for inner, part in value._asdict().items():
                    arrays[f"{name}.{inner}"] = np.asarray(part)
            else:
                arrays[name] = np.asarray(value)
        return arrays

    @staticmethod
    def from_arrays(arrays: dict[str, NDArray[Any]]) -> "TrainState":
        """
        Rebuild a state from named arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `to_arrays` made.

        Returns
        -------
        TrainState
            The same state.

        Raises
        ------
        ValueError
            If an array is missing.
        """

        def build(kind: Any, prefix: str) -> Any:
            if hasattr(kind, "_fields"):
                hints = get_type_hints(kind)
                return kind(*(build(hints[f], f"{prefix}.{f}") for f in kind._fields))
            key = prefix.removeprefix(".")
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
    mean_return, mean_length : float or None
        Means over the last 100 finished episodes; None before the first.
    entropy : float
        Mean entropy of the policy that acted [nat].
    kl : float
        Mean divergence from the policy that acted to the new one [nat].
    grad_norm : float
        Length of the policy gradient before clipping.
    explained_variance : float
        1 - Var(target - V) / Var(target), V before its update; 0 if the target is constant.
    value_loss : float
        Half the mean squared error of V before its update.
    policy_lr : float
        Step size of the policy.
    seconds : float
        Wall-clock time since `train` began, the one entry that two equal runs do not share.
    """

    state: TrainState
    episodes: tuple[Episode, ...]
    mean_return: float | None
    mean_length: float | None
    entropy: float
    kl: float
    grad_norm: float
    explained_variance: float
    value_loss: float
    policy_lr: float
    seconds: float

    @property
    def iteration(self) -> int:
        """Number of this update, from 1."""
        return self.state.iteration

    @property
    def steps(self) -> int:
        """Environment steps taken so far, over all sub-environments."""
        return self.state.steps
