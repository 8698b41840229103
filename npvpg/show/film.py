"""Films of a policy: frames into a GIF, by Pillow, or an MP4, by imageio-ffmpeg."""

import itertools
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from npvpg.runs.config import Config
from npvpg.runs.files import replaced
from npvpg.runs.heads import heads
from npvpg.runs.modules import short
from npvpg.runs.watching import Moment
from npvpg.show.frame import Painter
from npvpg.vpg import VPG

SUFFIXES = (".mp4", ".gif")
FRAMES = 30  # a second at most; where the environment makes more steps, some are left out
LONGEST = 1500  # frames of a GIF, which Pillow holds all at once
WAIT = 1.0  # at the end of an episode [s]

Frame = NDArray[np.uint8]


def suffix() -> str:
    """
    Choose the kind of a film that nobody chose.

    Returns
    -------
    str
        ".mp4" if it can be written, else ".gif".
    """
    return ".mp4" if find_spec("imageio_ffmpeg") else ".gif"


def check_suffix(path: Path) -> None:
    """
    Refuse a film that cannot be written, before anything is played.

    Parameters
    ----------
    path : Path
        The film.

    Raises
    ------
    ValueError
        If its suffix is another, or imageio-ffmpeg is missing where it is needed.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise ValueError(f"a film must end in {' or '.join(SUFFIXES)}, got {str(path)!r}")
    if kind == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise ValueError(
            f"{path} needs a package that is not installed: pip install imageio-ffmpeg; "
            "a .gif needs none"
        )


def painter(config: Config, env: VectorEnv, algorithm: VPG, note: str = "") -> Painter:
    """
    Make what draws the frames of a run.

    Parameters
    ----------
    config : Config
        Its configuration.
    env : gymnasium.vector.VectorEnv
        Its environment.
    algorithm : VPG
        Its algorithm.
    note : str
        What stands behind the number of the step.

    Returns
    -------
    Painter
        Knows the parts of an action by name.
    """
    return Painter(short(config.env), heads(env, algorithm.policy.distribution), note)


def steps_per_second(env: VectorEnv) -> float:
    """
    Say how fast time goes in an environment.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        The environment.

    Returns
    -------
    float
        What it says of itself; 30 if it says nothing.
    """
    said: Any = env.metadata.get("render_fps")
    return float(said) if isinstance(said, int | float) and said > 0 else 30.0


def shown(moments: Iterable[Moment], every: int) -> Iterator[Moment]:
    """
    Leave out what goes by too fast.

    Parameters
    ----------
    moments : iterable of Moment
        The moments of some episodes.
    every : int
        One of so many is kept, and the first and the last of every episode.

    Yields
    ------
    Moment
        Those kept.
    """
    for moment in moments:
        if moment.step % every == 0 or moment.act is None:
            yield moment


def write(path: Path, painted: Painter, moments: Iterable[Moment], fps: float) -> None:
    """
    Write a film, or leave what is there as it is.

    Parameters
    ----------
    path : Path
        The film, .mp4 or .gif; its directory exists.
    painted : Painter
        What draws the frames.
    moments : iterable of Moment
        What is to be seen, as it is played.
    fps : float
        Steps a second.

    Raises
    ------
    ValueError
        If the suffix is another.
    OSError
        If it cannot be written.
    """
    check_suffix(path)
    every = max(round(fps / FRAMES), 1)
    frames = _held((moment.act is None, painted.draw(moment)) for moment in shown(moments, every))
    with replaced(path) as temporary:
        if path.suffix.lower() == ".gif":
            _gif(temporary, itertools.islice(frames, LONGEST), fps / every)
        else:
            _mp4(temporary, frames, fps / every)


def _held(frames: Iterable[tuple[bool, Frame]]) -> Iterator[tuple[float, Frame]]:
    """Say of each frame how much longer than the others it is to be seen [s]."""
    for last, frame in frames:
        yield (WAIT if last else 0.0), frame


def _gif(path: Path, frames: Iterator[tuple[float, Frame]], fps: float) -> None:
    """Write a GIF, whose times are hundredths of a second."""
    from PIL import Image  # noqa: PLC0415 - as late as matplotlib

    waits: list[int] = []

    def drawn() -> Iterator[Image.Image]:
        for wait, frame in frames:
            waits.append(10 * round(100 * (1 / fps + wait)))
            yield Image.fromarray(frame).quantize(128, Image.Quantize.FASTOCTREE)

    pictures = list(drawn())
    pictures[0].save(
        path, "GIF", save_all=True, append_images=pictures[1:], duration=waits, loop=0, disposal=1
    )


def _mp4(path: Path, frames: Iterator[tuple[float, Frame]], fps: float) -> None:
    """Write an MP4 that every browser plays."""
    from imageio_ffmpeg import write_frames  # noqa: PLC0415 - an extra

    writer = None
    try:
        for wait, frame in frames:
            if writer is None:
                size = frame.shape[1], frame.shape[0]
                writer = write_frames(
                    os.fspath(path), size, fps=fps, macro_block_size=2, output_params=["-f", "mp4"]
                )
                writer.send(None)
            for _ in range(1 + round(wait * fps)):
                writer.send(np.ascontiguousarray(frame))
    finally:
        if writer is not None:
            writer.close()
