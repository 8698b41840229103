"""Claims about the compiled environments: they are Gymnasium's, to the last bit."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit
from numba.extending import is_jitted
from numpy.typing import NDArray

import npvpg.envs  # noqa: F401 - registers the compiled environments
from npvpg.kernels.physics import (
    acrobot,
    cartpole,
    mountain_car,
    mountain_car_continuous,
    pendulum,
)
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED

SUITE = 204  # first word of every seed of this module
EXPLORE = settings.get_current_profile_name() == "explore"
N_NUMBERS = 5_000
N_STEPS = 1_000_000 if EXPLORE else 100_000 if is_jitted(cartpole.step) else 500
ULP = "bit for bit: 0 units in the last place"


@dataclass(frozen=True)
class Twin:
    """How to compare one environment with its original."""

    module: Any
    spread: tuple[tuple[float, float], ...]
    """Bounds of random states, beyond what an episode reaches."""
    edges: tuple[tuple[float, ...], ...]
    """Values of each entry of the state where something switches."""
    actions: tuple[float, ...]
    """Discrete actions, or bounds and edges of continuous ones."""
    put: Callable[[Any, NDArray[np.float64]], Any] = lambda env, state: state.copy()
    get: Callable[[Any], Any] = lambda env: env.state


def around(*values: float) -> tuple[float, ...]:
    """Each value and its two neighbours."""
    return tuple(float(np.nextafter(v, v + d)) for v in values for d in (-1, 0, 1))


def singles(*values: float) -> tuple[float, ...]:
    """Each value in single precision, and its two neighbours there."""
    return tuple(
        float(np.nextafter(np.float32(v), np.float32(v + d))) for v in values for d in (-1, 0, 1)
    )


def put_car(_: Any, state: NDArray[np.float64]) -> NDArray[Any]:
    """State of the continuous car in the precision that its third entry tells."""
    return state[:2].astype(np.float32 if state[2] else np.float64)


TWINS = {
    "CartPole-v1": Twin(
        cartpole,
        ((-2.6, 2.6), (-4, 4), (-0.25, 0.25), (-4, 4)),
        (
            (*around(2.4, -2.4), 0.0),
            (0.0, -0.0, 50.0, -50.0),
            (*around(cartpole.THETA_LIMIT, -cartpole.THETA_LIMIT), 0.0, math.pi),
            (0.0, -0.0, 50.0, -50.0),
        ),
        (0, 1),
    ),
    "Acrobot-v1": Twin(
        acrobot,
        ((-math.pi, math.pi),) * 2 + ((-4 * math.pi, 4 * math.pi), (-9 * math.pi, 9 * math.pi)),
        (
            (*around(math.pi, -math.pi), math.pi / 2, 0.0, 2 * math.pi / 3),
            (*around(math.pi, -math.pi), math.pi / 2, 0.0),
            (*around(4 * math.pi, -4 * math.pi), 0.0),
            (*around(9 * math.pi, -9 * math.pi), 0.0),
        ),
        (0, 1, 2),
    ),
    "MountainCar-v0": Twin(
        mountain_car,
        ((-1.2, 0.6), (-0.07, 0.07)),
        (
            (*around(-1.2, 0.6, 0.5, 0.43, -1.13, 0.53), -math.pi / 6, 0.0),
            (*around(0.07, -0.07), 0.0, -0.0, 1e-300),
        ),
        (0, 1, 2),
    ),
    "MountainCarContinuous-v0": Twin(
        mountain_car_continuous,
        ((-1.2, 0.6), (-0.07, 0.07)),
        (
            (*singles(-1.2, 0.6, 0.45, 0.38, -1.13, 0.53), *around(-1.2, 0.6, 0.45, 0.38)),
            (*singles(0.07, -0.07), *around(0.07, -0.07), 0.0, -0.0),
        ),
        (-1.5, 1.5, *around(1.0, -1.0), *singles(1.0, -1.0), 0.0, -0.0),
        put_car,
        lambda env: (*env.state, env.state.dtype == np.float32),
    ),
    "Pendulum-v1": Twin(
        pendulum,
        ((-20.0, 20.0), (-8.0, 8.0)),
        (
            (*around(math.pi, -math.pi, 2 * math.pi, -3 * math.pi, 0.0), 1e6, -1e6, 5e-324),
            (*around(8.0, -8.0), 0.0, -0.0, 7.5),
        ),
        (-2.5, 2.5, *around(2.0, -2.0), *singles(2.0, -2.0), 0.0, -0.0),
        lambda env, state: state[:2].copy(),
        lambda env: (*env.state, env.last_u),
    ),
}
CASES = [
    pytest.param(name, dtype, id=f"{name}-{np.dtype(dtype).name}")
    for name, twin in TWINS.items()
    for dtype in ((np.int64,) if len(twin.actions) <= 3 else (np.float32, np.float64))
]


def ulps(have: NDArray[Any], want: NDArray[Any]) -> float:
    """Largest distance between two arrays in units in the last place; NaN equals NaN only."""
    assert have.dtype == want.dtype
    assert have.shape == want.shape
    nan = np.isnan(have)
    if not np.array_equal(nan, np.isnan(want)):
        return math.inf
    kind = np.int32 if have.dtype == np.float32 else np.int64
    have, want = (np.where(nan, 0, x).astype(x.dtype) for x in (have, want))
    if np.array_equal(have, want):
        return 0.0
    places = [x.view(kind).astype(object) for x in (have, want)]
    # Negative numbers count down from minus zero, which is zero.
    a, b = (np.where(x < 0, int(np.iinfo(kind).min) - x, x) for x in places)
    return float(np.max(np.abs(a - b)))


def compare(name: str, states: NDArray[np.float64], acts: NDArray[Any], **option: Any) -> None:
    """Take one step from every state, here and in the original, and observe the difference."""
    twin = TWINS[name]
    step = twin.module.step
    if option:
        compiled: Any = gymnasium.make_vec(f"npvpg/{name}", **option)
        step = compiled.step_kernel
    original = gymnasium.make(name, **option).unwrapped
    n, n_obs = len(states), original.observation_space.shape[0]  # type: ignore[index]
    have = states.copy()
    obs, rew = np.zeros((n, n_obs), dtype=np.float32), np.zeros(n)
    ends, rng = np.zeros((2, n), dtype=np.bool_), np.zeros((n, 4), dtype=np.uint64)
    fault = step(acts, have, np.zeros(n, dtype=np.int64), 2, obs, rew, ends, rng)
    assert fault == -1
    want, want_obs = np.empty_like(have), np.empty_like(obs)
    want_rew, want_ends = np.empty(n), np.empty(n, dtype=np.bool_)
    for i in range(n):
        original.state = twin.put(original, states[i])  # type: ignore[attr-defined]
        original.steps_beyond_terminated = None  # type: ignore[attr-defined]
        want_obs[i], want_rew[i], want_ends[i], _, _ = original.step(acts[i])
        want[i] = twin.get(original)

    def worst() -> str:
        bad = (have != want).any(1) | (obs != want_obs).any(1) | (rew != want_rew)
        i = int(np.argmax(bad | (ends[0] != want_ends)))
        return f"{name}: state {states[i].tolist()}, action {acts[i]}, among {n} steps"

    error = max(ulps(have, want), ulps(obs, want_obs), ulps(rew, want_rew))
    observe(error, 0.0, worst)
    require(not (ends[0] != want_ends).any(), worst)


def columns(name: str, *entries: NDArray[np.float64]) -> NDArray[np.float64]:
    """States from the entries the original has, with what the compiled state adds."""
    if name == "Pendulum-v1":
        return np.column_stack([*entries, np.zeros(len(entries[0]))])
    if name == "MountainCarContinuous-v0":
        states = np.column_stack([*entries, np.arange(len(entries[0])) % 2])
        narrow = states[:, 2] == 1
        states[narrow] = states[narrow].astype(np.float32)
        return states
    return np.column_stack(entries)


@pytest.mark.slow
@claim(
    "H1",
    title="A compiled environment takes the steps of Gymnasium's",
    statement=r"\operatorname{step}(s, a) = \operatorname{step}_{\text{Gymnasium}}(s, a)",
    words="from any state, any action leads to Gymnasium's next state, observation, reward and end",
    assumptions="NumPy's double-precision sine, cosine and power are the C library's (claim H2)",
    source="Gymnasium, envs/classic_control",
    method="Gymnasium's own class, put into the same random state",
    tolerance=0,
    tolerance_reason=ULP,
    about=(
        "npvpg.kernels.physics.cartpole.step",
        "npvpg.kernels.physics.acrobot.step",
        "npvpg.kernels.physics.mountain_car.step",
        "npvpg.kernels.physics.mountain_car_continuous.step",
        "npvpg.kernels.physics.pendulum.step",
    ),
)
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_steps_from_random_states(name: str, dtype: type[Any]) -> None:
    """States anywhere, the million of them with the profile `explore`."""
    twin = TWINS[name]
    rng = np.random.default_rng([SUITE, 1, list(TWINS).index(name)])
    entries = [rng.uniform(low, high, N_STEPS) for low, high in twin.spread]
    if dtype is np.int64:
        acts = rng.integers(0, len(twin.actions), N_STEPS)
    else:
        acts = rng.uniform(min(twin.actions), max(twin.actions), (N_STEPS, 1)).astype(dtype)
    for part in np.array_split(np.arange(N_STEPS), max(1, N_STEPS // 50_000)):
        compare(name, columns(name, *entries)[part], acts[part])


@claim("H1")
@pytest.mark.parametrize(("name", "dtype"), CASES)
@given(st.data())
def test_steps_from_drawn_states(name: str, dtype: type[Any], data: st.DataObject) -> None:
    """Few states at a time, so that one that fails is told, and made simple."""
    twin = TWINS[name]
    low, high = min(twin.actions), max(twin.actions)
    acts = {
        np.int64: st.integers(0, len(twin.actions) - 1),
        np.float32: st.floats(low, high, width=32),
        np.float64: st.floats(low, high),
    }[dtype]
    entries = (st.floats(*map(float, bounds)) for bounds in twin.spread)
    rows = data.draw(st.lists(st.tuples(*entries, acts), min_size=1))
    *state, act = (np.array(column) for column in zip(*rows, strict=True))
    act = act.astype(dtype)
    compare(name, columns(name, *state), act if dtype is np.int64 else act[:, None])


@claim("H1")
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_steps_from_every_edge(name: str, dtype: type[Any]) -> None:
    """Thresholds, clips, walls and wraps, and the numbers next to them."""
    twin = TWINS[name]
    grid = np.array(list(itertools.product(*twin.edges, twin.actions)))
    grid = np.repeat(grid, 2, axis=0)  # the continuous car: once in either precision
    acts = grid[:, -1].astype(dtype)
    compare(name, columns(name, *grid[:, :-1].T), acts if dtype is np.int64 else acts[:, None])


@pytest.mark.slow
@claim("H1")
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("CartPole-v1", {"sutton_barto_reward": True}),
        ("Pendulum-v1", {"g": 9.81}),
        ("MountainCar-v0", {"goal_velocity": 0.03}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.03}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.07}),
        ("MountainCarContinuous-v0", {"goal_velocity": float(np.nextafter(0.07, 1))}),
    ],
    ids=str,
)
def test_steps_with_an_option_of_the_original(name: str, option: dict[str, float]) -> None:
    """Near the edges, goals among them that are the greatest velocity, and just beyond."""
    twin = TWINS[name]
    rng = np.random.default_rng([SUITE, 7, len(name)])
    (goal,) = option.values()
    edges = list(twin.edges)
    if "Car" in name:
        edges[1] = (*edges[1], *around(goal), *singles(goal))
    grid = np.array(list(itertools.product(*edges, twin.actions)))
    grid = np.repeat(rng.permutation(grid)[:4000], 2, axis=0)
    dtypes = [np.int64] if len(twin.actions) <= 3 else [np.float32, np.float64]
    for dtype in dtypes:
        acts = grid[:, -1].astype(dtype)
        acts = acts if dtype is np.int64 else acts[:, None]
        compare(name, columns(name, *grid[:, :-1].T), acts, **option)


@claim("H1")
def test_steps_to_the_height_of_the_goal() -> None:
    """Acrobot's tip just above and just below the bar, found by bisection to adjacent numbers."""
    rng = np.random.default_rng([SUITE, 6])
    obs = np.zeros(6, dtype=np.float32)
    states = []
    for velocities in rng.uniform(-0.5, 0.5, (20, 2)):
        low, high = 0.0, math.pi
        while np.nextafter(low, high) < high:
            middle = low + (high - low) / 2
            _, over = acrobot.move(np.array([middle, 0.0, *velocities]), 1, obs)
            low, high = (low, middle) if over else (middle, high)
        states += [[angle, 0.0, *velocities] for angle in (low, high)]
    compare("Acrobot-v1", np.array(states), np.ones(len(states), dtype=np.int64))


@claim("H1")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_steps_to_rest_at_the_flag(kind: type[Any]) -> None:
    """A car whose velocity becomes exactly 0 has arrived; one that rolls back has not."""
    position = kind(0.55)
    stops = kind(0.0025 * math.cos(3 * position))
    speeds = [stops, *(np.nextafter(stops, stops + kind(d)) for d in (-1, 1))]
    entries = np.full(3, position, dtype=np.float64), np.array(speeds, dtype=np.float64)
    single = np.full(3, float(kind is np.float32))
    continuous = np.column_stack([*entries, single])
    compare("MountainCarContinuous-v0", continuous, np.zeros((3, 1), dtype=kind))
    if kind is np.float64:
        compare("MountainCar-v0", np.column_stack(entries), np.ones(3, dtype=np.int64))


@claim(
    "H2",
    title="NumPy's double-precision sine, cosine and power are the compiled code's",
    statement=r"\sin_{\mathrm{NumPy}} x = \sin_{\mathrm{libm}} x,\quad "
    r"\operatorname{pow}_{\mathrm{NumPy}}(x, 2) = \operatorname{pow}_{\mathrm{libm}}(x, 2)",
    words="both call the C library, so claim H1 can ask for equal bits; a rounded square is not it",
    assumptions="NumPy does not vectorise these functions, as on Linux x86-64 since 1.26",
    source="NumPy, core/src/umath/loops_trigonometric.dispatch",
    method="both, on the same random numbers",
    tolerance=0,
    tolerance_reason=ULP,
    about=("npvpg.kernels.physics.acrobot.move", "npvpg.kernels.physics.pendulum.move"),
)
@given(st.floats(1e-9, 1e3), st.lists(st.floats(-1e6, 1e6)), SEED)
@example(1e-3, [], 5)
@example(1.0, [0.0, -0.0, 5e-324], 5)
@example(30.0, [], 5)
def test_functions_of_the_c_library(scale: float, drawn: list[float], seed: int) -> None:
    """The exponent 2 comes as an argument: a constant would be compiled to a product."""
    x = np.append(np.random.default_rng([SUITE, seed]).standard_normal(N_NUMBERS) * scale, drawn)
    sin, cos, power = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    _functions(x, 2.0, sin, cos, power)
    observe(ulps(sin, np.sin(x)), 0.0, "sine")
    observe(ulps(cos, np.cos(x)), 0.0, "cosine")
    observe(ulps(power, np.array([v**2 for v in x])), 0.0, "power")  # scalars: not the square


@claim("H2")
def test_the_kernels_call_the_power() -> None:
    x = np.random.default_rng([SUITE, 6]).standard_normal(50_000)
    odd = np.array([v for v in x if math.pow(v, 2.0) != v * v])
    assert len(odd) > 9
    for v in odd:  # hanging still at the top without torque, the cost is a tenth of the power
        rew, _ = pendulum.move(np.array([0.0, v, 0.0]), np.zeros(1), np.zeros(3, np.float32))
        observe(ulps(np.array([rew]), np.array([-0.1 * math.pow(v, 2.0)])), 0.0, f"{v}")


def _loop(
    x: NDArray[Any], two: float, sin: NDArray[Any], cos: NDArray[Any], power: NDArray[Any]
) -> None:
    for i in range(x.size):
        sin[i], cos[i], power[i] = math.sin(x[i]), math.cos(x[i]), math.pow(x[i], two)


_functions = njit(_loop)
