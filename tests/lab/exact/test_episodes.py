import numpy as np
import pytest

from npvpg.lab.exact import Process, episodes, random_process


def test_by_hand() -> None:
    """One state: action 0 stays, action 1 ends it; two steps."""
    transition = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    reward = np.array([[[2.0, 0.0], [0.0, 3.0]]])
    flat = episodes(Process(transition, reward, np.ones(1), 2, 1.0), np.array([[0.25, 0.75]]))
    assert flat.probability.tolist() == [0.75, 0.0625, 0.1875]
    assert flat.start.tolist() == [0, 1, 3, 5]
    assert flat.act.tolist() == [1, 0, 0, 0, 1]
    assert flat.rew.tolist() == [3, 2, 2, 2, 3]
    assert flat.time.tolist() == [0, 0, 1, 0, 1]
    assert flat.last_state.tolist() == [1, 0, 1]
    assert flat.last_time.tolist() == [1, 2, 2]
    assert flat.terminated.tolist() == [True, False, True]


def test_too_many_are_refused() -> None:
    process = random_process(np.random.default_rng(0), 4, 4, 9, 1.0)
    with pytest.raises(ValueError, match="episodes must have at most 1000000 steps in all"):
        episodes(process, np.full((4, 4), 0.25))


def test_the_policy_has_its_shape() -> None:
    process = random_process(np.random.default_rng(0), 2, 2, 2, 1.0)
    with pytest.raises(ValueError, match=r"pi must have shape \(2, 2\)"):
        episodes(process, np.full((2, 3), 1 / 3))
