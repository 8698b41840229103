"""The options and attributes of the originals."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from npvpg.envs import COMPILED
from npvpg.envs.acrobot import AcrobotVectorEnv
from npvpg.envs.cartpole import CartPoleVectorEnv
from npvpg.envs.mountain_car import MountainCarVectorEnv
from npvpg.envs.pendulum import PendulumVectorEnv

FALL = np.zeros(2, np.int64)
BAD: dict[str, Any] = {"goal_velocity": "x"}


def rewards(envs: Any, n_steps: int = 3) -> list[Any]:
    envs.reset(seed=4)
    zero = np.zeros_like(envs.action_space.sample())
    return [envs.step(zero)[1].tolist() for _ in range(n_steps)]


def test_an_option_is_the_originals() -> None:
    envs = [
        gymnasium.make_vec("npvpg/Pendulum-v1", 2, g=9.81),
        gymnasium.make_vec("Pendulum-v1", 2, "sync", g=9.81),
    ]
    assert rewards(envs[0]) == rewards(envs[1]) != rewards(PendulumVectorEnv(2))
    assert envs[0].get_attr("g") == envs[1].get_attr("g") == (9.81, 9.81)  # type: ignore[attr-defined]


def test_the_usual_value_takes_the_usual_kernels() -> None:
    assert PendulumVectorEnv(2, g=10).step_kernel is PendulumVectorEnv(2).step_kernel
    assert CartPoleVectorEnv(2, sutton_barto_reward=False).step_kernel is (
        CartPoleVectorEnv(3).step_kernel
    )


def test_a_compiled_rollout_follows_an_option() -> None:
    envs = CartPoleVectorEnv(2, max_episode_steps=60)
    before = envs.pointers
    envs.set_attr("_sutton_barto_reward", True)
    assert envs.pointers is not before
    envs.reset(seed=0)
    for _ in range(20):
        *_, rew, terminated, _, _ = envs.step(FALL)
        assert np.array_equal(rew, np.where(terminated, -1.0, 0.0))
        if terminated.any():
            return
    pytest.fail("a pole that is always pushed to the left falls")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CartPoleVectorEnv(2, g=1.0), "CartPole-v1, which has sutton_barto_reward only"),
        (lambda: AcrobotVectorEnv(2, g=1.0), "Acrobot-v1, which has no options, got g"),
        (lambda: PendulumVectorEnv(2, g=np.inf), "g must be a finite number, got inf"),
        (lambda: MountainCarVectorEnv(2, **BAD), "must be a finite number, got 'x'"),
    ],
)
def test_other_options_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_option_is_changed_for_all() -> None:
    envs = PendulumVectorEnv(2)
    for values in (9.81, [9.81, 9.81], (9.81, 9.81)):
        envs.set_attr("g", values)
        assert envs.get_attr("g") == (9.81, 9.81)
        assert rewards(envs) == rewards(PendulumVectorEnv(2, g=9.81))
        envs.set_attr("g", 10)
        assert rewards(envs) == rewards(PendulumVectorEnv(2))
    for bad in ([1.0, 2.0], [1.0]):
        with pytest.raises(ValueError, match="g must be the same in all sub-environments"):
            envs.set_attr("g", bad)


def test_what_is_compiled_in_stays() -> None:
    for name in ("max_torque", "nothing"):
        with pytest.raises(AttributeError, match=f"{name} of .* is compiled in, or there is none"):
            PendulumVectorEnv(2).set_attr(name, 1.0)


@pytest.mark.parametrize("name", COMPILED)
def test_attributes_are_those_of_gymnasiums_sub_environments(name: str) -> None:
    mine: Any = gymnasium.make_vec(f"npvpg/{name}", 3)
    original: Any = gymnasium.make_vec(name, 3, "sync")
    act = original.action_space.sample()
    for envs in (mine, original):
        envs.reset(seed=1)
        envs.step(act)
    for attribute in ("state", "action_space", "observation_space", "render_mode"):
        have, want = mine.get_attr(attribute), original.get_attr(attribute)
        assert len(have) == 3
        assert all(np.array_equal(h, w) for h, w in zip(have, want, strict=True))
    own = {"CartPole-v1": "x_threshold", "Acrobot-v1": "MAX_VEL_1", "Pendulum-v1": "max_speed"}
    attribute = own.get(name, "goal_position")
    assert mine.get_attr(attribute) == original.get_attr(attribute)


def test_methods_are_called() -> None:
    envs = CartPoleVectorEnv(2)
    envs.reset(seed=0)
    assert envs.call("__str__") == (str(envs._drawer),) * 2
    for name in ("step", "reset", "np_random", "nothing"):
        with pytest.raises(AttributeError):
            envs.call(name)
