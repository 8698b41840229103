"""A trained policy that acts on one observation, anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from gymnasium import Space, spaces

from npvpg import checks
from npvpg.runs.config import Config
from npvpg.runs.evaluation import trained
from npvpg.world.actor import Actor
from npvpg.world.spaces import flatten, unflatten
from npvpg.world.squash import BoundAction


@final
@dataclass
class Loaded:
    """
    A trained policy to act by: ``policy(obs)`` is an action.

    Parameters
    ----------
    config : Config
        Configuration of the run that it comes from.
    actor : Actor
        The policy, its parameters and the statistics that observations are normalised by.
    obs_space, act_space : gymnasium.spaces.Space
        Spaces of one observation, and of one action as the policy takes it.
    to_env : callable
        Brings a batch of such actions into what the environment takes.
    rng : numpy.random.Generator
        Where the noise of drawn actions comes from.
    """

    config: Config
    actor: Actor
    obs_space: Space[Any]
    act_space: Space[Any]
    to_env: Callable[[Any], Any]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __call__(self, obs: Any, *, greedy: bool = False) -> Any:
        """
        Act on one observation.

        Parameters
        ----------
        obs : object
            One observation, as `reset` and `step` of the Gymnasium environment return it.
        greedy : bool
            Take the most probable action in place of a draw.

        Returns
        -------
        object
            One action, as its `step` takes it.

        Raises
        ------
        ValueError
            If `obs` is no observation of the environment.
        """
        seen = flatten(self.obs_space, _batch_of_one(self.obs_space, obs), 1)
        checks.finite(obs=seen[0])
        policy, theta = self.actor.policy, self.actor.theta
        params, law = policy.params(theta, self.actor.see(seen)), policy.distribution
        act = law.mode(params) if greedy else law.sample(params, policy.noise(self.rng, 1))
        return _first(self.act_space, self.to_env(unflatten(self.act_space, act)))


def load(run: str | Path, *, seed: int = 0, best: bool = False) -> Loaded:
    """
    Load the policy of a run, to act with it anywhere.

    Parameters
    ----------
    run : str or Path
        Directory of the run.
    seed : int
        Seed of the drawn actions, at least 0.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.

    Returns
    -------
    Loaded
        The policy as its last checkpoint has it; its normalisation does not change any more.

    Raises
    ------
    ValueError
        If the directory holds no run, or its checkpoint or environment cannot be used.
    """
    checks.at_least(0, seed=seed)
    with trained(Path(run), best=best) as at:
        actor = Actor(*at.acting, at.state.obs_moments)
        env = at.env
        return Loaded(
            at.config,
            actor,
            env.single_observation_space,
            env.single_action_space,
            env.actions if isinstance(env, BoundAction) else _as_it_is,
            np.random.default_rng(seed),
        )


def _as_it_is(actions: Any) -> Any:
    return actions


def _batch_of_one(space: Space[Any], obs: Any) -> Any:
    """Put one observation where a vector environment has those of all sub-environments."""
    if isinstance(space, spaces.Dict) and isinstance(obs, dict):
        parts = space.spaces.items()
        return {name: _batch_of_one(part, obs[name]) for name, part in parts if name in obs}
    if isinstance(space, spaces.Tuple) and isinstance(obs, tuple):
        return tuple(map(_batch_of_one, space.spaces, obs))
    if space.shape is not None:
        checks.shape(space.shape, obs=np.asarray(obs))
    return np.asarray(obs)[np.newaxis]


def _first(space: Space[Any], batch: Any) -> Any:
    """Take the only action out of its batch."""
    if isinstance(space, spaces.Dict):
        return {name: _first(part, batch[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(map(_first, space.spaces, batch))
    return batch[0]
