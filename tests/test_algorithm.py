"""An algorithm of one's own: one class beside the library's, and nothing else is touched."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import DTypeLike, NDArray
from typing_extensions import override

from npvpg.algorithm import Algorithm, Turn
from npvpg.batch import Batch
from npvpg.collect import Collect, WholeEpisodes
from npvpg.distributions import Categorical
from npvpg.envs import COMPILED
from npvpg.estimators import RewardToGo
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.normalize import RunningMoments
from npvpg.optimizers import Ascent, Linear
from npvpg.policy import Policy
from npvpg.stages import PolicyStep, Weigh
from npvpg.state import TrainState


class Theta(NamedTuple):
    """All that is learnt."""

    theta: NDArray[Any]


@dataclass(frozen=True)
class NaturalGradient(Algorithm[Theta]):
    """Steps of a given length in the metric of the Fisher matrix of a batch's scores."""

    policy: Policy
    collect: Collect
    weigh: Weigh
    length: float
    learner = Theta

    @property
    @override
    def n_obs(self) -> int:
        return self.policy.n_obs

    @override
    def init(self, seed: int, dtype: DTypeLike = np.float64) -> Theta:
        return Theta(self.policy.init(np.random.default_rng(seed), dtype))

    @override
    def acting(self, learner: Theta, fraction: float) -> tuple[Policy, NDArray[Any]]:
        return self.policy, learner.theta

    @override
    def update(self, batch: Batch, learner: Theta, turn: Turn) -> tuple[Theta, dict[str, float]]:
        zero = np.zeros(batch.n_steps), np.zeros(batch.n_trajectories)
        psi = self.weigh(batch, *zero, RunningMoments.empty(1)).psi
        pi = self.policy.at(learner.theta, batch.obs)
        grad = PolicyStep(Ascent(Linear(0.0, 0.0))).gradient(pi, batch, psi, self.weigh)
        score = pi.score(batch.act)
        fisher = score.T @ score / batch.n_steps + 1e-3 * np.eye(self.policy.size)
        natural = np.linalg.solve(fisher, grad)
        theta = learner.theta + self.length * natural / np.sqrt(grad @ natural)
        kl = float(pi.kl(self.policy.at(theta, batch.obs)).mean())
        return Theta(theta), {"kl": kl, "entropy": float(pi.entropy().mean())}


def _states(n_steps: int) -> list[tuple[TrainState, dict[str, float]]]:
    assert "CartPole-v1" in COMPILED
    algorithm = NaturalGradient(
        Policy(MLP((4, 2)), Categorical(2)),
        WholeEpisodes(2),
        Weigh(RewardToGo(0.99), standardize=True),
        length=0.1,
    )
    env = gymnasium.make_vec("npvpg/CartPole-v1", 8)
    made = iterate(env, algorithm, seed=0, n_steps=n_steps)
    return [(one.state, dict(one.diagnostics)) for one in made]


def test_it_learns_in_the_loop_of_the_library() -> None:
    made = _states(40_000)
    first, last = made[1][0], made[-1][0]
    assert last.recent[:, 0].mean() > 4 * first.recent[:, 0].mean() > 0
    # the length of a step in the metric of the Fisher matrix is twice the divergence
    kl = np.array([said["kl"] for _, said in made])
    assert 0.2 < np.median(kl) / (0.1**2 / 2) < 2
