"""Distributions with one fault each, and the theorem that each breaks."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution, Product
from npvpg.testing.outcomes import Support

Array = NDArray[Any]
BITS = np.array(list(product((0.0, 1.0), repeat=2)))


class Faultless(Distribution):
    """A law that hands everything on to another."""

    def __init__(self, law: Distribution) -> None:
        self.law = law

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.law})"

    @property
    def event_shape(self) -> tuple[int, ...]:
        return self.law.event_shape

    @property
    def n_params(self) -> int:
        return self.law.n_params

    @property
    def scale_columns(self) -> tuple[int, ...]:
        return self.law.scale_columns

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return self.law.noise(rng, n)

    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        return self.law.sample(params, noise)

    def mode(self, params: Array) -> Array:
        return self.law.mode(params)

    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        return self.law.log_prob(params, act)

    def score(self, params: Array, act: ArrayLike) -> Array:
        return self.law.score(params, act)

    def entropy(self, params: Array) -> Array:
        return self.law.entropy(params)

    def entropy_score(self, params: Array) -> Array:
        return self.law.entropy_score(params)

    def kl(self, params: Array, other_params: Array) -> Array:
        return self.law.kl(params, other_params)


class ScoreOfWrongSign(Faultless):
    def score(self, params: Array, act: ArrayLike) -> Array:
        return -super().score(params, act)


class ScoreWithoutMinusOne(Faultless):
    """The classical slip in the Gaussian's log sigma."""

    def score(self, params: Array, act: ArrayLike) -> Array:
        score = super().score(params, act)
        score[:, self.law.n_params // 2 :] += 1
        return score


class ScoreALittleLong(Faultless):
    def score(self, params: Array, act: ArrayLike) -> Array:
        return super().score(params, act) * (1 + 1e-6)


class ScoreOfOneColumnOff(Faultless):
    def score(self, params: Array, act: ArrayLike) -> Array:
        return np.roll(super().score(params, act), 1, axis=1)


class EntropyOffByAConstant(Faultless):
    def entropy(self, params: Array) -> Array:
        return super().entropy(params) + 0.5


class EntropyScoreForgotten(Faultless):
    def entropy_score(self, params: Array) -> Array:
        return 0 * super().entropy_score(params)


class DensityUnnormalised(Faultless):
    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        return super().log_prob(params, act) + 0.1


class DensityWithoutItsScale(Faultless):
    """Density and score agree, and neither has log sigma: only integrals see it."""

    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        log_prob = super().log_prob(params, act)
        return np.asarray(log_prob + params[:, self.law.n_params // 2 :].sum(axis=1))

    def score(self, params: Array, act: ArrayLike) -> Array:
        score = super().score(params, act)
        score[:, self.law.n_params // 2 :] += 1
        return score


class DivergenceOfSwappedArguments(Faultless):
    def kl(self, params: Array, other_params: Array) -> Array:
        return super().kl(other_params, params)


class ModeThatIsTheLeastProbable(Faultless):
    def mode(self, params: Array) -> Array:
        return super().mode(-params)


class SamplerOffByOne(Faultless):
    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        return np.asarray(super().sample(params, noise) + 1).clip(max=self.law.n_params - 1)


class SamplerThatForgetsTheLast(Faultless):
    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        return super().sample(params, noise).clip(max=self.law.n_params - 2)


class SamplerOfTheVariance(Faultless):
    """Noise times sigma squared."""

    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        mu = self.law.mode(params)
        return np.asarray(
            mu + (super().sample(params, noise) - mu) * np.exp(params[:, mu.shape[1] :])
        )


class SamplerOfOneNoise(Faultless):
    """One number for all components."""

    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        return super().sample(params, np.repeat(noise[:, :1], noise.shape[1], axis=1))


class RowsThatSeeEachOther(Faultless):
    """Softmax over the wrong axis, in effect."""

    def entropy(self, params: Array) -> Array:
        return np.full(len(params), super().entropy(params).mean(), params.dtype)


class LogProbOfEveryComponent(Faultless):
    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        return super().log_prob(params, act)[:, np.newaxis]


class DoublePrecisionOnly(Faultless):
    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        return super().log_prob(params.astype(np.result_type(params, np.float64)), act)


class ShapesUnchecked(Faultless):
    """What broadcasts passes: one action for all rows."""

    def log_prob(self, params: Array, act: ArrayLike) -> Array:
        act = np.asarray(act)
        return super().log_prob(
            params, act if len(act) == len(params) else np.resize(act, len(params))
        )


class ArgumentsWrittenTo(Faultless):
    def score(self, params: Array, act: ArrayLike) -> Array:
        score = super().score(params, act)
        params -= 1e-3
        return score


class ViewReturned(Faultless):
    def mode(self, params: Array) -> Array:
        self._check(params)
        return params[:, : self.law.n_params // 2]


class NoiseDrawnWithin(Faultless):
    """The noise is not an argument: two calls differ."""

    rng = np.random.default_rng(0)

    def sample(self, params: Array, noise: NDArray[np.float64]) -> Array:
        return super().sample(params, noise + self.law.noise(self.rng, len(noise)))


class InformationOfLogits(Faultless):
    """Takes the plain metric of its parameters for that of the law."""

    def fisher_product(self, params: Array, d_params: Array) -> Array:
        return d_params.copy()


class Planted(NamedTuple):
    law: Distribution
    theorem: str
    support: Support = None


COIN, DIE, LINE, PLANE = Categorical(2), Categorical(3), DiagonalGaussian(1), DiagonalGaussian(2)
SPACE = DiagonalGaussian(3)
MIXED = Product((DIE, LINE))
PLANTED = (
    Planted(ScoreOfWrongSign(DIE), "score"),
    Planted(ScoreOfWrongSign(LINE), "score"),
    Planted(ScoreWithoutMinusOne(LINE), "score"),
    Planted(ScoreWithoutMinusOne(SPACE), "score"),
    Planted(ScoreALittleLong(DIE), "score"),
    Planted(ScoreALittleLong(PLANE), "score"),
    Planted(ScoreOfOneColumnOff(DIE), "score"),
    Planted(EntropyOffByAConstant(DIE), "entropy"),
    Planted(EntropyOffByAConstant(PLANE), "entropy"),
    Planted(EntropyOffByAConstant(SPACE), "entropy"),
    Planted(EntropyScoreForgotten(DIE), "entropy score"),
    Planted(EntropyScoreForgotten(LINE), "entropy score"),
    Planted(DensityUnnormalised(DIE), "normalization"),
    Planted(DensityUnnormalised(Bernoulli(2)), "normalization", BITS),
    Planted(DensityUnnormalised(LINE), "normalization"),
    Planted(DensityWithoutItsScale(PLANE), "normalization"),
    Planted(DensityWithoutItsScale(SPACE), "EGLP"),
    Planted(DivergenceOfSwappedArguments(DIE), "divergence"),
    Planted(DivergenceOfSwappedArguments(LINE), "divergence"),
    Planted(DivergenceOfSwappedArguments(MIXED), "divergence", "sampled"),
    Planted(InformationOfLogits(DIE), "Fisher information"),
    Planted(InformationOfLogits(LINE), "Fisher information"),
    Planted(ModeThatIsTheLeastProbable(DIE), "mode"),
    Planted(SamplerOffByOne(DIE), "sampler"),
    Planted(SamplerThatForgetsTheLast(DIE), "sampler"),
    Planted(SamplerOfTheVariance(LINE), "sampler"),
    Planted(SamplerOfTheVariance(SPACE), "balance"),
    Planted(SamplerOfOneNoise(PLANE), "sampler"),
    Planted(SamplerOfOneNoise(Bernoulli(2)), "sampler", BITS),
    Planted(SamplerOfOneNoise(SPACE), "balance"),
    Planted(RowsThatSeeEachOther(COIN), "rows"),
    Planted(LogProbOfEveryComponent(DIE), "shapes"),
    Planted(DoublePrecisionOnly(LINE), "precision"),
    Planted(ShapesUnchecked(DIE), "refusal"),
    Planted(ArgumentsWrittenTo(DIE), "purity"),
    Planted(ViewReturned(LINE), "purity"),
    Planted(NoiseDrawnWithin(LINE), "purity"),
)
