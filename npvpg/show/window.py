"""A window that shows a policy act: space stops it, the right arrow takes a step, q ends it."""

import os
from collections.abc import Iterable
from importlib.util import find_spec

import numpy as np

from npvpg.runs.watching import Moment, display
from npvpg.show.film import WAIT
from npvpg.show.frame import Painter

HINT = "space: stop and go on · right arrow: a step · q: end"


def there() -> bool:
    """
    Say whether a window can be opened.

    Returns
    -------
    bool
        Whether there is a display, and pygame, which draws on it.
    """
    return display() and find_spec("pygame") is not None


def show(painted: Painter, moments: Iterable[Moment], fps: float) -> None:
    """
    Show episodes in a window, as fast as time goes in the environment.

    Parameters
    ----------
    painted : Painter
        What draws the frames.
    moments : iterable of Moment
        What is to be seen, as it is played.
    fps : float
        Steps a second.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame  # noqa: PLC0415 - an extra

    pygame.display.init()
    try:
        clock, screen, stopped = pygame.time.Clock(), None, False
        for moment in moments:
            frame = painted.draw(moment)
            if screen is None:
                screen = pygame.display.set_mode((frame.shape[1], frame.shape[0]))
                pygame.display.set_caption(f"{painted.title} · {HINT}")
            surface = pygame.surfarray.make_surface(np.ascontiguousarray(frame.swapaxes(0, 1)))
            until = pygame.time.get_ticks() + (1000 * WAIT if moment.act is None else 0)
            while True:
                screen.blit(surface, (0, 0))
                pygame.display.flip()
                step = False
                for event in pygame.event.get():
                    key = event.key if event.type == pygame.KEYDOWN else None
                    if event.type == pygame.QUIT or key in (pygame.K_q, pygame.K_ESCAPE):
                        return
                    stopped ^= key == pygame.K_SPACE
                    step |= key == pygame.K_RIGHT
                clock.tick(fps)
                if step or not (stopped or pygame.time.get_ticks() < until):
                    break
    finally:
        pygame.display.quit()
