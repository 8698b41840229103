import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from npvpg.envs import COMPILED, CompiledVectorEnv


@pytest.mark.parametrize("name", COMPILED)
def test_make_vec(name: str) -> None:
    envs = gymnasium.make_vec(f"npvpg/{name}", num_envs=4)
    assert isinstance(envs, CompiledVectorEnv)
    assert envs.num_envs == 4
    assert envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    spec, original = envs.spec, gymnasium.spec(name)
    assert spec is not None
    assert spec.max_episode_steps == original.max_episode_steps
    assert spec.reward_threshold == original.reward_threshold


@pytest.mark.parametrize("name", COMPILED)
def test_single_environment_is_gymnasiums_own(name: str) -> None:
    single = gymnasium.make(f"npvpg/{name}")
    assert type(single.unwrapped) is type(gymnasium.make(name).unwrapped)
    assert isinstance(gymnasium.make_vec(f"npvpg/{name}", 2, "sync"), SyncVectorEnv)


def test_wrappers_of_other_libraries() -> None:
    envs = RecordEpisodeStatistics(
        gymnasium.make_vec("npvpg/CartPole-v1", num_envs=2, max_episode_steps=3)
    )
    envs.reset(seed=0)
    for _ in range(3):
        info = envs.step(np.array([0, 1]))[4]
    assert info["episode"]["l"].tolist() == [3, 3]


def test_importing_by_name_registers() -> None:
    program = (
        "import gymnasium\n"
        "envs = gymnasium.make_vec('npvpg.envs:npvpg/CartPole-v1', num_envs=2)\n"
        "print(type(envs).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "CartPoleVectorEnv"
