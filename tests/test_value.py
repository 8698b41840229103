from typing import Any

import numpy as np
import pytest

from npvpg.mlp import MLP
from npvpg.value import MLPValue, Value, ZeroValue

RNG = np.random.default_rng([93, 0])
NET = MLPValue(MLP((3, 4, 1)))


@pytest.mark.parametrize("value", [NET, MLPValue(MLP((3, 1))), ZeroValue()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(value: Value, dtype: type[Any]) -> None:
    phi = value.init(RNG, dtype)
    obs, target = RNG.standard_normal((6, 3)).astype(dtype), np.ones(6)
    assert phi.shape == (value.size,)
    for result, shape in [
        (value.at(phi, obs).values, (6,)),
        (value.at(phi, obs.astype(np.float64)).values, (6,)),
        (value.at(phi, obs).gradient(target), (value.size,)),
    ]:
        assert result.shape == shape
        assert result.dtype == dtype


def test_the_draw_follows_from_the_generator() -> None:
    one, same, other = (NET.init(np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_gradient_vanishes_at_the_target_and_points_up() -> None:
    phi, obs = NET.init(RNG), RNG.standard_normal((6, 3))
    v = NET.at(phi, obs)
    assert not v.gradient(v.values).any()
    last_bias = v.gradient(v.values - 2)[-1]
    assert last_bias == pytest.approx(2)  # the mean error, whatever the number of rows


def test_nothing_is_written_to() -> None:
    phi, obs, target = NET.init(RNG), RNG.standard_normal((6, 3)), np.ones(6)
    for array in (phi, obs, target):
        array.flags.writeable = False
    v = NET.at(phi, obs)
    first, values = v.gradient(target), v.values.copy()
    assert np.array_equal(v.gradient(target), first)
    assert np.array_equal(v.values, values)  # whatever was asked before


def test_the_network_must_have_one_output() -> None:
    with pytest.raises(ValueError, match=r"^network must have 1 output, got 2$"):
        MLPValue(MLP((3, 2)))
    with pytest.raises(ValueError, match=r"^network must have 1 output, got 2$"):
        MLPValue(MLP((3, 1, 2)))
    assert MLPValue(MLP((3, 4, 1))).size == 3 * 4 + 4 + 4 + 1


@pytest.mark.parametrize("shape", [(6, 1), (1,), (5,), ()])
def test_a_target_that_would_broadcast_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^target must have shape \(6,\), got \("):
        NET.at(NET.init(RNG), np.zeros((6, 3))).gradient(np.zeros(shape))
    with pytest.raises(ValueError, match=r"^target must have shape \(6,\), got \("):
        ZeroValue().at(np.zeros(0), np.zeros((6, 3))).gradient(np.zeros(shape))


def test_arrays_of_another_shape_are_refused() -> None:
    phi = NET.init(RNG)
    with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \(6, 4\)$"):
        NET.at(phi, np.zeros((6, 4)))
    with pytest.raises(ValueError, match=r"^theta must have shape \(21,\), got \(20,\)$"):
        NET.at(phi[1:], np.zeros((6, 3)))


def test_zero_has_no_parameters() -> None:
    assert ZeroValue().size == 0
    assert (ZeroValue.is_zero, MLPValue.is_zero) == (True, False)
    with pytest.raises(ValueError, match=r"^phi must have shape \(0,\), got \(1,\)$"):
        ZeroValue().at(np.zeros(1), np.ones((2, 3)))
    assert ZeroValue().at(np.zeros(0), np.ones((2, 3))).values.tolist() == [0, 0]
