"""How an environment of the user's own behaves: what is said of it before a training begins."""

import contextlib
import re
import warnings

import numpy as np
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg import theirs
from npvpg.runs import environments, registered
from npvpg.runs.config import Config
from npvpg.world import spaces

_CHANGES = (
    "the same seed and actions give other {}: draw from self.np_random, or a run cannot go on"
)

_PLAIN = (
    # what is no fault here: observations are normalised and copied, actions scaled
    (r"Box action spaces, we recommend", None),
    (r"Box observation space m\w+ value is -?infinity|share an object|Casting input", None),
    (r"observation space.*recommend", None),
    (
        r"random number generator to have been generated",
        "reset does not call super().reset(seed=seed), which seeds self.np_random",
    ),
    (r"Deterministic step obs|reset.*seed.*(equivalent|determin)", _CHANGES.format("observations")),
    (r"Deterministic step rewards", _CHANGES.format("rewards")),
    (r"Deterministic step info", None),  # nothing here reads them
    (
        r"returned by (?:the )?`(?:env\.)?reset\(\)` (?:method )?is not within",
        "reset returns an observation that is not in observation_space: its shape, dtype or bounds",
    ),
    (
        r"returned by the `step\(\)` method is not within",
        "step returns an observation that is not in observation_space: its shape, dtype or bounds",
    ),
    (
        r"old step API|expected 5",
        "step must return five values: obs, reward, terminated, truncated, info",
    ),
    (r"tuple of the form `\(obs, info\)`", "reset must return two values: obs, info"),
    (
        r"does not provide an `options`",
        "reset must take options, as in reset(self, *, seed, options)",
    ),
    (r"`(terminated|truncated)` signal to be a boolean", r"\1 is no bool"),
    (r"reward returned by `step", "the reward is no number"),
    (r"reward is a NaN", "the reward is nan"),
    (r"was expecting a numpy array", "the observation is no NumPy array"),
)
"""What Gymnasium's checker says, and the same in plain words; None for what does not matter."""


def complaints(config: Config) -> list[str]:
    """
    Let Gymnasium's checker try an environment of the user's own before a training.

    Parameters
    ----------
    config : Config
        The configuration of the run.

    Returns
    -------
    list of str
        What it complains of, in plain words; nothing for the environments of packages. What stops
        a training is raised by the training itself.
    """
    own = ":" in config.env or config.wrapper
    if not own or registered.spec(config.env).entry_point is None:
        return []
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = environments.make_one(config.env, config.env_arg, config.wrapper)
            with contextlib.closing(made):
                inner = made if config.wrapper else made.unwrapped
                inner.action_space.seed(0)
                check_env(inner, skip_render_check=True, skip_close_check=True)
        except (Exception, SystemExit) as failure:  # a training that cannot take it says so itself
            told.append(_plain(str(failure)) if _is_of_checker(failure) else theirs.told(failure))
    told = [
        _plain(str(each.message)) for each in caught if "\x1b[33mWARN" in str(each.message)
    ] + told
    if not any("same seed" in text for text in told) and not follows_from_seed(config):
        told.append(_CHANGES.format("observations"))
    return [text for text in dict.fromkeys(told) if text]


def _is_of_checker(failure: BaseException) -> bool:
    """Say whether the checker complains, in place of the environment that failed."""
    return not theirs.frames(failure)


def _plain(text: str) -> str:
    """Say in plain words what the checker says; nothing of what matters nothing here."""
    text = re.sub(r"\x1b\[\d*m", "", text).removeprefix("WARN: ").strip()
    if "different from the unwrapped version" in text:  # a wrapper was asked for
        return ""
    for pattern, plain in _PLAIN:
        found = re.search(pattern, text)
        if found:
            return found.expand(plain) if plain else ""
    return " ".join(text.split())


def follows_from_seed(config: Config, n_steps: int = 100) -> bool:
    """
    Try whether an environment does the same again, given the same seed and actions.

    Parameters
    ----------
    config : Config
        Configuration of a run, which can only then be resumed.
    n_steps : int
        Steps to take at most.

    Returns
    -------
    bool
        Whether one sub-environment, new for this, arrives at the same observations twice; so it
        is taken to if it fails.
    """
    try:
        with contextlib.closing(environments.make_for(config, 1)) as env, environments.quiet():
            return np.array_equal(_played(env, n_steps), _played(env, n_steps))
    except (Exception, SystemExit):  # it has been told, or will be
        return True


def _played(env: VectorEnv, n_steps: int) -> NDArray[np.float64]:
    """Give the observations of an episode from seed 0, or of its beginning."""
    space = env.single_observation_space
    env.action_space.seed(0)
    obs, _ = env.reset(seed=0, options={"reset_mask": np.ones(1, bool)})
    seen = [spaces.flatten(space, obs, 1).copy()]
    for _ in range(n_steps):
        obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(spaces.flatten(space, obs, 1).copy())
        if terminated[0] or truncated[0]:
            break
    return np.concatenate(seen)
