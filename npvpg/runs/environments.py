"""Environments by name: made for the collectors, or refused in one line that says what to do."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gymnasium
from gymnasium import error
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv

from npvpg.envs import COMPILED, MUJOCO, CompiledVectorEnv
from npvpg.envs.base import NO_LIMIT
from npvpg.envs.faults import raised
from npvpg.envs.mujoco_log import write_none
from npvpg.envs.processes import ProcessVectorEnv
from npvpg.envs.serial import SerialVectorEnv
from npvpg.runs.config import Config
from npvpg.runs.cores import n_threads
from npvpg.runs.modules import short
from npvpg.runs.registered import spec
from npvpg.runs.wrappers import find as find_wrapper
from npvpg.world import spaces
from npvpg.world.limit import LimitSteps
from npvpg.world.squash import ScaleAction, SquashAction, scales

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
    arguments: Mapping[str, Any] | None = None,
    wrappers: Sequence[str] = (),
    asynchronous: bool = False,
    backend: str = "gymnasium",
    action_bound: str = "scale",
) -> VectorEnv:
    """
    Make a vector environment that leaves the resets to the collector.

    One that is registered without ``max_episode_steps`` is truncated after 10,000: a policy that
    stands still would otherwise keep whoever waits for the end of its episode for ever.

    Parameters
    ----------
    env : str
        Identifier, as `spec` takes it.
    n : int
        Number of sub-environments.
    arguments : mapping, optional
        Arguments of the environment, by name.
    wrappers : sequence of str
        Wrappers around every sub-environment, innermost first, each named ``MODULE:NAME`` or
        ``FILE.py:NAME``.
    asynchronous : bool
        Step every sub-environment in a process of its own.
    backend : {"gymnasium", "compiled"}
        Take the compiled twin, where there is one and none of `asynchronous`, `arguments` and
        `wrappers` is asked for.
    action_bound : {"scale", "clip", "tanh"}
        What stands between a policy and a Box: a `ScaleAction` where that changes anything,
        nothing, or a `SquashAction`.

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
    plain = not (asynchronous or arguments or wrappers)
    if backend == "compiled" and plain and env in COMPILED:
        made = gymnasium.make_vec(f"npvpg/{env}", n, copy=False)
    elif backend == "compiled" and plain and env in MUJOCO and find_spec("mujoco"):
        made = gymnasium.make_vec(f"npvpg/{env}", n, copy=False, threads=n_threads())
    else:
        made = _checked(env, n, arguments or {}, wrappers, asynchronous=asynchronous)
    if action_bound == "scale" and scales(made.single_action_space):
        return ScaleAction(made)
    if action_bound != "tanh":
        return made
    try:
        return SquashAction(made)
    except ValueError as failure:
        made.close()
        raise ValueError(f"environment {short(env)} cannot be squashed: {failure}") from None


def make_for(config: Config, n: int | None = None) -> VectorEnv:
    """
    Make the vector environment of a configuration.

    Parameters
    ----------
    config : Config
        The configuration.
    n : int, optional
        Number of sub-environments, none in a process of its own; those of the configuration if
        not given.

    Returns
    -------
    gymnasium.vector.VectorEnv
        What `make` makes.

    Raises
    ------
    ValueError
        If `make` does.
    """
    return make(
        config.env,
        n or config.envs,
        arguments=config.env_arg,
        wrappers=config.wrapper,
        asynchronous=config.async_envs and n is None,
        backend=config.backend,
        action_bound=config.action_bound,
    )


def _checked(
    env: str, n: int, arguments: Mapping[str, Any], wrappers: Sequence[str], *, asynchronous: bool
) -> VectorEnv:
    """Make an environment, and refuse one that the collectors cannot step."""
    with quiet():
        made = _make(env, n, arguments, wrappers, asynchronous=asynchronous)
    try:
        check_spaces(short(env), made)
        if made.metadata.get("autoreset_mode") is not AutoresetMode.DISABLED:
            raise ValueError(
                f"environment {short(env)} must have its autoreset disabled: let its vector entry "
                "point set metadata['autoreset_mode'] = gymnasium.vector.AutoresetMode.DISABLED "
                "and obey reset(options={'reset_mask': ...}), "
                f"got {made.metadata.get('autoreset_mode')}"
            )
    except ValueError:
        made.close()
        raise
    return made


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
    try:
        spaces.check(made.single_observation_space, made.single_action_space)
    except ValueError as refusal:
        raise ValueError(f"environment {env} cannot be used: {refusal}") from None


def _make(
    env: str, n: int, arguments: Mapping[str, Any], wrappers: Sequence[str], *, asynchronous: bool
) -> VectorEnv:
    """Call Gymnasium, and turn what it may raise into one line."""
    found = spec(env)
    limit = arguments.get("max_episode_steps", found.max_episode_steps)
    if limit is not None and limit < 1:
        raise ValueError(
            f"environment {short(env)} must have max_episode_steps of at least 1, or none, which "
            f"cuts an episode after {LIMIT:,}, got {limit}"
        )
    for name in wrappers:
        find_wrapper(name)  # refuses what is none
    if wrappers and found.entry_point is None:
        raise ValueError(
            f"environment {short(env)} cannot be wrapped: it steps all sub-environments at once"
        )
    try:
        if found.entry_point is None:  # there is a vector environment and nothing else
            return _limited(found, n, arguments)
        one = partial(make_one, env, arguments, wrappers)
        return (ProcessVectorEnv if asynchronous else SerialVectorEnv)(one, n)
    except (error.DependencyNotInstalled, ImportError) as failure:
        extra = next((e for at, e in EXTRAS.items() if str(found.entry_point).startswith(at)), None)
        if extra:
            raise ValueError(
                f"environment {short(env)} needs a package that is not installed: "
                f'pip install "gymnasium[{extra}]"'
            ) from None
        raise ValueError(f"environment {short(env)} cannot be made: {failure}") from None
    except (Exception, SystemExit) as failure:
        fault = raised(failure, "reset")
        told = str(fault) if fault.index else fault.told  # of the first all is known
        raise ValueError(f"environment {short(env)} cannot be made: {told}") from failure


def _limited(found: EnvSpec, n: int, arguments: Mapping[str, Any]) -> VectorEnv:
    """Make the vector environment that is registered, with an end for episodes that have none."""
    make = partial(gymnasium.make_vec, found, n, vectorization_mode="vector_entry_point")
    made = make(**arguments)
    if found.max_episode_steps is not None or "max_episode_steps" in arguments:
        return made
    if not isinstance(made, CompiledVectorEnv):
        return LimitSteps(made, LIMIT)
    _, _, limit, *_ = made.shares[0].buffers
    return make(**arguments, max_episode_steps=LIMIT) if limit == NO_LIMIT else made


def make_one(
    env: str, arguments: Mapping[str, Any], wrappers: Sequence[str] = ()
) -> gymnasium.Env[Any, Any]:
    """
    Make one environment, in whichever process this is.

    Parameters
    ----------
    env : str
        Identifier, as `spec` takes it.
    arguments : mapping
        Its arguments, by name.
    wrappers : sequence of str
        Wrappers around it, innermost first.

    Returns
    -------
    gymnasium.Env
        The environment.

    Raises
    ------
    ValueError
        If a wrapper is none, or makes something else than an environment.
    """
    found = spec(env)
    settings: dict[str, Any] = {
        "disable_env_checker": True,  # the collectors check every step and name the culprit
        "max_episode_steps": found.max_episode_steps or LIMIT,
    }
    if str(found.entry_point).startswith("gymnasium.envs.mujoco"):
        with contextlib.suppress(ImportError):
            import_module("mujoco")  # which warns as a model is made
    write_none(screen="xml_file" in arguments)  # what is old in Gymnasium's models is no news
    made = gymnasium.make(found, **{**settings, **arguments})
    write_none()
    for name in wrappers:
        made = find_wrapper(name)(made)
        if not isinstance(made, gymnasium.Env):
            raise ValueError(f"wrapper {short(name)} must make a gymnasium.Env, got {made!r}")
    return made
