import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from npvpg.envs.cartpole import CartPoleVectorEnv


def cartpole(n: int = 3, *, copy: bool = True) -> CartPoleVectorEnv:
    return CartPoleVectorEnv(n, copy=copy)


def test_arrays_belong_to_the_caller() -> None:
    envs = cartpole()
    first = envs.reset(seed=0)[0]
    kept = first.copy()
    second = envs.step([0, 1, 0])
    copies = [array.copy() for array in second[:4]]
    envs.step([1, 1, 0])
    envs.reset()
    assert np.array_equal(first, kept)
    assert all(np.array_equal(a, b) for a, b in zip(second[:4], copies, strict=True))
    second[0][:] = np.nan
    obs = envs.reset(options={"reset_mask": np.array([True, False, False])})[0]
    assert np.isfinite(obs).all()


def test_arrays_of_the_environment() -> None:
    envs, copying = cartpole(copy=False), cartpole()
    obs = envs.reset(seed=0)[0]
    copying.reset(seed=0)
    for act in ([0, 1, 0], [1, 1, 0]):
        have, want = envs.step(act), copying.step(act)
        assert have[0] is obs
        assert all(np.array_equal(a, b) for a, b in zip(have[:4], want[:4], strict=True))


def test_state_is_checked() -> None:
    envs = cartpole()
    envs.reset(seed=0)
    good = envs.get_state()
    with pytest.raises(ValueError, match="arrays must be named"):
        envs.set_state({"state": good["state"]})
    with pytest.raises(ValueError, match=r"state must have shape \(3, 4\), got \(2, 4\)"):
        envs.set_state({**good, "state": good["state"][:2]})
    with pytest.raises(ValueError, match="steps must be int64, got float64"):
        envs.set_state({**good, "steps": good["steps"].astype(float)})


def test_state_is_a_copy() -> None:
    envs = cartpole()
    envs.reset(seed=0)
    taken = envs.get_state()
    envs.step([0, 0, 0])
    assert taken["steps"].tolist() == [0, 0, 0]
    assert not np.array_equal(taken["state"], envs.get_state()["state"])


def test_the_state_of_generators_that_were_never_seeded() -> None:
    envs = cartpole()
    envs.reset(seed=0)
    envs.set_state(cartpole().get_state())
    with pytest.raises(ResetNeeded):
        envs.step([0, 0, 0])
    assert len(np.unique(envs.reset()[0], axis=0)) == 3
