import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from npvpg.collect import WholeEpisodes
from npvpg.distributions import Categorical
from npvpg.envs.base import CompiledVectorEnv
from npvpg.estimators import RewardToGo
from npvpg.jobs import run
from npvpg.loop import initial_state
from npvpg.mlp import MLP
from npvpg.normalize import RunningMoments
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.runs import config_file, progress
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.environments import make
from npvpg.runs.evaluation import evaluate, evaluate_state
from npvpg.runs.evaluation import trained as opened
from npvpg.state import TrainState
from npvpg.value import ZeroValue
from verification import flat

CONFIG = Config(
    "CartPole-v1", steps=64, envs=2, horizon=16, hidden=(8,), evaluation_episodes=0, gamma=0.99
)
LADDER = flat.vpg(
    Policy(MLP((1, 2)), Categorical(2)),
    ZeroValue(),
    RewardToGo(1.0),
    WholeEpisodes(1),
    Linear(0.1, 0.1),
)


class Ladder(gymnasium.Env[np.ndarray, np.int64]):
    """Three steps that show the same number; action 1 is paid 1, action 0 nothing."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,))
    action_space = spaces.Discrete(2)

    def reset(self, **_: Any) -> tuple[np.ndarray, dict[str, Any]]:
        self.t = 0
        return np.ones(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return np.ones(1, np.float32), float(action), self.t == 3, False, {}


@pytest.fixture
def ladder() -> Iterator[VectorEnv]:
    env = gymnasium.vector.SyncVectorEnv([Ladder] * 2, autoreset_mode=AutoresetMode.DISABLED)
    yield env
    env.close()


def state_of(theta: list[float], moments: RunningMoments | None = None) -> TrainState:
    """Give a state whose policy has these weights (to the two logits) and biases."""
    state = initial_state(build(CONFIG, make(CONFIG.env, 1)), n_envs=1, seed=0)
    empty = RunningMoments.empty(1)
    learner = state.learner._replace(theta=np.array(theta))
    return state._replace(learner=learner, obs_moments=moments or empty)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    run.train(CONFIG, RunDirectory(path))
    return path


def test_greedy_takes_the_mode_and_sampled_does_not(ladder: VectorEnv) -> None:
    state = state_of([0, 0.5, 0, 0])  # action 1 with probability 0.62
    result = evaluate_state(ladder, LADDER, state, fraction=1.0, episodes=40, seed=0)
    assert result["greedy"] == {"mean": 3, "std": 0, "low": 3, "high": 3, "episodes": 40}
    sampled = result["sampled"]
    # Three draws an episode: the mean of 40 has a standard deviation of 0.13.
    assert sampled["mean"] == pytest.approx(3 / (1 + np.exp(-0.5)), abs=6 * 0.13)
    assert sampled["std"] == pytest.approx(0.84, abs=0.4)
    assert sampled["low"] < sampled["mean"] < sampled["high"]  # type: ignore[operator]


@pytest.mark.slow
def test_observations_are_normalised_by_statistics_that_stay_as_they_are(
    ladder: VectorEnv,
) -> None:
    # The raw observation 1 makes logit 0 the larger one; normalised, it is -2 and logit 1 wins.
    moments = RunningMoments.empty(1).update(np.array([[2.5], [3.5]] * 4))
    assert moments.normalize(np.ones((1, 1)))[0, 0] < 0
    for seen, mean in ((None, 0), (moments, 3)):
        state = state_of([1, 0, 0, 0], seen)
        before = {name: array.tobytes() for name, array in state.to_arrays().items()}
        result = evaluate_state(ladder, LADDER, state, fraction=1.0, episodes=2, seed=0)
        assert result["greedy"]["mean"] == mean
        assert {name: array.tobytes() for name, array in state.to_arrays().items()} == before


def test_one_episode_has_a_return_and_no_interval(ladder: VectorEnv) -> None:
    result = evaluate_state(
        ladder, LADDER, state_of([0, 1, 0, 0]), fraction=1.0, episodes=1, seed=0
    )
    assert result["greedy"] == {"mean": 3, "std": 0, "low": None, "high": None, "episodes": 1}
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_two_episodes_have_an_interval(ladder: VectorEnv) -> None:
    result = evaluate_state(
        ladder, LADDER, state_of([0, 1, 0, 0]), fraction=1.0, episodes=2, seed=0
    )
    assert (result["greedy"]["low"], result["greedy"]["high"]) == (3, 3)


def test_a_run_that_is_evaluated_by_one_episode_ends_well(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, evaluation_episodes=1)
    summary = run.train(config, RunDirectory(tmp_path / "run"))
    assert summary["evaluation"]["sampled"]["episodes"] == 1
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary


def test_no_episode_is_refused(ladder: VectorEnv) -> None:
    with pytest.raises(ValueError, match="episodes must be at least 1, got 0"):
        evaluate_state(ladder, LADDER, state_of([0, 0, 0, 0]), fraction=1.0, episodes=0, seed=0)


def test_a_run_is_evaluated_by_its_own_parameters_and_statistics(trained: Path) -> None:
    directory = RunDirectory(trained)
    env = make(CONFIG.env, CONFIG.envs)
    algorithm = build(CONFIG, env)
    state = progress.load(directory, CONFIG, algorithm).state
    assert state is not None
    assert state.obs_moments.n_rows > 0
    expected = evaluate_state(env, algorithm, state, fraction=1.0, episodes=5, seed=3)
    env.close()
    assert evaluate(trained, episodes=5, seed=3) == expected
    assert evaluate(trained, episodes=5, seed=4) != expected


@pytest.mark.parametrize("backend", ["compiled", "gymnasium"])
def test_a_run_is_evaluated_where_it_was_trained(backend: Any, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, env="CartPole-v1", backend=backend)
    run.train(config, RunDirectory(tmp_path / "run"))
    with opened(tmp_path / "run") as found:
        assert isinstance(found.env, CompiledVectorEnv) == (backend == "compiled")


def test_a_greedy_run_is_sampled_as_it_acts_at_its_end(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, greedy=0.75, evaluation_episodes=5)
    directory = RunDirectory(tmp_path / "run")
    summary = run.train(config, directory)
    env = make(config.env, config.envs)
    algorithm = build(config, env)
    state = progress.load(directory, config, algorithm).state
    assert state is not None
    expected, drawn = (
        evaluate_state(env, algorithm, state, fraction=x, episodes=5, seed=0) for x in (1.0, 0.0)
    )
    env.close()
    assert expected["sampled"] != drawn["sampled"]
    assert summary["evaluation"] == expected
    assert evaluate(directory.path, episodes=5, seed=0) == expected


def test_evaluation_leaves_the_run_as_it_is(trained: Path) -> None:
    before = {file.name: file.read_bytes() for file in trained.iterdir()}
    evaluate(trained, episodes=2, seed=0)
    assert {file.name: file.read_bytes() for file in trained.iterdir()} == before


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]* holds no run: it has no config.toml$"):
        evaluate(tmp_path, episodes=2, seed=0)


def test_a_run_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "run").create(CONFIG)
    with pytest.raises(ValueError, match=r"checkpoint.safetensors does not exist: nothing has"):
        evaluate(tmp_path / "run", episodes=2, seed=0)


def test_a_truncated_checkpoint_is_refused(trained: Path, tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create(CONFIG)
    directory.checkpoint.write_bytes(RunDirectory(trained).checkpoint.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"^[^\n]*safetensors is truncated[^\n]*$"):
        evaluate(directory.path, episodes=2, seed=0)


def test_a_changed_configuration_is_refused(trained: Path, tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create(dataclasses.replace(CONFIG, hidden=(9,)))
    directory.checkpoint.write_bytes(RunDirectory(trained).checkpoint.read_bytes())
    with pytest.raises(ValueError, match=r"hidden \(\(9,\), was \(8,\)\)$"):
        evaluate(directory.path, episodes=2, seed=0)
    assert config_file.read(directory.config)["hidden"] != [8]
