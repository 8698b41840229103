"""The last 100 episodes, and when they solve an environment."""

import math

import numpy as np
import pytest

from npvpg.recent import RECENT, rolling_mean, solved
from npvpg.runs.progress import Progress


def test_the_rolling_mean_forgets_what_left_the_window() -> None:
    ret = np.concatenate([[1e17], np.full(200, 0.1)])
    assert rolling_mean(ret)[-1] == pytest.approx(0.1, rel=1e-14)


def test_the_rolling_mean_covers_a_hundred_episodes() -> None:
    ret = np.zeros(300)
    ret[50] = 100.0
    assert RECENT == 100
    assert rolling_mean(ret)[[49, 50, 149, 150]].tolist() == [0, 100 / 51, 1, 0]


def test_the_rolling_mean_needs_a_window() -> None:
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        rolling_mean(np.ones(3), 0)


@pytest.mark.parametrize(
    ("mean", "episodes", "threshold", "verdict"),
    [
        (475.0, 100, 475.0, True),  # the threshold met exactly, with exactly a hundred episodes
        (475.0, 99, 475.0, False),
        (math.nextafter(475.0, 0), 100, 475.0, False),
        (-100.0, 100, -100.0, True),
        (-101.0, 100, -100.0, False),
        (0.0, 100, 0.0, True),
        (500.0, 10_000, 475.0, True),
        (None, 0, 475.0, False),
        (500.0, 100, None, False),
    ],
)
def test_an_environment_is_solved_by_a_hundred_episodes_that_reach_its_threshold(
    mean: float | None, episodes: int, threshold: float | None, verdict: bool
) -> None:
    assert solved(mean, episodes, threshold) is verdict
    assert Progress(mean_return=mean, episodes_rows=episodes).reaches(threshold) is verdict
