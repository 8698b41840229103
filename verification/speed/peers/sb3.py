"""Stable-Baselines3: A2C and PPO."""
# ruff: noqa: PLC0415 - what is imported is measured

import importlib
from collections.abc import Mapping
from typing import Any

from verification.speed.peers.protocol import Call, Judge, serve


def load() -> Mapping[str, Call]:
    """
    Import Stable-Baselines3.

    Returns
    -------
    mapping
        The call: train.
    """
    import torch
    from stable_baselines3 import A2C, PPO
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(1)
    needs = {"HalfCheetah-v5": "mujoco"}

    def train(
        algorithm: str,
        env: str,
        n_envs: int,
        seed: int,
        n_steps: int,
        settings: Mapping[str, Any],
        goal: float | None = None,
        max_seconds: float = 60.0,
        decay: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        if env in needs:
            importlib.import_module(needs[env])
        kwargs = dict(settings)
        for name in decay:  # linear to zero over the run
            kwargs[name] = lambda left, start=kwargs[name]: left * start
        made = make_vec_env(env, n_envs, seed=seed)
        kind = {"A2C": A2C, "PPO": PPO}[algorithm]
        model = kind("MlpPolicy", made, seed=seed, device="cpu", **kwargs)
        judge = Judge(goal, max_seconds)

        def look(local: dict[str, Any], _: dict[str, Any]) -> bool:
            returns = [i["episode"]["r"] for i in local["infos"] if "episode" in i]
            return not judge.stops(model.num_timesteps, returns)

        model.learn(n_steps, callback=look)
        if judge.solved_at is None:
            judge.stops(model.num_timesteps, ())  # the last update takes time as well
        made.close()
        return judge.result()

    return {"train": train}


if __name__ == "__main__":
    serve(load, ("stable-baselines3", "torch", "gymnasium", "numpy"))
