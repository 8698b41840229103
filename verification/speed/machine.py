"""Where the measurements were made, and on which core."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

BUSY = 0.5  # load above which other programs are likely to have disturbed a measurement


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """
    Stay on some cores, and with this process every one that is started meanwhile.

    Parameters
    ----------
    *cores : int
        Numbers of the cores.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores() -> list[int]:
    """
    List the cores that this process may use.

    Returns
    -------
    list of int
        Their numbers.
    """
    return sorted(os.sched_getaffinity(0))


def cpu() -> str:
    """
    Name the processor.

    Returns
    -------
    str
        Model, as the system gives it.
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def description() -> dict[str, str | int | float]:
    """
    Describe the machine.

    Returns
    -------
    dict
        Processor, cores that may be used, system, Python, and the load of the last minute.
    """
    return {
        "processor": cpu(),
        "cores": len(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
