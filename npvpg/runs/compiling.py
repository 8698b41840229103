"""
Compiling, told when it happens.

Numba sends an event as it begins to compile a function, after it has looked for it in its cache on
disk in vain. So what is told here is never a guess about the cache.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator

from numba.core.event import Event, Listener, install_listener

from npvpg.kernels import compiler

_KEPT = "compiling (once; kept in the cache)"
_OWN = "compiling (in every process; the environment's own)"
_NO_PLACE = f"compiling (in every process; {compiler.NO_PLACE})"


class _Listener(Listener):
    """Tell the first compilation of each kind."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[str] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is told here
            self._lost = _NO_PLACE if compiler.place() is None else _OWN
        self._depth = 0

    def on_start(self, event: Event) -> None:
        """Tell whether what is being compiled will be kept."""
        self._depth += 1
        kept = event.data["dispatcher"].stats.cache_path is not None
        # what a function calls is compiled within it, and kept as a part of it
        text = _KEPT if kept else self._lost
        if self._depth == 1 and text not in self._told:
            self._told.add(text)
            self._tell(text)

    def on_end(self, event: Event) -> None:
        """Count the end of a compilation, whether it went well or not."""
        self._depth -= 1


@contextlib.contextmanager
def told(tell: Callable[[str], None]) -> Iterator[None]:
    """
    Tell when, in the block, Numba compiles.

    Parameters
    ----------
    tell : callable
        Takes a line of text: before the first function is compiled that Numba keeps on disk, and
        before the first that it does not keep. Functions read from the cache are not told.
    """
    with install_listener("numba:compile", _Listener(tell)):
        yield
