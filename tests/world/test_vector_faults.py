"""Vector environments of others: what they do wrong, and that old runs go on in the new ones."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from npvpg.envs.faults import EnvError
from npvpg.envs.serial import SerialVectorEnv, close
from npvpg.world.vector import SeededVectorEnv
from tests.world.hostile import Toy

OBS = np.zeros((2, 1))
NONE = np.zeros(2, bool)


class Vector(VectorEnv[Any, Any, Any]):
    """Two sub-environments that do as they are told."""

    def __init__(self, step: Any = None, reset: Any = (OBS, {}), obs: Any = None) -> None:
        self.num_envs = 2
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space = obs or spaces.Box(-9, 9, (1,), np.float64)
        self.single_action_space = spaces.Discrete(2)
        self.given = {"step": step, "reset": reset}

    def _give(self, name: str) -> Any:
        given = self.given[name]
        if isinstance(given, BaseException):
            raise given
        return given

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return self._give("reset")

    def step(self, actions: Any) -> Any:
        return self._give("step")


def five(**changes: Any) -> Any:
    parts = {"obs": OBS, "rew": np.ones(2), "terminated": NONE, "truncated": NONE, "info": {}}
    return tuple((parts | changes).values())


BYTES = spaces.Box(0, 255, (1,), np.uint8)
REWARD = "reward must hold one real number for each sub-environment, got "
END = "{} must hold one bool for each sub-environment, got "
STEP = r"step must return \(obs, reward, terminated, truncated, info\), got "


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (Vector((OBS, np.ones(2), NONE, {})), STEP + "4 values at step 1 of Vector$"),
        (Vector((*five(), 0)), STEP + "6 values"),
        (Vector(OBS), STEP + "array"),
        (Vector(None), STEP + "None"),
        (Vector(five(rew=np.ones(3))), REWARD + r"shape \(3,\) of float64 at step 1 of Vector$"),
        (Vector(five(rew=np.ones((2, 1)))), REWARD + r"shape \(2, 1\)"),
        (Vector(five(rew=1.0)), REWARD + r"shape \(\) of float64"),
        (Vector(five(rew=["1", "2"])), REWARD + r"shape \(2,\) of <U1"),
        (Vector(five(rew=[1j, 0])), REWARD + r"shape \(2,\) of complex128"),
        (Vector(five(rew=[{}, {}])), REWARD + r"\[\{\}, \{\}\]"),
        (Vector(five(rew=[[1], [1, 2]])), REWARD + r"\[\[1\], \[1, 2\]\]"),
        (Vector(five(rew=[0, np.nan])), "reward must be finite, got nan from sub-environment 1 at"),
        (Vector(five(terminated=[0, 1])), END.format("terminated") + r"shape \(2,\) of int64"),
        (Vector(five(terminated={})), END.format("terminated") + r"\{\}"),
        (Vector(five(truncated=False)), END.format("truncated") + r"shape \(\) of bool"),
        (
            Vector(five(obs=np.zeros((2, 2)))),
            r"must have shape \(2, 1\), got \(2, 2\) at step 1 ",
        ),
        (
            Vector(five(obs=np.zeros((3, 1)))),
            r"observations must have shape \(2, 1\), got \(3, ",
        ),
        (
            Vector(five(obs=[[0], [300]]), obs=BYTES),
            "fit uint8, .*, got 300 from sub-environment 1",
        ),
        (
            Vector(five(obs=[[0], [0.5]]), obs=BYTES),
            "fit uint8, .*, got 0.5 from sub-environment 1",
        ),
        (Vector(five(obs=[["a"], ["b"]])), "observations must hold real numbers, got "),
        (
            Vector(five(obs=[[0], [1e300]])),
            r"at most 1e\+18 in size, got 1e\+300 from sub-env.* 1 ",
        ),
        (Vector(KeyError("x")), "^env failed at step 1 of Vector: KeyError: 'x'"),
        (Vector(SystemExit(0)), r"^env failed at step 1 of Vector: sys.exit\(0\)"),
        (Vector(reset=OBS), r"reset must return \(obs, info\), info a dict, got array"),
        (Vector(reset=None), r"reset must return \(obs, info\), info a dict, got None"),
        (Vector(reset=RuntimeError("r")), "^env failed at step 0 of Vector: RuntimeError: r"),
    ],
)
def test_what_a_vector_environment_does_wrong(env: Any, said: str) -> None:
    def begin_and_step() -> None:
        driver.reset(np.ones(2, bool), np.zeros(2, np.int64))
        driver.step(np.zeros(2, np.int64))

    driver = SeededVectorEnv(env, seed=1)
    with pytest.raises(EnvError, match=said) as caught:
        begin_and_step()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("metadata", [None, {}, {"autoreset_mode": AutoresetMode.SAME_STEP}])
def test_one_that_resets_by_itself_or_does_not_say_is_refused(metadata: Any) -> None:
    env = Vector()
    env.metadata = metadata
    with pytest.raises(ValueError, match="env must have autoreset disabled, got "):
        SeededVectorEnv(env, seed=1)


def test_one_that_fails_as_it_is_closed_spoils_nothing() -> None:
    class Closing(Vector):
        def close(self, **kwargs: Any) -> None:
            raise ZeroDivisionError

    with pytest.warns(RuntimeWarning, match="^env failed at close: ZeroDivisionError "):
        close(Closing())


def test_steps_are_counted_from_the_start_of_the_episode() -> None:
    env = SeededVectorEnv(SerialVectorEnv(Toy, 2), seed=1)
    env.reset(np.ones(2, bool), np.zeros(2, np.int64))
    for _ in range(4):
        env.step(np.zeros(2, np.int64))
    env.reset(np.array([True, False]), np.ones(2, np.int64))
    env.step(np.zeros(2, np.int64))
    assert env.origin.when(0).startswith("at step 1 of an episode of Toy with seed ")
    assert env.origin.when(1).startswith("at step 5 of an episode of Toy with seed ")
    seeds = [env.origin.when(i).split()[-1] for i in range(2)]
    derived = env.streams.seeds(env.purpose, np.arange(2), np.array([1, 0]))
    assert seeds == [str(seed) for seed in derived]
