from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled, ResetNeeded

import npvpg.envs.classic
from npvpg.envs import COMPILED
from npvpg.envs.cartpole import CartPoleVectorEnv

needs_pygame = pytest.mark.skipif(find_spec("pygame") is None, reason="pygame is not installed")
# pygame itself warns about its own imports.
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@needs_pygame
@quiet
@pytest.mark.parametrize("name", COMPILED)
def test_pictures_are_gymnasiums(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    have: Any = gymnasium.make_vec(f"npvpg/{name}", num_envs=2, render_mode="rgb_array")
    want = gymnasium.make_vec(
        name, 2, "sync", {"autoreset_mode": "Disabled"}, render_mode="rgb_array"
    )
    have.reset(seed=5)
    want.reset(seed=5)
    want.action_space.seed(0)
    for _ in range(4):
        pictures, expected = have.render(), want.render()
        assert expected is not None
        assert len(pictures) == 2
        for a, b in zip(pictures, expected, strict=True):
            assert np.array_equal(a, b)
        assert not np.array_equal(*pictures)
        act = want.action_space.sample()
        have.step(act)
        want.step(act)
    have.close()
    want.close()


@needs_pygame
def test_only_after_a_reset() -> None:
    with pytest.raises(ResetNeeded, match="must be reset before it is drawn"):
        CartPoleVectorEnv(2, render_mode="rgb_array").render()


def test_only_if_asked_for() -> None:
    envs = CartPoleVectorEnv(2)
    envs.reset()
    with pytest.raises(ValueError, match='render_mode must be "rgb_array" to render, got None'):
        envs.render()


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="render_mode must be rgb_array or None, got human"):
        CartPoleVectorEnv(2, render_mode="human")


def test_pygame_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npvpg.envs.classic, "find_spec", lambda _: None)
    with pytest.raises(DependencyNotInstalled, match="rendering needs pygame: pip install"):
        CartPoleVectorEnv(2, render_mode="rgb_array")
