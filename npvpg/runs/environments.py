"""Environments by name: made for the collectors, or refused in one line that says what to do."""

import contextlib
import importlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
from gymnasium import error
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv

from npvpg.envs import COMPILED
from npvpg.envs.serial import SerialVectorEnv
from npvpg.runs.words import nearest
from npvpg.world import spaces
from npvpg.world.squash import SquashAction

LIMIT = 10_000  # steps of an episode where an environment is registered without a limit

# where Gymnasium keeps the environments that need more than Gymnasium
EXTRAS = {
    "gymnasium.envs.mujoco": "mujoco",
    "gymnasium.envs.box2d": "box2d",
    "gymnasium.envs.phys2d": "jax",
    "gymnasium.envs.tabular": "jax",
}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """
    Keep Gymnasium's own log off the screen, where each entry takes two lines.

    What it warns of, such as an old version or an observation out of its space, stops no run; what
    it logs as an error is raised as well. Other warnings pass.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\x1b\[\d+m(WARN|ERROR)")
        yield


def make(
    env: str,
    n: int,
    *,
    asynchronous: bool = False,
    backend: str = "gymnasium",
    action_bound: str = "clip",
) -> VectorEnv:
    """
    Make a vector environment that leaves the resets to the collector.

    One that is registered without ``max_episode_steps`` is truncated after 10,000: a policy that
    stands still would otherwise keep whoever waits for the end of its episode for ever.

    Parameters
    ----------
    env : str
        Identifier; ``module:ID`` imports the module first, which may lie in the working directory.
    n : int
        Number of sub-environments.
    asynchronous : bool
        Step every sub-environment in a process of its own.
    backend : {"gymnasium", "compiled"}
        Take the compiled twin, where there is one and `asynchronous` is not asked for.
    action_bound : {"clip", "tanh"}
        What keeps actions in a bounded Box: the collector, which clips them, or a `SquashAction`
        around the environment.

    Returns
    -------
    gymnasium.vector.VectorEnv
        Sub-environments whose autoreset is disabled.

    Raises
    ------
    ValueError
        If there is no such environment, a package it needs is missing, it fails as it is made, its
        spaces are not supported, its autoreset cannot be disabled, or there is no bounded Box to
        squash its actions into.
    """
    made = _checked(env, n, asynchronous=asynchronous, backend=backend)
    if action_bound != "tanh":
        return made
    try:
        return SquashAction(made)
    except ValueError as failure:
        made.close()
        raise ValueError(f"environment {env} cannot be squashed: {failure}") from None


def _checked(env: str, n: int, *, asynchronous: bool, backend: str) -> VectorEnv:
    """Make an environment, and refuse one that the collectors cannot step."""
    if backend == "compiled" and env in COMPILED and not asynchronous:
        return gymnasium.make_vec(f"npvpg/{env}", n, copy=False)
    with quiet():
        made = _make(env, spec(env), n, asynchronous=asynchronous)
    try:
        check_spaces(env, made)
        if made.metadata.get("autoreset_mode") is not AutoresetMode.DISABLED:
            raise ValueError(
                f"environment {env} must have its autoreset disabled: let its vector entry point "
                "set metadata['autoreset_mode'] = gymnasium.vector.AutoresetMode.DISABLED and "
                "obey reset(options={'reset_mask': ...}), "
                f"got {made.metadata.get('autoreset_mode')}"
            )
    except ValueError:
        made.close()
        raise
    return made


def spec(env: str) -> EnvSpec:
    """
    Look an environment up.

    Parameters
    ----------
    env : str
        Identifier, possibly ``module:ID``.

    Returns
    -------
    gymnasium.envs.registration.EnvSpec
        What is registered under it: its reward threshold, its limit of steps.

    Raises
    ------
    ValueError
        If there is no such environment; the nearest names are offered.
    """
    module, _, name = env.rpartition(":")
    if module:
        _import(module, env)
    if name not in gymnasium.registry:
        raise ValueError(f"unknown environment {env!r}{nearest(name, gymnasium.registry)}")
    return gymnasium.registry[name]


def check_spaces(env: str, made: VectorEnv) -> None:
    """
    Refuse spaces that no policy of this package handles.

    Parameters
    ----------
    env : str
        Name to use in the message.
    made : gymnasium.vector.VectorEnv
        The environment.

    Raises
    ------
    ValueError
        If a part of observations or actions is of another kind than `npvpg.world.spaces` knows.
    """
    for name, space in (
        ("observation", made.single_observation_space),
        ("action", made.single_action_space),
    ):
        if not spaces.is_supported(space):
            raise ValueError(
                f"environment {env} has the {name} space {space}; supported: {spaces.SUPPORTED}"
            )


def _import(module: str, env: str) -> None:
    """Import the module that registers an environment, from the working directory as well."""
    if "" not in sys.path:
        sys.path.insert(0, "")  # an installed command does not look there by itself
    try:
        importlib.import_module(module)
    except ImportError as failure:
        raise ValueError(f"cannot import the module of environment {env!r}: {failure}") from None


def _make(env: str, found: EnvSpec, n: int, *, asynchronous: bool) -> VectorEnv:
    """Call Gymnasium, and turn what it may raise into one line."""
    try:
        if found.entry_point is None:  # there is a vector environment and nothing else
            return gymnasium.make_vec(env, n, vectorization_mode="vector_entry_point")
        settings: dict[str, Any] = {
            "disable_env_checker": True,  # the collectors check every step and name the culprit
            "max_episode_steps": found.max_episode_steps or LIMIT,
        }
        if not asynchronous:
            return SerialVectorEnv(lambda: gymnasium.make(env, **settings), n)
        return gymnasium.make_vec(
            env,
            n,
            vectorization_mode="async",
            vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
            **settings,
        )
    except (error.DependencyNotInstalled, ImportError) as failure:
        extra = next((e for at, e in EXTRAS.items() if str(found.entry_point).startswith(at)), None)
        if extra:
            raise ValueError(
                f"environment {env} needs a package that is not installed: "
                f'pip install "gymnasium[{extra}]"'
            ) from None
        raise ValueError(f"environment {env} cannot be made: {failure}") from None
    except Exception as failure:
        kind = type(failure).__name__
        raise ValueError(f"environment {env} cannot be made: {kind}: {failure}") from failure
