"""The forward pass in loops, by hand and beside matrix products."""

from typing import Any

import numpy as np
import pytest

from npvpg.kernels import network
from npvpg.mlp import MLP

RNG = np.random.default_rng([95, 0])


@pytest.mark.parametrize("affine", [network.affine, network._affine])
@pytest.mark.parametrize("n_in", [1, 7, 8, 9, 16, 17, 25])
def test_a_layer_of_whole_numbers(affine: Any, n_in: int) -> None:
    weight, bias = RNG.integers(-9, 10, (n_in, 3)), RNG.integers(-9, 10, 3)
    x = RNG.integers(-9, 10, n_in)
    theta = np.concatenate([[7, 7], weight.ravel(), bias, [7]]).astype(np.float64)
    y = np.full(5, 99.0)
    affine(theta, 2, n_in, 3, np.append(x, 5).astype(np.float64), y)
    assert y.tolist() == [*(x @ weight + bias).tolist(), 99, 99]


@pytest.mark.parametrize("forward", [network.forward, network._forward])
def test_a_relu_network_by_hand(forward: Any) -> None:
    theta = np.array([2.0, -1.0, 3.0, 0.5])  # 3 max(2 x - 1, 0) + 1/2
    y = np.empty((3, 1))
    forward(theta, np.array([1, 1, 1]), True, np.array([[1.0], [0.75], [0.0]]), y)
    assert y.tolist() == [[3.5], [2.0], [0.5]]


@pytest.mark.parametrize("forward", [network.forward, network._forward])
@pytest.mark.parametrize("sizes", [(3, 2), (9, 4, 2), (2, 5, 3, 4), (1, 3, 6, 2, 5)])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_network_of_matrix_products(
    forward: Any, sizes: tuple[int, ...], activation: Any, kind: type[Any]
) -> None:
    net = MLP(sizes, activation)
    theta = net.init(RNG).astype(kind) + RNG.standard_normal(net.size).astype(kind) / 8
    x = RNG.standard_normal((4, sizes[0])).astype(kind)
    y = np.full((4, sizes[-1]), np.nan, kind)
    forward(np.append(theta, kind(9)), np.array(sizes), activation == "relu", x, y)
    tolerance = 1e-5 if kind is np.float32 else 1e-13
    np.testing.assert_allclose(y, net.forward(theta, x), rtol=tolerance, atol=tolerance)
    alone = np.empty((1, sizes[-1]), kind)
    for row, want in zip(x, y, strict=True):
        forward(theta, np.array(sizes), activation == "relu", row[np.newaxis], alone)
        assert alone[0].tobytes() == want.tobytes()
