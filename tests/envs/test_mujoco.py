"""What surrounds the twins of MuJoCo's environments; their numbers are claims H9 to H12."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from npvpg.envs import MUJOCO
from npvpg.runs import cores, environments
from npvpg.world.vector import SeededVectorEnv

mujoco = pytest.importorskip("mujoco")

from npvpg.envs.mujoco import MujocoVectorEnv  # noqa: E402 - it needs MuJoCo


@pytest.mark.parametrize("name", MUJOCO)
def test_every_one_of_them_is_used_by_itself(name: str) -> None:
    env = environments.make(name, 2, backend="compiled")
    assert isinstance(env.unwrapped, MujocoVectorEnv)
    assert env.unwrapped.spec is not None
    assert env.unwrapped.spec.max_episode_steps == gymnasium.spec(name).max_episode_steps
    env.close()


@pytest.mark.parametrize(
    "asked",
    [
        {"backend": "gymnasium"},
        {"backend": "compiled", "arguments": {"ctrl_cost_weight": 0.2}},
        {"backend": "compiled", "wrappers": ["gymnasium.wrappers:ClipAction"]},
    ],
)
def test_gymnasiums_own_where_more_is_asked_for(asked: dict[str, Any]) -> None:
    env = environments.make("HalfCheetah-v5", 1, **asked)
    assert not isinstance(env.unwrapped, MujocoVectorEnv)
    env.close()


def test_it_says_on_how_many_threads_it_runs() -> None:
    for threads, kind in ((1, "1 thread"), (2, "2 threads"), (5, "3 threads")):
        env: Any = gymnasium.make_vec("npvpg/Reacher-v5", 3, threads=threads)
        assert env.kind == f"compiled around MuJoCo, {kind}"
        env.close()


def test_processes_side_by_side_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "n_cores", lambda: 4)
    found = []
    for n in (2, 3, 9, 1):
        cores.share(n)
        found.append(cores.n_threads())
    assert found == [2, 1, 1, 4]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_must_not_be_asked_for(threads: int) -> None:
    env: Any = gymnasium.make_vec("npvpg/InvertedPendulum-v5", 2, threads=threads)
    act = np.zeros((2, 1), np.float32)
    with pytest.raises(ResetNeeded):
        env.step(act)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions must have shape"):
        env.step(act[:1])
    for _ in range(200):
        over = np.logical_or(*env.step(np.full((2, 1), 3, np.float32))[2:4])
        if over.any():
            break
    before = env.get_state()
    with pytest.raises(AssertionError, match="are over"):
        env.step(act)
    assert all(np.array_equal(before[name], env.get_state()[name]) for name in before)
    env.close()


def test_arguments_that_it_cannot_take() -> None:
    make = gymnasium.make_vec
    with pytest.raises(ValueError, match="render_mode must be None"):
        make("npvpg/Ant-v5", 1, render_mode="rgb_array")
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        make("npvpg/Ant-v5", 1, threads=0)
    with pytest.raises(AttributeError, match="has no attribute Humanoid-v4"):
        _ = __import__("npvpg.envs.mujoco", fromlist=["x"]).__getattr__("Humanoid-v4")


def test_a_warning_of_the_physics_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    """Of actions that are no numbers, say; MuJoCo's own way is a log in the working directory."""
    program = (
        "import numpy as np, sys\n"
        "from npvpg.runs import environments\n"
        "env = environments.make('HalfCheetah-v5', 1, backend=sys.argv[1], action_bound='clip')\n"
        "env.reset(seed=[0])\n"
        "for _ in range(3):\n"
        "    env.step(np.full((1, 6), np.nan))\n"
    )
    for backend in ("compiled", "gymnasium"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, backend],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "WARNING" in done.stdout + done.stderr
        assert list(tmp_path.iterdir()) == []


def test_errors_name_the_sub_environment_of_a_share() -> None:
    driver = SeededVectorEnv(gymnasium.make_vec("npvpg/Hopper-v5", 3, threads=3), 0)
    driver.reset(np.ones(3, bool), np.zeros(3, np.int64))
    assert "Hopper-v5 with seed" in driver.origin.when(2)
    driver.env.close()
