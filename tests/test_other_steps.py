"""The other steps of the policy, as the command builds them: resumed, and learning."""

from typing import Any, get_args

import numpy as np
import pytest

import npvpg
from npvpg.natural import LineSearch, NaturalStep
from npvpg.ppo import ClippedStep
from npvpg.runs import config_file
from npvpg.runs.algorithms import ALGORITHMS, WEIGHTS, AlgorithmName
from npvpg.runs.config_file import PRESETS
from npvpg.state import Iteration, TrainState
from npvpg.vpg import Learner

OTHERS: list[Any] = [name for name in get_args(AlgorithmName) if name not in WEIGHTS]
SMALL: dict[str, Any] = {"envs": 4, "horizon": 16, "hidden": (8,), "policy_minibatch": 20}


def _run(name: Any, n_steps: int, state: TrainState | None = None) -> list[Iteration]:
    made = npvpg.make("CartPole-v1", algorithm=name, **SMALL)
    return list(npvpg.iterate(made.env, made.algorithm, seed=3, n_steps=n_steps, state=state))


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_that_stopped_goes_on_bit_for_bit(name: Any) -> None:
    whole = _run(name, 1500)
    saved = whole[1].state.to_arrays()
    rest = _run(name, 1500, TrainState.from_arrays(saved, Learner))
    assert len(rest) == len(whole) - 2 > 0
    ours, theirs = rest[-1].state.to_arrays(), whole[-1].state.to_arrays()
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    assert [one.diagnostics for one in rest] == [one.diagnostics for one in whole[2:]]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_it_learns(name: Any) -> None:
    made = npvpg.make("CartPole-v1", algorithm=name)
    updates = list(npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=40_000))
    assert updates[-1].mean_return > 3 * (updates[2].mean_return or np.nan)  # type: ignore[operator]


def test_names_and_flags_mean_steps() -> None:
    def step(**changes: Any) -> Any:
        return npvpg.make("CartPole-v1", lr_decay="constant", **changes).algorithm.policy_step

    flat = npvpg.Linear(0.05, 0.05)
    settings: dict[str, Any] = {"max_kl": 0.05, "damping": 0.2, "cg_steps": 7, "backtracks": 3}
    assert step(algorithm="natural", **settings) == NaturalStep(flat, 0.2, 7)
    assert step(algorithm="trpo", **settings) == NaturalStep(flat, 0.2, 7, LineSearch(3))
    ppo = step(
        algorithm="ppo",
        policy_lr=0.05,
        clip=0.1,
        policy_steps=3,
        policy_minibatch=5,
        standardize_minibatch=True,
        stop_kl=0.02,
        entropy_weight=0.01,
    )
    assert ppo == ClippedStep(npvpg.Ascent(flat), 0.1, 3, 5, True, 0.02, 0.01)
    assert npvpg.make("CartPole-v1", value_clip=0.2).algorithm.value_fit.value_clip == 0.2


def test_groups_take_the_place_of_the_estimator() -> None:
    rloo, grpo = (npvpg.make("CartPole-v1", algorithm=name).algorithm for name in ("rloo", "grpo"))
    assert rloo.weigh.estimator == npvpg.GroupRelative(0.99, 4, "leave-one-out")
    assert grpo.weigh.estimator == npvpg.GroupRelative(0.99, 4, "standardized", per_length=True)
    assert rloo.collect == npvpg.WholeEpisodes(4, True, True)
    assert rloo.value.is_zero
    assert isinstance(grpo.policy_step, ClippedStep)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_kl": 0.0}, "max_kl must be positive and finite, got 0"),
        ({"clip": 0.0}, "clip must be positive and finite, got 0"),
        ({"policy_steps": 0}, "policy_steps must be at least 1, got 0"),
        ({"cg_steps": 0}, "cg_steps must be at least 1, got 0"),
        ({"backtracks": 0}, "backtracks must be at least 1, got 0"),
        ({"damping": -1.0}, "damping must be at least 0 and finite, got -1"),
        ({"stop_kl": -1.0}, "stop_kl must be at least 0 and finite, got -1"),
        ({"value_clip": -1.0}, "value_clip must be at least 0 and finite, got -1"),
        ({"policy_minibatch": -1}, "policy_minibatch must be at least 0, got -1"),
        ({"group_baseline": "mean"}, "episodes must be at least 2 with group_baseline, got 1"),
        ({"update": "adam"}, "update must be one of gradient, natural, trpo, ppo, got 'adam'"),
    ],
)
def test_what_is_no_setting_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        npvpg.Config("CartPole-v1", **changes)


def test_every_algorithm_is_a_configuration() -> None:
    for name in ALGORITHMS:
        assert npvpg.configure("CartPole-v1", name).env == "CartPole-v1"  # type: ignore[arg-type]


def test_an_algorithm_has_settings_of_its_own_in_an_environment() -> None:
    """Over those of the environment, under those of a file and the flags."""
    assert npvpg.configure("Pendulum-v1", "trpo").max_kl == 0.02
    assert npvpg.configure("Pendulum-v1", "ppo").horizon == 256
    assert npvpg.configure("Pendulum-v1").horizon == 128
    assert npvpg.configure("Pendulum-v1", "ppo", value_steps=7).value_steps == 7
    for path in PRESETS.glob("*/*.toml"):
        assert config_file.read(path)
        assert path.parent.name in ALGORITHMS
        assert path.stem in {other.stem for other in PRESETS.glob("*.toml")}
