"""What a step of the policy is tried on: policies of several laws, and what they did."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.batch import Batch
from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.mathematics.laws import MIXED, parameters

LAW: st.SearchStrategy[Distribution] = st.sampled_from(
    [Categorical(3), Bernoulli(2), DiagonalGaussian(2), MIXED]
)
LENGTHS = (2, 5, 5)
"""Of the trajectories of every batch."""


def drawn_batch(
    law: Distribution, rng: np.random.Generator, hidden: tuple[int, ...] = (3,)
) -> tuple[Policy, NDArray[np.float64], Batch, NDArray[np.float64]]:
    """
    Draw a policy, and steps that nothing of a claim depends on.

    Parameters
    ----------
    law : Distribution
        Of the actions.
    rng : Generator
        Where the numbers come from.
    hidden : tuple of int
        Hidden layers.

    Returns
    -------
    policy : Policy
        With free log sigmas.
    theta : ndarray, shape (P,)
        Its parameters, log sigma far inside its clamp.
    batch : Batch
        Twelve steps in three trajectories.
    psi : ndarray, shape (12,)
        Weights.
    """
    n = sum(LENGTHS)
    policy = Policy(MLP((2, *hidden, law.n_params - len(law.scale_columns))), law)
    theta = np.clip(0.7 * rng.standard_normal(policy.size), -1.5, 1.5)
    obs = rng.standard_normal((n, 2))
    act = law.sample(parameters(law, rng, 1.0, n), law.noise(rng, n))
    start, stop = np.cumsum([0, *LENGTHS]), (np.zeros((3, 2)), np.ones(3, bool))
    return policy, theta, Batch(obs, act, np.zeros(n), start, *stop), rng.standard_normal(n)
