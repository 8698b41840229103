"""Whether all works: versions, threads, compiled kernels, extras, and a short run."""

import os
import platform
import time
import warnings
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

from npvpg import __version__
from npvpg.distributions import Categorical
from npvpg.jobs import run
from npvpg.kernels import compiler
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.runs.config_file import configure
from npvpg.runs.directory import RunDirectory

BELOW = ("numpy", "numba", "gymnasium", "rich", "safetensors", "matplotlib", "threadpoolctl")
EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "mujoco": (("mujoco",), '"gymnasium[mujoco]"'),
    "box2d": (("Box2D",), '"gymnasium[box2d]"'),
    "video": (("pygame", "imageio_ffmpeg"), '"gymnasium[classic-control]" imageio-ffmpeg'),
    "export": (("onnx", "onnxruntime"), "onnx onnxruntime"),
    "tensorboard": (("tensorboard",), "tensorboard"),
    "ray": (("ray", "pandas"), '"ray[tune]"'),
}
"""What each extra brings: its modules, and the packages that pip takes."""

STEP = 1e-30  # of a complex step, which takes no difference and so loses no digits
CLOSE = 1e-10


class Finding(NamedTuple):
    """
    A line of what was found.

    Attributes
    ----------
    about : str
        What it is about.
    text : str
        What there is.
    well : bool or None
        Whether that is as it should be; None where there is nothing to judge.
    """

    about: str
    text: str
    well: bool | None = None


def findings() -> Iterator[Finding]:
    """
    Look the house over.

    Yields
    ------
    Finding
        One after the other, as they are found; the last, a short run, takes about two seconds, and
        half a minute where kernels are yet to be compiled.
    """
    yield Finding("npvpg", f"{__version__} in {Path(__file__).parents[1]}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield Finding("python", f"{python}, {platform.system()} {platform.machine()}")
    yield Finding("packages", ", ".join(f"{name} {metadata.version(name)}" for name in BELOW))
    yield from _threads()
    yield _kernels()
    for name, (modules, packages) in EXTRAS.items():
        lacking = [module for module in modules if find_spec(module) is None]
        if lacking:
            yield Finding(f"extra {name}", f"not installed: pip install {packages}")
        else:
            yield Finding(f"extra {name}", "installed")
    yield _score()
    yield _run()


def _threads() -> Iterator[Finding]:
    """Say which BLAS there is, and how many threads it takes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    given = os.environ.get("OPENBLAS_NUM_THREADS")
    while_training = f"{given}, by OPENBLAS_NUM_THREADS" if given else "1"
    found = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    for lib in found:
        kind = f"{lib['internal_api']} {lib.get('version') or ''}".strip()
        threads = f"threads: {lib['num_threads']} on {cores} cores, {while_training} in training"
        yield Finding("BLAS", f"{kind}, {threads}")
    if not found:
        yield Finding("BLAS", f"none that threadpoolctl knows; {cores} cores")


def _kernels() -> Finding:
    """Say where compiled kernels are kept, and how many there are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = compiler.place()
    if folder is None:
        return Finding("kernels", compiler.NO_PLACE, False)
    files = list(folder.glob("*.nbc"))
    size = sum(file.stat().st_size for file in files) / 1e6
    kept = f"{len(files)} compiled, {size:.1f} MB" if files else "none yet: the first run compiles"
    return Finding("kernels", f"{kept}, in {folder}", True)


def _score() -> Finding:
    """Compare a score with the derivative of the log-probability by a complex step."""
    rng = np.random.default_rng(0)
    policy = Policy(MLP((3, 8, 4)), Categorical(4))
    theta, direction = rng.standard_normal((2, policy.size))
    obs, act = rng.standard_normal((5, 3)), rng.integers(0, 4, 5)
    moved = policy.at(theta + 1j * STEP * direction, obs).log_prob(act).imag / STEP
    error = float(np.abs(policy.at(theta, obs).score(act) @ direction - moved).max())
    return Finding("gradient", f"score against a complex step: {error:.1e}", error < CLOSE)


def _run() -> Finding:
    """Train twice from one seed, and compare the bytes."""
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        config = configure("CartPole-v1", steps=16_384, evaluation_episodes=0)
        logs = []
        for name in ("a", "b"):
            directory = RunDirectory(Path(folder, name))
            summary = run.train(config, directory)
            logs.append(directory.metrics.read_bytes() + directory.episodes.read_bytes())
    seconds = time.perf_counter() - began
    text = f"CartPole-v1 twice, {summary['steps']:,} steps each, in {seconds:.1f} s: "
    same = logs[0] == logs[1]
    return Finding("a run", text + ("the same bytes" if same else "different bytes"), same)
