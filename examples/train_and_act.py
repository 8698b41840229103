"""Train, act on observations, and look into every update, by the public face alone."""

import gymnasium
import numpy as np

import npvpg

policy, path, summary = npvpg.train("CartPole-v1", seed=0, out="cartpole", quiet=True)
env = gymnasium.make("CartPole-v1")
obs, _ = env.reset(seed=0)
total, ended = 0.0, False
while not ended:
    obs, reward, terminated, truncated, _ = env.step(policy(obs, greedy=True))
    total, ended = total + float(reward), terminated or truncated
print(f"{path}: solved at step {summary['solved_at_step']}, one greedy episode returns {total:g}")
print(f"sampled: {npvpg.evaluate(path, episodes=20)['sampled']['mean']:g}")

made = npvpg.make("Pendulum-v1", envs=4)
for update in npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=2_000):
    print(f"{update.steps} steps: divergence {update.diagnostics['kl']:.1e}")
made.env.close()

law = npvpg.DiagonalGaussian(1)
pi = npvpg.Policy(npvpg.MLP((3, 16, 1)), law).at(np.zeros(82), np.zeros((5, 3)))
print(f"entropy of a policy of one's own: {pi.entropy().mean():.3f} nat")
