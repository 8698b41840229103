"""Continuous actions: a Gaussian policy, whose baseline is what the episodes got on average."""

import sys

import numpy as np

from npvpg import MLP, Adam, DiagonalGaussian, Policy, RewardToGo, make, policy_gradient
from npvpg.estimators import standardize
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.vector import SeededVectorEnv

updates = int(sys.argv[1]) if len(sys.argv) > 1 else 300
n_envs = 32
env = SeededVectorEnv(make("Pendulum-v1", envs=n_envs).env, seed=0)
# The network gives μ(s); log σ is one number that no state changes, the last of theta.
policy, adam = Policy(MLP((3, 32, 32, 1)), DiagonalGaussian(1), init_log_sigma=0.5), Adam()
theta, position = policy.init(np.random.default_rng(0)), Position.initial(n_envs)
state = adam.init(theta)
for k in range(updates):
    actor = Actor(policy, theta)
    batch, _, _, position = whole_episodes(env, actor, position, n_episodes=1, iteration=k)
    zero = np.zeros(batch.n_steps)
    to_go = RewardToGo(0.97)(batch.rew, zero, zero[:n_envs], batch.start)
    to_go = to_go.reshape(n_envs, -1)  # all episodes are of one length here, 200 steps
    # Rewards are all negative, so without a baseline every action would be discouraged.
    weight = standardize((to_go - to_go.mean(axis=0)).ravel())
    pi = policy.at(theta, batch.obs)
    theta, state = adam.step(theta, policy_gradient(pi, batch, weight), state, lr=0.01)
    mean, sigma = batch.rew.sum() / n_envs, np.exp(theta[-1])
    print(f"batch {k:3d}: sigma {sigma:4.2f}, mean return {mean:7.1f}")
