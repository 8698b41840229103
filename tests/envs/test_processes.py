import os
import signal
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode

from npvpg.envs.processes import ProcessVectorEnv
from npvpg.runs.environments import quiet
from npvpg.world.vector import SeededVectorEnv

PARENT = os.getpid()


class UnpicklableError(Exception):
    """An error that no pickle brings back."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first}, {second}")


class Falls(gymnasium.Env[Any, Any]):
    """An environment whose second sub-environment does something at its third step."""

    observation_space = Box(-np.inf, np.inf, (1,), np.float64)
    action_space = Discrete(2)

    def __init__(self, what: Callable[[], Any], at: str = "step") -> None:
        self.what, self.at, self.t, self.seed = what, at, 0, 0
        if at == "init" and os.getpid() != PARENT:
            what()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        del options
        self.seed = seed or 0
        return np.zeros(1), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        if self.t == 3 and self.seed == 1 and self.at == "step":
            self.what()
        return np.full(1, self.t), 1.0, False, False, {}

    def close(self) -> None:
        if self.at == "close" and os.getpid() != PARENT:
            self.what()


def die(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def raises(error: BaseException) -> Callable[[], Any]:
    def do() -> None:
        raise error

    return do


FAILURES = [
    (raises(RuntimeError("boom")), r"RuntimeError: boom \(.*test_processes\.py:\d+\)"),
    (raises(KeyError("x")), r"KeyError: 'x'"),
    (raises(UnpicklableError("a", "b")), r"UnpicklableError: a, b"),
    (raises(SystemExit("window closed")), r"sys\.exit\('window closed'\)"),
    (raises(SystemExit(0)), r"sys\.exit\(0\)"),
    (lambda: os._exit(3), r"sub-environment \d failed .*: its process ended with exit code 3"),
    (lambda: die(signal.SIGKILL), r"sub-environment \d failed .*: its process ended by SIGKILL"),
]


@pytest.mark.parametrize(("what", "words"), FAILURES)
def test_whatever_ends_a_step_is_told_and_blamed(
    what: Callable[[], Any], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with quiet():
        env = ProcessVectorEnv(lambda: Falls(what), 3)
        env.reset(seed=[0, 1, 2], options={"reset_mask": np.ones(3, bool)})
        for _ in range(2):
            env.step(np.zeros(3, np.int64))
        with pytest.raises(ValueError, match=words):
            env.step(np.zeros(3, np.int64))
        assert [pipe is None for pipe in env.parent_pipes] == [False, True, False]
        env.close()
    assert not any(process.is_alive() for process in env.processes)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("what", "words"), FAILURES)
def test_whatever_ends_the_making_is_told(
    what: Callable[[], Any], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with quiet(), pytest.raises(ValueError, match=words):
        ProcessVectorEnv(lambda: Falls(what, "init"), 2)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("what", [what for what, _ in FAILURES])
def test_what_fails_as_it_is_closed_has_nothing_left_to_lose(
    what: Callable[[], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    env = ProcessVectorEnv(lambda: Falls(what, "close"), 2)
    env.reset(seed=[5, 6], options={"reset_mask": np.ones(2, bool)})
    env.close()
    assert capfd.readouterr().err == ""


def test_it_is_gymnasium_s_own_otherwise() -> None:
    env = ProcessVectorEnv(lambda: gymnasium.make("CartPole-v1"), 2)
    own = gymnasium.vector.SyncVectorEnv(
        [lambda: gymnasium.make("CartPole-v1")] * 2, autoreset_mode=AutoresetMode.DISABLED
    )
    assert env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    first, second = SeededVectorEnv(env, 0), SeededVectorEnv(own, 0)
    mask, number = np.ones(2, bool), np.zeros(2, np.int64)
    np.testing.assert_array_equal(first.reset(mask, number), second.reset(mask, number))
    for _ in range(5):
        for a, b in zip(first.step(number), second.step(number), strict=True):
            np.testing.assert_array_equal(a, b)
    env.close()
