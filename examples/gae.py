"""The whole algorithm, by the library: a preset, a run directory, a policy that acts."""

import sys
from tempfile import TemporaryDirectory

import gymnasium

import npvpg

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
with TemporaryDirectory() as folder:  # give `out` a place of yours to keep the run
    policy, path, summary = npvpg.train(
        "CartPole-v1", algorithm="vpg", lam=0.95, steps=steps, seed=0, out=folder + "/run"
    )
env = gymnasium.make("CartPole-v1")
obs, _ = env.reset(seed=0)
total, ended = 0.0, False
while not ended:
    obs, reward, terminated, truncated, _ = env.step(policy(obs, greedy=True))
    total, ended = total + float(reward), terminated or truncated
print(f"{summary['steps']} steps, one greedy episode: mean return {total:5.1f}")
