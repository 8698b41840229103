"""Claims about the twins of Gymnasium's MuJoCo environments."""

from functools import cache
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.extending import is_jitted

from npvpg.envs import MUJOCO
from npvpg.kernels import pcg64
from npvpg.kernels.normal import standard_normal
from npvpg.kernels.physics import mujoco
from npvpg.kernels.physics.tasks import sum_of_squares
from npvpg.loop import iterate
from npvpg.runs import environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.world.squash import ScaleAction, scales
from verification.claims import claim, observe, require
from verification.mathematics.test_environment_episodes import BITWISE, differ

pytest.importorskip("mujoco")

SUITE = 212  # first word of every seed of this module
N = 3
EXPLORE = settings.get_current_profile_name() == "explore"
COMPILES = is_jitted(mujoco.step)
EXAMPLES = 100 if EXPLORE else 4 if COMPILES else 1
N_STEPS = 100_000 // N + 1 if EXPLORE else 300 if COMPILES else 40
OPTIONS: dict[str, dict[str, Any]] = {
    "Ant-v5": {
        "contact_cost_weight": 0.1,
        "contact_force_range": (-0.5, 2.0),
        "main_body": 2,
        "include_cfrc_ext_in_observation": False,
        "healthy_z_range": (0.3, 0.8),
    },
    "HalfCheetah-v5": {
        "forward_reward_weight": 0.7,
        "exclude_current_positions_from_observation": False,
        "frame_skip": 2,
    },
    "Hopper-v5": {"terminate_when_unhealthy": False, "healthy_state_range": (-1.5, 1.0)},
    "Humanoid-v5": {
        "contact_cost_weight": 1e-3,
        "contact_cost_range": (0.1, 0.5),
        "include_cvel_in_observation": False,
        "terminate_when_unhealthy": False,
    },
    "InvertedDoublePendulum-v5": {"healthy_reward": 3.5, "reset_noise_scale": 0.01},
    "InvertedPendulum-v5": {"reset_noise_scale": 0.15},
    "Pusher-v5": {"reward_near_weight": 2.0, "reward_control_weight": 0.3},
    "Reacher-v5": {"reward_dist_weight": 0.3, "reward_control_weight": 2},
    "Swimmer-v5": {"ctrl_cost_weight": 0.5, "reset_noise_scale": 0.3},
    "Walker2d-v5": {"healthy_angle_range": (-0.1, 0.1), "healthy_reward": 2},
}
"""Arguments of the originals that are not the usual ones."""


def both(name: str, n: int = N, *, threads: int = 1, **options: Any) -> tuple[Any, SyncVectorEnv]:
    """Make the twin and its original."""
    mine = gymnasium.make_vec(f"npvpg/{name}", n, threads=threads, **options)
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
    original = gymnasium.make_vec(name, n, "sync", kwargs, **options)
    assert isinstance(original, SyncVectorEnv)
    return mine, original


kept = cache(both)


def follow(mine: Any, original: Any, seed: int, n_steps: int) -> int:
    """
    Reset both, and play the same actions in both, of either precision, some out of bounds.

    Parameters
    ----------
    mine, original : VectorEnv
        The two.
    seed : int
        Seed of all of it.
    n_steps : int
        Steps to play.

    Returns
    -------
    int
        Number of episodes that ended.
    """
    rng = np.random.default_rng([SUITE, seed])
    box = original.single_action_space
    n_ended = 0
    mask = np.ones(original.num_envs, bool)
    for t in range(n_steps + 1):
        if mask.any():
            seeds = [int(s) if s % 3 or not t else None for s in rng.integers(0, 2**40, len(mask))]
            have, want = (
                env.reset(seed=seeds, options={"reset_mask": mask})[0] for env in (mine, original)
            )
            observe(differ(have, want), 0.0, lambda t=t: f"reset {t}, seed {seed}")  # type: ignore[misc]
        act = rng.uniform(1.2 * box.low, 1.2 * box.high, original.action_space.shape)
        act = act.astype(np.float32 if rng.random() < 0.7 else np.float64)
        have, want = mine.step(act), original.step(act)
        for h, w in zip(have[:4], want[:4], strict=True):
            observe(differ(h, w), 0.0, lambda t=t: f"step {t}, seed {seed}")  # type: ignore[misc]
        mask = have[2] | have[3]
        n_ended += int(mask.sum())
    return n_ended


@claim(
    "H9",
    title="MuJoCo's environments play the episodes of Gymnasium's",
    statement=r"(o_t, r_t, d_t, u_t)_{t \ge 0} = (o_t, r_t, d_t, u_t)^{\text{Gymnasium}}_{t \ge 0}",
    words="same seeds and actions: same first states, observations, rewards, ends and time limits",
    assumptions="the same MuJoCo, and models of at most 128 motors and forces to add up",
    source="Gymnasium, envs/mujoco/*_v5.py, vector/sync_vector_env.py, wrappers/common.py",
    method="SyncVectorEnv of Gymnasium's own class beside it; 100,000 steps each under --explore",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=(
        "npvpg.envs.mujoco.MujocoVectorEnv",
        "npvpg.envs.mujoco.simulation",
        "npvpg.envs.mujoco_tasks.Task",
        "npvpg.kernels.foreign.call",
        "npvpg.kernels.foreign.call_with_row",
        "npvpg.kernels.physics.mujoco.begin",
        "npvpg.kernels.physics.mujoco.between",
        "npvpg.kernels.physics.mujoco.reset",
        "npvpg.kernels.physics.mujoco.step",
        "npvpg.kernels.physics.tasks.distance",
        "npvpg.kernels.physics.tasks.healthy",
        "npvpg.kernels.physics.tasks.observe",
        "npvpg.kernels.physics.tasks.position",
        "npvpg.kernels.physics.tasks.reward",
    ),
)
@pytest.mark.parametrize("name", MUJOCO)
def test_episodes(name: str) -> None:
    """Long enough for the end of an episode, of every kind that has one."""
    mine, original = kept(name)
    n_ended = follow(mine, original, 0, N_STEPS)
    assert n_ended or (N_STEPS < 1000 and name in ("HalfCheetah-v5", "Swimmer-v5")) or not COMPILES


@claim("H9")
@pytest.mark.parametrize("name", MUJOCO)
@given(seed=st.integers(1, 2**40))
@settings(max_examples=EXAMPLES)
def test_any_seed(name: str, seed: int) -> None:
    """First states, and a few steps."""
    follow(*kept(name), seed, 12 if COMPILES else 3)


@claim("H9")
@pytest.mark.parametrize("name", MUJOCO)
def test_arguments_of_the_original(name: str) -> None:
    """Weights, ranges, parts of the observation and time limits other than the usual ones."""
    mine, original = both(name, 2, max_episode_steps=17, **OPTIONS[name])
    follow(mine, original, 1, 60 if COMPILES else 20)
    mine.close()
    original.close()


@claim("H9")
@pytest.mark.parametrize("name", MUJOCO)
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset(name: str, mode: AutoresetMode) -> None:
    """Forty steps with several ends in them, and the last observation of each episode."""
    mine = gymnasium.make_vec(f"npvpg/{name}", N, max_episode_steps=9, autoreset_mode=mode)
    original = gymnasium.make_vec(name, N, "sync", {"autoreset_mode": mode}, max_episode_steps=9)
    original.action_space.seed(3)
    envs = mine, original
    observe(differ(*(env.reset(seed=3)[0] for env in envs)), 0.0, "first reset")
    for t in range(40 if COMPILES else 12):
        act = original.action_space.sample()
        have, want = mine.step(act), original.step(act)
        for h, w in zip(have[:4], want[:4], strict=True):
            observe(differ(h, w), 0.0, lambda t=t: f"step {t}")  # type: ignore[misc]
        require(("final_obs" in have[4]) == ("final_obs" in want[4]), f"step {t}")
        for h, w in zip(have[4].get("final_obs", ()), want[4].get("final_obs", ()), strict=True):
            require((h is None) == (w is None) and (h is None or differ(h, w) == 0), f"step {t}")
    mine.close()
    original.close()


@claim(
    "H10",
    title="The number of threads changes nothing",
    statement=r"(o_t, r_t, d_t, u_t)^{(k)}_{t \ge 0} = (o_t, r_t, d_t, u_t)^{(1)}_{t \ge 0}",
    words="k threads that step their shares of the sub-environments give what one thread gives",
    assumptions="none",
    source="npvpg.envs.arrays.Arrays.divide",
    method="the same actions in an environment of one thread",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=("npvpg.envs.arrays.Arrays", "npvpg.envs.played.PlayedVectorEnv"),
)
@pytest.mark.parametrize("name", MUJOCO)
@given(seed=st.integers(0, 2**40), threads=st.integers(2, 6), n=st.integers(2, 5))
@settings(max_examples=EXAMPLES)
def test_threads(name: str, seed: int, threads: int, n: int) -> None:
    """As many as there are sub-environments, and more than there are."""
    mine, original = (gymnasium.make_vec(f"npvpg/{name}", n, threads=k) for k in (threads, 1))
    follow(mine, original, seed, 12 if COMPILES else 3)
    mine.close()
    original.close()


@claim("H10")
@pytest.mark.parametrize("whole", [False, True], ids=["horizon", "episodes"])
@pytest.mark.parametrize("name", ["InvertedDoublePendulum-v5", "InvertedPendulum-v5", "Hopper-v5"])
def test_training(name: str, whole: bool) -> None:
    """Two updates end at the same parameters with any number of threads, and with Gymnasium's."""
    settings: dict[str, Any] = {
        "envs": 3,
        "horizon": 0 if whole else 15,
        "hidden": (4,),
        "value_steps": 1,
    }
    config = Config(name, **settings)
    ends = []
    for threads in (1, 2, 3, 0):
        if threads:
            env: Any = gymnasium.make_vec(f"npvpg/{name}", 3, threads=threads, copy=False)
        else:
            env = environments.make(name, 3, backend="gymnasium", action_bound="clip")
        if scales(env.single_action_space):
            env = ScaleAction(env)
        steps = iterate(env, build(config, env), seed=5, n_steps=90, dtype=np.float32)
        ends.append([step.state.to_arrays() for step in steps][1])
        env.close()
    for part, want in ends[-1].items():
        for have in ends[:-1]:
            require(have[part].tobytes() == want.tobytes(), f"{part} of {name}")


@claim(
    "H11",
    title="The compiled normal stream is NumPy's",
    statement=r"z_k = \mathrm{Generator}(\text{seed}).\mathrm{standard\_normal}()_k",
    words="a row of numbers of the kernels gives the normal numbers of NumPy's generator",
    assumptions="the C library's exp and log1p are NumPy's, as they are where both are compiled",
    source="Marsaglia and Tsang 2000, J. Stat. Soft. 5(8); NumPy's distributions.c",
    method="numpy.random.Generator, and the state that both leave behind",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=("npvpg.kernels.normal.standard_normal", "npvpg.kernels.pcg64.next_word"),
)
@given(seed=st.integers(0, 2**64 - 1))
def test_normal_stream(seed: int) -> None:
    """So many that the tail is met, one in 3,700, and the wedges, one in 100."""
    rng = np.zeros((1, 4), np.uint64)
    pcg64.seed(rng, np.array([0]), np.array([seed], np.uint64))
    oracle = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    n = 4000 if COMPILES else 500
    have, want = np.array([standard_normal(rng[0]) for _ in range(n)]), oracle.standard_normal(n)
    observe(differ(have, want), 0.0, f"seed {seed}")
    state: Any = oracle.bit_generator.state["state"]
    require(int(rng[0, 0]) << 64 | int(rng[0, 1]) == state["state"], f"state after {seed}")


@claim(
    "H12",
    title="Squares are added up in NumPy's order",
    statement=r"\sum_j \min(\max(x_j, l), h)^2 \text{ in the order of np.sum}",
    words="the kernels add as np.sum(np.square(np.clip(x, low, high))) does, in either precision",
    assumptions="at most 128 numbers",
    source="NumPy, loops_utils.h.src (pairwise_sum)",
    method="np.sum",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=("npvpg.kernels.physics.tasks.sum_of_squares",),
)
@given(
    n=st.integers(1, 128),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([np.float32, np.float64]),
    cut=st.sampled_from([0.5, 1.0, np.inf]),
)
def test_sums(n: int, seed: int, kind: type[Any], cut: float) -> None:
    x = np.random.default_rng([SUITE, seed]).normal(size=n).astype(kind)
    want = np.sum(np.square(np.clip(x, -cut, cut)))
    observe(float(kind(sum_of_squares(x, -cut, cut)) != want), 0.0, lambda: f"{n} of {kind}")
