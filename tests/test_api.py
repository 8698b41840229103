"""The public face: what a script or a notebook takes from `npvpg` itself."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

import npvpg
from npvpg.command.main import main
from verification.oracles import returns as textbook

SHORT: dict[str, Any] = {
    "steps": 256,
    "envs": 2,
    "horizon": 16,
    "hidden": (8,),
    "evaluation_episodes": 0,
    "quiet": True,
}


def test_every_public_name_is_there_and_its_own() -> None:
    for name in npvpg.__all__:
        assert getattr(npvpg, name).__name__ == name
    assert set(npvpg.__all__) < set(dir(npvpg))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        npvpg.nothing  # noqa: B018


def test_importing_costs_nothing() -> None:
    program = "import sys, npvpg; print(sorted({'numpy', 'numba', 'gymnasium'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("env", "settings"),
    [
        ("CartPole-v1", {}),
        ("CartPole-v1", {"backend": "gymnasium", "dtype": "float64", "normalize_obs": True}),
        ("Pendulum-v1", {}),
        ("Pendulum-v1", {"action_bound": "tanh"}),
    ],
)
def test_a_trained_policy_acts_on_one_observation(
    env: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    trained = npvpg.train(env, out=tmp_path / "run", **(SHORT | settings))
    assert trained.summary["steps"] == 256
    policy = npvpg.load(trained.path, seed=1)
    world = gymnasium.make(env)
    obs, _ = world.reset(seed=0)
    drawn = set()
    for _ in range(50):
        action = policy(obs)
        assert world.action_space.contains(action)
        obs, _, terminated, truncated, _ = world.step(action)
        if terminated or truncated:
            obs, _ = world.reset()
        drawn.add(np.asarray(policy(np.zeros_like(obs))).tobytes())
        greedy = policy(obs, greedy=True)
        assert np.array_equal(greedy, policy(list(obs), greedy=True))
    assert len(drawn) > 1  # it is drawn
    again = npvpg.load(trained.path, seed=1)
    assert np.array_equal(again(obs), npvpg.load(trained.path, seed=1)(obs))


def test_it_acts_as_the_run_did(tmp_path: Path) -> None:
    """Greedy, from the same first states, it has the returns that the evaluation has."""
    path = npvpg.train("CartPole-v1", out=tmp_path / "run", **(SHORT | {"steps": 4096})).path
    policy, world = npvpg.load(path), gymnasium.make("CartPole-v1")
    found = npvpg.evaluate(path, episodes=20)["greedy"]
    returns = []
    for seed in range(20):
        obs, _ = world.reset(seed=seed)
        ended, total = False, 0.0
        while not ended:
            obs, rew, terminated, truncated, _ = world.step(policy(obs, greedy=True))
            ended, total = terminated or truncated, total + float(rew)
        returns.append(total)
    apart = abs(np.mean(returns) - found["mean"])
    assert apart < 6 * np.sqrt((np.var(returns) + found["std"] ** 2) / 20) + 1e-9


def test_what_is_no_observation_is_refused(tmp_path: Path) -> None:
    policy = npvpg.train("CartPole-v1", out=tmp_path / "run", **SHORT).policy
    for wrong in (np.zeros(3), np.zeros((1, 4)), np.full(4, np.nan), "left"):
        with pytest.raises(ValueError, match=r"obs"):
            policy(wrong)


def test_the_same_words_are_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    npvpg.train("CartPole-v1", out="script", **SHORT)
    line = "--steps 256 --envs 2 --horizon 16 --hidden 8 --evaluation-episodes 0 --out command"
    assert main(["train", "CartPole-v1", *line.split()]) == 0
    for name in ("config.toml", "metrics.csv", "episodes.csv"):
        assert Path("script", name).read_bytes() == Path("command", name).read_bytes()


def test_made_parts_fit_together() -> None:
    made = npvpg.make("CartPole-v1", hidden=(8,), envs=3)
    assert isinstance(made.policy.distribution, npvpg.Categorical)
    assert made.algorithm.policy is made.policy
    assert made.algorithm.value is made.value
    update = next(npvpg.iterate(made.env, made.algorithm, seed=0, n_steps=10))
    assert update.steps == 3 * made.config.horizon
    made.env.close()
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got 2"):
        npvpg.make("CartPole-v1", gamma=2.0)


class Nest(gymnasium.Env[Any, Any]):
    """Observations and actions in a Dict and a Tuple."""

    observation_space = spaces.Dict({"at": spaces.Discrete(3, start=-1), "x": spaces.Box(-1, 1)})
    action_space = spaces.Tuple((spaces.Discrete(2, start=5), spaces.Box(-2.0, 2.0, (2,))))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action)
        return self.observation_space.sample(), 0.0, bool(self.np_random.random() < 0.1), False, {}


gymnasium.register("Nest-v9", f"{__name__}:Nest", max_episode_steps=9)


def test_nested_spaces(tmp_path: Path) -> None:
    policy = npvpg.train("Nest-v9", out=tmp_path / "run", **SHORT).policy
    world = gymnasium.make("Nest-v9")
    obs, _ = world.reset(seed=0)
    for greedy in (False, True):
        assert world.action_space.contains(policy(obs, greedy=greedy))
    with pytest.raises(ValueError, match="observation"):
        policy({"at": 0})


@given(st.integers(1, 7), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_rectangles_of_steps(n_steps: int, n_envs: int, seed: int) -> None:
    """Every trajectory has the rewards-to-go of the text book, and stands where it was."""
    rng = np.random.default_rng(seed)
    rew, val, after = rng.integers(-9, 9, (3, n_steps, n_envs)).astype(float)
    terminated, truncated = rng.random((2, n_steps, n_envs)) < 0.3
    flat = npvpg.trajectories(rew, val, after, terminated, truncated)
    psi = npvpg.RewardToGo(0.5)(*flat).reshape(n_envs, n_steps).T
    for i in range(n_envs):
        want: list[float] = []
        ends = [*(terminated | truncated)[:-1, i], True]
        columns = [x[:, i].tolist() for x in (rew, val, after)]
        columns += [ends, terminated[:, i].tolist()]
        for part in textbook.segments(*columns):
            want += textbook.reward_to_go(part[0], part[2], 0.5)
        assert psi[:, i].tolist() == want
    assert flat.start[-1] == rew.size
    assert all(a < b for a, b in pairwise(flat.start))
    with pytest.raises(ValueError, match="val must have shape"):
        npvpg.trajectories(rew, val[:, :1].repeat(n_envs + 1, 1), after, terminated, truncated)
