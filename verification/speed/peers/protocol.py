"""
The side of a measured process: requests come in as lines of JSON, answers go out as such lines.

Each peer runs in a process of its own, so that neither imports nor memory mix. Nothing here needs
more than Python, as the interpreter that has the peers need not have npvpg.
"""

import importlib.metadata
import io
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Call = Callable[..., dict[str, Any]]

RECENT = 100  # finished episodes over which the return is averaged
SPACING = 512  # environment steps between two points of a curve


def serve(load: Callable[[], Mapping[str, Call]], packages: Sequence[str]) -> None:
    """
    Answer requests until there are no more.

    The first line out names the versions, or the package that is missing.

    Parameters
    ----------
    load : callable
        Imports what the calls need, and gives them by name.
    packages : sequence of str
        Packages whose versions to tell.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # nor after why the process ended

    def say(record: dict[str, Any]) -> None:
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    try:
        calls = load()
    except ModuleNotFoundError as missing:
        say({"missing": missing.name})
        return
    say({"versions": versions(packages)})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = calls[request["call"]](**request["settings"])
        except ModuleNotFoundError as missing:
            answer = {"missing": missing.name}
        say(answer)


def versions(packages: Sequence[str]) -> dict[str, str]:
    """
    Look up versions.

    Parameters
    ----------
    packages : sequence of str
        Names of distributions.

    Returns
    -------
    dict of str
        Versions of those that are installed.
    """
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def peak_megabytes() -> float:
    """
    Peak memory of this process.

    Returns
    -------
    float
        Resident set size at its largest [MB].
    """
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Judge:
    """
    One clock and one verdict for all sides.

    Solved means that the mean return of the last 100 training episodes has reached the goal.

    Parameters
    ----------
    goal : float or None
        Return at which training stops; None never stops it.
    max_seconds : float
        Time after which training stops all the same.
    """

    def __init__(self, goal: float | None, max_seconds: float) -> None:
        self.goal = goal
        self.max_seconds = max_seconds
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.curve: list[tuple[float, int, float]] = []
        self.records: list[tuple[float, int, float]] = []
        self.solved_at: int | None = None
        self.steps = 0
        self.seconds = 0.0
        self._drawn = 0
        self.began = time.perf_counter()

    def stops(self, steps: int, returns: Iterable[float]) -> bool:
        """
        Look at what happened since the last look.

        Parameters
        ----------
        steps : int
            Environment steps so far, over all sub-environments.
        returns : iterable of float
            Returns of the episodes that finished, in their order.

        Returns
        -------
        bool
            Whether to stop.
        """
        self.steps = steps
        self.seconds = time.perf_counter() - self.began
        self.recent.extend(returns)
        solved = False
        if self.recent and steps - self._drawn >= SPACING:
            mean = sum(self.recent) / len(self.recent)
            self.curve.append((self.seconds, steps, mean))
            self._drawn = steps
        if len(self.recent) == RECENT:
            mean = sum(self.recent) / RECENT
            if not self.records or mean > self.records[-1][2]:
                self.records.append((self.seconds, steps, mean))
            solved = self.goal is not None and sum(self.recent) >= self.goal * RECENT
        if solved:
            self.solved_at = steps
            self.curve.append((self.seconds, steps, sum(self.recent) / RECENT))
        return solved or self.seconds >= self.max_seconds

    def result(self, setup_seconds: float = 0.0) -> dict[str, Any]:
        """
        Give what a run came to.

        Parameters
        ----------
        setup_seconds : float
            Time that went into compiling before the clock was started.

        Returns
        -------
        dict
            Seconds, steps, step at which it was solved, curve, set-up time and peak memory; and
            ``records``, seconds, steps and mean return of the last 100 episodes wherever that was
            higher than ever before.
        """
        return {
            "seconds": self.seconds,
            "steps": self.steps,
            "solved_at": self.solved_at,
            "curve": self.curve,
            "records": self.records,
            "setup_seconds": setup_seconds,
            "peak_megabytes": peak_megabytes(),
        }


def repeat(work: Callable[[], Any], seconds: float, at_least: int = 3) -> tuple[int, float]:
    """
    Repeat some work for a time, after doing it once unmeasured.

    Parameters
    ----------
    work : callable
        What to do.
    seconds : float
        Time to fill [s].
    at_least : int
        Repetitions to make however long they take.

    Returns
    -------
    n : int
        Repetitions made.
    seconds : float
        Time they took together [s].
    """
    work()
    n, began, taken = 0, time.perf_counter(), 0.0
    while n < at_least or taken < seconds:
        work()
        n += 1
        taken = time.perf_counter() - began
    return n, taken
