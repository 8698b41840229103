"""Reward-to-go policy gradient: collect, estimate, step."""

import numpy as np

from npvpg import MLP, Adam, Categorical, Policy, RewardToGo, make, policy_gradient
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.vector import SeededVectorEnv

env = SeededVectorEnv(make("CartPole-v1", envs=8).env, seed=0)
policy, adam, position = Policy(MLP((4, 32, 2)), Categorical(2)), Adam(), Position.initial(8)
theta = policy.init(np.random.default_rng(0))  # π_θ(a|s)
state = adam.init(theta)
for k in range(60):
    actor = Actor(policy, theta)
    batch, _, _, position = whole_episodes(env, actor, position, n_episodes=2, iteration=k)
    zero = np.zeros(batch.n_steps)  # V = 0: no baseline, and nothing to bootstrap from
    psi = RewardToGo(0.99)(batch.rew, zero, zero[:16], batch.start)  # Φ_t = Σ_k γ^(k-t) r_k
    pi = policy.at(theta, batch.obs)  # ĝ = (1/K) Σ_τ Σ_t Φ_t ∇_θ log π_θ(a_t|s_t)
    theta, state = adam.step(theta, policy_gradient(pi, batch, psi), state, lr=0.01)
    print(f"batch {k:3d}: mean return {batch.lengths.mean():5.1f}")
