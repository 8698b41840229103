import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from npvpg.envs import CompiledEnv
from npvpg.envs.serial import SerialVectorEnv
from npvpg.runs import environments, registered
from npvpg.world.squash import BoundAction, ScaleAction, SquashAction
from tests.world.hostile import toy

BOX = spaces.Box(-1.0, 1.0, (2,))
TWO = spaces.Discrete(2)
LIST = spaces.Sequence(TWO)


class Empty(gymnasium.Env[Any, Any]):
    """An environment of given spaces that nobody steps."""

    def __init__(self, obs: spaces.Space[Any], act: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = obs, act


@pytest.fixture
def register() -> Iterator[Any]:
    """Register environments that are gone after the test."""
    before = set(gymnasium.registry)
    yield gymnasium.register
    for name in set(gymnasium.registry) - before:
        if not name.startswith("npvpg/"):  # those are registered once, by an import
            del gymnasium.registry[name]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_resets_are_left_to_the_collector(asynchronous: bool) -> None:
    env = environments.make("CartPole-v1", 3, asynchronous=asynchronous)
    try:
        assert env.num_envs == 3
        assert env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
        env.reset(seed=0)
        mask = np.array([False, True, False])
        env.reset(seed=1, options={"reset_mask": mask})
    finally:
        env.close()


class Endless(Empty):
    """It never ends by itself."""

    def __init__(self) -> None:
        super().__init__(spaces.Discrete(1), TWO)

    def reset(self, **_: Any) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def step(self, _: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, 0.0, False, False, {}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("limit", "length"), [(None, 5), (7, 7)])
def test_an_episode_is_limited_where_nobody_set_a_limit(
    register: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    asynchronous: bool,
    limit: int | None,
    length: int,
) -> None:
    monkeypatch.setattr(environments, "LIMIT", 5)
    register("Endless-v0", entry_point=Endless, max_episode_steps=limit)
    env = environments.make("Endless-v0", 1, asynchronous=asynchronous)
    try:
        env.reset(seed=0)
        cut = [env.step(np.zeros(1, np.int64))[3][0] for _ in range(length)]
    finally:
        env.close()
    assert cut == [False] * (length - 1) + [True]


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("CartPol-v1", "CartPole-v1"),
        ("cartpole-v1", "CartPole-v1"),
        ("CartPole", "CartPole-v1"),
        ("Pendulum-v0", "Pendulum-v1"),
        ("InvertedPendulum", "InvertedPendulum-v"),
    ],
)
def test_an_unknown_environment_is_answered_with_the_nearest(name: str, offer: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^unknown environment '{name}' \(did you mean .*{offer}"
    ):
        environments.make(name, 1)


def test_a_missing_extra_is_answered_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.mujoco")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mujoco", None)  # what a missing package looks like
    with pytest.raises(ValueError, match="InvertedPendulum-v5 needs") as caught:
        environments.make("InvertedPendulum-v5", 1)
    assert str(caught.value).endswith('pip install "gymnasium[mujoco]"')


@pytest.mark.parametrize(
    ("obs", "act", "message"),
    [
        (spaces.Text(3), TWO, r"the observation space Text\(.*; supported: Box, Discrete, "),
        (spaces.Tuple([BOX, LIST]), TWO, r"the observation space Tuple\(.*; supported: Box"),
        (spaces.Dict({}), TWO, r"the observation space Dict\(\); supported: Box"),
        (BOX, LIST, r"the action space Sequence\(.*; supported: Box, Discrete, MultiDiscrete, "),
        (BOX, spaces.Dict({"a": LIST}), r"the action space Dict\(.*; supported: Box"),
        (BOX, spaces.Tuple([]), r"the action space Tuple\(\); supported: Box"),
    ],
)
def test_an_unsupported_space_is_answered_with_what_is_supported(
    register: Any, obs: spaces.Space[Any], act: spaces.Space[Any], message: str
) -> None:
    register("Odd-v0", entry_point=lambda: Empty(obs, act))
    with pytest.raises(ValueError, match=f"environment Odd-v0 has {message}"):
        environments.make("Odd-v0", 2)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 1, (3, 4)),
        spaces.Discrete(3, start=1),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(3),
        spaces.Tuple([BOX, spaces.Dict({"a": TWO})]),
    ],
)
def test_these_spaces_are_allowed(register: Any, space: spaces.Space[Any]) -> None:
    register("Any-v0", entry_point=lambda: Empty(space, space))
    environments.make("Any-v0", 2).close()


def test_actions_are_scaled_unless_something_else_is_asked_for() -> None:
    for backend in ("gymnasium", "compiled"):
        env = environments.make("Pendulum-v1", 2, backend=backend)
        assert isinstance(env, ScaleAction)
        env.close()
        env = environments.make("Pendulum-v1", 2, backend=backend, action_bound="clip")
        assert not isinstance(env, BoundAction)
        env.close()
        env = environments.make("Pendulum-v1", 2, backend=backend, action_bound="tanh")
        assert isinstance(env, SquashAction)
        assert env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
        env.close()


def test_what_has_no_bounded_box_is_not_squashed() -> None:
    with pytest.raises(ValueError, match=r"CartPole-v1 cannot be squashed: .* bounded Box, got Di"):
        environments.make("CartPole-v1", 2, action_bound="tanh")


def test_an_autoreset_that_cannot_be_disabled_is_refused(register: Any) -> None:
    register(
        "Vector-v0",
        vector_entry_point="gymnasium.envs.classic_control.cartpole:CartPoleVectorEnv",
    )
    with pytest.raises(ValueError, match=r"Vector-v0 must have its autoreset disabled.*NEXT_STEP"):
        environments.make("Vector-v0", 2)


def test_an_environment_that_fails_as_it_is_made_is_named(register: Any) -> None:
    register("Broken-v0", entry_point=lambda: 1 / 0)
    with pytest.raises(ValueError, match=r"Broken-v0 cannot be made: ZeroDivisionError: .*py:"):
        environments.make("Broken-v0", 1)


def test_what_is_wrong_as_it_is_made_is_told_in_the_terms_of_its_user(register: Any) -> None:
    register("Quits-v0", entry_point=lambda: sys.exit("closed"))
    register("Bare-v0", entry_point=toy(action_space=None))
    register("NoData-v0", entry_point=toy(metadata=None))
    register("Many-v0", entry_point=toy(observation_space=spaces.Discrete(2_000_000)))
    register("Minus-v0", entry_point=toy(), max_episode_steps=-1)
    for name, said in {
        "Quits": r"Quits-v0 cannot be made: sys.exit\(.closed.\) \(.*test_environments.py:",
        "Bare": "Bare-v0 cannot be made: action_space must be a gymnasium.spaces.Space, .* got ",
        "NoData": "NoData-v0 cannot be made: metadata must be a dict such as ",
        "Many": "Many-v0 cannot be used: observations must count at most 10,000 values, got 2,000,",
        "Minus": "Minus-v0 must have max_episode_steps of at least 1, or none, ",
    }.items():
        with pytest.raises(ValueError, match=said):
            environments.make(f"{name}-v0", 2)


def test_a_vector_environment_without_an_end_gets_one(
    register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(num_envs: int) -> Any:
        return SerialVectorEnv(Endless, num_envs)

    compiled = CompiledEnv(
        lambda noise, state, obs: None,
        lambda state, action, obs: (0.0, False),
        observation_space=spaces.Box(-1, 1, (1,)),
        action_space=spaces.Discrete(2),
        state_size=1,
        max_episode_steps=-1,
    )
    monkeypatch.setattr(environments, "LIMIT", 5)
    register("EndlessVector-v0", vector_entry_point=endless)
    register("EndlessCompiled-v0", vector_entry_point=compiled)
    register("ShortCompiled-v0", vector_entry_point=replace(compiled, max_episode_steps=3))
    for name, length in {"EndlessVector": 5, "EndlessCompiled": 5, "ShortCompiled": 3}.items():
        env = environments.make(f"{name}-v0", 2)
        env.reset(seed=0)
        for _ in range(2):
            cut = [env.step(np.zeros(2, np.int64))[3].tolist() for _ in range(length)]
            assert cut == [[False, False]] * (length - 1) + [[True, True]]
            env.reset(options={"reset_mask": np.array([True, False])})
            env.reset(options={"reset_mask": np.array([False, True])})


def test_a_module_of_the_working_directory_may_register_environments(
    register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(tmp_path, "our_pole.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('OurPole-v0', 'gymnasium.envs.classic_control:CartPoleEnv',\n"
        "                   reward_threshold=7)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    environments.make("our_pole:OurPole-v0", 1).close()
    assert registered.spec("our_pole:OurPole-v0").reward_threshold == 7
    monkeypatch.delitem(sys.modules, "our_pole")


def test_a_module_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(ValueError, match="module of environment 'no_such:A-v0': No module named"):
        environments.make("no_such:A-v0", 1)
