"""The side of a measured process that measures: start it, ask it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 900.0  # of one answer [s]
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
SLOWS_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class MissingPackageError(Exception):
    """A peer is not installed."""


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Variables of a measured process: one thread, and the kernels that BLAS chooses by itself.

    Parameters
    ----------
    changes : mapping, optional
        Further variables.

    Returns
    -------
    dict of str
        All variables.
    """
    kept = {name: value for name, value in os.environ.items() if name not in SLOWS_BLAS}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**kept, **ONE_THREAD, "PYTHONPATH": path, **(changes or {})}


class Worker:
    """
    A process that answers requests; it is ended when the block is left.

    Parameters
    ----------
    module : str
        Module to run, which calls `verification.speed.peers.protocol.serve`.
    python : str
        Interpreter that has its packages.

    Raises
    ------
    MissingPackageError
        If a package that it needs is not installed.
    RuntimeError
        If it fails: the end of what it printed.
    """

    def __init__(self, module: str, python: str = sys.executable) -> None:
        self.module = module
        self._printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` closes it
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [python, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env=environment(),
            text=True,
        )
        try:
            hello = self._read()
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - began
        self.versions: dict[str, str] = hello["versions"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, call: str, **settings: Any) -> dict[str, Any]:
        """
        Ask for something, and wait for the answer.

        Parameters
        ----------
        call : str
            Name of the call.
        **settings
            Its arguments.

        Returns
        -------
        dict
            The answer.

        Raises
        ------
        MissingPackageError
            If a package that it needs is not installed.
        RuntimeError
            If the process ends instead, or takes too long.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # why it ended is told below
            self._process.stdin.write(json.dumps({"call": call, "settings": settings}) + "\n")
            self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._printed.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        alarm = threading.Timer(TIMEOUT, self._process.kill)
        alarm.start()
        try:
            line = self._process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            self._process.wait()
            self._printed.seek(0)
            said = self._printed.read().strip().splitlines()[-1:] or ["it printed nothing"]
            raise RuntimeError(f"{self.module} ended without an answer: {said[0]}")
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise MissingPackageError(answer["missing"])
        return answer
