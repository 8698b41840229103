"""What crosses the boundary of an environment is a copy, both ways."""

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from npvpg.envs.processes import ProcessVectorEnv
from npvpg.envs.serial import SerialVectorEnv
from npvpg.world import spaces as flat_spaces
from npvpg.world.vector import SeededVectorEnv
from tests.world.hostile import Toy

SPACES: list[spaces.Space[Any]] = [
    spaces.Box(-9, 9, (2,)),
    spaces.Box(-9, 9, (2,), np.float64),
    spaces.Box(0, 255, (2,), np.uint8),
    spaces.MultiDiscrete([30, 30]),
    spaces.MultiBinary(2),
    spaces.Dict({"a": spaces.Box(-9, 9, (2,)), "b": spaces.Tuple([spaces.MultiBinary(2)])}),
]


def arrays(value: Any) -> list[np.ndarray[Any, Any]]:
    """Every array inside of something."""
    if isinstance(value, dict):
        return [array for part in value.values() for array in arrays(part)]
    if isinstance(value, tuple | list):
        return [array for part in value for array in arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


def spoil(*values: Any) -> None:
    """Write into everything that can be written into."""
    for array in arrays(values):
        if array.flags.writeable:
            array[...] = 1 - np.array(array, bool) if array.dtype.kind in "bi" else 7


def show(space: spaces.Space[Any], t: int) -> Any:
    """Show the time, in both places and however small they are."""
    if isinstance(space, spaces.Dict):
        return {name: show(part, t) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(show(part, t) for part in space.spaces)
    return np.array([t % 2, t // 2 % 2], space.dtype)


class Spoiling(gymnasium.Env[Any, Any]):
    """Writes into what it gave and into what it was given, and shares all of it."""

    given: list[Any]

    def __init__(self, space: spaces.Space[Any], act: spaces.Space[Any], shared: list[Any]) -> None:
        self.observation_space, self.action_space = space, act
        self.t, self.shared, self.heard = 0, shared, []  # type: ignore[var-annotated]

    def _shown(self) -> Any:
        """One and the same object for all environments, as the last of them wrote it."""
        spoil(self.shared)
        new = show(self.observation_space, self.t)
        if not self.shared:
            self.shared.append(new)
        for old, array in zip(arrays(self.shared), arrays(new), strict=True):
            old[...] = array
        return self.shared[0]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        if options:
            self.heard.append(deepcopy(options))
            options["level"] = "spoilt"
            spoil(options)
        self.t = (seed or 0) % 4
        return self._shown(), {}

    def step(self, action: Any) -> Any:
        self.heard.append(deepcopy(action))
        spoil(action)
        self.t += 1
        return self._shown(), np.array(float(self.t)), np.array(False), np.array(self.t >= 9), {}


class Reusing(VectorEnv[Any, Any, Any]):
    """A vector environment that returns the same arrays each time and spoils what it is given."""

    def __init__(self) -> None:
        self.num_envs = 2
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space = SPACES[1]
        self.single_action_space = spaces.Box(-1, 1, (1,))
        self.obs, self.rew, self.ends = np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2), bool)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self.obs[:] += 1
        seed.clear()
        spoil(options)
        options.clear()
        return self.obs, {}

    def step(self, actions: Any) -> Any:
        self.obs += 1
        self.rew += 1
        spoil(actions)
        return self.obs, self.rew, *self.ends, {}


ACT = spaces.Dict({"go": spaces.Discrete(2), "at": spaces.Box(-1, 1, (2,), np.float64)})


@pytest.mark.parametrize("vector", ["serial", "sync"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_sub_environments_that_share_and_spoil_everything(vector: str, space: Any) -> None:
    shared: list[Any] = []
    envs = [Spoiling(space, ACT, shared) for _ in range(3)]
    inner: Any = SerialVectorEnv(envs)
    if vector == "sync":
        inner = SyncVectorEnv(
            [lambda env=env: env for env in envs],  # type: ignore[misc]
            autoreset_mode=AutoresetMode.DISABLED,
        )
    driver = SeededVectorEnv(inner, seed=3)
    mask, episode = np.ones(3, bool), np.zeros(3, np.int64)
    returned: list[Any] = [driver.reset(mask, episode)]
    kept = deepcopy(returned)
    begun = [env.t for env in envs]
    assert len(set(begun)) > 1  # the seeds tell them apart
    for t in range(1, 5):
        act = np.array([[0.1 * t, -0.1 * t, t % 2]] * 3)
        out = driver.step(act)
        for i in range(3):
            row = gymnasium.spaces.flatten(space, show(space, begun[i] + t))
            assert out[0][i].tolist() == np.asarray(row, np.float64).tolist()
        assert out[1].tolist() == [t + b for b in begun]
        assert act.tolist() == [[0.1 * t, -0.1 * t, t % 2]] * 3
        heard = [env.heard[-1] for env in envs]
        assert all(h["at"].tolist() == [0.1 * t, -0.1 * t] and h["go"] == t % 2 for h in heard)
        returned += out
        kept += deepcopy(out)
    assert all(np.array_equal(a, b) for a, b in zip(returned, kept, strict=True))
    spoil(returned)  # and what the caller does with it is nothing to the next
    mask[1:] = False
    again = driver.reset(mask, episode)
    assert mask.tolist() == [True, False, False]
    row = gymnasium.spaces.flatten(space, show(space, begun[2] + 4))
    assert again[2].tolist() == np.asarray(row, np.float64).tolist()


def test_options_are_each_ones_own() -> None:
    shared: list[Any] = []
    env = SerialVectorEnv([Spoiling(SPACES[0], ACT, shared) for _ in range(3)])
    options: dict[str, Any] = {"level": "high", "map": np.zeros(2), "reset_mask": np.ones(3, bool)}
    env.reset(seed=1, options=options)
    for inner in env.envs:
        (heard,) = inner.heard  # type: ignore[attr-defined]
        assert set(heard) == {"level", "map"}
        assert heard["level"] == "high"
        assert not heard["map"].any()
    assert options["level"] == "high"
    assert not np.any(options["map"])
    assert np.all(options["reset_mask"])


def test_a_serial_environment_gives_what_belongs_to_its_caller() -> None:
    env = SerialVectorEnv([Spoiling(SPACES[0], ACT, []) for _ in range(2)])
    first, _ = env.reset(seed=[1, 2])
    second = env.step({"go": np.zeros(2, np.int64), "at": np.zeros((2, 2))})
    kept = deepcopy((first, second))
    spoil(env.step({"go": np.zeros(2, np.int64), "at": np.zeros((2, 2))}))
    pairs = zip(arrays((first, second)), arrays(kept), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    masked, _ = env.reset(seed=[1, 2], options={"reset_mask": np.array([True, False])})
    assert masked[1].tolist() == show(SPACES[0], 4 % 4).tolist()


def test_a_vector_environment_that_reuses_and_spoils_everything() -> None:
    driver = SeededVectorEnv(Reusing(), seed=3)
    mask, episode = np.ones(2, bool), np.zeros(2, np.int64)
    returned: list[Any] = [driver.reset(mask, episode)]
    for _ in range(3):
        act = np.full((2, 1), 0.5)
        returned += driver.step(act)
        assert act.tolist() == [[0.5], [0.5]]
    assert mask.all()
    assert returned[0].tolist() == [[1, 1], [1, 1]]
    assert [x.tolist() for x in returned[2::4]] == [[1, 1], [2, 2], [3, 3]]
    assert [x[0, 0] for x in returned[1::4]] == [2, 3, 4]
    assert not any(ends.any() for ends in (*returned[3::4], *returned[4::4]))


INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_nearest_whole_number_is_sent(dtype: Any, kind: Any) -> None:
    box = spaces.Box(np.array([0, 1]), np.array([4, 3]), (2,), dtype)
    act = np.array([[-9e30, 9e30], [-0.4, 0.6], [0.4, 1.4], [0.6, 1.6], [3.4, 2.6], [4.6, 3.4]])
    sent = flat_spaces.unflatten(box, act.astype(kind))
    assert sent.dtype == dtype
    assert sent.tolist() == [[0, 3], [0, 1], [0, 1], [1, 2], [3, 3], [4, 3]]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_bounds_of_the_type_can_be_reached(dtype: Any) -> None:
    info = np.iinfo(dtype)
    box = spaces.Box(info.min, info.max, (1,), dtype)
    act = np.array([[-np.inf], [-1e30], [0.0], [7.4], [1e30], [np.inf]])
    sent = flat_spaces.unflatten(box, act)[:, 0].tolist()
    assert sent == [info.min, info.min, 0, 7, info.max, info.max]
    assert all(box.contains(np.array([x], dtype)) for x in sent)


def test_negative_numbers_are_not_drawn_to_zero() -> None:
    box = spaces.Box(-2, 2, (4,), np.int64)
    sent = flat_spaces.unflatten(box, np.array([[-1.9, -0.9, 0.9, 1.9]]))
    assert sent.tolist() == [[-2, -1, 1, 2]]


def test_the_law_of_what_is_sent() -> None:
    r"""P(k) is the mass of the unit interval around k; the bounds have the tails beyond them."""
    box = spaces.Box(-2, 2, (1,), np.int8)
    grid = (np.arange(70_000) + 0.5) / 10_000 - 3.5  # uniform in [-3.5, 3.5]
    sent = flat_spaces.unflatten(box, grid[:, np.newaxis])[:, 0]
    counts = np.bincount(sent.astype(int) + 2)
    assert counts.tolist() == [20_000, 10_000, 10_000, 10_000, 20_000]


class Masked(gymnasium.Env[Any, Any]):
    """Forbids its second action, and says so in its info."""

    observation_space, action_space = spaces.Discrete(1), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return 0, {"action_mask": np.array([1, 0], np.int8)}

    def step(self, action: Any) -> Any:
        return 0, 0.0, True, False, {"action_mask": np.array([1, 0], np.int8)}


@pytest.mark.parametrize(
    "vector",
    [
        lambda: SerialVectorEnv(Masked, 2),
        lambda: ProcessVectorEnv(Masked, 2),
        lambda: SyncVectorEnv([Masked] * 2, autoreset_mode=AutoresetMode.DISABLED),
    ],
)
def test_a_mask_of_actions_is_said_to_be_ignored(vector: Any) -> None:
    env = SeededVectorEnv(vector(), 0)
    said = r"^Masked: the action_mask in its info is ignored, and actions that it forbids are drawn"
    with pytest.warns(RuntimeWarning, match=said):
        env.reset(np.ones(2, bool), np.zeros(2, np.int64))
    env.env.close()


def test_where_there_is_no_mask_nothing_is_said(recwarn: pytest.WarningsRecorder) -> None:
    env = SeededVectorEnv(SerialVectorEnv(Toy, 2), 0)
    env.reset(np.ones(2, bool), np.zeros(2, np.int64))
    assert not recwarn.list
