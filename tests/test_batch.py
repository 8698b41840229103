from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from npvpg.batch import Batch


def arrays(**changes: Any) -> dict[str, Any]:
    """Two trajectories, of two steps and of one, with two components of an observation."""
    return {
        "obs": np.arange(6.0).reshape(3, 2),
        "act": np.array([0, 1, 0]),
        "rew": np.array([1.0, 2.0, 3.0]),
        "start": np.array([0, 2, 3]),
        "last_obs": np.zeros((2, 2)),
        "terminated": np.array([True, False]),
    } | changes


def test_sizes() -> None:
    batch = Batch(**arrays())
    assert (batch.n_steps, batch.n_trajectories) == (3, 2)
    assert batch.lengths.tolist() == [2, 1]


def test_actions_may_have_components() -> None:
    act = np.zeros((3, 4), np.float32)
    assert Batch(**arrays(act=act)).act.dtype == np.float32


@pytest.mark.parametrize("name", list(arrays()))
def test_no_array_can_be_written_to(name: str) -> None:
    given = arrays()
    batch = Batch(**given)
    with pytest.raises(ValueError, match="read-only"):
        getattr(batch, name)[0] = 1
    with pytest.raises(FrozenInstanceError):
        setattr(batch, name, given[name])
    assert given[name].flags.writeable  # what the caller holds stays the caller's


def test_float32_observations_stay_float32() -> None:
    obs = np.zeros((3, 2), np.float32)
    batch = Batch(**arrays(obs=obs, last_obs=obs[:2]))
    assert batch.obs.dtype == np.float32
    assert batch.last_obs.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("obs", np.zeros(3), r"obs must have shape \(any, any\), got \(3,\)"),
        ("obs", np.zeros((4, 2)), r"rew must have shape \(4,\), got \(3,\)"),
        ("rew", np.zeros((3, 1)), r"rew must have shape \(3,\), got \(3, 1\)"),
        ("rew", np.zeros(1), r"rew must have shape \(3,\), got \(1,\)"),
        ("act", np.zeros(4, int), r"act must have shape \(3,\), got \(4,\)"),
        ("act", np.zeros((1, 3)), r"act must have shape \(3, any\), got \(1, 3\)"),
        ("act", np.array(0), r"act must have shape \(3,\), got \(\)"),
        ("act", np.zeros((3, 1, 1)), r"act must have shape \(3, any\), got \(3, 1, 1\)"),
        ("start", np.array([0, 2]), r"start must rise strictly from 0 to 3, got \[0 2\]"),
        ("start", np.array([0, 0, 3]), r"start must rise strictly from 0 to 3, got \[0 0 3\]"),
        ("last_obs", np.zeros((1, 2)), r"last_obs must have shape \(2, 2\), got \(1, 2\)"),
        ("last_obs", np.zeros((2, 1)), r"last_obs must have shape \(2, 2\), got \(2, 1\)"),
        ("terminated", np.array([True]), r"terminated must have shape \(2,\), got \(1,\)"),
        ("terminated", np.zeros((2, 1), bool), r"terminated must have shape \(2,\), got \(2, 1\)"),
        ("terminated", np.zeros(2), "terminated must be of dtype bool, got float64"),
        ("rew", np.array([1, np.nan, 0]), "rew must be finite, got nan at index 1"),
        ("obs", np.full((3, 2), np.inf), r"obs must be finite, got inf at index \(0, 0\)"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Batch(**arrays(**{name: value}))
