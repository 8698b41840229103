"""Estimators with one fault each, and the theorem that each breaks."""

from typing import NamedTuple

import numpy as np
from typing_extensions import override

from npvpg.estimators import Array, Estimator, Offsets
from npvpg.kernels import returns


class _Planted(Estimator):
    name, formula = "planted", "Φₜ = ?"
    uses_value = False
    from_start = False
    needs_whole_episodes = False


class RewardsOneStepLate(_Planted):
    """The future return from the next step on: what the action itself earned is lost."""

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma) - rew)


class RewardsOfTheNextTrajectoryToo(_Planted):
    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        whole = np.array([0, len(rew)])
        return np.asarray(returns.discounted_sum(rew, last_val[-1:], whole, self.gamma))


class DiscountSquared(_Planted):
    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma**2))


class LastRewardLost(_Planted):
    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        rew = rew.copy()
        rew[start[1:] - 1] = 0
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


class TailForgotten(_Planted):
    """Says that last_val stands for what is cut off, and does not look at it."""

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, 0 * last_val, start, self.gamma))


class TailNotNeeded(_Planted):
    """Says that it needs whole episodes, and does not."""

    needs_whole_episodes = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


class FromTheStartInSecret(_Planted):
    needs_whole_episodes = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.total_return(rew, start, self.gamma))


class NotFromTheStart(_Planted):
    from_start = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


class ValueInSecret(_Planted):
    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.gae(rew, val, last_val, start, self.gamma, 0.9))


class NoValueAtAll(_Planted):
    uses_value = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


class MeanOfTheBatch(_Planted):
    """A baseline that is no trajectory's own business, in secret."""

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        ret = np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))
        return np.asarray(ret - ret.mean())


class MeanWithItsOwn(_Planted):
    """A mean of all trajectories is no baseline: it holds the own return."""

    from_start = True
    needs_whole_episodes = True
    compares_trajectories = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        ret = np.asarray(returns.total_return(rew, start, self.gamma))
        return np.asarray(ret - ret[start[:-1]].mean())


class FirstComesFirst(_Planted):
    """The first trajectory of a batch is weighed twice."""

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        psi = np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))
        psi[: start[1]] *= 2
        return psi


class ColumnOfWeights(_Planted):
    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))[:, np.newaxis]


class NoAdvantage(_Planted):
    is_advantage = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma))


class BaselineOfTheNextState(_Planted):
    """V of the state the action led to: it sees the action."""

    uses_value = True

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        after = np.append(val[1:], 0.0)
        after[start[1:] - 1] = last_val
        return np.asarray(returns.discounted_sum(rew, last_val, start, self.gamma) - after)


class Planted(NamedTuple):
    kind: type[Estimator]
    theorem: str


PLANTED = (
    Planted(RewardsOneStepLate, "gradient"),
    Planted(RewardsOfTheNextTrajectoryToo, "order"),
    Planted(DiscountSquared, "gradient"),
    Planted(LastRewardLost, "gradient"),
    Planted(TailForgotten, "needs_whole_episodes"),
    Planted(TailNotNeeded, "needs_whole_episodes"),
    Planted(FromTheStartInSecret, "from_start"),
    Planted(NotFromTheStart, "from_start"),
    Planted(ValueInSecret, "uses_value"),
    Planted(NoValueAtAll, "uses_value"),
    Planted(MeanOfTheBatch, "compares_trajectories"),
    Planted(MeanWithItsOwn, "gradient"),
    Planted(FirstComesFirst, "order"),
    Planted(ColumnOfWeights, "shapes"),
    Planted(NoAdvantage, "is_advantage"),
    Planted(BaselineOfTheNextState, "gradient"),
)
