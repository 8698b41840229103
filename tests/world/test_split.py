"""What goes wrong among workers, told as if there were none."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.distributions import Categorical
from npvpg.envs.faults import EnvError
from npvpg.envs.serial import SerialVectorEnv
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Task
from npvpg.world.local import LocalCrew
from npvpg.world.position import Position
from npvpg.world.rollout import fixed_horizon
from npvpg.world.split import PATIENCE, Crew, Lost, Part, Split, Worker
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv

POLICY = Policy(MLP((1, 2)), Categorical(2))
ACTOR = Actor(POLICY, np.zeros(POLICY.size))


class Fragile(gym.Env[NDArray[np.float64], np.int64]):
    """Shows a number drawn at its reset; once that is as wanted, its third step fails."""

    fails: float | None = None

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.number, self.t = self.np_random.random(), 0
        return np.array([self.number]), {}

    def step(self, action: np.int64) -> Any:
        self.t += 1
        if self.number == self.fails and self.t == 3:
            raise RuntimeError("broken")
        return np.array([self.number + self.t]), 0.0, False, False, {}


def vector(n: int) -> SerialVectorEnv:
    return SerialVectorEnv(Fragile, n)


def split(n_workers: int, n_envs: int = 5) -> Split:
    return Split(LocalCrew(vector, n_workers), n_envs, seed=3, seed_bits=31)


@pytest.mark.parametrize("n_workers", [1, 2, 5])
@pytest.mark.parametrize("i", [0, 3, 4])
def test_a_fault_names_the_sub_environment_of_the_run(
    monkeypatch: pytest.MonkeyPatch, n_workers: int, i: int
) -> None:
    alone = SeededVectorEnv(vector(5), 3)
    start = Position.initial(5)
    first = alone.reset(np.ones(5, bool), start.episode)
    monkeypatch.setattr(Fragile, "fails", float(first[i, 0]))
    told = []
    for engine in (alone, split(n_workers)):
        with pytest.raises(EnvError, match=f"^sub-environment {i} failed at step 3") as fault:
            fixed_horizon(engine, ACTOR, start, n_steps=4, iteration=0)
        told.append(str(fault.value))
    assert told[0] == told[1]  # the seed of the episode among it


@pytest.mark.parametrize("i", [0, 3])
def test_a_part_that_cannot_be_returned_to_is_named(i: int) -> None:
    position = fixed_horizon(split(2), ACTOR, Position.initial(5), n_steps=4, iteration=0).position
    obs = position.obs.copy()
    obs[i] += 1
    for n_workers in (1, 2, 5):
        with pytest.raises(ValueError, match=f"but sub-environment {i} is not where it was"):
            fixed_horizon(
                split(n_workers), ACTOR, position._replace(obs=obs), n_steps=4, iteration=1
            )


@pytest.mark.parametrize("n", [0, 6])
def test_there_are_no_more_workers_than_sub_environments(n: int) -> None:
    with pytest.raises(ValueError, match=f"^workers must be from 1 to 5, .* got {n}$"):
        split(n)


def test_parts_follow_each_other_and_differ_by_one_at_most() -> None:
    hired: list[Part] = []

    class Noting(Crew):
        n = 3

        def hire(self, part: Part) -> Worker:
            hired.append(part)
            return LocalCrew(vector, 1).hire(part)

        def close(self) -> None:
            pass

    Split(Noting(), 8, seed=3, seed_bits=31, repeat=2)
    assert hired == [Part(0, 2, 3, 31, 2), Part(2, 3, 3, 31, 2), Part(5, 3, 3, 31, 2)]


class Short(Worker):
    """Is lost at once."""

    def begin(self, actor: Actor, position: Position, task: Task, *, anew: bool) -> None:
        assert anew

    def end(self) -> Played:
        raise Lost


class ShortCrew(Crew):
    """Counts those that were lost."""

    n, hired = 1, 0

    def hire(self, part: Part) -> Worker:
        self.hired += 1
        return Short()

    def close(self) -> None:
        pass


def test_a_part_at_which_every_worker_is_lost_is_given_up() -> None:
    crew = ShortCrew()
    engine = Split(crew, 5, seed=3, seed_bits=31)
    with pytest.raises(ValueError, match=r"^sub-environments 0 to 4 cannot be played: 5 workers"):
        engine.play(ACTOR, Position.initial(5), Task(Purpose.ACTION, 0, n_steps=4))
    assert crew.hired == PATIENCE
