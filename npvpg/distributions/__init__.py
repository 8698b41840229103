"""
Distributions of actions: pure functions of their parameters, the noise an argument.

The parameters of a distribution are the output of the network, one row per step (S, H), and a
free vector that no observation changes (F,). Scores are derivatives of the log-probability with
respect to both.
"""

from npvpg.distributions.base import Distribution
from npvpg.distributions.bernoulli import Bernoulli
from npvpg.distributions.categorical import Categorical
from npvpg.distributions.gaussian import DiagonalGaussian
from npvpg.distributions.greedy import GreedyCategorical
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
]
