"""Who takes part, and under which settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npvpg.runs import config_file
from npvpg.runs.config import Config

CARTPOLE, CHEETAH, PENDULUM = "CartPole-v1", "HalfCheetah-v5", "Pendulum-v1"
GOAL = 475.0
LEVELS = (-200.0, -160.0)  # of Pendulum-v1, for which no threshold is registered
HIDDEN = list(Config(CARTPOLE, **config_file.preset(CARTPOLE)).hidden)  # everybody's networks


@dataclass(frozen=True)
class Contestant:
    """
    Who takes part.

    Parameters
    ----------
    name : str
        Name in the tables.
    module : str
        Module below `verification.speed.peers` that runs it.
    settings : mapping
        Arguments of its call ``train``.
    peer : bool
        Whether it runs in the interpreter of the peers.
    """

    name: str
    module: str
    settings: Mapping[str, Any]
    peer: bool = True


def npvpg(name: str, env: str, **changes: Any) -> Contestant:
    """
    Take part with npvpg itself.

    Parameters
    ----------
    name : str
        Name in the tables.
    env : str
        Environment, whose preset is taken.
    **changes
        Fields of the configuration that differ from the preset.

    Returns
    -------
    Contestant
        npvpg.
    """
    return Contestant(name, "npvpg_", {"env": env, "changes": changes}, peer=False)


def torch_vpg(env: str, n_envs: int) -> Contestant:
    """
    Take part with the same algorithm in PyTorch, under the same settings.

    Parameters
    ----------
    env : str
        Environment, whose preset is taken.
    n_envs : int
        Sub-environments; the batch stays that of the preset.

    Returns
    -------
    Contestant
        The policy gradient of `verification.speed.peers.torch_vpg`.
    """
    config = Config(env, **config_file.preset(env))
    settings = {
        "env": env,
        "n_envs": n_envs,
        "horizon": config.envs * config.horizon // n_envs,
        "n_steps": config.steps,
        **{
            name: getattr(config, name)
            for name in (
                "hidden",
                "gamma",
                "lam",
                "policy_lr",
                "value_lr",
                "value_steps",
                "reward_scale",
            )
        },
    }
    return Contestant("PyTorch VPG", "torch_vpg", settings)


def sb3(algorithm: str, env: str, n_envs: int, n_steps: int | None = None) -> Contestant:
    """
    Take part with Stable-Baselines3.

    Parameters
    ----------
    algorithm : str
        A2C or PPO.
    env : str
        Environment.
    n_envs : int
        Sub-environments: with 8, the settings of its zoo for CartPole, and for Pendulum those for
        that; its defaults otherwise, but for the networks.
    n_steps : int, optional
        Steps to train for, in place of those of the zoo.

    Returns
    -------
    Contestant
        The algorithm.
    """
    settings: dict[str, Any] = {
        "algorithm": algorithm,
        "env": env,
        "n_envs": n_envs,
        "n_steps": n_steps or 500_000,
        "settings": {"policy_kwargs": {"net_arch": HIDDEN if env == CARTPOLE else [64, 64]}},
    }
    if algorithm == "PPO" and n_envs == 8:
        settings["n_steps"] = n_steps or 100_000
        settings["decay"] = ("learning_rate", "clip_range")
        settings["settings"] |= {
            "n_steps": 32,
            "batch_size": 256,
            "n_epochs": 20,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "learning_rate": 1e-3,
            "clip_range": 0.2,
        }
    if env == PENDULUM:
        settings["settings"] |= {
            "n_steps": 1024,
            "n_epochs": 10,
            "gae_lambda": 0.95,
            "gamma": 0.9,
            "learning_rate": 1e-3,
            "use_sde": True,
            "sde_sample_freq": 4,
        }
    return Contestant(f"Stable-Baselines3 {algorithm}", "sb3", settings)


def rejax(env: str) -> Contestant:
    """
    Take part with PPO of rejax: 16 x 32 steps a batch, the fastest of the settings tried.

    Parameters
    ----------
    env : str
        Environment of gymnax.

    Returns
    -------
    Contestant
        The algorithm.
    """
    settings = {
        "num_envs": 16,
        "num_steps": 32,
        "num_epochs": 4,
        "num_minibatches": 4,
        "learning_rate": 1e-3,
        "gamma": 0.99,
        "gae_lambda": 0.95,
        "max_grad_norm": 0.5,
        "agent_kwargs": {"activation": "tanh", "hidden_layer_sizes": HIDDEN},
    }
    return Contestant(
        "rejax PPO (JAX)", "rejax_", {"env": env, "n_steps": 500_000, "settings": settings}
    )


def rl_tools() -> Contestant:
    """
    Take part with PPO of rl_tools on its own Pendulum: its example for Python.

    Returns
    -------
    Contestant
        The algorithm, compiled by g++ and linked with MKL.
    """
    settings = {
        "STEP_LIMIT": 74,
        "N_ENVIRONMENTS": 4,
        "ON_POLICY_RUNNER_STEPS_PER_ENV": 1024,
        "BATCH_SIZE": 256,
        "N_EPOCHS": 2,
        "GAMMA": 0.9,
        "OPTIMIZER_ALPHA": 1e-3,
        "ACTION_ENTROPY_COEFFICIENT": 0.0,
    }
    return Contestant("rl_tools PPO (C++)", "rltools_", {"settings": settings})


SUMS_IN_JAX = Contestant("JAX scan", "rejax_", {})
SUMS = Contestant("sums", "sums", {}, peer=False)
FLOORS = Contestant("floors", "floors", {}, peer=False)
