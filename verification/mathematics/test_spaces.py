"""S1 to S3: observations of any structure become rows, and rows actions of any structure."""

import copy
import math
import re
from fractions import Fraction
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.world.spaces import bounded, is_supported
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require
from verification.mathematics.recording import Recording
from verification.mathematics.strategies import SEED

OFF = AutoresetMode.DISABLED
ONE = spaces.Discrete(1)
N = 3

START = st.sampled_from([-3, 0, 7])
LEAVES = (
    st.builds(spaces.Discrete, st.integers(1, 4), start=START)
    | st.builds(
        lambda sizes, first: spaces.MultiDiscrete(sizes, start=[first] * len(sizes)),
        st.lists(st.integers(1, 3), min_size=1, max_size=3),
        START,
    )
    | st.builds(spaces.MultiBinary, st.sampled_from([1, 3, (2, 2)]))
    | st.sampled_from(
        [
            spaces.Box(-1, 1, (2,)),
            spaces.Box(-5, 5, (2, 2), np.float64),
            spaces.Box(0, 9, (), np.float32),
        ]
    )
)
SPACES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple)
        | st.dictionaries(st.sampled_from("dabc"), inner, min_size=1, max_size=3).map(spaces.Dict)
    ),
    max_leaves=5,
).map(copy.deepcopy)  # a space that occurs twice would share its generator
EVERY = spaces.Tuple(
    [
        spaces.Dict({"z": spaces.Discrete(3, start=7), "a": spaces.Box(-1, 1, (2, 2))}),
        spaces.MultiDiscrete(np.array([[2, 3], [4, 1]]), start=np.array([[1, -1], [0, 5]])),
        spaces.MultiBinary((2, 2)),
    ]
)


def _same(env):
    return env


def driver(obs_space, act_space, scripts):
    """Give the collectors' environment of N sub-environments that play scripts, and those."""
    envs = [Recording(obs_space, act_space, script) for script in scripts]
    vector = SyncVectorEnv([partial(_same, env) for env in envs], autoreset_mode=OFF)
    return SeededVectorEnv(vector, 0), envs


@claim(
    name="S1",
    title="Observations are flattened as Gymnasium flattens them",
    statement=r"o = \mathrm{flatten}(\text{space}, x)",
    words="a flat observation is Gymnasium's own: one-hot, and part after part",
    assumptions="Box, Discrete, MultiDiscrete, MultiBinary, Tuple and Dict of these",
    source="gymnasium.spaces.flatten",
    method="random nested spaces; samples of each through a vector environment",
    tolerance=0.0,
    tolerance_reason="bit for bit",
    about=(
        "npvpg.world.spaces.flatten",
        "npvpg.world.spaces.leaves",
        "npvpg.world.spaces.is_supported",
        "npvpg.world.spaces.check",
    ),
)
@given(SPACES, SEED)
@example(EVERY, 0)
def test_flat_observations(space, seed):
    space.seed(seed)
    scripts = [[space.sample() for _ in range(2)] for _ in range(N)]
    env, _ = driver(space, ONE, scripts)
    assert is_supported(space)
    assert env.n_obs == gymnasium.spaces.flatdim(space)
    first = env.reset(np.ones(N, bool), np.zeros(N, np.int64))
    second, *_ = env.step(np.zeros(N, np.int64))
    for i, script in enumerate(scripts):
        for have, x in zip((first[i], second[i]), script, strict=True):
            want = np.asarray(gymnasium.spaces.flatten(space, x), np.float64)
            assert have.shape == want.shape
            observe(float(np.abs(have - want).max()), 0, lambda: f"{space}")


def columns(space, x):
    """Lay an action out as the policy does: whole numbers from 0, parts side by side."""
    if isinstance(space, spaces.Dict):
        return [c for name in space for c in columns(space[name], x[name])]
    if isinstance(space, spaces.Tuple):
        return [c for part, inner in zip(space, x, strict=True) for c in columns(part, inner)]
    start = getattr(space, "start", 0)
    return [float(c) for c in np.ravel(x - start)]


def differs(space, x, y):
    """Whether two actions differ, in a number, their structure or the type of a number."""
    if isinstance(space, spaces.Dict):
        return list(x) != list(space) or any(differs(space[k], x[k], y[k]) for k in space)
    if isinstance(space, spaces.Tuple):
        return not isinstance(x, tuple) or any(map(differs, space, x, y))
    return not (np.array_equal(x, y) and np.asarray(x).dtype == space.dtype)


@claim(
    name="S2",
    title="The environment gets the action that was sampled",
    statement=r"\text{columns of } a \mapsto x \in \text{space}",
    words="each column of a flat action arrives in its part of the space, counted from its start",
    assumptions="Box, Discrete, MultiDiscrete, MultiBinary, Tuple and Dict of these",
    source="Gymnasium's order of flattening",
    method="random nested spaces; samples of each laid out by hand, and what arrives",
    tolerance=0.0,
    tolerance_reason="bit for bit: the columns hold whole numbers, or floats of the Box",
    about=("npvpg.world.spaces.unflatten", "npvpg.world.spaces.n_columns"),
)
@given(SPACES, SEED)
@example(EVERY, 0)
@example(spaces.Discrete(3, start=-3), 0)
@example(spaces.Discrete(3, start=7), 0)
@example(spaces.MultiBinary((2, 2)), 0)  # its n is no number
def test_structured_actions(space, seed):
    space.seed(seed)
    env, envs = driver(ONE, space, [[0, 0]] * N)
    env.reset(np.ones(N, bool), np.zeros(N, np.int64))
    want = [space.sample() for _ in range(N)]
    act = np.array([columns(space, x) for x in want])
    if isinstance(space, spaces.Discrete):
        act = act[:, 0].astype(np.int64)
    env.step(act)
    for recording, x in zip(envs, want, strict=True):
        got = recording.actions[-1]
        require(not differs(space, got, x), lambda: f"{space}")


@claim("S2")
def test_every_box_is_clipped_and_nothing_else():
    space = spaces.Tuple([spaces.Discrete(9), spaces.Box(-1, 1, (2,))])
    env, envs = driver(ONE, space, [[0, 0]] * N)
    env.reset(np.ones(N, bool), np.zeros(N, np.int64))
    env.step(np.array([[8, 3.0, -0.5]] * N))
    whole, real = envs[0].actions[-1]
    observe(float(abs(whole - 8) + np.abs(real - [1.0, -0.5]).max()), 0)


INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


@claim(
    name="S3",
    title="A Box of integers gets the nearest whole number inside its bounds",
    statement=r"x = \arg\min_{k \in \mathbb{Z},\ l \le k \le h} \vert k - a \vert",
    words="none is nearer; so k has the mass of the unit interval around it, a bound all beyond",
    assumptions="a draw that is a number; of two that are equally near either may be sent",
    source="the definition of rounding",
    method="distances in fractions, for every width of integers and their extreme bounds",
    tolerance=0.0,
    tolerance_reason="distances are exact",
    about=("npvpg.world.spaces.bounded",),
)
@given(
    st.sampled_from(INTEGERS),
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.floats(-4, 4, width=32) | st.floats(-(2.0**65), 2.0**65, width=32), min_size=1),
    st.data(),
)
def test_nearest_whole_number(dtype, kind, numbers, data):
    info = np.iinfo(dtype)
    bound = st.integers(info.min, info.max) | st.integers(max(-3, info.min), 3)
    low, high = sorted((data.draw(bound), data.draw(bound)))
    box = spaces.Box(np.array([low], dtype), np.array([high], dtype), (1,), dtype)
    act = np.array(numbers, kind)[:, np.newaxis]
    sent = bounded(box, act)
    require(sent.dtype == dtype)
    for a, x in zip(act[:, 0].tolist(), sent[:, 0].tolist(), strict=True):
        exact = Fraction(a)
        near = {min(max(k, low), high) for k in (math.floor(exact), math.ceil(exact))}
        least = min(abs(k - exact) for k in near)
        require(low <= x <= high, f"{x} in {low} ... {high}")
        observe(float(abs(x - exact) - least), 0, f"{a} became {x} in {low} ... {high}")


@claim("S3")
@pytest.mark.parametrize("dtype", INTEGERS)
def test_bounds_of_the_type(dtype):
    """The float nearest to the greatest int64 is one more than that, and no int64."""
    info = np.iinfo(dtype)
    box = spaces.Box(info.min, info.max, (1,), dtype)
    act = np.array([-np.inf, float(info.min), float(info.max), 2.0**63, 2.0**64, np.inf])
    sent = [int(x) for x in bounded(box, act[:, np.newaxis])[:, 0]]
    want = [min(max(int(a), info.min), info.max) for a in act[1:-1].tolist()]
    require(sent == [info.min, *want, info.max], f"{sent}")


@claim("S1")
@pytest.mark.parametrize(
    ("space", "x", "message"),
    [
        (spaces.Discrete(3, start=1), 0, r"Discrete\(3, start=1\), got 0 from sub-env.* 1 "),
        (spaces.MultiDiscrete([2, 2]), np.array([0, 2]), r"MultiDiscrete.*, got 2 from"),
        (
            spaces.Dict({"a": ONE, "b": ONE}),
            {"a": 0},
            r"must be a dict of the keys \['a', 'b'\], got the keys \['a'\] from sub-env.* 1 ",
        ),
    ],
)
def test_what_lies_outside_is_named(space, x, message):
    """An index of -1 would be one-hot in the last place; a missing key is no traceback."""
    good = space.sample()
    env, _ = driver(space, ONE, [[good, good], [good, x], [good, good]])
    env.reset(np.ones(N, bool), np.zeros(N, np.int64))
    refused = ""
    try:
        env.step(np.zeros(N, np.int64))
    except ValueError as error:
        refused = str(error)
    require(re.search(message, refused) is not None, refused)
