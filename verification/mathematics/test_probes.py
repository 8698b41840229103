"""G5: environments so small that a wrong answer says which part is wrong."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from npvpg.collect import FixedHorizon
from npvpg.distributions import Categorical
from npvpg.estimators import GAE, BaselinedReturn, Estimator, NStep, TDResidual
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.value import MLPValue
from verification import flat
from verification.claims import claim, observe

GAMMA = 0.5
SEED = 7


class Probe(NamedTuple):
    """
    A probe: what an episode shows and pays, and what its values are.

    Parameters
    ----------
    show : callable
        Observation at time t of an episode with this sign (-1 or 1).
    pay : callable
        Reward at time t for the sign and all actions so far.
    length : int
        Steps of an episode.
    truncated : bool
        Whether the episode is cut rather than over.
    answer : callable
        Observations, and their values for a policy that takes action 1 with probability p(obs).
    """

    show: Callable[[int, int], float]
    pay: Callable[[int, int, list[int]], float]
    length: int
    truncated: bool
    answer: Callable[[Callable[[float], float]], dict[float, float]]


PROBES = {
    "constant": Probe(
        lambda _t, _sign: 0.0, lambda _t, _sign, _acts: 1.0, 1, False, lambda _p: {0.0: 1.0}
    ),
    "observation": Probe(
        lambda _t, sign: float(sign),
        lambda _t, sign, _acts: float(sign),
        1,
        False,
        lambda _p: {1.0: 1.0, -1.0: -1.0},
    ),
    "discount": Probe(
        lambda t, _sign: float(t),
        lambda t, _sign, _acts: float(t == 1),
        2,
        False,
        lambda _p: {0.0: GAMMA, 1.0: 1.0},
    ),
    "action": Probe(
        lambda _t, _sign: 0.0,
        lambda _t, _sign, acts: 2.0 * acts[-1] - 1,
        1,
        False,
        lambda p: {0.0: 2 * p(0.0) - 1},
    ),
    "observation and action": Probe(
        lambda _t, sign: float(sign),
        lambda _t, sign, acts: sign * (2.0 * acts[-1] - 1),
        1,
        False,
        lambda p: {1.0: 2 * p(1.0) - 1, -1.0: 1 - 2 * p(-1.0)},
    ),
    # the second observation hides the action that is paid for: its value is the mean over it
    "delayed reward": Probe(
        lambda t, _sign: float(t),
        lambda t, _sign, acts: (2.0 * acts[0] - 1) * (t == 1),
        2,
        False,
        lambda p: {0.0: GAMMA * (2 * p(0.0) - 1), 1.0: 2 * p(0.0) - 1},
    ),
    "only ever truncated": Probe(
        lambda _t, _sign: 0.0,
        lambda _t, _sign, _acts: 1.0,
        3,
        True,
        lambda _p: {0.0: 1 / (1 - GAMMA)},
    ),
}
BEST = {"action": {0.0: 1}, "observation and action": {1.0: 1, -1.0: 0}, "delayed reward": {0.0: 1}}
ESTIMATORS = (GAE(GAMMA, 0.9), BaselinedReturn(GAMMA), TDResidual(GAMMA), NStep(GAMMA, 2))
CASES = [
    (name, estimator)
    for name in PROBES
    for estimator in ESTIMATORS
    # the state that follows hides the action that is paid for: one step cannot see it
    if not (name == "delayed reward" and isinstance(estimator, TDResidual))
]


class ProbeEnv(gym.Env[NDArray[np.float64], np.int64]):
    """A probe as a Gymnasium environment of two actions."""

    observation_space = gym.spaces.Box(-2, 2, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    def _show(self) -> NDArray[np.float64]:
        return np.array([self.probe.show(len(self.acts), self.sign)])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Draw the sign of the episode."""
        super().reset(seed=seed)
        self.acts: list[int] = []
        self.sign = int(2 * self.np_random.integers(2) - 1)
        return self._show(), {}

    def step(
        self, action: np.int64
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Pay, and end when it is time."""
        reward = self.probe.pay(len(self.acts), self.sign, [*self.acts, int(action)])
        self.acts.append(int(action))
        over = len(self.acts) == self.probe.length
        return (
            self._show(),
            reward,
            over and not self.probe.truncated,
            self.probe.truncated and over,
            {},
        )


@pytest.mark.slow
@claim(
    name="G5",
    title="Probe environments",
    statement=r"\lVert V_\phi - V^\pi \rVert_\infty \le 0.02, \qquad \pi \to \pi^*",
    words="seven tiny environments are solved, their values known from the probabilities alone",
    assumptions="fixed seeds; a smoke test that localises, and proves nothing",
    source="Jones 2021, debugging reinforcement learning; the probes of rejax",
    method="values in closed form for the policy the run ended with; not drawn by Hypothesis:"
    " an example is a whole training",
    tolerance=0.02,
    tolerance_reason="what is left of the noise of the last batches, absolute",
    about=("npvpg.loop.iterate", "npvpg.value.MLPValue"),
)
@pytest.mark.parametrize(("name", "estimator"), CASES)
def test_probe(name: str, estimator: Estimator) -> None:
    probe = PROBES[name]
    policy, value = Policy(MLP((1, 2)), Categorical(2)), MLPValue(MLP((1, 1)))
    rate = Linear(0.1, 0.0)
    algorithm = flat.vpg(policy, value, estimator, FixedHorizon(16), rate, per_step=True)
    env = SyncVectorEnv([lambda: ProbeEnv(probe)] * 4, autoreset_mode=AutoresetMode.DISABLED)
    *_, last = iterate(env, algorithm, seed=SEED, n_steps=6400 * probe.length)
    env.close()

    def p(obs: float) -> float:
        chance = policy.at(last.state.learner.theta, np.array([[obs]])).log_prob(np.array([1]))
        return float(np.exp(chance[0]))

    for obs, want in probe.answer(p).items():
        have = float(value.at(last.state.learner.phi, np.array([[obs]])).values[0])
        observe(abs(have - want), 0.02, f"{name}: V({obs}) = {have:.4f}, not {want:.4f}")
    for obs, act in BEST.get(name, {}).items():
        observe(abs(act - p(obs)), 0.02, f"{name}: pi(1|{obs}) = {p(obs):.4f}")
