"""G3, leaf by leaf: nothing of a saved run can be lost unseen, in any order of use."""

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

import npvpg
from npvpg.collect import FixedHorizon
from npvpg.distributions import Categorical
from npvpg.estimators import GAE
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.state import TrainState
from npvpg.value import MLPValue
from npvpg.vpg import Learner
from npvpg.world.actor import Actor
from npvpg.world.rollout import play_episodes
from npvpg.world.streams import Purpose
from npvpg.world.vector import SeededVectorEnv
from verification import flat
from verification.claims import claim, require

Arrays = dict[str, NDArray[np.generic]]

SEED, N_ENVS, N_STEPS = 11, 2, 320
POLICY = Policy(MLP((4, 6, 2)), Categorical(2))
VALUE = MLPValue(MLP((4, 6, 1)))
# every part of the state is used: schedules, both optimisers, minibatches, both normalisers
ALGORITHM = flat.vpg(
    POLICY,
    VALUE,
    GAE(0.9, 0.9),
    FixedHorizon(20),
    Linear(3e-2, 0.0),
    value_steps=2,
    value_minibatch=13,
    normalize_obs=True,
    normalize_rewards=True,
)
N_UPDATES = N_STEPS // (20 * N_ENVS)
LENGTH = "position.seed_bits"  # of the episodes' seeds, which old states do not say
LEAVES = sorted(initial_state(ALGORITHM, n_envs=N_ENVS, seed=SEED).to_arrays().keys() - {LENGTH})


def _env() -> VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    env: VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]] = gym.make_vec(
        "CartPole-v1",
        N_ENVS,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
    )
    return env


def run(state: TrainState | None = None) -> list[Arrays]:
    """
    Run to the end, from the beginning or from a state.

    Parameters
    ----------
    state : TrainState, optional
        Where to go on.

    Returns
    -------
    list of dict of str to ndarray
        The state after every update, as arrays.
    """
    env = _env()
    try:
        steps = iterate(env, ALGORITHM, seed=SEED, n_steps=N_STEPS, state=state)
        return [{**step.state.to_arrays(), **_told(step.episodes)} for step in steps]
    finally:
        env.close()


def resumed(saved: Arrays) -> list[Arrays]:
    """Go on from saved arrays; nothing if they cannot be returned to, which is seen at once."""
    try:
        return run(TrainState.from_arrays(saved, Learner))
    except (ValueError, IndexError):
        return []


def _told(episodes: tuple[tuple[int, float, int], ...]) -> Arrays:
    """Episodes of an update under a name of their own, so that they are compared as well."""
    return {"episodes": np.array(episodes, np.float64).reshape(-1, 3)}


def same(one: Arrays, other: Arrays) -> bool:
    """Compare all arrays bit for bit."""
    return one.keys() == other.keys() and all(
        one[k].dtype == other[k].dtype and np.array_equal(one[k], other[k]) for k in one
    )


@pytest.fixture(scope="module")
def whole() -> list[Arrays]:
    """Give a run that never stopped, with finished episodes and others in the middle."""
    states = run()
    assert len(states) == N_UPDATES
    assert len(states[2]["recent"]) > 0
    assert states[2]["position.length"].min() > 0
    return states


@claim("G3")
@pytest.mark.parametrize("leaf", LEAVES)
def test_no_leaf_can_be_lost(whole, leaf):
    """Left out it is asked for by name; reset to its beginning it makes another run."""
    saved = dict(whole[2])
    del saved["episodes"]
    require(saved.keys() == {LENGTH, *LEAVES}, "all that is saved is tried here")
    rest = resumed(saved)
    require(len(rest) == N_UPDATES - 3 and all(map(same, rest, whole[3:])), leaf)
    with pytest.raises(ValueError, match=f"arrays must hold {leaf}"):
        TrainState.from_arrays({k: v for k, v in saved.items() if k != leaf}, Learner)
    begun = initial_state(ALGORITHM, n_envs=N_ENVS, seed=SEED).to_arrays()
    other = resumed({**saved, leaf: begun[leaf]})
    as_if = len(other) == N_UPDATES - 3 and all(map(same, other, whole[3:]))
    require(not as_if, leaf)


@claim("G3")
def test_a_run_of_old_goes_on_with_seeds_as_long_as_its_own(whole):
    """A state that does not say how long they are is of a run whose seeds had 63 bits."""
    begun = initial_state(ALGORITHM, n_envs=N_ENVS, seed=SEED)
    old = run(begun._replace(position=begun.position._replace(seed_bits=63)))
    require(not same(old[-1], whole[-1]), "other episodes")
    saved = {k: v for k, v in old[2].items() if k not in ("episodes", LENGTH)}
    rest = resumed(saved)
    require(len(rest) == N_UPDATES - 3 and all(map(same, rest, old[3:])))
    require(not resumed({**saved, LENGTH: whole[2][LENGTH]}), "no other goes on")


@claim("G3")
def test_a_fresh_process_goes_on(whole, tmp_path):
    """Saved to a file, read by an interpreter that knows nothing else."""
    saved, result = tmp_path / "saved.npz", tmp_path / "result.npz"
    np.savez(saved, **{k: v for k, v in whole[4].items() if k != "episodes"})
    root = Path(npvpg.__file__).parent.parent
    program = (
        "import sys, numpy as np\n"
        "from npvpg.state import TrainState\n"
        "from npvpg.vpg import Learner\n"
        "from verification.mathematics.test_resume import run\n"
        "state = TrainState.from_arrays(dict(np.load(sys.argv[1])), Learner)\n"
        "np.savez(sys.argv[2], **run(state)[-1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, saved, result],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    require(same(dict(np.load(result)), whole[-1]))


@claim("G3")
@pytest.mark.parametrize("lost", ["position.history", "position.env."])
@pytest.mark.parametrize(
    "name", ["CartPole-v1", "Acrobot-v1", "Pendulum-v1", "HalfCheetah-v5", "Ant-v5", "Reacher-v5"]
)
def test_an_environment_held_in_arrays_is_put_back(name, lost):
    """Where it stands is in the state; without that, as in old runs, the actions lead there."""
    if name.endswith("-v5"):
        pytest.importorskip("mujoco")
    settings = {"envs": 2, "horizon": 20, "hidden": (4,), "value_steps": 1}

    def states(state=None):
        made = npvpg.make(name, **settings)
        steps = npvpg.iterate(made.env, made.algorithm, seed=SEED, n_steps=240, state=state)
        every = [step.state.to_arrays() for step in steps]
        made.env.close()
        return every

    expected = states()
    saved = dict(expected[2])
    assert saved["position.length"].all()
    if lost.endswith("."):
        saved = {k: v for k, v in saved.items() if not k.startswith(lost)}
    else:
        saved[lost] = saved[lost] * 0 + 1  # no replay of these leads there
    rest = states(TrainState.from_arrays(saved, Learner))
    require(len(rest) == 3)
    for have, want in zip(rest, expected[3:], strict=True):
        require(have.keys() == want.keys())
        for part in want.keys() - {"position.history"}:
            require(have[part].tobytes() == want[part].tobytes(), f"{part} of {name}")


@claim("G3")
def test_a_state_that_does_not_fit_is_not_put_back():
    """Of another version of a library, say: then the actions lead there, and nothing is lost."""
    made = npvpg.make("Pendulum-v1", envs=2, horizon=20, hidden=(4,), value_steps=1)
    every = [s.state for s in npvpg.iterate(made.env, made.algorithm, seed=SEED, n_steps=160)]
    for change in (lambda a: a[:, :1], lambda a: a + 1e-3):
        told = every[1].position.env
        held = {k: change(v) if k in ("state", "obs") else v for k, v in told.items()}
        state = every[1]._replace(position=every[1].position._replace(env=held))
        rest = npvpg.iterate(made.env, made.algorithm, seed=SEED, n_steps=160, state=state)
        last = list(rest)[-1].state.to_arrays()
        for part, want in every[-1].to_arrays().items():
            require(last[part].tobytes() == want.tobytes(), part)
    made.env.close()


class Usage(RuleBasedStateMachine):
    """Steps, saves, returns to what was saved, and evaluations, in any order."""

    reference: list[Arrays]

    @initialize()
    def begin(self) -> None:
        """Start a run."""
        self.env = _env()
        self.saved: Arrays | None = None
        self._go(None)

    def _go(self, state: TrainState | None) -> None:
        self.steps = iterate(self.env, ALGORITHM, seed=SEED, n_steps=N_STEPS, state=state)
        self.state = state

    @rule()
    def step(self) -> None:
        """Make one update, which must be the one that the uninterrupted run made."""
        iteration = next(self.steps, None)
        made = self.state.iteration if self.state else 0
        if iteration is None:
            require(made == N_UPDATES, "it stops when the run is over")
            return
        self.state = iteration.state
        have = {**iteration.state.to_arrays(), **_told(iteration.episodes)}
        require(same(have, self.reference[made]), f"update {made + 1}")

    @precondition(lambda self: self.state is not None)
    @rule()
    def save(self) -> None:
        """Keep a copy of the state."""
        assert self.state is not None
        self.saved = {k: v.copy() for k, v in self.state.to_arrays().items()}

    @precondition(lambda self: self.saved is not None)
    @rule()
    def load(self) -> None:
        """Return to the last copy, in an environment that played something else meanwhile."""
        assert self.saved is not None
        self._go(TrainState.from_arrays(self.saved, Learner))

    @precondition(lambda self: self.state is not None)
    @rule()
    def evaluate(self) -> None:
        """Play with the policy elsewhere: no stream of the training may move."""
        assert self.state is not None
        env = _env()
        driver = SeededVectorEnv(env, SEED, Purpose.EVALUATION_EPISODE)
        actor = Actor(POLICY, self.state.learner.theta, self.state.obs_moments)
        play_episodes(driver, actor, n_episodes=2)
        env.close()

    def teardown(self) -> None:
        """Close the environment."""
        if hasattr(self, "env"):
            self.env.close()


@claim("G3")
def test_any_order_of_use(whole):
    """Whatever was done before, update k is update k."""
    machine = type("Machine", (Usage,), {"reference": whole})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=12))
