"""Policies with one fault each, and the theorem that each breaks."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Categorical, DiagonalGaussian, Distribution
from npvpg.mlp import MLP
from npvpg.policy import Policy
from tests.testing.planted_laws import (
    DensityWithoutItsScale,
    DivergenceOfSwappedArguments,
    ScoreWithoutMinusOne,
)

Array = NDArray[Any]


class BentPolicy:
    """A policy whose observations, way of acting, or answers are bent."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        *,
        see: Callable[[Array], Array] = lambda obs: obs,
        act: Callable[[Array], Array] = lambda params: params,
        **answers: Callable[..., Array],
    ) -> None:
        self.name, self.policy, self.see, self.act, self.answers = name, policy, see, act, answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self.policy, name)

    def __str__(self) -> str:
        return self.name

    def params(self, theta: Array, obs: Array) -> Array:
        return self.act(self.policy.params(theta, self.see(obs)))

    def at(self, theta: Array, obs: Array) -> "BentAt":
        return BentAt(self.policy.at(theta, self.see(obs)), self.answers)


class BentAt:
    def __init__(self, pi: Any, answers: dict[str, Callable[..., Array]]) -> None:
        self.pi, self.answers = pi, answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pi, name)

    def log_prob(self, act: Array) -> Array:
        return self._bent("log_prob", self.pi.log_prob(act))

    def score(self, act: Array) -> Array:
        return self._bent("score", self.pi.score(act))

    def weighted_score(self, act: Array, weight: Array) -> Array:
        return np.asarray(self.pi.weighted_score(act, self._bent("weight", weight)))

    def weighted_entropy_score(self, weight: Array) -> Array:
        return self._bent("entropy_score", self.pi.weighted_entropy_score(weight))

    def kl(self, other: "BentAt") -> Array:
        return self._bent("kl", self.pi.kl(other.pi))

    def _bent(self, name: str, answer: Array) -> Array:
        return self.answers[name](answer) if name in self.answers else answer


class Planted(NamedTuple):
    policy: Policy
    theorem: str


def bent(name: str, policy: Policy, **bends: Callable[..., Array]) -> Policy:
    return cast(Policy, BentPolicy(name, policy, **bends))


def of(law: Distribution, n_outputs: int) -> Policy:
    return Policy(MLP((2, 3, n_outputs)), law)


def without_the_last(score: Array) -> Array:
    """Forget what theta's tail gets."""
    score[..., -1] = 0
    return score


DIE, LINE = of(Categorical(3), 3), of(DiagonalGaussian(1), 1)
RELU = Policy(MLP((2, 3, 3), "relu"), Categorical(3))
PLANTED = (
    Planted(of(ScoreWithoutMinusOne(DiagonalGaussian(1)), 2), "score"),
    Planted(bent("gradient a little long", RELU, score=lambda x: x * (1 + 1e-6)), "weighted score"),
    Planted(bent("free sigma forgotten", LINE, score=without_the_last), "weighted score"),
    Planted(bent("mean for sum", DIE, weight=lambda w: w / len(w)), "weighted score"),
    Planted(bent("weight without its sign", DIE, weight=np.abs), "weighted score"),
    Planted(bent("entropy gradient downwards", DIE, entropy_score=np.negative), "entropy score"),
    Planted(bent("one entropy for all", DIE, entropy_score=lambda x: 0 * x), "entropy score"),
    Planted(bent("normalised in the batch", DIE, see=lambda obs: obs - obs.mean(axis=0)), "rows"),
    Planted(bent("acts by other parameters", DIE, act=lambda x: x * 1.001), "acting"),
    Planted(bent("a column for a row", DIE, log_prob=lambda x: x[:, np.newaxis]), "shapes"),
    Planted(of(DensityWithoutItsScale(DiagonalGaussian(1)), 2), "EGLP"),
    Planted(of(DivergenceOfSwappedArguments(Categorical(2)), 2), "divergence"),
    Planted(bent("divergence of the mean", LINE, kl=lambda x: x / 2), "divergence"),
)
