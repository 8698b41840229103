"""
Compiling, told when it happens.

Numba sends an event as it begins to compile a function, after it has looked for it in its cache on
disk in vain. So what is told here is never a guess about the cache.
"""

import contextlib
from collections.abc import Callable, Iterator

from numba.core.event import Event, Listener, install_listener


class _Listener(Listener):
    """Tell the first compilation of each kind."""

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell = tell
        self._told: set[bool] = set()

    def on_start(self, event: Event) -> None:
        """Tell whether what is being compiled will be kept."""
        kept = event.data["dispatcher"].stats.cache_path is not None
        if kept not in self._told:
            self._told.add(kept)
            self._tell(kept)

    def on_end(self, event: Event) -> None:
        """Tell nothing: the next line of the screen will."""


@contextlib.contextmanager
def told(tell: Callable[[bool], None]) -> Iterator[None]:
    """
    Tell when, in the block, Numba compiles.

    Parameters
    ----------
    tell : callable
        Called before the first function is compiled that Numba keeps on disk, with True, and
        before the first that it does not keep, with False. Functions read from the cache are not
        told.
    """
    with install_listener("numba:compile", _Listener(tell)):
        yield
