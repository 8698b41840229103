import dataclasses
from typing import Any

import pytest

from npvpg.runs.changes import differences
from npvpg.runs.config import FIELDS, Config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gamma": 1.2}, "gamma must lie in [0, 1], got 1.2"),
        ({"gamma": float("nan")}, "gamma must lie in [0, 1], got nan"),
        ({"lam": -0.1}, "lam must lie in [0, 1], got -0.1"),
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"hidden": (64, 0)}, "hidden must hold widths of at least 1, got 64 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"envs": 0}, "envs must be at least 1, got 0"),
        ({"episodes": 0}, "episodes must be at least 1, got 0"),
        ({"horizon": -1}, "horizon must be at least 0, got -1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"policy_lr": 0.0}, "policy_lr must be positive and finite, got 0.0"),
        ({"value_lr": float("inf")}, "value_lr must be positive and finite, got inf"),
        ({"reward_scale": -1.0}, "reward_scale must be positive and finite, got -1.0"),
        ({"value_steps": -1}, "value_steps must be at least 0, got -1"),
        ({"value_minibatch": -1}, "value_minibatch must be at least 0, got -1"),
        ({"checkpoint_every": 0}, "checkpoint_every must be at least 1, got 0"),
        ({"evaluation_episodes": -1}, "evaluation_episodes must be at least 0, got -1"),
        ({"entropy_weight": -0.1}, "entropy_weight must be at least 0 and finite, got -0.1"),
        ({"max_grad_norm": float("inf")}, "max_grad_norm must be at least 0 and finite, got inf"),
        ({"init_log_sigma": 3.0}, "init_log_sigma must lie in [-20, 2], got 3.0"),
        ({"env": ""}, "env must name an environment, got ''"),
        (
            {"activation": "tan"},
            "activation must be one of tanh, relu, got 'tan' (did you mean tanh?)",
        ),
        (
            {"dtype": "float16"},
            "dtype must be one of float32, float64, got 'float16' (did you mean float64 or "
            "float32?)",
        ),
    ],
)
def test_a_value_out_of_range_is_named_with_its_rule(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        Config(**({"env": "CartPole-v1"} | values))
    assert str(caught.value) == message


def test_it_cannot_be_changed_after_its_values_were_checked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config("CartPole-v1").gamma = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("estimator", ["total-return", "leave-one-out", "reward-to-go"])
def test_estimators_without_v_collect_whole_episodes(estimator: Any) -> None:
    assert Config("CartPole-v1", estimator=estimator, horizon=32).whole_episodes
    assert not Config("CartPole-v1", estimator="baseline", horizon=32).whole_episodes
    assert Config("CartPole-v1", estimator="baseline", horizon=0).whole_episodes


def test_leave_one_out_needs_another_episode() -> None:
    message = r"^envs or episodes must be at least 2 with leave-one-out, got 1$"
    with pytest.raises(ValueError, match=message):
        Config("CartPole-v1", estimator="leave-one-out", envs=1)
    assert Config("CartPole-v1", estimator="leave-one-out", envs=2).whole_episodes
    assert Config("CartPole-v1", estimator="leave-one-out", envs=1, episodes=2).whole_episodes


def test_differences_name_every_field_that_changed_and_no_other() -> None:
    ours = Config("CartPole-v1", gamma=0.9, hidden=(8,))
    assert differences(ours, ours) == []
    theirs = Config("CartPole-v1", gamma=0.99, hidden=(64, 64))
    assert differences(ours, theirs) == [
        "hidden ((8,), was (64, 64))",
        "gamma (0.9, was 0.99)",
    ]
    assert "env" in FIELDS


def test_every_group_of_the_help_begins_with_a_field_and_none_is_empty() -> None:
    places = [FIELDS.index(first) for first in Config.groups.values()]
    assert places == sorted(set(places))
    assert places[0] == 0
