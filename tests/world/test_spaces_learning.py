"""Every space of actions is trained from the command line, and learns what its observation says."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import gymnasium
import numpy as np
import pytest

from npvpg.command.main import main
from npvpg.loop import iterate
from npvpg.runs import environments
from npvpg.runs.build import build
from npvpg.runs.config import Config
from npvpg.state import Iteration, TrainState
from npvpg.vpg import Learner

SETTINGS = "--steps 8000 --hidden 32 --policy-lr 0.02 --gamma 0.9 --evaluation-episodes 50"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.chdir(tmp_path)
    before = set(gymnasium.registry)
    yield
    for name in set(gymnasium.registry) - before:
        if not name.startswith("npvpg/"):  # those are registered once, by an import
            del gymnasium.registry[name]
    sys.modules.pop("copying", None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "bound", "policy", "best_blind"),
    [
        ("Shifted", "clip", "categorical of 4", 3 / 4),
        (
            "Digits",
            "clip",
            "product of categorical of 3, categorical of 4",
            3 * (1 / 3 + 1 / 4) / 2,
        ),
        ("Bits", "clip", "Bernoulli of 3", 3 / 2),
        ("Pair", "clip", "product of categorical of 3, Gaussian of 1 (free sigma)", 1.625),
        (
            "Pair",
            "tanh",
            "product of categorical of 3, Gaussian of 1, squashed by tanh (free sigma)",
            1.625,
        ),
        ("Nest", "clip", "product of categorical of 3, Bernoulli of 2, Gaussian of 1", 1.583),
    ],
)
def test_it_learns_and_can_go_on(
    task: str, bound: str, policy: str, best_blind: float, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"train copying:{task}-v0 {SETTINGS} --action-bound {bound} --out"
    assert main([*line.split(), "run"]) == 0
    assert f"policy      {policy}" in capsys.readouterr().out
    summary = json.loads(Path("run/summary.json").read_text())
    # 3 is the most there is; best_blind is the most for who does not look
    greedy, sampled = (summary["evaluation"][kind]["mean"] for kind in ("greedy", "sampled"))
    assert greedy > 2.6
    assert sampled > best_blind + 0.25 * (3 - best_blind)
    assert main(["evaluate", "run", "--episodes", "5", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["greedy"]["mean"] > 2.5


@pytest.mark.parametrize("action_bound", ["clip", "tanh"])
def test_it_goes_on_bit_for_bit_in_mid_episode(action_bound: Literal["clip", "tanh"]) -> None:
    config = Config(
        "copying:Nest-v0", envs=2, horizon=4, hidden=(8,), steps=64, action_bound=action_bound
    )

    def iterations(state: TrainState | None) -> Iterator[Iteration]:
        env = environments.make(config.env, config.envs, action_bound=action_bound)
        return iterate(env, build(config, env), seed=0, n_steps=config.steps, state=state)

    whole = [iteration.state for iteration in iterations(None)]
    assert whole[3].position.length.any()  # in the middle of an episode
    assert whole[3].position.history.shape[2] == 4
    kept = TrainState.from_arrays(whole[3].to_arrays(), Learner)
    resumed = [iteration.state for iteration in iterations(kept)]
    assert len(whole) == 4 + len(resumed) == 8
    for name, array in resumed[-1].to_arrays().items():
        assert np.array_equal(array, whole[-1].to_arrays()[name]), name
