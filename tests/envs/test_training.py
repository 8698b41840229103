from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from npvpg.collect import FixedHorizon
from npvpg.distributions import Categorical
from npvpg.envs import CompiledEnv
from npvpg.estimators import GAE
from npvpg.loop import iterate
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.state import TrainState
from npvpg.value import MLPValue
from npvpg.vpg import Learner
from verification import flat


def start(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[Any]) -> None:
    """A point on a line, on either side of the middle."""
    state[0] = 4 * noise[0] - 2
    obs[0] = state[0]


def walk(state: NDArray[np.float64], action: int, obs: NDArray[Any]) -> tuple[float, bool]:
    """Every step costs the distance from the middle; going left or right is free."""
    state[0] += 0.25 if action == 1 else -0.25
    obs[0] = state[0]
    return -abs(state[0]), False


MIDDLE = CompiledEnv(
    start,
    walk,
    observation_space=Box(-np.inf, np.inf, (1,), dtype=np.float32),
    action_space=Discrete(2),
    state_size=1,
    max_episode_steps=20,
    n_reset_noise=1,
)
POLICY = Policy(MLP((1, 16, 2), "tanh"), Categorical(2))
VALUE = MLPValue(MLP((1, 16, 1), "tanh"))
ALGORITHM = flat.vpg(POLICY, VALUE, GAE(0.95, 0.95), FixedHorizon(40), Linear(0.02, 0.02))


def test_your_own_environment_is_learned() -> None:
    """Random actions lose about 20 an episode, the best ones about 5."""
    *_, last = iterate(MIDDLE(16), ALGORITHM, seed=1, n_steps=40_000)
    assert last.mean_return is not None
    assert last.mean_return > -8


def test_a_run_is_taken_up_in_mid_episode() -> None:
    whole = list(iterate(MIDDLE(3), ALGORITHM, seed=2, n_steps=720))
    half = list(iterate(MIDDLE(3), ALGORITHM, seed=2, n_steps=360))
    state = TrainState.from_arrays(half[-1].state.to_arrays(), Learner)
    rest = list(iterate(MIDDLE(3), ALGORITHM, seed=2, n_steps=720, state=state))
    assert np.array_equal(rest[-1].state.learner.theta, whole[-1].state.learner.theta)


def breaks(state: NDArray[np.float64], action: int, obs: NDArray[Any]) -> tuple[float, bool]:
    """The third step of sub-environments that begin right of the middle breaks what starts say."""
    state[1] += 1
    broken = state[1] == 3 and state[0] > 0
    obs[0] = np.nan if broken and state[2] > 0 else state[0]
    return np.nan if broken and state[2] == 0 else 0.0, broken and state[2] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "name"), [(0, "reward"), (1, "observation"), (2, "observation")], ids=str
)
def test_what_is_not_finite_is_named(what: int, name: str) -> None:
    """Also where it is the last observation of an episode, which no policy sees."""

    def begin(noise: NDArray[np.float64], state: NDArray[np.float64], obs: NDArray[Any]) -> None:
        state[0] = noise[0] - 0.5
        state[1] = 0
        state[2] = what
        obs[0] = state[0]

    broken = CompiledEnv(
        begin,
        breaks,
        observation_space=Box(-np.inf, np.inf, (1,), dtype=np.float32),
        action_space=Discrete(2),
        state_size=3,
        max_episode_steps=20,
        n_reset_noise=1,
    )
    rule = rf"^{name} must be finite, got nan from sub-environment \d at step 3 of an episode of "
    with pytest.raises(ValueError, match=rule):
        list(iterate(broken(4), ALGORITHM, seed=0, n_steps=200))
