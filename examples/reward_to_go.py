"""Reward-to-go policy gradient: collect, estimate, step."""

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from npvpg.distributions import Categorical
from npvpg.estimators import RewardToGo
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.optimizers import Adam
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.vector import SeededVectorEnv

kwargs = {"vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": AutoresetMode.DISABLED}}
env = SeededVectorEnv(gym.make_vec("CartPole-v1", num_envs=8, **kwargs), seed=0)
policy, adam, position = Policy(MLP((4, 32, 2)), Categorical(2)), Adam(), Position.initial(8)
theta = policy.init(np.random.default_rng(0))  # π_θ(a|s)
state = adam.init(theta)
for k in range(60):
    batch, _, _, position = whole_episodes(
        env, Actor(policy, theta), position, n_episodes=2, iteration=k
    )
    zero = np.zeros(batch.n_steps)  # V = 0: no baseline, and nothing to bootstrap from
    psi = RewardToGo(0.99)(batch.rew, zero, zero[:16], batch.start)  # Φ_t = Σ_k γ^(k-t) r_k
    pi = policy.at(theta, batch.obs)  # the policy where it was, asked what is needed of it
    grad = policy_gradient(pi, batch, psi)  # ĝ = (1/K) Σ_τ Σ_t Φ_t ∇_θ log π_θ(a_t|s_t)
    theta, state = adam.step(theta, grad, state, lr=0.01)  # θ ← θ + α ĝ, scaled by Adam
    print(f"batch {k:3d}: mean return {batch.lengths.mean():5.1f}")
