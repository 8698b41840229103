"""What makes a batch: so many steps, or so many whole episodes, of every sub-environment."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

from typing_extensions import override

from npvpg import checks
from npvpg.world.actor import Actor
from npvpg.world.engine import Engine
from npvpg.world.rollout import Position, Rollout, fixed_horizon, whole_episodes


class Collect(ABC):
    """How the batch of an update is collected, and how observations are shown to the policy."""

    whole: ClassVar[bool]
    """Whether trajectories are whole episodes, so that time counts from their start."""
    normalize_obs: bool
    """Whether the policy sees observations with running mean 0 and variance 1."""

    @property
    def repeat(self) -> int:
        """Episodes of a sub-environment, one after the other, that begin with the same seed: 1."""
        return 1

    @abstractmethod
    def __call__(
        self,
        env: Engine,
        actor: Actor,
        position: Position,
        *,
        iteration: int,
        steps_before: int = 0,
    ) -> Rollout:
        """
        Collect a batch.

        Parameters
        ----------
        env : Engine
            What steps the N sub-environments.
        actor : Actor
            What chooses the actions.
        position : Position
            Where the sub-environments stand.
        iteration : int
            Key of the stream that the actions' noise comes from.
        steps_before : int
            Environment steps of the run before this batch.

        Returns
        -------
        Rollout
            Batch, finished episodes, and where to go on.

        Raises
        ------
        ValueError
            If the environment returns what it must not.
        """


@final
@dataclass(frozen=True)
class FixedHorizon(Collect):
    """
    A fixed number of steps; the value function stands for what is cut off.

    Parameters
    ----------
    n_steps : int
        Steps per sub-environment, at least 1.
    normalize_obs : bool
        Show the policy observations with running mean 0 and variance 1.

    Raises
    ------
    ValueError
        If `n_steps` is smaller than 1.
    """

    whole = False
    n_steps: int
    normalize_obs: bool = False

    def __post_init__(self) -> None:
        checks.settings(self)

    @override
    def __call__(
        self,
        env: Engine,
        actor: Actor,
        position: Position,
        *,
        iteration: int,
        steps_before: int = 0,
    ) -> Rollout:
        return fixed_horizon(
            env,
            actor,
            position,
            n_steps=self.n_steps,
            iteration=iteration,
            steps_before=steps_before,
        )


@final
@dataclass(frozen=True)
class WholeEpisodes(Collect):
    """
    A fixed number of whole episodes.

    Parameters
    ----------
    n_episodes : int
        Episodes per sub-environment, at least 1.
    normalize_obs : bool
        Show the policy observations with running mean 0 and variance 1.
    same_start : bool
        Begin the episodes of a sub-environment from one seed, another in every batch: a group that
        has its first state in common, and what else the environment draws from its seed.

    Raises
    ------
    ValueError
        If `n_episodes` is smaller than 1.
    """

    whole = True
    n_episodes: int
    normalize_obs: bool = False
    same_start: bool = False

    def __post_init__(self) -> None:
        checks.settings(self)

    @property
    @override
    def repeat(self) -> int:
        """As many as a batch has of each, if they are to begin alike."""
        return self.n_episodes if self.same_start else 1

    @override
    def __call__(
        self,
        env: Engine,
        actor: Actor,
        position: Position,
        *,
        iteration: int,
        steps_before: int = 0,
    ) -> Rollout:
        return whole_episodes(
            env,
            actor,
            position,
            n_episodes=self.n_episodes,
            iteration=iteration,
            steps_before=steps_before,
        )
