r"""
Vanilla policy gradient: weigh, step the policy, fit the value, report.

.. math::
   \theta_{k+1} = \theta_k + \alpha\,\hat g_k, \qquad
   \phi_{k+1} = \arg\min_\phi \frac{1}{|D_k|}\sum_{\tau\in D_k}\sum_t
       \bigl(V_\phi(s_t) - \hat R_t\bigr)^2

There is no loss of the policy to report. What is reported is the entropy, the divergence between
successive policies, the length of the gradient and how much of the variance of the returns the
value function explained.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from typing_extensions import override

from npvpg.algorithm import Algorithm, Turn
from npvpg.batch import Batch
from npvpg.collect import Collect
from npvpg.distributions import with_mode
from npvpg.gradient import half_cosine
from npvpg.normalize import RunningMoments
from npvpg.optimizers import Ascent, Linear, OptimizerState, global_norm
from npvpg.policy import Policy
from npvpg.stages import PolicyStage, ValueFit, Weigh
from npvpg.value import Value
from npvpg.world.streams import Purpose, generator

EVERY = 4  # updates between two looks at how far halves of a batch agree, which cost time


class Learner(NamedTuple):
    """
    What vanilla policy gradient learns and remembers.

    Attributes
    ----------
    theta, phi : ndarray, shape (P,)
        Parameters of policy and value function.
    policy_optimizer, value_optimizer : OptimizerState
        What the optimisers remember.
    return_moments : RunningMoments
        Statistics of the reward-to-go.
    """

    theta: NDArray[Any]
    phi: NDArray[Any]
    policy_optimizer: OptimizerState
    value_optimizer: OptimizerState
    return_moments: RunningMoments


@final
@dataclass(frozen=True)
class VPG(Algorithm[Learner]):
    """
    The algorithm: a policy, a value function, and the settings of each stage.

    Parameters
    ----------
    policy : Policy
        Policy to train.
    value : Value
        Value function to train.
    collect : FixedHorizon or WholeEpisodes
        What makes a batch.
    weigh : Weigh
        Weight of the score.
    policy_step : PolicyStage
        How the policy follows its gradient: `npvpg.stages.PolicyStep` makes this vanilla policy
        gradient, `npvpg.natural.NaturalStep` natural gradient or TRPO, and
        `npvpg.ppo.ClippedStep` PPO.
    value_fit : ValueFit
        How the value function is fitted.

    Raises
    ------
    ValueError
        If two choices exclude each other.
    """

    policy: Policy
    value: Value
    collect: Collect
    weigh: Weigh
    policy_step: PolicyStage
    value_fit: ValueFit = field(default_factory=lambda: ValueFit(Ascent(Linear(1e-3, 1e-3))))

    learner = Learner

    def __post_init__(self) -> None:
        estimator, whole = self.weigh.estimator, self.collect.whole
        if estimator.needs_whole_episodes and not whole:
            raise ValueError(f"estimator must not be {estimator.name} with a fixed horizon")
        if self.weigh.discount_weights and not whole:
            raise ValueError(
                "discount_weights must have whole episodes, to count t from their start"
            )
        if self.value.is_zero and not whole:
            raise ValueError(
                "value must not be ZeroValue with a fixed horizon: the tail needs a value"
            )
        if self.policy_step.greedy is not None:
            with_mode(self.policy.distribution, 0.0)  # refuses what has no such mixture

    @property
    @override
    def n_obs(self) -> int:
        return self.policy.n_obs

    @override
    def init(self, seed: int, dtype: DTypeLike = np.float64) -> Learner:
        theta = self.policy.init(generator(seed, Purpose.POLICY_INIT), dtype)
        phi = self.value.init(generator(seed, Purpose.VALUE_INIT), dtype)
        return Learner(
            theta,
            phi,
            self.policy_step.init(theta),
            self.value_fit.ascent.init(phi),
            RunningMoments.empty(1),
        )

    @override
    def acting(self, learner: Learner, fraction: float) -> tuple[Policy, NDArray[Any]]:
        r"""
        Give the policy, or its mixture with its mode.

        .. math:: \pi(a \mid s) = (1 - \varepsilon)\, \pi_\theta(a \mid s)
           + \varepsilon\,[a = a^*(s)], \qquad
           \varepsilon = \varepsilon_0 + x\,(\varepsilon_1 - \varepsilon_0)
        """
        greedy = 0.0 if self.policy_step.greedy is None else self.policy_step.greedy(fraction)
        if greedy == 0:
            return self.policy, learner.theta
        mixture = with_mode(self.policy.distribution, greedy)
        return replace(self.policy, distribution=mixture), learner.theta

    @override
    def update(
        self, batch: Batch, learner: Learner, turn: Turn
    ) -> tuple[Learner, dict[str, float]]:
        policy, theta = self.acting(learner, turn.fraction)
        v = self.value.at(learner.phi, batch.obs)
        last = self.value.at(learner.phi, batch.last_obs)
        weighed = self.weigh(batch, v.values, last.values, learner.return_moments)

        pi = policy.at(theta, batch.obs)
        agree = {}
        if turn.iteration % EVERY == 0:
            cosine = half_cosine(pi, batch, weighed.psi, discount=self.weigh.discount)
            agree = {"grad_cosine": cosine}
        stepped = self.policy_step(
            theta, pi, batch, weighed.psi, self.weigh, learner.policy_optimizer, turn
        )
        target = self.value_fit.target(weighed.seen, self.weigh.estimator.gamma)
        phi, value_memory = self.value_fit(
            self.value, learner.phi, learner.value_optimizer, batch.obs, v, target, turn
        )
        error, spread = target - v.values, float(np.var(target))
        moments = weighed.return_moments
        return Learner(stepped.theta, phi, stepped.memory, value_memory, moments), {
            "entropy": float(pi.entropy().mean()),
            "kl": float(pi.kl(policy.at(stepped.theta, batch.obs)).mean()),
            "grad_norm": global_norm(stepped.grad),
            "explained_variance": 1 - float(np.var(error)) / spread if spread > 0 else 0.0,
            "value_loss": 0.5 * float(np.mean(error * error)),
            "policy_lr": stepped.lr,
            **agree,
        }
