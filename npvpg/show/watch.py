"""To see a policy act: in a window, or in a film."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from npvpg import checks
from npvpg.runs import environments
from npvpg.runs.evaluation import trained
from npvpg.runs.watching import Moment, play, single, visible
from npvpg.show import film, window


class Watched(NamedTuple):
    """
    What was seen.

    Attributes
    ----------
    film : Path or None
        The film; None where there was a window.
    returns : tuple of float
        Return of each episode that was seen to its end [reward].
    lengths : tuple of int
        Its length [steps].
    """

    film: Path | None
    returns: tuple[float, ...]
    lengths: tuple[int, ...]


def watch(
    run: str | Path,
    *,
    episodes: int = 1,
    video: str | Path | None = None,
    greedy: bool = False,
    seed: int = 0,
    best: bool = False,
    told: Callable[[Moment], None] | None = None,
) -> Watched:
    """
    See the policy of a run act, as `npvpg watch` shows it.

    Beside the environment stand the step, the return so far, V(s), and what the policy thinks: the
    probability of each action, or mean and standard deviation.

    Parameters
    ----------
    run : str or Path
        Directory of the run.
    episodes : int
        Episodes to play, at least 1.
    video : str or Path, optional
        Film to write, .mp4 or .gif. If not given there is a window; where there is no display, a
        film ``watch.mp4`` in the directory of the run, or ``watch.gif`` without imageio-ffmpeg.
    greedy : bool
        Take the most probable action in place of a draw.
    seed : int
        Seed, at least 0; its streams are apart from those of training and evaluation.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.
    told : callable, optional
        Gets the end of every episode, as it is reached.

    Returns
    -------
    Watched
        The film and the returns.

    Raises
    ------
    ValueError
        If the directory holds no run, its environment cannot render, or `video` is no film.
    """
    checks.at_least(1, episodes=episodes)
    checks.at_least(0, seed=seed)
    path = Path(video) if video is not None else None
    if path is not None:
        film.check_suffix(path)
    ends: list[Moment] = []

    def followed(moments: Iterator[Moment]) -> Iterator[Moment]:
        for moment in moments:
            if moment.act is None:
                ends.append(moment)
                if told is not None:
                    told(moment)
            yield moment

    directory = single(Path(run))
    with environments.quiet(), trained(directory, best=best) as of, visible(of.config) as env:
        painted = film.painter(of.config, env, of.algorithm, " · greedy" * greedy)
        moments = followed(
            play(
                env,
                of.algorithm,
                of.state,
                fraction=of.fraction,
                seed=seed,
                episodes=episodes,
                greedy=greedy,
            )
        )
        fps = film.steps_per_second(env)
        if path is None and window.there():
            window.show(painted, moments, fps)
        else:
            path = path or directory / f"watch{film.suffix()}"
            film.write(path, painted, moments, fps)
    return Watched(path, tuple(end.ret for end in ends), tuple(end.step for end in ends))
