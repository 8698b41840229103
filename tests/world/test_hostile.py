"""Whatever an environment does wrong is one line in its user's terms, or is taken as it is."""

import re
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from npvpg.envs.faults import EnvError
from npvpg.envs.serial import SerialVectorEnv
from npvpg.world.vector import SeededVectorEnv
from tests.world import hostile
from tests.world.hostile import AT, Case, Toy, toy

PLACE = r"at (step 2|the start) of an episode of Toy with seed \d+"


def drive(vector: Any) -> Any:
    """Begin, take three steps, begin once more; the observations after the second step."""
    env = SeededVectorEnv(vector, seed=5)
    every, first = np.ones(env.n_envs, bool), np.zeros(env.n_envs, np.int64)
    env.reset(every, first)
    seen = [env.step(first)[0] for _ in range(3)]
    env.reset(every, first + 1)
    return seen[1]


def second(make: Any) -> list[Any]:
    """Three environments, of which the second is made by somebody else; what it declares rules."""
    space = getattr(make, "observation_space", Toy.observation_space)
    good = toy(observation_space=space, show=lambda self: hostile.plain(space))
    return [good, make, good]


def sync(makers: list[Any]) -> Any:
    """Gymnasium's own, whose sub-environments the driver steps by itself."""
    return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)


def serial(makers: list[Any]) -> Any:
    return SerialVectorEnv([make() for make in makers])


def cases(*tables: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=case.name) for table in tables for case in table]
    )


@cases(hostile.OBSERVATIONS, hostile.STEPS, hostile.RESETS)
@pytest.mark.parametrize("vector", [serial, sync])
def test_what_is_returned(case: Case, vector: Any) -> None:
    with pytest.raises(EnvError) as caught:
        drive(vector(second(case.make)))
    said = str(caught.value)
    assert re.search(case.said, said), said
    assert re.search(f" from sub-environment 1 {PLACE}$", said), said
    assert "\n" not in said
    assert len(said) < 500


@cases(hostile.RAISING)
@pytest.mark.parametrize("vector", [serial, sync])
def test_what_is_raised(case: Case, vector: Any) -> None:
    with pytest.raises(EnvError) as caught:
        drive(vector(second(case.make)))
    said = str(caught.value)
    assert re.search(f"^sub-environment 1 failed {PLACE}: {case.said}", said), said
    assert re.search(AT, said), said
    assert "\n" not in said
    assert len(said) < 500
    # a later `--traceback` can show where it came from
    cause: Any = caught.value.__cause__
    while isinstance(cause, EnvError):
        cause = cause.__cause__
    kind = "SystemExit" if isinstance(cause, SystemExit) else type(cause).__name__
    assert case.said.replace("sys.exit", "SystemExit").startswith(kind)


@cases(hostile.DECLARED)
def test_what_is_declared(case: Case) -> None:
    with pytest.raises(EnvError) as caught:
        serial([Toy, case.make, Toy])
    assert re.match(case.said, str(caught.value)), caught.value
    assert " from sub-environment 1" in str(caught.value)


@cases(hostile.SPACES)
def test_spaces_that_no_policy_handles(case: Case) -> None:
    with pytest.raises(ValueError, match=case.said):
        SeededVectorEnv(serial([case.make] * 2), seed=0)


@pytest.mark.parametrize("vector", [serial, sync])
@pytest.mark.parametrize(("name", "make", "row"), hostile.TAKEN)
def test_what_is_taken_as_it_is(name: str, make: Any, row: list[float], vector: Any) -> None:
    assert drive(vector(second(make)))[1].tolist() == row


@pytest.mark.parametrize(
    "rew", [2, np.float32(2), np.array(2.0), np.array([2]), np.int8(2), 2.0, [2]]
)
@pytest.mark.parametrize("end", [False, np.False_, np.array(False), np.array([False])])
def test_numbers_and_ends_of_every_kind_are_taken(rew: Any, end: Any) -> None:
    make = hostile.gives(hostile.OBS, rew, end, end, {})
    env = SeededVectorEnv(serial([make] * 2), seed=0)
    env.reset(np.ones(2, bool), np.zeros(2, np.int64))
    env.step(np.zeros(2, np.int64))
    _, rewards, terminated, truncated = env.step(np.zeros(2, np.int64))
    assert rewards.tolist() == [2, 2]
    assert not terminated.any()
    assert not truncated.any()


def test_true_pays_one() -> None:
    env = SeededVectorEnv(serial([hostile.gives(hostile.OBS, True, False, False, {})] * 2), seed=0)
    env.reset(np.ones(2, bool), np.zeros(2, np.int64))
    env.step(np.zeros(2, np.int64))
    assert env.step(np.zeros(2, np.int64))[1].tolist() == [1, 1]


def test_the_seed_that_is_named_is_the_one_that_was_given() -> None:
    heard = []

    def reset(self: Any, *, seed: Any = None, options: Any = None) -> Any:
        heard.append((seed, options))
        return Toy.reset(self, seed=seed)

    make = toy(reset=reset, step=hostile.raises(lambda: KeyError(1)).step)
    with pytest.raises(EnvError, match=r"sub-environment 0 .* with seed (\d+): ") as caught:
        drive(serial([make]))
    found = re.search(r"with seed (\d+)", str(caught.value))
    assert found
    assert (int(found[1]), None) == heard[-1]
    assert all(seed < 2**31 for seed, _ in heard)


@pytest.mark.parametrize("error", [RuntimeError("c"), KeyError("c"), SystemExit("c")])
def test_what_fails_as_it_is_closed_spoils_nothing(error: BaseException) -> None:
    closed = []

    def close(self: Any) -> None:
        closed.append(self)
        raise error

    vector = serial([toy(close=close)] * 3)
    drive(vector)
    with pytest.warns(
        RuntimeWarning, match=r"sub-environment \d failed at close: .*test_host"
    ) as w:
        vector.close()
    assert closed == vector.envs
    assert len(w) == 3
