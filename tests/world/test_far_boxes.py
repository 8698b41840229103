"""Boxes of actions that lie away from zero, or are of another size than 1, are learnt in."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import npvpg
from npvpg.state import Iteration, TrainState
from npvpg.vpg import Learner

SETTINGS: dict[str, Any] = {
    "steps": 12_000,
    "envs": 8,
    "horizon": 32,
    "hidden": (16,),
    "init_log_sigma": -1.0,  # with wider noise it pays to hide at the bound
    "policy_lr": 0.02,
    "standardize": True,
    "evaluation_episodes": 8,
    "quiet": True,
}


class Aim(gymnasium.Env[Any, Any]):
    """Pays minus the distance of the action from a quarter of the Box, in half-widths."""

    observation_space = spaces.Box(-1, 1, (1,))

    def __init__(self, low: float, high: float, whole: bool = False) -> None:
        kind: Any = np.int64 if whole else np.float32
        self.action_space: Any = spaces.Box(low, high, (2,), kind)
        self.goal, self.half = low + (high - low) / 4, (high - low) / 2

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        far = float(np.abs(action - self.goal).sum()) / self.half
        return np.zeros(1, np.float32), -far, self.t == 8, False, {}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("test_far_boxes", None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("low", "high", "whole"),
    [(5.0, 35.0, False), (1000.0, 5000.0, False), (0.0, 1e-3, False), (100, 140, True)],
)
def test_any_bounded_box_is_learnt_in(low: float, high: float, whole: bool, tmp_path: Path) -> None:
    arguments = {"low": low, "high": high, "whole": whole}
    path = tmp_path / "run"
    made = npvpg.train("test_far_boxes:Aim", env_arg=arguments, out=path, seed=1, **SETTINGS)
    # the centre pays -8, the goal 0; whole numbers miss it by less than a half
    assert made.summary["evaluation"]["greedy"]["mean"] > -2


def test_the_share_of_clipped_actions_is_told() -> None:
    arguments = {"low": 5.0, "high": 35.0}
    shares = {}
    for bound in ("clip", "scale", "tanh"):
        made = npvpg.make("test_far_boxes:Aim", env_arg=arguments, action_bound=bound)
        first = next(iter(npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=1)))
        shares[bound] = first.diagnostics.get("clipped")
        made.env.close()
    assert shares["clip"] is not None
    assert shares["clip"] > 0.99  # five sigma from 0 to the least action
    assert shares["scale"] is not None
    assert 0.25 < shares["scale"] < 0.4  # beyond one sigma: 0.317
    assert shares["tanh"] is None


def test_it_goes_on_bit_for_bit_in_mid_episode() -> None:
    def iterations(state: TrainState | None) -> Iterator[Iteration]:
        arguments = {"low": 5.0, "high": 35.0}
        made = npvpg.make("test_far_boxes:Aim", env_arg=arguments, envs=2, horizon=3, hidden=(4,))
        return npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=24, state=state)

    whole = [iteration.state for iteration in iterations(None)]
    assert whole[1].position.length.any()
    kept = TrainState.from_arrays(whole[1].to_arrays(), Learner)
    resumed = [iteration.state for iteration in iterations(kept)]
    assert len(whole) == 2 + len(resumed) == 4
    for name, array in resumed[-1].to_arrays().items():
        assert np.array_equal(array, whole[-1].to_arrays()[name]), name
