"""Reward-to-go minus a value function that learns beside the policy."""

import sys

import numpy as np

from npvpg import MLP, Adam, BaselinedReturn, Categorical, MLPValue, Policy, make, policy_gradient
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, whole_episodes
from npvpg.world.vector import SeededVectorEnv

updates = int(sys.argv[1]) if len(sys.argv) > 1 else 60
gamma, rng = 0.99, np.random.default_rng(0)
env = SeededVectorEnv(make("CartPole-v1", envs=8).env, seed=0)
policy, value = Policy(MLP((4, 32, 2)), Categorical(2)), MLPValue(MLP((4, 32, 1)))
theta, phi, position = policy.init(rng), value.init(rng), Position.initial(8)
adam = Adam()
of_policy, of_value = adam.init(theta), adam.init(phi)
for k in range(updates):
    actor = Actor(policy, theta)
    batch, _, _, position = whole_episodes(env, actor, position, n_episodes=2, iteration=k)
    v = value.at(phi, batch.obs)
    # What lies beyond the last step: nothing where the pole fell, V where the time limit cut.
    last = np.where(batch.terminated, 0, value.at(phi, batch.last_obs).values)
    advantage = BaselinedReturn(gamma)(batch.rew, v.values, last, batch.start)
    target, explained = advantage + v.values, 1.0
    if np.var(target) > 0:
        explained -= np.var(advantage) / np.var(target)
    for _ in range(10):  # down half the mean squared error
        down = -value.at(phi, batch.obs).gradient(target)
        phi, of_value = adam.step(phi, down, of_value, lr=0.01)
    pi = policy.at(theta, batch.obs)
    grad = policy_gradient(pi, batch, advantage)
    theta, of_policy = adam.step(theta, grad, of_policy, lr=0.01)
    mean = batch.lengths.mean()
    print(f"batch {k:3d}: V explains {explained:5.2f} of the variance, mean return {mean:5.1f}")
