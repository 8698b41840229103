"""
The algorithms of the texts by name: settings of one code path, and nothing else.

A name stands for the weight of the score and what belongs to it. Everything else, step sizes and
networks among it, is left to the layers below: the preset of the environment and `Config`.
"""

from typing import Any, Literal

AlgorithmName = Literal[
    "reinforce",
    "reward-to-go",
    "baseline",
    "actor-critic",
    "n-step",
    "vpg",
    "natural",
    "trpo",
    "ppo",
    "rloo",
    "grpo",
]

ALGORITHMS: dict[str, dict[str, Any]] = {
    # Without V the mean of the batch is the only baseline there is, hence standardised: on
    # CartPole-v1 (seeds 100-104, its preset) the total return as it is solved 1 of 5 and the
    # reward-to-go 4 of 5, standardised both 5 of 5.
    "reinforce": {"estimator": "total-return", "standardize": True},
    "reward-to-go": {"estimator": "reward-to-go", "standardize": True},
    # Whole episodes: a cut tail would be bootstrapped, and the weight biased by V.
    "baseline": {
        "estimator": "baseline",
        "horizon": 0,
        "value_target": "return",
        "standardize": False,
    },
    # Where V is subtracted, what is left is as Sutton and Barto have it; 5 of 5 either way. The
    # target is what the rewards say: fitted to r + gamma V' alone, the TD residual solved 1 of 5.
    "actor-critic": {"estimator": "td", "value_target": "return", "standardize": False},
    "n-step": {"estimator": "n-step", "value_target": "return", "standardize": False},
    # As Spinning Up's code: advantages standardised, V fitted to the rewards-to-go.
    "vpg": {"estimator": "gae", "value_target": "return", "standardize": True},
    # The same weights, and another step of the policy.
    "natural": {"estimator": "gae", "standardize": True, "update": "natural"},
    "trpo": {"estimator": "gae", "standardize": True, "update": "trpo"},
    "ppo": {"estimator": "gae", "standardize": True, "update": "ppo", "per_step": True},
    # Episodes from the same first state, and no value function. GRPO as it was published: divided
    # by the deviation of the group and the length of the episode, climbed as PPO climbs.
    "rloo": {"group_baseline": "leave-one-out", "episodes": 4, "standardize": False},
    "grpo": {
        "group_baseline": "standardized",
        "per_length": True,
        "episodes": 4,
        "standardize": False,
        "update": "ppo",
    },
}
"""Fields of `npvpg.runs.config.Config` that each algorithm sets, and why."""

WEIGHTS = ("reinforce", "reward-to-go", "baseline", "actor-critic", "n-step", "vpg")
"""Those that differ in the weight of the score, one estimator each."""
