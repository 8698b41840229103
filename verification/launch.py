"""One pytest run of the proofs in a process of its own, and what its claims reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verification.proofs import PROOF_FOLDERS

EXIT_TIMEOUT = -1


@dataclass(frozen=True)
class Launch:
    """
    How a pytest run ended.

    Parameters
    ----------
    exit_code : int
        Of pytest; `EXIT_TIMEOUT` if it was stopped.
    report : dict or None
        As `verification.plugin.Gatherer.report` writes it; None if pytest wrote none.
    output : str
        Everything printed.
    seconds : float
        Wall-clock time of the process.
    """

    exit_code: int
    report: dict[str, Any] | None
    output: str
    seconds: float


def launch(
    root: Path,
    *,
    claims: Sequence[str] = (),
    paths: Sequence[str] = (),
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Launch:
    """
    Run the proofs of one source tree.

    Parameters
    ----------
    root : Path
        Folder that holds ``npvpg`` and ``verification``.
    claims : sequence of str
        Claims to run; empty for all.
    paths : sequence of str
        Files or folders below `root`; empty for every folder of proofs.
    options : sequence of str
        Further arguments of pytest.
    environment : mapping, optional
        Variables to set in the process.
    timeout : float, optional
        Stop the run and all its processes after this time [s].

    Returns
    -------
    Launch
        How it ended.
    """
    folders = [f"verification/{name}" for name in PROOF_FOLDERS]
    # BLAS threads would fight the workers for the cores.
    variables = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "verification.plugin", "-m", "claim"]
        command += [f"--claim={name}" for name in claims]
        command += [f"--claim-report={written}", *options]
        command += paths or [name for name in folders if (root / name).is_dir()]
        with subprocess.Popen(
            command,
            cwd=root,
            env={**inherited, **variables, "PYTHONPATH": str(root), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
                exit_code = process.returncode
            except BaseException as stopped:
                # The workers of pytest-xdist are children: end the whole session.
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
                exit_code = EXIT_TIMEOUT
                if not isinstance(stopped, subprocess.TimeoutExpired):
                    raise
        report = json.loads(written.read_text(encoding="utf-8")) if written.exists() else None
    return Launch(exit_code, report, output, time.perf_counter() - started)
