"""Ctrl-C at a safe point: a signal never stops a run inside a write."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, ClassVar, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):  # as such, no handler of errors swallows it
    """
    A signal asked the run to stop.

    Parameters
    ----------
    signum : int
        Number of the signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum


class Interrupts:
    """
    Turn SIGINT and SIGTERM into one `Interrupted`, and hold it back where a write is going on.

    A context manager. The first signal raises at once, or as soon as it is no longer held; every
    later one is ignored until the context ends, so that nothing disturbs the saving.

    Python swallows what is raised in a finaliser, or in a function that a C library calls back, as
    LLVM does while it compiles. So the exception is raised again at the end of every held block.

    Examples
    --------
    >>> with Interrupts() as interrupts, interrupts.held():
    ...     pass  # a signal here waits for the end of the block
    """

    last: ClassVar[int] = signal.SIGINT
    """The signal that came last, for where a library raises its own exception in place of ours."""

    def __init__(self) -> None:
        self._signum: int | None = None
        self._held = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over; only the main thread of a process may."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        self._hook = sys.unraisablehook
        sys.unraisablehook = self._swallowed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        sys.unraisablehook = self._hook
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a signal back until the block has ended."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self._stop()

    def ignore(self) -> None:
        """Hold a signal back until `listen`: the run is being saved, which takes a moment."""
        self._held = True

    def listen(self) -> None:
        """Stop at a signal again, and at one that came in the meantime."""
        self._held = False
        self._stop()

    def _stop(self) -> None:
        """Raise for a signal."""
        if self._signum is not None:
            raise Interrupted(self._signum)

    def _receive(self, signum: int, _frame: FrameType | None) -> None:
        """Raise for the first signal, unless it is held."""
        if self._signum is None:
            self._signum = Interrupts.last = signum
            if not self._held:
                self._stop()

    def _swallowed(self, what: "sys.UnraisableHookArgs") -> None:
        """Say nothing of an exception that was swallowed and will be raised again."""
        if not issubclass(what.exc_type, Interrupted):
            self._hook(what)


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """
    Ignore Ctrl-C for a block, and in the processes that start in it for good.

    A terminal sends Ctrl-C to every process of a command. The sub-environments must survive it, so
    that it is the run that stops, once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
