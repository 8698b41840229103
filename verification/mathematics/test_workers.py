"""G7: shared out among workers, whatever becomes of these, a run is the run it is alone."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import npvpg.envs  # noqa: F401 (registers the compiled environments)
from npvpg.collect import Collect, FixedHorizon, WholeEpisodes
from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Product
from npvpg.envs.serial import SerialVectorEnv
from npvpg.estimators import GAE
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.state import Iteration, TrainState
from npvpg.value import MLPValue
from npvpg.vpg import VPG, Learner
from npvpg.world.actor import Actor
from npvpg.world.engine import Played, Task
from npvpg.world.local import LocalCrew
from npvpg.world.position import Position
from npvpg.world.split import Crew, Lost, Part, Worker
from verification import flat
from verification.claims import claim, require

SEED, N_UPDATES = 5, 3
LAWS = {
    "npvpg/CartPole-v1": Categorical(2),
    "npvpg/Pendulum-v1": DiagonalGaussian(1),
    "CartPole-v1": Categorical(2),
    "Lights": Product((Bernoulli(2), DiagonalGaussian(1))),  # no compiled sampler serves it
}
N_OBS = {"npvpg/Pendulum-v1": 3, "Lights": 2}


class Lights(gym.Env[NDArray[np.float64], Any]):
    """Two lamps and a number; the episode ends after as many steps as were drawn."""

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        number = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = gym.spaces.Tuple((gym.spaces.MultiBinary(2), number))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Draw how long it lasts."""
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(1, 9))
        return self.np_random.random(2), {}

    def step(self, action: tuple[NDArray[Any], NDArray[Any]]) -> Any:
        """Pay for lamps that burn, and show the number."""
        self.left -= 1
        lamps, (number,) = action
        obs = self.np_random.random(2) - lamps
        obs[0] += number
        return obs, float(obs.sum()), self.left == 0, bool(self.left == 1 and lamps[0] == 1), {}


def vector(name: str, n: int) -> VectorEnv[Any, Any, Any]:
    """Make an environment of n sub-environments."""
    if name == "Lights":
        return SerialVectorEnv(Lights, n)
    if name.startswith("npvpg/"):
        return gym.make_vec(name, n, max_episode_steps=17)
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
    return gym.make_vec(name, n, vectorization_mode="sync", vector_kwargs=kwargs)


@cache
def algorithm(name: str, collect: Collect) -> VPG:
    """Everything that a batch reaches: both normalisers, both optimisers, minibatches."""
    law, n_obs = LAWS[name], N_OBS.get(name, 4)
    n_out = law.n_params - len(law.scale_columns)
    return flat.vpg(
        Policy(MLP((n_obs, 6, n_out)), law),
        MLPValue(MLP((n_obs, 6, 1))),
        GAE(0.9, 0.9),
        collect,
        Linear(3e-2, 0.0),
        value_steps=2,
        value_minibatch=13,
        normalize_obs=True,
        normalize_rewards=True,
    )


def run(
    name: str,
    n_envs: int,
    collect: Collect,
    crew: Crew | None = None,
    state: TrainState | None = None,
) -> list[Iteration]:
    """Make the first updates of a run, or those after a state."""
    env = vector(name, n_envs)
    made: Iterator[Iteration] = iterate(
        env, algorithm(name, collect), seed=SEED, n_steps=10**6, state=state, crew=crew
    )
    left = N_UPDATES - (state.iteration if state else 0)
    updates = [next(made) for _ in range(left)]
    env.close()
    return updates


@cache
def alone(name: str, n_envs: int, collect: Collect) -> list[Iteration]:
    """Make the updates in one process, without workers."""
    return run(name, n_envs, collect)


def told(update: Iteration) -> tuple[list[str], bytes]:
    """Give the diagnostics, of which one may be no number."""
    return list(update.diagnostics), np.array(list(update.diagnostics.values())).tobytes()


def same(have: list[Iteration], want: list[Iteration]) -> bool:
    """Compare states, episodes and what is said of every update, bit for bit."""
    return len(have) == len(want) and all(
        one.episodes == other.episodes
        and told(one) == told(other)
        and all(
            left.tobytes() == right.tobytes() and left.dtype == right.dtype
            for left, right in zip(
                one.state.to_arrays().values(), other.state.to_arrays().values(), strict=True
            )
        )
        for one, other in zip(have, want, strict=True)
    )


class Doomed(Worker):
    """A worker that is lost, its part played or not, when the crew has counted so far."""

    def __init__(self, crew: "DoomedCrew", worker: Worker) -> None:
        self.crew, self.worker = crew, worker

    def begin(self, actor: Actor, position: Position, task: Task, *, anew: bool) -> None:
        """Begin as any worker."""
        self.worker.begin(actor, position, task, anew=anew)

    def end(self) -> Played:
        """End as any worker, unless its hour has come."""
        self.crew.n_ended += 1
        if self.crew.n_ended in self.crew.hours:
            raise Lost
        return self.worker.end()


class DoomedCrew(Crew):
    """Workers that are lost one after the other."""

    def __init__(self, name: str, n: int, hours: set[int]) -> None:
        self.n, self.hours, self.n_ended = n, hours, 0
        self.crew = LocalCrew(lambda n_envs: vector(name, n_envs), n)

    def hire(self, part: Part) -> Worker:
        """Hire another that will be lost."""
        return Doomed(self, self.crew.hire(part))

    def close(self) -> None:
        """Close the environments."""
        self.crew.close()


COLLECTS = st.one_of(st.integers(1, 30).map(FixedHorizon), st.integers(1, 2).map(WholeEpisodes))
NAMES = st.sampled_from(sorted(LAWS))


@claim(
    name="G7",
    title="The number of workers changes no number of a run",
    statement=r"(\theta, \phi, \mathrm{episodes})_{W} = (\theta, \phi, \mathrm{episodes})_{1}",
    words="shared out among any number of workers, lost and replaced ones among them, every state, "
    "episode and diagnostic of a run is that of one process",
    assumptions="processors of one kind; an environment that follows from its seed",
    source="this library",
    method="runs of a few updates beside each other, drawn: environment, sub-environments, "
    "collector, workers, which of them are lost and when, and where a run is taken up again",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.world.engine.Engine",
        "npvpg.world.engine.Played",
        "npvpg.world.engine.Record",
        "npvpg.world.split.Split",
        "npvpg.world.split.Part",
        "npvpg.world.split.Worker",
        "npvpg.world.split.Crew",
        "npvpg.world.local.LocalWorker",
        "npvpg.world.local.LocalCrew",
        "npvpg.world.split.joined",
        "npvpg.world.streams.Streams",
        "npvpg.world.player.Player",
        "npvpg.loop.iterate",
    ),
)
@settings(max_examples=40)
@given(NAMES, st.integers(1, 9), COLLECTS, st.integers(1, 9), st.sets(st.integers(1, 30)))
@example("npvpg/CartPole-v1", 8, FixedHorizon(20), 8, set())
@example("npvpg/CartPole-v1", 8, FixedHorizon(20), 4, {2, 5, 7})
@example("CartPole-v1", 8, WholeEpisodes(2), 2, {1, 3})
def test_workers(name, n_envs, collect, n_workers, hours):
    n_workers = min(n_workers, n_envs)
    hours = {hour for hour in hours if hour - 1 not in hours}  # not one part again and again
    crew = DoomedCrew(name, n_workers, hours)
    try:
        have = run(name, n_envs, collect, crew)
    except (ValueError, IndexError) as error:  # a replay that does not arrive, for one
        have = []
        told = str(error)
    else:
        told = f"{crew.n_ended} parts"
    crew.close()
    require(same(have, alone(name, n_envs, collect)), told)


@claim("G7")
@settings(max_examples=15)
@given(NAMES, st.integers(2, 6), COLLECTS, st.integers(1, 6), st.integers(1, 2))
def test_a_run_goes_on_with_other_workers(name, n_envs, collect, n_workers, k):
    """What one process began, any number of workers end."""
    whole = alone(name, n_envs, collect)
    state = TrainState.from_arrays(whole[k - 1].state.to_arrays(), Learner)
    crew = LocalCrew(lambda n: vector(name, n), min(n_workers, n_envs))
    try:
        rest = run(name, n_envs, collect, crew, state)
    except (ValueError, IndexError):
        rest = []
    crew.close()
    require(same(rest, whole[k:]))


@claim("G7")
@pytest.mark.parametrize("name", ["npvpg/Pendulum-v1", "Lights"])
def test_a_policy_looks_at_many_rows_as_at_few(name):
    """In one process at six hundred, in each of eight at 75."""
    collect = FixedHorizon(3)
    for n_workers in (1, 2, 8):
        crew = LocalCrew(lambda n: vector(name, n), n_workers)
        require(same(run(name, 600, collect, crew), alone(name, 600, collect)), f"{n_workers}")
        crew.close()
