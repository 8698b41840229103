"""Episodes from a list: an environment that plays them, and a policy that takes their actions."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg.distributions import Categorical, Distribution
from verification.oracles.enumeration import Trajectory

POISON = 1e6  # value of the absorbing state: whoever bootstraps it is seen
FILLER = -1  # number of the episodes that follow the script
Script = list[tuple[int, Trajectory]]


class Replay(gym.Env[NDArray[np.float64], np.int64]):
    """
    Episodes from a list, in order, then one-step fillers.

    It shows the state (one-hot; nothing when absorbed), the time, the number of the episode and
    the action that the script wants next; another action is an error.
    """

    def __init__(self, script: Script, n_states: int, n_actions: int, horizon: int) -> None:
        self.script, self.n_states, self.horizon = script, n_states, horizon
        low = np.full(n_states + 3, -np.inf)
        self.observation_space = gym.spaces.Box(low, -low, dtype=np.float64)
        self.action_space = gym.spaces.Discrete(n_actions)
        self.begun = 0

    def _show(self) -> NDArray[np.float64]:
        obs = np.zeros(self.n_states + 3)
        state = self.played.states[self.t]
        if state < self.n_states:
            obs[state] = 1
        over = self.t == len(self.played.actions)
        obs[self.n_states :] = self.t, self.number, 0 if over else self.played.actions[self.t]
        return obs

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Begin the next episode of the script."""
        self.t = 0
        filler = (FILLER, Trajectory((0, 0), (0,), (POISON,), False, 1.0, 1.0))
        self.number, self.played = (*self.script, filler)[min(self.begun, len(self.script))]
        self.begun += 1
        return self._show(), {}

    def step(
        self, action: np.int64
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Follow the script; the end of the horizon truncates even what terminates there."""
        if self.t >= len(self.played.actions) or action != self.played.actions[self.t]:
            raise RuntimeError(f"the script has another action than {action} at {self.t}")
        self.t += 1
        over = self.t == len(self.played.actions)
        terminated = over and self.played.terminated
        truncated = over and (not terminated or self.t == self.horizon)
        return self._show(), self.played.rewards[self.t - 1], terminated, truncated, {}


@dataclass(frozen=True)
class Dictated(Distribution):
    """
    A categorical law whose noise is read from its last parameter, so that the script is followed.

    The library's own sampler turns the noise into the action; the last parameter has no score.
    """

    law: Categorical

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of an action."""
        return self.law.event_shape

    @property
    def n_params(self) -> int:
        """Logits, and the action that the script wants."""
        return self.law.n + 1

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Noise that is not used."""
        return self.law.noise(rng, n)

    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        """Sample by noise in the middle of the wanted action's share of the unit interval."""
        wanted, every = params[:, -1].astype(np.int64), range(self.law.n)
        chance = np.exp([self.log_prob(params, np.full(len(params), a)) for a in every])
        before = np.cumsum(chance, axis=0) - chance
        rows = np.arange(len(params))
        return self.law.sample(params[:, :-1], before[wanted, rows] + chance[wanted, rows] / 2)

    def mode(self, params: NDArray[Any]) -> NDArray[Any]:
        """Most probable action."""
        return self.law.mode(params[:, :-1])

    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """Log-probability of the categorical."""
        return self.law.log_prob(params[:, :-1], act)

    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        """Score of the categorical, and 0."""
        return np.pad(self.law.score(params[:, :-1], act), ((0, 0), (0, 1)))

    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        """Entropy of the categorical."""
        return self.law.entropy(params[:, :-1])

    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        """Derivative of the categorical's entropy, and 0."""
        return np.pad(self.law.entropy_score(params[:, :-1]), ((0, 0), (0, 1)))

    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        """Divergence of the categoricals."""
        return self.law.kl(params[:, :-1], other_params[:, :-1])
