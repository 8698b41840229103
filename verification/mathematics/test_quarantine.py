"""D5: what must not count cannot spoil anything, and what must not be is refused by name."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg import estimators
from npvpg.batch import Batch
from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import Categorical
from npvpg.gradient import policy_gradient
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.state import TrainState
from npvpg.value import MLPValue, Value, ValueAt, ZeroValue
from verification import flat
from verification.claims import claim, observe, require
from verification.mathematics.strategies import Roll, rolls

POISONS = [np.inf, -np.inf, np.nan, 1e308]
GAMMA = 0.9
N_ENVS, N_STEPS = 2, 60


class Mortal(gym.Env[NDArray[np.float64], np.int64]):
    """Episodes of three steps or of two, by turns; shows the time, and 1 where it terminated."""

    observation_space = gym.spaces.Box(-9, 9, (2,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, *, mortal: bool = True, spoilt: float = 0.0) -> None:
        self.mortal, self.spoilt = mortal, spoilt
        self.begun = self.t = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Begin an episode."""
        self.begun, self.t = self.begun + 1, 0
        return np.zeros(2), {}

    def step(
        self, action: np.int64
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """End for good, or at a limit, after three steps or two."""
        self.t += 1
        over = self.t == 2 + self.begun % 2
        died = over and self.mortal
        reward = float(action) + self.t + (self.spoilt if over else 0.0)
        obs = np.array([self.t, float(died)])
        return obs, reward, died, over and not self.mortal, {}


@dataclass(frozen=True)
class Spoilt(Value):
    """A value function that is a poison in the states in which episodes terminate."""

    network: MLPValue
    poison: float

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.network.size

    def init(self, rng: np.random.Generator, dtype: Any = np.float64) -> NDArray[Any]:
        """Draw parameters."""
        return self.network.init(rng, dtype)

    def at(self, phi: NDArray[Any], obs: NDArray[Any]) -> ValueAt:
        """Values of observations, the poison where the second component is 1."""
        v = self.network.at(phi, obs)
        v.values = np.where(obs[:, 1] == 1, self.poison, v.values)
        return v


def _train(poison: float, estimator: Any, collector: Any, env: Any = Mortal) -> list[TrainState]:
    """Run some updates; none if one was refused."""
    value = Spoilt(MLPValue(MLP((2, 4, 1))), poison)
    policy = Policy(MLP((2, 2)), Categorical(2))
    rate = Linear(0.01, 0.01)
    algorithm = flat.vpg(policy, value, estimator, collector, rate, value_steps=2)
    vector = SyncVectorEnv([env] * N_ENVS, autoreset_mode=AutoresetMode.DISABLED)
    try:
        # a product with a mask would warn; it must be seen by its numbers
        with np.errstate(invalid="ignore"):
            return [i.state for i in iterate(vector, algorithm, seed=4, n_steps=N_STEPS)]
    except ValueError:
        return []
    finally:
        vector.close()


def _equal(one: TrainState, other: TrainState) -> bool:
    a, b = one.to_arrays(), other.to_arrays()
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


ESTIMATORS = (
    estimators.GAE(GAMMA, 0.8),
    estimators.GAE(0.0, 0.8),
    estimators.TDResidual(GAMMA),
    estimators.NStep(GAMMA, 2),
    estimators.BaselinedReturn(GAMMA),
    estimators.RewardToGo(GAMMA),
)


@claim(
    name="D5",
    title="Quarantine",
    statement=r"V(s_T) \in \{\pm\infty, \mathrm{NaN}\},\ \text{terminated} \Rightarrow \Phi_t"
    r"\text{ unchanged}, \qquad r_t \notin \mathbb R \Rightarrow \text{refused}",
    words="no value of a state that terminated counts, not even NaN; what is not finite is named",
    assumptions="none",
    source="0 times infinity is NaN: masks choose, they do not multiply",
    method="runs with a value function that is a poison where episodes end; one bad cell",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.loop.iterate",
        "npvpg.estimators.GAE",
        "npvpg.estimators.RewardToGo",
        "npvpg.estimators.NStep",
        "npvpg.checks.finite",
        "npvpg.batch.Batch",
        "npvpg.gradient.policy_gradient",
    ),
)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("collector", [FixedHorizon(6), WholeEpisodes(2)])
def test_the_value_of_a_terminal_state_does_not_count(estimator, collector):
    clean = _train(0.0, estimator, collector)
    assert len(clean) > 3
    for poison in POISONS:
        have = _train(poison, estimator, collector)
        same = len(have) == len(clean) and all(map(_equal, have, clean))
        require(same, f"{estimator} {collector} {poison}")


class Immortal(Mortal):
    """The same episodes, cut by a limit; the last state looks as if it had terminated."""

    def step(self, action: Any) -> Any:
        """Call every end a truncation, where the value counts."""
        obs, reward, died, _, info = super().step(action)
        return obs, reward, False, died, info


@claim("D5")
@pytest.mark.parametrize("poison", POISONS[:3])
def test_the_value_of_a_cut_state_counts(poison):
    """Control: at a truncation the same values count, and one that is not finite is refused."""
    finite = [_train(v, ESTIMATORS[0], FixedHorizon(6), Immortal)[-1] for v in (0.0, 5.0)]
    require(not _equal(*finite))
    require(not _train(poison, ESTIMATORS[0], FixedHorizon(6), Immortal), f"{poison}")


@claim("D5")
@given(rolls(dyadic=False), st.integers(0, 15), st.sampled_from(POISONS[:3]))
@example(Roll(), 0, np.nan)
@example(Roll(end=(True, True, True), gamma=0.0), 1, np.inf)
def test_a_spoilt_tail_stays_in_its_trajectory(roll, which, poison):
    rew, val, last_val, start = roll.arrays()
    k = which % len(last_val)
    spoilt = last_val.copy()
    spoilt[k] = poison
    others = np.ones(len(rew), bool)
    others[start[k] : start[k + 1]] = False
    for estimator in (
        estimators.GAE(roll.gamma, roll.lam),
        estimators.TDResidual(roll.gamma),
        estimators.NStep(roll.gamma, roll.n),
        estimators.BaselinedReturn(roll.gamma),
        estimators.RewardToGo(roll.gamma),
    ):
        with np.errstate(invalid="ignore"):
            have = estimator(rew, val, spoilt, start)
        want = estimator(rew, val, last_val, start)
        require(np.array_equal(have[others], want[others]), f"{estimator} {roll}")
        # control: it is there that it counts
        last = have[start[k + 1] - 1]
        require(not np.isfinite(last), f"{estimator} {roll}")
    # values are not read by a return of the whole trajectory
    total = estimators.TotalReturn(roll.gamma)
    have, want = total(rew, np.nan * val, spoilt, start), total(rew, val, last_val, start)
    require(np.array_equal(have, want), f"{roll}")


def _message(call: Any) -> str:
    """Say what a call was refused with; nothing if it was let through."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


@claim("D5")
@given(rolls(), st.integers(0, 15), st.sampled_from(POISONS[:3]))
@example(Roll(), 2, np.nan)
def test_a_reward_that_is_not_finite_is_named(roll, which, poison):
    rew, val, last_val, start = roll.arrays()
    t, later = which % len(rew), len(rew) - 1
    bad = rew.copy()
    bad[[t, later]] = poison
    told = f"must be finite, got {poison} at index {t}"
    for estimator in (
        *ESTIMATORS,
        estimators.TotalReturn(GAMMA),
        estimators.LeaveOneOut(GAMMA),
        estimators.ActionValue(ESTIMATORS[0]),
    ):
        seen = _message(lambda e=estimator: e(bad, val, last_val, start))
        require(seen == f"rew {told}", f"{estimator} {seen}")
    n, k = len(rew), len(last_val)
    obs, act = np.zeros((n, 2)), np.zeros(n, int)
    last_obs, terminated = np.zeros((k, 2)), np.ones(k, bool)
    seen = _message(lambda: Batch(obs, act, bad, start, last_obs, terminated))
    require(seen == f"rew {told}", seen)
    policy = Policy(MLP((2, 2)), Categorical(2))
    batch = Batch(obs, act, rew, start, last_obs, terminated)
    seen = _message(
        lambda: policy_gradient(policy.at(np.zeros(policy.size), batch.obs), batch, bad)
    )
    require(seen == f"psi {told}", seen)


@claim("D5")
@pytest.mark.parametrize("poison", POISONS[:3])
def test_a_bad_reward_stops_the_run_before_the_update(poison):
    """The environment's own reward is named by sub-environment and step; nothing was learned."""
    policy, value = Policy(MLP((2, 2)), Categorical(2)), MLPValue(MLP((2, 1)))
    algorithm = flat.vpg(policy, value, ESTIMATORS[0], FixedHorizon(6), Linear(0.1, 0.1))
    state = initial_state(algorithm, n_envs=2, seed=4)
    before = {name: array.copy() for name, array in state.to_arrays().items()}
    makers = [Mortal, lambda: Mortal(spoilt=poison)]
    env = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    seen = _message(lambda: list(iterate(env, algorithm, seed=4, n_steps=60, state=state)))
    env.close()
    told = f"reward must be finite, got {poison} from sub-environment 1 at step 3 of an episode of"
    require(seen.startswith(told), seen)
    after = state.to_arrays()
    require(all(np.array_equal(before[name], after[name]) for name in before))


class Loud(gym.Env[NDArray[np.float64], np.int64]):
    """One step that shows a thousand and pays, once scaled, more than a gradient can hold."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Show a thousand."""
        return np.array([1e3, 0.0]), {}

    def step(self, action: np.int64) -> Any:
        """Pay and end."""
        return np.array([1e3, 0.0]), 1e17 * float(action), True, False, {}


@claim("D5")
def test_a_gradient_that_overflows_stops_the_run_before_the_update():
    """Rewards, returns and weights are finite; their product with the score is not."""
    policy = Policy(MLP((2, 2)), Categorical(2))
    algorithm = flat.vpg(
        policy,
        ZeroValue(),
        ESTIMATORS[-1],
        WholeEpisodes(4),
        Linear(0.1, 0.1),
        reward_scale=1e290,
    )
    state = initial_state(algorithm, n_envs=2, seed=4)
    fair = state.learner._replace(theta=np.zeros(policy.size))  # both actions come up
    state = state._replace(learner=fair)
    env = SyncVectorEnv([Loud] * 2, autoreset_mode=AutoresetMode.DISABLED)
    run = iterate(env, algorithm, seed=4, n_steps=60, state=state)
    with np.errstate(all="ignore"):
        seen = _message(lambda: next(run))
    env.close()
    require(seen.startswith("gradient must be finite, got "), seen)
    observe(float(np.abs(state.learner.theta).max()), 0)
