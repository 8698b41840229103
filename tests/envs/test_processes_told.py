"""Environments in processes of their own: what they do wrong, or die of, is one line."""

import multiprocessing
import os
import re
import signal
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from npvpg.envs.faults import EnvError
from npvpg.envs.processes import ProcessVectorEnv
from npvpg.envs.serial import SerialVectorEnv
from npvpg.world.vector import SeededVectorEnv
from tests.world.hostile import BYTES, OBS, Toy, gives, plain, raises, shows, toy
from tests.world.test_hostile import PLACE, drive

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def second(make: Any) -> Any:
    """Makes toys, and something else for the second of the workers; the first call is a sample."""
    space = getattr(make, "observation_space", Toy.observation_space)
    good = toy(observation_space=space, show=lambda self: plain(space))
    return lambda: make() if multiprocessing.current_process().name.endswith("-1") else good()


def end(self: Any, *args: Any, how: Any = None, **kwargs: Any) -> Any:
    """Break off without a word."""
    if isinstance(how, signal.Signals):
        os.kill(os.getpid(), how)
    os._exit(how)


def dies(method: str, how: Any) -> Any:
    return toy(**{method: lambda self, *a, **k: end(self, how=how)})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            raises(lambda: KeyError("x")),
            r"sub-environment 1 failed {}: KeyError: 'x' \(.*hostile",
        ),
        (
            raises(lambda: SystemExit(0)),
            r"sub-environment 1 failed {}: sys.exit\(0\) \(.*hostile",
        ),
        (
            raises(RuntimeError, "reset"),
            r"sub-environment 1 failed {}: RuntimeError \(.*hostile",
        ),
        (shows(BYTES, [300, 0]), "must fit uint8, .* got 300 from sub-environment 1 {}$"),
        (
            gives(OBS, 1.0, {}, False, {}),
            r"terminated must .* got \{{\}}: .* sub-environment 1 {}$",
        ),
        (gives(OBS, "1", False, False, {}), "reward must be one .* from sub-environment 1 {}$"),
        (gives(OBS, 1.0, False, {}), "got 4 values from sub-environment 1 {}$"),
        (dies("step", 3), "^sub-environment 1 failed .*: its process ended with exit code 3$"),
        (
            dies("step", signal.SIGKILL),
            "^sub-environment 1 failed .*: its process ended by SIGK",
        ),
        (dies("reset", 0), "^sub-environment 1 failed {}: its process ended with exit code 0$"),
    ],
)
def test_what_goes_wrong_in_a_worker(make: Any, said: str) -> None:
    vector = ProcessVectorEnv(second(make), 3)
    try:
        with pytest.raises(EnvError) as caught:
            drive(vector)
    finally:
        vector.close()
    assert re.search(said.format(PLACE), str(caught.value)), caught.value
    assert "\n" not in str(caught.value)
    if "KeyError" in said:  # a later `--traceback` can show where it came from
        assert "raise error()" in "".join(caught.value.__notes__)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            partial(os._exit, 7),
            "^sub-environment 1 failed as it was made: its process ended with exit co",
        ),
        (
            raises(lambda: KeyError("x"), "__init__"),
            r"^sub-environment 1 failed .* KeyError: 'x' \(",
        ),
        (
            raises(lambda: SystemExit(4), "__init__"),
            r"^sub-environment 1 failed .* sys.exit\(4\) \(",
        ),
        (
            toy(action_space=None),
            "action_space must be .* got None from sub-environment 1 as it was",
        ),
        (
            toy(action_space=gymnasium.spaces.Discrete(3)),
            "must be the same in every sub-environment",
        ),
    ],
)
def test_what_goes_wrong_as_a_worker_begins(make: Any, said: str) -> None:
    with pytest.raises(EnvError, match=said):
        ProcessVectorEnv(second(make), 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (raises(lambda: KeyError("x")), r"^sub-environment 1 failed {}: KeyError: 'x'$"),
        (
            dies("step", 3),
            "^sub-environment 1 failed at step 1 .*: its process ended with exit code",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*(ERROR|WARN).*")
def test_workers_of_gymnasium(make: Any, said: str) -> None:
    vector = AsyncVectorEnv([second(make)] * 3, autoreset_mode=AutoresetMode.DISABLED)
    try:
        with pytest.raises(EnvError, match=said.format(PLACE.replace("Toy", "AsyncV.*"))):
            drive(vector)
    finally:
        for process in vector.processes:  # it cannot be closed any more
            process.terminate()
            process.join()
        vector.closed = True


def test_workers_play_what_the_loop_plays() -> None:
    make = partial(gymnasium.make, "CartPole-v1")
    seen = []
    for vector in (ProcessVectorEnv(make, 2), SerialVectorEnv(make, 2)):
        env = SeededVectorEnv(vector, seed=1)
        first = env.reset(np.ones(2, bool), np.zeros(2, np.int64))
        seen.append([first, *(env.step(np.array([0, 1]))[0] for _ in range(5))])
        vector.close()
    assert np.array_equal(np.array(seen[0]), np.array(seen[1]))


def test_a_worker_hears_no_options_where_there_are_none() -> None:
    def reset(self: Any, *, seed: Any = None, options: Any = None) -> Any:
        return np.full(2, options is None, np.float32), {}

    vector = ProcessVectorEnv(toy(reset=reset), 2)
    env = SeededVectorEnv(vector, seed=1)
    assert env.reset(np.ones(2, bool), np.zeros(2, np.int64)).tolist() == [[1, 1], [1, 1]]
    vector.close()


def test_a_worker_that_fails_as_it_is_closed_spoils_nothing() -> None:
    vector = ProcessVectorEnv(second(raises(RuntimeError, "close")), 3)
    drive(vector)
    vector.close()
    assert not any(process.is_alive() for process in vector.processes)
