"""The command ``npvpg train``, as a user runs it, by the clock on the wall."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from verification.speed.contestants import CARTPOLE
from verification.speed.worker import ROOT, environment


def train(seed: int, *flags: str, cache: str | None = None) -> dict[str, float | None]:
    """
    Train one seed of CartPole-v1.

    Parameters
    ----------
    seed : int
        Seed.
    *flags : str
        Further words of the command.
    cache : str, optional
        Folder for Numba's cache; the usual one unless given.

    Returns
    -------
    dict
        Seconds to the line that says "solved", None if there was none, and to the end.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    return _run("--seed", str(seed), *flags, cache=cache)


def over_seeds(n: int, jobs: int, *flags: str) -> float:
    """
    Train several seeds of CartPole-v1.

    Parameters
    ----------
    n : int
        Seeds 0 to n - 1.
    jobs : int
        How many of them side by side.
    *flags : str
        Further words of the command.

    Returns
    -------
    float
        Seconds to the end.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    return _run("--seeds", f"0-{n - 1}", "--jobs", str(jobs), *flags)["end"] or 0.0


def _run(*flags: str, cache: str | None = None) -> dict[str, float | None]:
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "npvpg", "train", CARTPOLE, *flags]
        words += ["--out", str(Path(folder, "run"))]
        verdict: float | None = None
        began = time.perf_counter()
        with subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment({"NUMBA_CACHE_DIR": cache} if cache else {}),
            cwd=ROOT,
            text=True,
        ) as process:
            assert process.stdout is not None
            last = ""
            for line in process.stdout:
                if verdict is None and line.startswith("solved"):
                    verdict = time.perf_counter() - began
                last = line if line.strip() else last
        if process.returncode:
            raise RuntimeError(f"npvpg train failed: {last.strip()}")
        return {"verdict": verdict, "end": time.perf_counter() - began}
