"""
Compiled environments that are Gymnasium vector environments.

Importing this package registers a compiled twin of each of Gymnasium's classic control problems,
and of ten of its MuJoCo environments::

    import gymnasium
    import npvpg.envs

    envs = gymnasium.make_vec("npvpg/CartPole-v1", num_envs=64)

Given the same seeds and actions it returns the same numbers as
``gymnasium.make_vec("CartPole-v1", 64, "sync", {"autoreset_mode": "Disabled"})``. Other autoreset
modes, and the options of the originals, are arguments of ``gymnasium.make_vec`` itself::

    gymnasium.make_vec("npvpg/Pendulum-v1", num_envs=64, autoreset_mode="NextStep", g=9.81)

``gymnasium.make("npvpg/CartPole-v1")`` is Gymnasium's own single environment.
`CompiledEnv` makes such an environment of your own two functions.
"""

import gymnasium

from npvpg.envs.base import CompiledVectorEnv
from npvpg.envs.custom import CompiledEnv

__all__ = ["COMPILED", "MUJOCO", "CompiledEnv", "CompiledVectorEnv"]

COMPILED = {
    "CartPole-v1": "npvpg.envs.cartpole:CartPoleVectorEnv",
    "Acrobot-v1": "npvpg.envs.acrobot:AcrobotVectorEnv",
    "MountainCar-v0": "npvpg.envs.mountain_car:MountainCarVectorEnv",
    "MountainCarContinuous-v0": "npvpg.envs.mountain_car:MountainCarContinuousVectorEnv",
    "Pendulum-v1": "npvpg.envs.pendulum:PendulumVectorEnv",
}
"""Environments of Gymnasium that have a compiled twin, named "npvpg/" and their own name."""

MUJOCO = {
    name: f"npvpg.envs.mujoco:{name}"
    for name in (
        "Ant-v5",
        "HalfCheetah-v5",
        "Hopper-v5",
        "Humanoid-v5",
        "InvertedDoublePendulum-v5",
        "InvertedPendulum-v5",
        "Pusher-v5",
        "Reacher-v5",
        "Swimmer-v5",
        "Walker2d-v5",
    )
}
"""Those whose twin is compiled around MuJoCo's own library."""


def _register() -> None:
    for name, entry_point in (COMPILED | MUJOCO).items():
        if f"npvpg/{name}" not in gymnasium.registry:
            original = gymnasium.spec(name)
            gymnasium.register(
                f"npvpg/{name}",
                entry_point=original.entry_point,
                vector_entry_point=entry_point,
                reward_threshold=original.reward_threshold,
                max_episode_steps=original.max_episode_steps,
            )


_register()
