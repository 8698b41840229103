"""E10: every episode of a process, replayed through the real pipeline, gives its gradient."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import ArrayLike, NDArray

from npvpg.batch import Batch
from npvpg.distributions import Categorical, Distribution
from npvpg.estimators import GAE, ActionValue, BaselinedReturn, NStep, RewardToGo, TDResidual
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require
from verification.mathematics.lab import Lab, random_laboratory
from verification.oracles import returns as textbook
from verification.oracles.enumeration import Trajectory, trajectories
from verification.oracles.mdp import MDP, random_mdp

POISON = 1e6  # value of the absorbing state: whoever bootstraps it is seen
FILLER = -1  # number of the episodes that follow the script
N_ENVS = 3
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


def _padded(lab: Lab) -> tuple[Policy, NDArray[np.float64], NDArray[np.intp]]:
    """Policy that sees three more columns; which of its parameters are those of the lab."""
    n, m = lab.process.n_states, lab.process.n_actions
    policy = Policy(MLP((n + 3, m + 1)), Dictated(Categorical(m)))
    places = np.arange(policy.size).reshape(n + 4, m + 1)  # the last row is the bias
    ours = places[np.r_[:n, n + 3], :m].ravel()
    theta = np.zeros(policy.size)
    theta[ours] = lab.theta
    theta[places[n + 2, m]] = 1.0  # the wanted action, as the observation has it
    return policy, theta, ours


def _vector(lab: Lab, kind: str) -> VectorEnv[Any, Any, Any]:
    """Deal the episodes out to the sub-environments; as many to each, fillers included."""
    process = lab.process
    numbered = list(enumerate(trajectories(process, lab.table(lab.theta))))
    makers = [
        lambda i=i: Replay(
            numbered[i::N_ENVS], process.n_states, process.n_actions, process.horizon
        )
        for i in range(N_ENVS)
    ]
    if kind == "async":
        return AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)


def _gradient(
    lab: Lab, batch: Batch, estimator: Any, policy: Policy, theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Contribution of a batch: weights of the library, each episode by its probability."""
    n = lab.process.n_states
    value = lab.solved.V.copy()
    value[:, n] = POISON

    def look_up(obs: NDArray[Any]) -> NDArray[np.float64]:
        state = np.where(obs[:, :n].any(axis=1), obs[:, :n].argmax(axis=1), n)
        return np.asarray(value[obs[:, n].astype(int), state])

    last_val = np.where(batch.terminated, 0, look_up(batch.last_obs))
    psi = estimator(batch.rew, look_up(batch.obs), last_val, batch.start)
    number = batch.obs[:, n + 1].astype(int)
    chance = np.append(lab.flat.probability, 0.0)[number]  # the filler has number -1
    weight = psi * chance * lab.process.gamma ** batch.obs[:, n] * batch.n_trajectories
    return policy_gradient(policy.at(theta, batch.obs), batch, weight)


def _lab(seed: int) -> Lab:
    return random_laboratory(np.random.default_rng([68, seed]), 2, 2, 3, 0.9)


def _estimators() -> tuple[Any, ...]:
    gae = GAE(0.9, 0.6)
    return (
        RewardToGo(0.9),
        BaselinedReturn(0.9),
        TDResidual(0.9),
        NStep(0.9, 2),
        gae,
        ActionValue(gae),
    )


@claim(
    name="E10",
    title="The pipeline, fed with every episode, gives the gradient",
    statement=r"\sum_\tau P(\tau)\,\hat g\bigl(\mathrm{collect}(\tau)\bigr) = \nabla J",
    words="environment, collector, estimator and gradient together give the gradient of J",
    assumptions="a finite process; exact values, with a worth at the horizon",
    source="Spinning Up, part 3; Pardo et al. 2018 for the ends",
    method="a vector environment that replays every enumerated trajectory",
    tolerance=1e-12,
    tolerance_reason="relative to the values; sums of some hundred terms",
    about=(
        "npvpg.world.rollout.whole_episodes",
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.vector.SeededVectorEnv",
        "npvpg.gradient.policy_gradient",
        "npvpg.batch.Batch",
    ),
)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("n_steps", [None, 1, 5, 400])
def test_replay(kind, n_steps):
    """Whole episodes (None), and horizons that cut at every step, at some and at none."""
    # a cut that some episodes have and others have not is seen by every weight but one-step ones
    estimators = [TDResidual(0.9)] if n_steps == 5 else _estimators()
    lab = _lab(0)
    policy, theta, ours = _padded(lab)
    n_episodes = -(-lab.batch.n_trajectories // N_ENVS)
    env = _vector(lab, kind)
    try:
        driver, position = SeededVectorEnv(env, 0), Position.initial(N_ENVS)
        if n_steps is None:
            batches = [
                whole_episodes(
                    driver, Actor(policy, theta), position, n_episodes=n_episodes, iteration=0
                ).batch
            ]
        else:
            batches = []
            while len(batches) * n_steps < n_episodes * lab.process.horizon:
                rollout = fixed_horizon(
                    driver, Actor(policy, theta), position, n_steps=n_steps, iteration=len(batches)
                )
                position = rollout.position
                batches.append(rollout.batch)
    finally:
        env.close()
    ends = {
        (int(time), bool(batch.terminated[k]))
        for batch in batches
        for k, time in enumerate(batch.last_obs[:, lab.process.n_states])
    }
    assert {(1, True), (2, True), (3, True), (3, False)} <= ends
    size = 1 + float(np.abs(lab.solved.V).max())
    for estimator in estimators:
        have = np.sum([_gradient(lab, b, estimator, policy, theta) for b in batches], axis=0)
        observe(float(np.abs(have[ours] - lab.truth).max()), 1e-12 * size, f"{estimator}")


@claim("E10")
@pytest.mark.parametrize("seed", range(4))
def test_returns_of_the_pipeline_are_exact(seed):
    """With whole rewards and gamma 1/2 the returns are those of fractions, bit for bit."""
    rng = np.random.default_rng([69, seed])
    process: MDP = random_mdp(rng, 2, 2, 3, 0.5, integer_rewards=True)
    drawn = random_laboratory(rng, 2, 2, 3, 0.5)
    lab = Lab(process, drawn.policy, drawn.theta, drawn.flat, drawn.batch, drawn.solved)
    policy, theta, _ = _padded(lab)
    episodes = list(trajectories(process, lab.table(lab.theta)))
    driver = SeededVectorEnv(_vector(lab, "sync"), 0)
    batch = whole_episodes(
        driver,
        Actor(policy, theta),
        Position.initial(N_ENVS),
        n_episodes=-(-len(episodes) // N_ENVS),
        iteration=0,
    ).batch
    got = RewardToGo(0.5)(batch.rew, 0 * batch.rew, np.zeros(batch.n_trajectories), batch.start)
    seen = set()
    for k in range(batch.n_trajectories):
        span = slice(batch.start[k], batch.start[k + 1])
        number = int(batch.obs[batch.start[k], 3])
        if number == FILLER:
            continue
        seen.add(number)
        rewards = [Fraction(r) for r in episodes[number].rewards]
        want = [float(x) for x in textbook.reward_to_go(rewards, 0, Fraction(1, 2))]
        require(got[span].tolist() == want, f"{seed=} {number=}")
        require(batch.act[span].tolist() == list(episodes[number].actions))
    require(seen == set(range(len(episodes))), "every episode was played")
