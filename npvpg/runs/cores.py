"""Cores that there are, and threads for each of the processes that share them."""

import os

_processes = 1


def n_cores() -> int:
    """
    Count the cores that this process may use.

    Returns
    -------
    int
        The number, at least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(n: int) -> None:
    """
    Say how many processes do the same work side by side.

    Parameters
    ----------
    n : int
        The number, this process among them.
    """
    global _processes  # noqa: PLW0603 - a fact about the process, which no result depends on
    _processes = n


def n_threads() -> int:
    """
    Count the threads that this process may fill a core with each.

    Returns
    -------
    int
        The number, at least 1.
    """
    return max(n_cores() // _processes, 1)
