from typing import Any

import numpy as np
import pytest

from npvpg.mlp import MLP, Activation, Scheme

RNG = np.random.default_rng([91, 0])


def test_the_size_counts_every_matrix_and_bias() -> None:
    assert MLP((3, 5, 2)).size == 3 * 5 + 5 + 5 * 2 + 2
    assert MLP((3, 2)).size == 3 * 2 + 2


def test_parameters_are_matrices_row_by_row_and_biases() -> None:
    theta = np.arange(9.0)
    (w, b), (w2, b2) = MLP((1, 2, 1)).unpack(np.arange(7.0))
    assert (w.tolist(), b.tolist()) == ([[0, 1]], [2, 3])
    assert (w2.tolist(), b2.tolist()) == ([[4], [5]], [6])
    weight, _ = MLP((2, 3)).unpack(theta)[0]
    weight[1, 0] = -1  # a view: what is written to it is written to theta
    assert theta[3] == -1


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("sizes", [(3, 2), (3, 5, 2), (3, 4, 4, 1)])
def test_shapes_and_types(activation: Activation, dtype: type[Any], sizes: tuple[int, ...]) -> None:
    net = MLP(sizes, activation)
    theta = net.init(RNG).astype(dtype)
    x = RNG.standard_normal((7, 3)).astype(dtype)
    layers = net.layers(theta, x)
    d_out = np.ones((7, sizes[-1]), dtype)
    assert [h.shape for h in layers] == [(7, n) for n in sizes]
    results = {
        (7, sizes[-1]): net.forward(theta, x),
        (net.size,): net.backward(theta, layers, d_out),
        (7, net.size): net.backward_samples(theta, layers, d_out),
        (7, 3): net.backward_input(theta, layers, d_out),
    }
    for shape, result in results.items():
        assert result.shape == shape
        assert result.dtype == dtype


def test_nothing_is_written_to() -> None:
    net = MLP((3, 5, 4, 2))
    theta, x, d_out = net.init(RNG), RNG.standard_normal((6, 3)), np.ones((6, 2))
    layers = net.layers(theta, x)
    for array in (theta, x, d_out, *layers):
        array.flags.writeable = False
    first = net.backward(theta, layers, d_out)
    net.backward_samples(theta, layers, d_out)
    net.backward_input(theta, layers, d_out)
    assert np.array_equal(net.backward(theta, layers, d_out), first)


def test_no_rows() -> None:
    net = MLP((3, 5, 2))
    theta = net.init(RNG)
    layers = net.layers(theta, np.zeros((0, 3)))
    assert layers[-1].shape == (0, 2)
    assert not net.backward(theta, layers, np.zeros((0, 2))).any()
    assert net.backward_samples(theta, layers, np.zeros((0, 2))).shape == (0, net.size)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("sizes", [(3, 2), (3, 5, 2), (3, 4, 4, 1)])
def test_the_rows_add_up_to_the_sum(activation: Activation, sizes: tuple[int, ...]) -> None:
    net = MLP(sizes, activation)
    theta, x = net.init(RNG), RNG.standard_normal((7, 3))
    layers, d_out = net.layers(theta, x), RNG.standard_normal((7, sizes[-1]))
    rows = net.backward_samples(theta, layers, d_out)
    np.testing.assert_allclose(rows.sum(axis=0), net.backward(theta, layers, d_out), rtol=1e-12)


def test_complex_parameters_or_derivatives_are_enough_for_a_complex_gradient() -> None:
    net = MLP((3, 5, 2))
    theta, x, d_out = net.init(RNG), RNG.standard_normal((6, 3)), np.ones((6, 2))
    for t, d in ((theta * 1j, d_out), (theta, d_out * 1j)):
        layers = net.layers(t, x)
        assert net.backward(t, layers, d).dtype == np.complex128
        assert net.backward_samples(t, layers, d).dtype == np.complex128


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_loops_give_what_the_products_give(activation: Activation) -> None:
    net = MLP((3, 5, 4, 2), activation)
    theta, x = RNG.standard_normal(net.size), RNG.standard_normal((6, 3))
    have = net.forward_small(theta, x)
    np.testing.assert_allclose(have, net.forward(theta, x), rtol=1e-12)
    with pytest.raises(ValueError, match=rf"^theta must have shape \({net.size},\), got \("):
        net.forward_small(theta[1:], x)
    with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \(6, 2\)$"):
        net.forward_small(theta, x[:, 1:])


def test_tanh_by_hand() -> None:
    net = MLP((1, 1, 1))
    theta, x = np.array([1.0, 0.0, 2.0, 0.0]), np.array([[np.arctanh(0.5)]])
    layers = net.layers(theta, x)
    assert layers[-1][0, 0] == pytest.approx(1)
    slope = net.backward_input(theta, layers, np.ones((1, 1)))
    assert slope[0, 0] == pytest.approx(2 * (1 - 0.25))


@pytest.mark.parametrize(("n_in", "n_out"), [(4, 4), (5, 3), (3, 5), (1, 1)])
def test_the_orthogonal_draw_is_the_one_factor_of_its_noise(n_in: int, n_out: int) -> None:
    # Of all Q R of the noise the one with a positive diagonal, which makes the law uniform.
    net = MLP((n_in, n_out))
    for seed in range(20):
        weight, _ = net.unpack(net.init(np.random.default_rng(seed)))[0]
        noise = np.random.default_rng(seed).standard_normal((max(n_in, n_out), min(n_in, n_out)))
        r = (weight.T if n_in >= n_out else weight) @ noise
        np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-12)
        assert (np.diag(r) > 0).all()


def test_relu_by_hand() -> None:
    net = MLP((1, 1, 1), "relu")
    theta = np.array([2.0, -1.0, 3.0, 0.5])  # 3 max(2 x - 1, 0) + 1/2
    x = np.array([[1.0], [0.75], [0.0]])
    assert net.forward(theta, x).tolist() == [[3.5], [2.0], [0.5]]
    layers = net.layers(theta, x)
    assert net.backward_input(theta, layers, np.ones((3, 1))).tolist() == [[6], [6], [0]]
    rows = net.backward_samples(theta, layers, np.ones((3, 1)))
    assert rows.tolist() == [[3, 3, 1, 1], [2.25, 3, 0.5, 1], [0, 0, 0, 1]]


def test_relu_has_derivative_zero_at_the_kink() -> None:
    net = MLP((1, 1, 1), "relu")
    theta = np.array([1.0, 0.0, 1.0, 0.0])
    layers = net.layers(theta, np.zeros((1, 1)))
    assert net.backward_input(theta, layers, np.ones((1, 1))).tolist() == [[0]]
    assert net.forward(theta, np.array([[1e-30j]])).tolist() == [[0]]  # by complex step, too


@pytest.mark.parametrize("scheme", ["orthogonal", "glorot"])
def test_the_draw_follows_from_the_generator(scheme: Scheme) -> None:
    net = MLP((4, 6, 3))
    one, same, other = (net.init(np.random.default_rng(s), scheme=scheme) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not any(bias.any() for _, bias in net.unpack(one))
    narrow = net.init(np.random.default_rng(1), scheme=scheme, dtype=np.float32)
    assert np.array_equal(narrow, one.astype(np.float32))
    assert narrow.dtype == np.float32


@pytest.mark.parametrize("scheme", ["orthogonal", "glorot"])
def test_the_gain_belongs_to_the_last_layer(scheme: Scheme) -> None:
    net = MLP((4, 6, 3))
    one, less = (
        net.unpack(net.init(np.random.default_rng(1), scheme=scheme, last_gain=gain))
        for gain in (1.0, 0.01)
    )
    assert np.array_equal(one[0][0], less[0][0])
    np.testing.assert_allclose(less[1][0], 0.01 * one[1][0])


@pytest.mark.parametrize(("n_in", "n_out"), [(4, 6), (6, 4), (5, 5), (1, 3)])
def test_orthogonal_means_orthogonal(n_in: int, n_out: int) -> None:
    (hidden, _), (last, _) = MLP((n_in, n_out, 1)).unpack(MLP((n_in, n_out, 1)).init(RNG))
    gram = hidden.T @ hidden if n_in >= n_out else hidden @ hidden.T
    np.testing.assert_allclose(gram, 2 * np.eye(min(n_in, n_out)), atol=1e-12)
    np.testing.assert_allclose(last.T @ last, [[1]], atol=1e-12)


def test_glorot_stays_within_its_bound_and_fills_it() -> None:
    (weight, _), _ = MLP((60, 90, 1)).unpack(MLP((60, 90, 1)).init(RNG, scheme="glorot"))
    bound = np.sqrt(6 / 150)
    assert np.abs(weight).max() <= bound
    assert np.abs(weight).max() > 0.99 * bound


@pytest.mark.parametrize(
    ("sizes", "activation", "message"),
    [
        ((3,), "tanh", r"sizes must name input and output, got \(3,\)"),
        ((), "tanh", r"sizes must name input and output, got \(\)"),
        ((3, 0, 1), "tanh", r"sizes must all be at least 1, got \(3, 0, 1\)"),
        ((3, 1), "gelu", "activation must be 'tanh' or 'relu', got 'gelu'"),
    ],
)
def test_what_is_no_network(sizes: tuple[int, ...], activation: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        MLP(sizes, activation)


def test_an_unknown_scheme() -> None:
    scheme: Any = "he"
    with pytest.raises(ValueError, match=r"^scheme must be 'orthogonal' or 'glorot', got 'he'$"):
        MLP((1, 1)).init(RNG, scheme=scheme)


def test_arrays_of_another_shape_are_refused() -> None:
    net = MLP((3, 2))
    theta, x = np.zeros(8), np.zeros((5, 3))
    with pytest.raises(ValueError, match=r"^theta must have shape \(8,\), got \(7,\)$"):
        net.forward(theta[1:], x)
    with pytest.raises(ValueError, match=r"^theta must have shape \(8,\), got \(8, 1\)$"):
        net.forward(theta[:, np.newaxis], x)
    with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \(3,\)$"):
        net.forward(theta, x[0])
    layers = net.layers(theta, x)
    for backward in (net.backward, net.backward_samples, net.backward_input):
        with pytest.raises(ValueError, match=r"^d_out must have shape \(5, 2\), got \(5, 1\)$"):
            backward(theta, layers, np.zeros((5, 1)))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint8, bool])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_input_is_taken_in_the_precision_of_the_parameters(
    kind: type[Any], dtype: type[Any]
) -> None:
    net, x = MLP((3, 5, 2)), RNG.integers(0, 2, (7, 3)).astype(kind)
    theta, same = net.init(RNG, dtype=dtype), x.astype(dtype)
    layers = net.layers(theta, x)
    assert {h.dtype for h in layers} == {np.dtype(dtype)}
    assert np.array_equal(net.forward(theta, x), net.forward(theta, same))
    assert np.array_equal(net.forward_small(theta, x), net.forward_small(theta, same))
    assert net.backward(theta, layers, np.ones((7, 2), dtype)).dtype == dtype
