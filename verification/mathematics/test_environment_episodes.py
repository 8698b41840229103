"""Claims about the compiled vector environments: their episodes, streams and states."""

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit
from numba.extending import is_jitted
from numpy.typing import NDArray

from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.envs import COMPILED, CompiledEnv
from npvpg.estimators import GAE
from npvpg.kernels import pcg64
from npvpg.kernels.physics import cartpole, mountain_car, mountain_car_continuous
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.value import MLPValue
from npvpg.world.squash import ScaleAction
from verification import flat
from verification.claims import claim, observe, require

SUITE = 205  # first word of every seed of this module
BITWISE = "bit for bit"
EXPLORE = settings.get_current_profile_name() == "explore"
EXAMPLES = 200 if EXPLORE else 5
CASES = [
    pytest.param(name, dtype, id=f"{name}-{np.dtype(dtype).name}")
    for name in COMPILED
    for dtype in (
        (np.float32, np.float64) if "Continuous" in name or "Pendulum" in name else (np.int64,)
    )
]


def differ(have: NDArray[Any], want: NDArray[Any]) -> float:
    """1 if two arrays differ in type, shape or any value, 0 if not."""
    return float(have.dtype != want.dtype or not np.array_equal(have, want))


def both(name: str, n: int, **limits: Any) -> tuple[Any, SyncVectorEnv]:
    """Make the compiled environment and its original."""
    mine = gymnasium.make_vec(f"npvpg/{name}", num_envs=n, **limits)
    original = gymnasium.make_vec(
        name, n, "sync", {"autoreset_mode": AutoresetMode.DISABLED}, **limits
    )
    assert isinstance(original, SyncVectorEnv)
    return mine, original


def follow(mine: Any, original: Any, acts: NDArray[Any], rng: np.random.Generator) -> int:
    """
    Play the same actions in both, resetting whatever ends, with and without new seeds.

    Parameters
    ----------
    mine, original : VectorEnv
        Both after the same reset.
    acts : ndarray, shape (T, N, ...)
        Actions.
    rng : Generator
        Chooses the seeds.

    Returns
    -------
    int
        Number of episodes that ended.
    """
    n_ended = 0
    for t, act in enumerate(acts):
        have, want = mine.step(act), original.step(act)
        for h, w in zip(have[:4], want[:4], strict=True):
            observe(differ(h, w), 0.0, lambda t=t: f"step {t}")  # type: ignore[misc]
        require(have[4] == want[4])
        ended = have[2] | have[3]
        if ended.any():
            n_ended += int(ended.sum())
            seeds = [int(s) if s % 3 else None for s in rng.integers(0, 2**40, len(ended))]
            got, _ = mine.reset(seed=seeds, options={"reset_mask": ended})
            wanted, _ = original.reset(seed=seeds, options={"reset_mask": ended})
            observe(differ(got, wanted), 0.0, lambda t=t: f"reset {t}")  # type: ignore[misc]
    return n_ended


@claim(
    "H3",
    title="A compiled environment plays the episodes of Gymnasium's",
    statement=r"(o_t, r_t, d_t, u_t)_{t \ge 0} = (o_t, r_t, d_t, u_t)^{\text{Gymnasium}}_{t \ge 0}",
    words="same seeds and actions: same first states, observations, rewards, ends and time limits",
    assumptions="as for H1",
    source="Gymnasium, vector/sync_vector_env.py and wrappers/common.py (TimeLimit)",
    method="SyncVectorEnv of Gymnasium's own class beside it",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=(
        "npvpg.envs.base.CompiledVectorEnv",
        "npvpg.envs.classic.ClassicVectorEnv",
        "npvpg.kernels.play.play",
        "npvpg.kernels.play.act_discrete",
        "npvpg.kernels.play.act_continuous",
        "npvpg.world.player.Player",
    ),
)
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_episodes(name: str, dtype: type[Any]) -> None:
    """Long enough for several episodes of every kind."""
    n, n_steps = 3, 1200 if is_jitted(cartpole.step) else 200
    mine, original = both(name, n)
    rng = np.random.default_rng([SUITE, 2, list(COMPILED).index(name)])
    original.action_space.seed(int(rng.integers(2**31)))
    acts = np.array([original.action_space.sample() for _ in range(n_steps)]).astype(dtype)
    seed = int(rng.integers(2**63))
    have, want = mine.reset(seed=seed)[0], original.reset(seed=seed)[0]
    observe(differ(have, want), 0.0, "first reset")
    n_ended = follow(mine, original, acts, rng)
    assert n_ended >= n or n_steps < 999  # the longest time limit
    original.close()


@claim("H3")
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("limit", [1, 7])
def test_time_limit(name: str, limit: int) -> None:
    """Short limits, also one that ends an episode with its first step."""
    mine, original = both(name, 2, max_episode_steps=limit)
    rng = np.random.default_rng([SUITE, 3, limit])
    for env in (mine, original):
        env.reset(seed=[5, 6])
    original.action_space.seed(limit)
    acts = np.array([original.action_space.sample() for _ in range(40)])
    assert follow(mine, original, acts, rng) >= 2 * 40 // limit - 2
    original.close()


def same(have: Any, want: Any) -> bool:
    """Whether two infos hold the same, of the same types."""
    if isinstance(want, dict):
        return have.keys() == want.keys() and all(same(have[key], want[key]) for key in want)
    if isinstance(want, np.ndarray) and want.dtype == object:
        return len(have) == len(want) and all(map(same, have, want))
    if isinstance(want, np.ndarray):
        return isinstance(have, np.ndarray) and differ(have, want) == 0
    return bool(have is want)


@claim("H3")
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 4),
    limit=st.integers(1, 30),
    again=st.integers(0, 39),
    copy=st.booleans(),
)
@settings(max_examples=EXAMPLES)
def test_autoreset(
    name: str, mode: AutoresetMode, seed: int, n: int, limit: int, again: int, copy: bool
) -> None:
    """Every array and every info of forty steps, among them a reset of some in their midst."""
    mine = gymnasium.make_vec(
        f"npvpg/{name}", n, max_episode_steps=limit, autoreset_mode=mode, copy=copy
    )
    kwargs = {"autoreset_mode": mode}
    original = gymnasium.make_vec(name, n, "sync", kwargs, max_episode_steps=limit)
    envs = mine, original
    original.action_space.seed(seed)
    observe(differ(mine.reset(seed=seed)[0], original.reset(seed=seed)[0]), 0.0, "first reset")
    for t in range(40):
        if t == again:
            options = [{"reset_mask": np.arange(n) % 2 == 0} for _ in range(2)]
            got, wanted = (env.reset(options=o)[0] for env, o in zip(envs, options, strict=True))
            observe(differ(got, wanted), 0.0, "later reset")
        act = original.action_space.sample()
        have, want = mine.step(act), original.step(act)
        for h, w in zip(have[:4], want[:4], strict=True):
            observe(differ(h, w), 0.0, lambda t=t: f"step {t}")  # type: ignore[misc]
        observe(float(not same(have[4], want[4])), 0.0, lambda t=t: f"info of step {t}")  # type: ignore[misc]
    original.close()


@claim("H3")
@given(
    name=st.sampled_from(list(COMPILED)),
    seed=st.integers(0, 2**200),
    width=st.floats(0.01, 3.0),
)
def test_first_observations(name: str, seed: int, width: float) -> None:
    """Seeds of any size, and Gymnasium's options for wider starts."""
    options: Mapping[str, float] = {"low": -width, "high": width}
    if name == "Pendulum-v1":
        options = {"x_init": width, "y_init": 2.0}
    mine, original = both(name, 2)
    for chosen in (None, dict(options)):
        have = mine.reset(seed=seed, options=chosen)[0]
        want = original.reset(seed=seed, options=chosen)[0]
        observe(differ(have, want), 0.0, f"{name}, seed {seed}, {chosen}")
    original.close()


@claim("H3")
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_training(name: str, whole: bool, kind: type[Any]) -> None:
    """Two updates end at the same parameters with either: one call or step by step."""
    mine, original = both(name, 2, max_episode_steps=30)
    envs: list[VectorEnv[Any, Any, Any]] = [mine, original]
    if kind is np.float64 and isinstance(mine.single_action_space, Box):
        envs = [ScaleAction(env) for env in envs]
    n_obs, space = mine.single_observation_space.shape[0], mine.single_action_space
    law = Categorical(int(space.n)) if hasattr(space, "n") else DiagonalGaussian(1)
    n_out = law.n_params if whole else law.n_params - len(law.scale_columns)
    policy = Policy(MLP((n_obs, 4, n_out), "relu" if whole else "tanh"), law)
    value = MLPValue(MLP((n_obs, 4, 1), "tanh"))
    collector = WholeEpisodes(5) if whole else FixedHorizon(50)
    lr = Linear(0.1, 0.1)
    algorithm = flat.vpg(
        policy, value, GAE(0.99, 0.95), collector, lr, normalize_obs=kind is np.float32
    )
    ends = [
        list(iterate(env, algorithm, seed=3, n_steps=200, dtype=kind))[-1].state for env in envs
    ]
    for part, want in ends[1].to_arrays().items():
        require(ends[0].to_arrays()[part].tobytes() == want.tobytes(), part)
    original.close()


@claim(
    "H4",
    title="The compiled random stream is NumPy's",
    statement=r"u_k = \mathrm{PCG64}(\mathrm{SeedSequence}(\text{seed}))_k",
    words="a row of numbers seeded and advanced by the kernels is NumPy's generator of that seed",
    assumptions="none",
    source="O'Neill 2014 (HMC-CS-2014-0905), section 6.3; NumPy's NEP 19",
    method="numpy.random.Generator(PCG64(SeedSequence(seed)))",
    tolerance=0,
    tolerance_reason="integers, and products of integers below 2**53 with a power of two",
    about=(
        "npvpg.kernels.pcg64.advance",
        "npvpg.kernels.pcg64.next_double",
        "npvpg.kernels.pcg64.fill_pool",
        "npvpg.kernels.pcg64.generate",
        "npvpg.kernels.pcg64.seed",
        "npvpg.kernels.pcg64.uniform",
        "npvpg.kernels.pcg64.standard_uniform",
        "npvpg.kernels.pcg64.child_seeds",
        "npvpg.kernels.pcg64.start",
        "npvpg.kernels.pcg64.child_states",
    ),
)
@given(
    seeds=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5),
    low=st.floats(-1e3, 1e3),
    width=st.floats(0, 1e3),
)
def test_stream(seeds: list[int], low: float, width: float) -> None:
    """Numbers and the state they leave behind."""
    rows = np.arange(len(seeds))
    rng = np.zeros((len(seeds), 4), dtype=np.uint64)
    pcg64.seed(rng, rows, np.array(seeds, dtype=np.uint64))
    high = low + width
    have = pcg64.uniform(rng, rows, np.full(6, low), np.full(6, high))
    more = pcg64.standard_uniform(rng, 5)
    for i, seed in enumerate(seeds):
        oracle = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        want = oracle.uniform(low, high, 6)
        observe(differ(have[i], want), 0.0, lambda s=seed: f"seed {s}")  # type: ignore[misc]
        observe(differ(more[:, i], oracle.random(5)), 0.0, lambda s=seed: f"seed {s}")  # type: ignore[misc]
        state = oracle.bit_generator.state["state"]
        words = [divmod(state[key], 2**64) for key in ("state", "inc")]
        same = np.array_equal(rng[i], np.array(words, dtype=np.uint64).ravel())
        require(same, lambda s=seed: f"state after seed {s}")  # type: ignore[misc]


@claim("H4")
@given(
    entropy=st.integers(0, 2**200),
    keys=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1),
    purpose=st.integers(0, 9),
    bits=st.integers(1, 63),
)
@example(entropy=7, keys=[(5, 9)], purpose=2, bits=31)  # as all that is given to environments
@example(entropy=7, keys=[(5, 9)], purpose=2, bits=63)  # and in runs of the first kind
def test_seeds_of_episodes(
    entropy: int, keys: list[tuple[int, int]], purpose: int, bits: int
) -> None:
    """The compiled form of the seeds that the streams of a run derive."""
    n_words = max(4, -(-entropy.bit_length() // 32))
    words = np.array([entropy >> 32 * i & 0xFFFFFFFF for i in range(n_words)], dtype=np.uint64)
    first, second = np.array(keys).T
    have = pcg64.child_seeds(words, purpose, first.copy(), second.copy(), bits)
    for mine, key in zip(have.tolist(), keys, strict=True):
        sequence = np.random.SeedSequence(entropy, spawn_key=(purpose, *key))
        want = int(sequence.generate_state(1, np.uint64)[0]) >> (64 - bits)
        require(mine == want, f"seed {entropy}, key {purpose, *key}")
    rows = pcg64.child_states(words, purpose, keys[0][0], 3).tolist()
    for i, row in enumerate(rows):
        sequence = np.random.SeedSequence(entropy, spawn_key=(purpose, keys[0][0], i))
        state = np.random.PCG64(sequence).state["state"]
        mine = [row[0] << 64 | row[1], row[2] << 64 | row[3]]
        require(mine == [state["state"], state["inc"]], f"seed {entropy}, stream {i}")


OWN: dict[str, tuple[ModuleType, int, int, float, float]] = {
    "CartPole-v1": (cartpole, 4, 4, -0.05, 0.05),
    "MountainCar-v0": (mountain_car, 2, 1, -0.6, -0.4),
    "MountainCarContinuous-v0": (mountain_car_continuous, 3, 1, -0.6, -0.4),
}
"""Kernels, numbers in a state and in a start, and the bounds of the latter."""


@cache
def _own_and_built_in(name: str) -> tuple[Any, Any]:
    module, state_size, n_noise, low, high = OWN[name]
    draw = module.draw

    @njit
    def start(noise: NDArray[Any], state: NDArray[Any], obs: NDArray[Any]) -> None:
        draw(low + (high - low) * noise, state, obs)

    mine = gymnasium.make_vec(f"npvpg/{name}", num_envs=3, max_episode_steps=60)
    own = CompiledEnv(
        start,
        module.move,
        observation_space=mine.single_observation_space,  # type: ignore[arg-type]
        action_space=mine.single_action_space,  # type: ignore[arg-type]
        state_size=state_size,
        max_episode_steps=60,
        n_reset_noise=n_noise,
    )(3)
    return own, mine


@claim(
    "H5",
    title="An environment of one's own two functions is the built-in one",
    statement=r"\mathrm{CompiledEnv}(\operatorname{draw}, \operatorname{move}) = \text{built-in}",
    words="given the built-in functions of one sub-environment it plays the built-in episodes",
    assumptions="bounds of the first state differ: drawn from [0, 1) and scaled by the function",
    source="the two interfaces of npvpg.envs",
    method="both, side by side",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=("npvpg.envs.custom.CompiledEnv",),
)
@pytest.mark.parametrize("name", OWN)
@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**31 - 1), play=st.integers(0, 2**31 - 1))
@example(seed=11, play=3)
def test_own_functions(name: str, seed: int, play: int) -> None:
    """The loops are compiled anew around the same functions of one sub-environment."""
    own, mine = _own_and_built_in(name)
    have, want = own.reset(seed=seed)[0], mine.reset(seed=seed)[0]
    observe(differ(have, want), 0.0, "first reset")
    mine.action_space.seed(play)
    acts = np.array([mine.action_space.sample() for _ in range(200)])
    assert follow(own, mine, acts, np.random.default_rng([SUITE, play])) > 6


@claim(
    "H6",
    title="A compiled environment goes on from its state as if never interrupted",
    statement=r"\text{set}(\text{get}(e)) \Rightarrow e' \equiv e",
    words="four arrays hold all that the next steps and resets depend on, in mid-episode too",
    assumptions="none",
    source="the definition of a state",
    method="another environment, brought to the same state, beside the first",
    tolerance=0,
    tolerance_reason=BITWISE,
    about=("npvpg.envs.base.CompiledVectorEnv.get_state",),
)
@pytest.mark.parametrize("name", COMPILED)
@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**31 - 1), play=st.integers(0, 2**31 - 1), before=st.integers(0, 30))
@example(seed=21, play=1, before=10)
@example(seed=21, play=1, before=25)  # all are over
def test_state_is_everything(name: str, seed: int, play: int, before: int) -> None:
    """Some episodes are young and some are over when the state is taken."""
    first = gymnasium.make_vec(f"npvpg/{name}", num_envs=3, max_episode_steps=25)
    other = gymnasium.make_vec(f"npvpg/{name}", num_envs=3, max_episode_steps=25)
    first.reset(seed=seed)
    first.action_space.seed(play)
    acts = np.array([first.action_space.sample() for _ in range(90)])
    for act in acts[:before]:
        ended = np.logical_or(*first.step(act)[2:4])
        if ended.any():
            first.reset(options={"reset_mask": ended})
    other.reset(seed=seed + 1)
    other.set_state(first.get_state())  # type: ignore[attr-defined]
    assert follow(first, other, acts[before:], np.random.default_rng([SUITE, play])) >= 3
