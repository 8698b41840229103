"""Films made while a run trains, which change no number of it."""

import contextlib
import random
from collections.abc import Callable, Iterator

import numpy as np
from gymnasium.vector import VectorEnv

from npvpg.runs.ready import Run
from npvpg.runs.watching import play, visible
from npvpg.show import film, pictures
from npvpg.state import TrainState

Film = Callable[[int, TrainState], None]
"""Takes the steps before an update and the state after it."""


@contextlib.contextmanager
def filming(run: Run, warn: Callable[[str], None]) -> Iterator[Film]:
    """
    Film an episode whenever a run has come so many steps further, if its configuration says so.

    The environment that is filmed is another one, and what is random in it has streams of its own:
    each film shows the episode that `npvpg.watch` shows with the seed of the run.

    Parameters
    ----------
    run : Run
        The run.
    warn : callable
        Takes a line that says why there is no film.

    Yields
    ------
    callable
        Films if it is time to.

    Raises
    ------
    ValueError
        If the environment cannot render.
    """
    every = run.config.video_every
    if not every:
        yield lambda _, __: None
        return

    def after(before: int, state: TrainState) -> None:
        if before // every < state.steps // every:
            with pictures.spared(warn), _global_draws_kept():
                _film(run, env, state)

    with contextlib.ExitStack() as stack:
        with _global_draws_kept():
            env = stack.enter_context(visible(run.config))
        yield after


def _film(run: Run, env: VectorEnv, state: TrainState) -> None:
    """Film an episode of a state."""
    config, algorithm = run.config, run.algorithm
    folder = run.directory.videos
    folder.mkdir(exist_ok=True)
    fraction = state.steps / config.steps
    film.write(
        folder / f"step-{state.steps:09}{film.suffix()}",
        film.painter(config, env, algorithm, f" · trained {state.steps:,}"),
        play(env, algorithm, state, fraction=fraction, seed=config.seed),
        film.steps_per_second(env),
    )


@contextlib.contextmanager
def _global_draws_kept() -> Iterator[None]:
    """Put back what an environment draws from generators that it shares with its twins."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - not ours
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
