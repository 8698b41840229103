"""Memory that is used again changes no result."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.distributions import DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.value import MLPValue
from npvpg.workspace import Workspace


def test_array_grows_and_is_kept() -> None:
    work = Workspace()
    small = work.array("a", (2, 3), np.float64)
    assert small.shape == (2, 3)
    assert small.dtype == np.float64
    large = work.array("a", (5, 3), np.float64)
    assert large.shape == (5, 3)
    assert np.shares_memory(large, work.array("a", (1, 3), np.float64))
    assert not np.shares_memory(large, work.array("b", (1, 3), np.float64))
    assert work.array("a", (1, 3), np.float32).dtype == np.float32


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_gradients_are_the_same_bytes(activation: str, dtype: type) -> None:
    rng = np.random.default_rng(3)
    value = MLPValue(MLP((3, 7, 7, 1), activation))  # type: ignore[arg-type]
    policy = Policy(MLP((3, 7, 7, 2), activation), DiagonalGaussian(2))  # type: ignore[arg-type]
    phi, theta = value.init(rng, dtype), policy.init(rng, dtype)
    work, kept = Workspace(), []
    for n in (4, 9, 2):
        obs: NDArray[Any] = rng.standard_normal((n, 3)).astype(dtype)
        act = rng.standard_normal((n, 2))
        target = rng.standard_normal(n)
        for have, want in (
            (value.gradient(phi, obs, target, work), value.gradient(phi, obs, target)),
            (
                policy.weighted_score(theta, obs, act, target, work),
                policy.weighted_score(theta, obs, act, target),
            ),
        ):
            assert have.tobytes() == want.tobytes()
            kept.append((have, want.copy()))
    for have, want in kept:  # later calls have not written into earlier results
        assert have.tobytes() == want.tobytes()
