"""
Compiling, told when it happens, and the time that kernels take before they run.

Numba sends an event as it begins to compile a function, after it has looked for it in its cache on
disk in vain. So what is told here is never a guess about the cache.
"""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator

from numba.core.event import Event, Listener, install_listener

from npvpg.kernels import compiler

_COMPILING = "numba:compile"
_KEPT = "compiling (once; kept in the cache)"
_OWN = "compiling (in every process; the environment's own)"
_NO_PLACE = f"compiling (in every process; {compiler.NO_PLACE})"


class Kernels(Listener):
    """
    Tells the first compilation of each kind, and counts the time of reading and compiling.

    Parameters
    ----------
    tell : callable
        Takes a line of text.

    Attributes
    ----------
    seconds : float
        Wall-clock time that kernels took before they ran [s].
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.seconds = 0.0
        self._tell = tell
        self._told: set[str] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is told here
            self._lost = _NO_PLACE if compiler.place() is None else _OWN
        self._within: list[Event] = []
        self._began = 0.0

    def on_start(self, event: Event) -> None:
        """Tell whether what is being compiled will be kept."""
        if not self._within:
            self._began = time.perf_counter()
        # what a function calls is compiled within it, and kept as a part of it
        outermost = not any(each.kind == _COMPILING for each in self._within)
        self._within.append(event)
        if event.kind != _COMPILING or not outermost:
            return
        kept = event.data["dispatcher"].stats.cache_path is not None
        text = _KEPT if kept else self._lost
        if text not in self._told:
            self._told.add(text)
            self._tell(text)

    def on_end(self, event: Event) -> None:
        """Count the time, whether it went well or not."""
        self._within.pop()
        if not self._within:
            self.seconds += time.perf_counter() - self._began


class Watch:
    """
    Time of a run alone: it stands still while kernels are read or compiled, or in a `pause`.

    Parameters
    ----------
    kernels : Kernels
        What counts the time of kernels.
    seconds : float
        What it shows at first [s].
    """

    def __init__(self, kernels: Kernels, seconds: float = 0.0) -> None:
        self._kernels = kernels
        self._began = self._now() - seconds

    @property
    def seconds(self) -> float:
        """What it shows [s]."""
        return self._now() - self._began

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Stand still in the block."""
        at = self._now()
        try:
            yield
        finally:
            self._began += self._now() - at

    def _now(self) -> float:
        return time.perf_counter() - self._kernels.seconds


@contextlib.contextmanager
def told(tell: Callable[[str], None]) -> Iterator[Kernels]:
    """
    Tell when, in the block, Numba compiles, and count the time.

    Parameters
    ----------
    tell : callable
        Takes a line of text: before the first function is compiled that Numba keeps on disk, and
        before the first that it does not keep. Functions read from the cache are not told.

    Yields
    ------
    Kernels
        The time so far.
    """
    kernels = Kernels(tell)
    with install_listener(_COMPILING, kernels), install_listener(compiler.READING, kernels):
        yield kernels
