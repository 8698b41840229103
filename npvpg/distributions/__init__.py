"""
Distributions of actions: pure functions of their parameters, the noise an argument.

A distribution sees a row of parameters a step, (S, H), wherever a policy has them from. Scores are
derivatives of the log-probability with respect to them.
"""

from npvpg.distributions.base import Distribution
from npvpg.distributions.bernoulli import Bernoulli
from npvpg.distributions.categorical import Categorical
from npvpg.distributions.gaussian import DiagonalGaussian
from npvpg.distributions.greedy import GreedyCategorical, with_mode
from npvpg.distributions.product import Product
from npvpg.distributions.squashed import SquashedGaussian
from npvpg.kernels.sampling import LOG_SIGMA_MAX, LOG_SIGMA_MIN

__all__ = [
    "LOG_SIGMA_MAX",
    "LOG_SIGMA_MIN",
    "Bernoulli",
    "Categorical",
    "DiagonalGaussian",
    "Distribution",
    "GreedyCategorical",
    "Product",
    "SquashedGaussian",
    "with_mode",
]
