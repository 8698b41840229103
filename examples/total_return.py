"""The simplest policy gradient: every action is weighed by the return of its whole episode."""

import sys

import numpy as np

from npvpg import MLP, Adam, Categorical, Policy, TotalReturn, make, policy_gradient
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.vector import SeededVectorEnv

updates = int(sys.argv[1]) if len(sys.argv) > 1 else 100
env = SeededVectorEnv(make("CartPole-v1", envs=8).env, seed=0)
policy, adam, position = Policy(MLP((4, 32, 2)), Categorical(2)), Adam(), Position.initial(8)
theta = policy.init(np.random.default_rng(0))
state = adam.init(theta)
for k in range(updates):
    actor = Actor(policy, theta)
    batch, _, _, position = whole_episodes(env, actor, position, n_episodes=2, iteration=k)
    no_value = np.zeros(batch.n_steps)
    weight = TotalReturn(1.0)(batch.rew, no_value, no_value[:16], batch.start)  # Φ_t = R(τ)
    pi = policy.at(theta, batch.obs)
    theta, state = adam.step(theta, policy_gradient(pi, batch, weight), state, lr=0.01)
    print(f"batch {k:3d}: mean return {batch.lengths.mean():5.1f}")
