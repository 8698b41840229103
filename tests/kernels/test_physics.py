"""What the loops over sub-environments promise, and steps that can be worked by hand."""

from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.kernels.physics import (
    ENDED,
    NEVER,
    acrobot,
    cartpole,
    mountain_car,
    mountain_car_continuous,
    pendulum,
)

# module, size of an observation, number of discrete actions, a state in the middle of an episode
# and one from which action 1 ends it
MODULES: list[tuple[ModuleType, int, int | None, list[float], list[float] | None]] = [
    (cartpole, 4, 2, [0, 0, 0, 0], [3, 0, 0, 0]),
    (acrobot, 6, 3, [0, 0, 0, 0], [np.pi, 0, 0, 0]),
    (mountain_car, 2, 3, [-0.5, 0], [0.6, 0.07]),
    (mountain_car_continuous, 2, None, [-0.5, 0, 0], [0.6, 0.07, 0]),
    (pendulum, 3, None, [0, 0, 0], None),
]
CASES = [pytest.param(*case, id=case[0].__name__.rpartition(".")[2]) for case in MODULES]


class World:
    """Sub-environments in given states, every array that is only written full of nonsense."""

    def __init__(
        self, module: ModuleType, n_obs: int, n_actions: int | None, *states: list[float]
    ) -> None:
        n = len(states)
        self.module = module
        self.state = np.array(states, dtype=np.float64)
        self.steps = np.zeros(n, dtype=np.int64)
        self.act: NDArray[Any] = np.ones(n, dtype=np.int64) if n_actions else np.ones((n, 1))
        self.obs = np.full((n, n_obs), 9, dtype=np.float32)
        self.rew = np.full(n, 9.0)
        self.ends = np.ones((2, n), dtype=np.bool_)

    def step(self, limit: int) -> int:
        arrays = (self.state, self.steps)
        outputs = (self.obs, self.rew, self.ends, np.zeros((len(self.steps), 4), np.uint64))
        return int(self.module.step(self.act, *arrays, limit, *outputs))

    def everything(self) -> list[Any]:
        return [x.tolist() for x in (self.state, self.steps, self.obs, self.rew, self.ends)]


@pytest.mark.parametrize(("module", "n_obs", "n_actions", "middle", "last"), CASES)
def test_the_limit_truncates_and_ends_the_episode(
    module: ModuleType,
    n_obs: int,
    n_actions: int | None,
    middle: list[float],
    last: list[float] | None,
) -> None:
    world = World(module, n_obs, n_actions, middle, middle)
    world.steps[:] = 3, 4
    assert world.step(5) == -1
    assert world.ends.tolist() == [[False, False], [False, True]]
    assert world.steps.tolist() == [4, ENDED]


@pytest.mark.parametrize(("module", "n_obs", "n_actions", "middle", "last"), CASES[:-1])
def test_what_terminates_ends_the_episode(
    module: ModuleType, n_obs: int, n_actions: int | None, middle: list[float], last: list[float]
) -> None:
    world = World(module, n_obs, n_actions, middle, last, last)
    world.steps[2] = 4
    assert world.step(5) == -1
    assert world.ends.tolist() == [[False, True, True], [False, False, True]]
    assert world.steps.tolist() == [1, ENDED, ENDED]


@pytest.mark.parametrize(("module", "n_obs", "n_actions", "middle", "last"), CASES)
@pytest.mark.parametrize("count", [ENDED, NEVER])
def test_one_that_must_be_reset_stops_all(
    module: ModuleType,
    n_obs: int,
    n_actions: int | None,
    middle: list[float],
    last: list[float] | None,
    count: int,
) -> None:
    world = World(module, n_obs, n_actions, middle, middle, middle)
    world.steps[1:] = count
    before = world.everything()
    assert world.step(5) == 1
    assert world.everything() == before


@pytest.mark.parametrize(("module", "n_obs", "n_actions", "middle", "last"), CASES[:3])
def test_an_action_that_does_not_exist_stops_all(
    module: ModuleType, n_obs: int, n_actions: int, middle: list[float], last: list[float]
) -> None:
    world = World(module, n_obs, n_actions, middle, middle)
    for bad in (-1, n_actions):
        world.act[:] = 1, bad
        before = world.everything()
        assert world.step(5) == 1
        assert world.everything() == before
    for good in (0, n_actions - 1):
        world.act[:] = good
        assert world.step(5) == -1


@pytest.mark.parametrize(("module", "n_obs", "n_actions", "middle", "last"), CASES)
def test_a_reset_begins_the_episodes_it_names_and_no_other(
    module: ModuleType,
    n_obs: int,
    n_actions: int | None,
    middle: list[float],
    last: list[float] | None,
) -> None:
    world = World(module, n_obs, n_actions, *([[9.0] * len(middle)] * 4))
    world.steps[:] = NEVER
    n_noise = {cartpole: 4, acrobot: 4, pendulum: 2}.get(module, 1)
    noise = np.arange(1.0, 2 * n_noise + 1).reshape(2, n_noise) / 8
    module.reset(noise, np.array([3, 1]), world.state, world.steps, world.obs)
    assert world.steps.tolist() == [NEVER, 0, NEVER, 0]
    for row, drawn in ((3, noise[0]), (1, noise[1])):
        rest = [0.0] * (len(middle) - n_noise)
        assert world.state[row].tolist() == [*drawn, *rest]
    assert (world.state[[0, 2]] == 9).all()
    assert (world.obs[[0, 2]] == 9).all()
    assert (world.obs[[1, 3]] != 9).all()


def test_a_drawn_car_is_at_rest() -> None:
    state, obs = np.full(3, 9.0), np.full(2, 9, dtype=np.float32)
    mountain_car_continuous.draw(np.array([-0.5]), state, obs)
    assert state.tolist() == [-0.5, 0, 0]
    assert obs.tolist() == [-0.5, 0]


def test_a_cart_at_rest_is_pushed() -> None:
    # With the pole upright: u = 10 / 1.1, angular acceleration -u / (0.5 (4/3 - 0.1 / 1.1)).
    state, obs = np.zeros(4), np.zeros(4, dtype=np.float32)
    assert cartpole.move(state, 1, obs) == (1.0, False)
    turn = -(10 / 1.1) / (0.5 * (4 / 3 - 0.1 / 1.1))
    want = [0, 0.02 * (10 / 1.1 - 0.05 * turn / 1.1), 0, 0.02 * turn]
    np.testing.assert_allclose(state, want, rtol=1e-14)
    assert np.array_equal(obs, state.astype(np.float32))


def test_a_hanging_pendulum_feels_its_torque_only() -> None:
    # Upright it rests: sin 0 = 0. Torque 2 gives 3 * 2 * 0.05 = 0.3 rad/s, at a cost of 0.004.
    state, obs = np.zeros(3), np.zeros(3, dtype=np.float32)
    reward, terminated = pendulum.move(state, np.array([5.0]), obs)
    np.testing.assert_allclose(state, [0.3 * 0.05, 0.3, 2.0], rtol=1e-14)
    assert reward == pytest.approx(-0.004)
    assert not terminated


def test_a_car_that_creeps_off_the_wall_is_not_stopped() -> None:
    # At the wall, a velocity that cancels the forces but for one rounding error, upwards.
    forces = 0.0 * 0.001 + np.cos(3 * -1.2) * -0.0025
    state, obs = np.array([-1.2, np.nextafter(-forces, 1)]), np.zeros(2, dtype=np.float32)
    mountain_car.move(state, 1, obs)
    assert state[0] == -1.2
    assert 0 < state[1] < 1e-15


def test_a_car_in_single_precision_creeps_off_the_wall_too() -> None:
    wall = float(np.float32(-1.2))
    forces = np.float32(-0.0025 * np.cos(float(np.float32(3 * wall))))
    speed = float(np.nextafter(-forces, np.float32(1)))
    state, obs = np.array([wall, speed, 1.0]), np.zeros(2, dtype=np.float32)
    mountain_car_continuous.move(state, np.zeros(1, dtype=np.float32), obs)
    assert state[0] == wall
    assert 0 < state[1] < 1e-9


def test_a_clipped_speed_is_in_single_precision() -> None:
    # From 0.07 with velocity -0.07, both in single precision, the car arrives at 0 exactly.
    x = float(np.float32(0.07))
    state, obs = np.array([x, -x, 1.0]), np.zeros(2, dtype=np.float32)
    mountain_car_continuous.move(state, np.array([-1.0], dtype=np.float32), obs)
    assert state.tolist() == [0, -x, 1]


def test_the_flag_is_reached_by_rounding_to_single_precision() -> None:
    # Where position + velocity is below the flag, but rounds to it.
    env: Any = gym.make("MountainCarContinuous-v0").unwrapped
    goal, start, obs = np.float32(0.45), np.float32(0.39), np.zeros(2, dtype=np.float32)
    rounded_up = 0
    for k in range(-20, 20):
        speed = np.float32(goal - start + 0.0025 * np.cos(3 * start) + k * 2.0**-28)
        state = np.array([start, speed, 1.0], dtype=np.float64)
        force = np.zeros(1, dtype=np.float32)
        _, over = mountain_car_continuous.move(state, force, obs)
        env.state = np.array([start, speed])
        _, _, want, _, _ = env.step(force)
        assert over == want
        rounded_up += bool(state[0] == goal and float(start) + state[1] < goal)
    assert rounded_up > 0
