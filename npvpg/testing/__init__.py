"""
The claims as a suite for a distribution, a policy, an estimator or an environment of one's own.

Each check tries what Hypothesis draws, the same in every run, and raises a `TheoremError` that
says which theorem broke, by how much and for which smallest input.
"""

from npvpg.testing.distribution import check_distribution
from npvpg.testing.env import check_env
from npvpg.testing.estimator import check_estimator
from npvpg.testing.policy import check_policy
from npvpg.testing.theorem import Margin, Theorem, TheoremError

__all__ = [
    "Margin",
    "Theorem",
    "TheoremError",
    "check_distribution",
    "check_env",
    "check_estimator",
    "check_policy",
]
