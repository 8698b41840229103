from typing import Any

import pytest

from npvpg.envs import CompiledEnv
from npvpg.envs.pendulum import PendulumVectorEnv
from npvpg.testing import TheoremError, check_env
from tests.testing.planted_envs import BLOW, PLANTED, WALK, Planted


def name(planted: Planted) -> str:
    make = planted.make
    return make.step.__name__ if isinstance(make, CompiledEnv) else make.__name__


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=name)
def test_every_planted_fault_breaks_its_theorem(planted: Planted) -> None:
    with pytest.raises(TheoremError) as caught:
        check_env(planted.make, max_examples=20)
    assert caught.value.theorem.name == planted.theorem


@pytest.mark.parametrize("make", [WALK, BLOW, PendulumVectorEnv])
def test_right_environments_pass(make: Any) -> None:
    margins = check_env(make, max_examples=6)
    assert {theorem.name for theorem in margins} >= {"copies", "spaces", "seeds", "state"}
    assert all(margin.error == 0 for margin in margins.values())
