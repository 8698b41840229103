"""The line about compiling is there when Numba compiles, and only then."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import numba
import numpy as np
import pytest
from numba.core.event import trigger_event

import npvpg
from npvpg.command.main import main
from npvpg.kernels.compiler import READING
from npvpg.runs import compiling

ROOT = str(Path(npvpg.__file__).parents[1])
LINE = (
    "train CartPole-v1 --backend gymnasium --estimator td --value-target return --steps 32 "
    "--envs 2 --horizon 16 --hidden 8 --evaluation-episodes 0"
)
KEPT = "kernels     compiling (once; kept in the cache)\n"
AGAIN = "kernels     compiling (in every process; the environment's own)\n"

OWN = """
import gymnasium
import numpy as np
from npvpg.envs import CompiledEnv

def reset(noise, state, obs):
    state[0] = obs[0] = 0.0

def step(state, action, obs):
    state[0] += 1.0
    obs[0] = state[0]
    return 1.0, state[0] > 5.0

box = gymnasium.spaces.Box(-np.inf, np.inf, (1,))
walk = CompiledEnv(reset, step, observation_space=box, action_space=gymnasium.spaces.Discrete(2),
                   state_size=1, max_episode_steps=100)
gymnasium.register("Own-v0", vector_entry_point=walk)
"""


def printed(line: str, cwd: Path, cache: Path) -> str:
    """Run the real command with a cache of its own."""
    paths = [ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-m", "npvpg", *line.split()],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
def test_it_is_said_with_a_cold_cache_and_not_with_a_warm_one(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cold = printed(f"{LINE} --out cold", tmp_path, cache)
    assert cold.count("compiling") == cold.count(KEPT) == 1
    kernels = sorted(cache.rglob("*.nbc"))
    assert kernels
    assert "compiling" not in printed(f"{LINE} --out warm", tmp_path, cache)
    assert sorted(cache.rglob("*.nbc")) == kernels  # nothing was compiled, as it said
    # one kernel is lost: that one is compiled again, and it is said again
    for file in cache.rglob("play._choose*"):
        file.unlink()
    assert printed("evaluate warm --episodes 1", tmp_path, cache).startswith(KEPT)
    assert "compiling" not in printed("evaluate warm --episodes 1 --json", tmp_path, cache)


@pytest.mark.slow
def test_it_is_said_once_that_there_is_no_place_for_the_cache(tmp_path: Path) -> None:
    out = printed(f"{LINE} --out run", tmp_path, Path("/dev/null/nowhere"))
    assert out.count("compiling") == 1
    assert "compiling (in every process; no folder for them can be written to; set NUMBA" in out


def test_what_no_cache_keeps_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    flags = "--steps 32 --envs 2 --horizon 16 --hidden 8 --evaluation-episodes 0"
    assert main(f"train own:Own-v0 {flags} --out run".split()) == 0
    assert capsys.readouterr().out.count(AGAIN) == 1
    sys.modules.pop("own")
    del gymnasium.registry["Own-v0"]


def test_what_a_kernel_is_made_of_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba compiles its own np.searchsorted within it, which no cache keeps by itself."""
    source = "import numba, numpy as np\n@numba.njit(cache=True)\n"
    source += "def find(x): return np.searchsorted(x, 2.0)\n"
    tmp_path.joinpath("kernel_of_this_test.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[str] = []
    with compiling.told(seen.append):
        find = importlib.import_module("kernel_of_this_test").find
        assert find(np.array([1.0, 3.0])) == 1
    assert seen == [KEPT.split(maxsplit=1)[1].strip()]
    sys.modules.pop("kernel_of_this_test")


def test_each_kind_is_told_once_and_only_inside_the_block() -> None:
    def fresh() -> None:
        numba.njit(lambda x: x + 1)(1)

    seen: list[str] = []
    with compiling.told(seen.append):
        assert seen == []
        fresh()
        fresh()
    fresh()
    assert seen == [AGAIN.split(maxsplit=1)[1].strip()]


def test_a_watch_stands_still_while_kernels_are_read_or_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each part of the time is a power of two, so that a sum says which parts are in it."""
    now = 0.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("npvpg.runs.compiling.time.perf_counter", lambda: now)
    with compiling.told(lambda _: None) as kernels:
        watch = compiling.Watch(kernels, 1000)
        passes(1)
        with trigger_event(READING):
            passes(2)
            with trigger_event(READING):  # a kernel within a kernel is counted once
                passes(4)
        passes(8)
        with watch.pause(), trigger_event(READING):
            passes(16)
        with watch.pause():
            passes(32)
        assert watch.seconds == 1000 + 1 + 8
        assert kernels.seconds == 2 + 4 + 16


def test_reading_kernels_is_no_time_of_compiling_nor_told() -> None:
    seen: list[str] = []
    with compiling.told(seen.append) as kernels:
        numba.njit(lambda x: x + 1)(1)
        compiled = kernels.seconds
        with trigger_event(READING):
            pass
    assert 0 < compiled <= kernels.seconds
    assert len(seen) == 1
