"""X6: what the library has of its own passes the checks that it hands to its users."""

from itertools import product
from math import log
from typing import Any

import numpy as np
import pytest

from npvpg import estimators
from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    GreedyCategorical,
    Product,
)
from npvpg.distributions.squashed import log_tanh_slope
from npvpg.envs.cartpole import CartPoleVectorEnv
from npvpg.envs.pendulum import PendulumVectorEnv
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.testing import check_distribution, check_env, check_estimator, check_policy
from verification.claims import claim, observe
from verification.mathematics.laws import squashed

BITS = np.array(list(product((0.0, 1.0), repeat=2)))
LAWS: dict[str, tuple[Distribution, dict[str, Any]]] = {
    "one action": (Categorical(1), {}),
    "categorical": (Categorical(4), {}),
    "greedy": (GreedyCategorical(Categorical(3), probability=0.4), {}),
    "bits": (Bernoulli(2), {"support": BITS}),
    "line": (DiagonalGaussian(1), {}),
    "plane": (DiagonalGaussian(2), {}),
    "space": (DiagonalGaussian(3), {}),
    # quadrature of its entropy is exact to rounding up to sigma = 1
    "squashed": (
        squashed(1),
        {"high": [4.0, 0.0], "log_volume": lambda x: log_tanh_slope(x)[:, 0] + log(0.5)},
    ),
    "product": (Product((Categorical(3), DiagonalGaussian(1))), {"support": "sampled"}),
}
POLICIES = {
    "categorical, tanh": Policy(MLP((3, 4, 4, 3)), Categorical(3)),
    "categorical, ReLU": Policy(MLP((3, 4, 4, 3), "relu"), Categorical(3)),
    "Gaussian, free sigma": Policy(MLP((2, 4, 1)), DiagonalGaussian(1)),
    "Gaussian, sigma by the network": Policy(MLP((2, 4, 4), "relu"), DiagonalGaussian(2)),
}
ESTIMATORS = {
    name: estimators.named(name, gamma=0.9, lam=0.7, n=2) for name in sorted(estimators.NAMED)
}


def _observe(margins):
    for theorem, margin in margins.items():
        observe(margin.error, margin.allowed, str(theorem))


@claim(
    name="X6",
    title="The library passes the checks that it hands out",
    statement=r"\text{every theorem of npvpg.testing holds of every class of npvpg}",
    words="laws, policies, estimators and environments pass npvpg.testing, within its own bounds",
    assumptions="those of the theorems",
    source="the claims of the families A to E",
    method="drawn by Hypothesis in npvpg.testing: differences, sums, quadrature, enumeration",
    tolerance=1.0,
    tolerance_reason="each error is held to the bound derived for it",
    about=(
        "npvpg.distributions.base.Distribution",
        "npvpg.policy.Policy",
        "npvpg.estimators.Estimator",
        "npvpg.envs.base.CompiledVectorEnv",
    ),
)
@pytest.mark.parametrize("name", LAWS)
def test_laws(name):
    law, told = LAWS[name]
    _observe(check_distribution(law, **told, max_examples=12))


@claim("X6")
@pytest.mark.parametrize("name", POLICIES)
def test_policies(name):
    _observe(check_policy(POLICIES[name], max_examples=6))


@claim("X6")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name):
    _observe(check_estimator(ESTIMATORS[name], max_examples=10))


@claim("X6")
@pytest.mark.parametrize("make", [CartPoleVectorEnv, PendulumVectorEnv])
def test_environments(make):
    _observe(check_env(make, max_examples=5))
