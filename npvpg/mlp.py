r"""
Multilayer perceptron on one flat parameter vector, differentiated by hand.

With :math:`h_0 = x`, hidden layers :math:`h_l = \phi(h_{l-1} W_l + b_l)` and a linear last layer
:math:`y = h_{L-1} W_L + b_L`, the chain rule backwards through the layers reads

.. math::
   d_L = \frac{\partial C}{\partial y}, \qquad
   \frac{\partial C}{\partial W_l} = h_{l-1}^\top d_l, \qquad
   \frac{\partial C}{\partial b_l} = \sum_s d_{l,s}, \qquad
   d_{l-1} = (d_l W_l^\top) \odot \phi'(h_{l-1}),

where :math:`\phi'` is written in the output of the activation: :math:`1 - h^2` for tanh.
Nothing here conjugates or takes an absolute value, so complex input gives complex-step
derivatives.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvpg import checks
from npvpg.kernels import activations, network

Activation = Literal["tanh", "relu"]
Scheme = Literal["orthogonal", "glorot"]


@dataclass(frozen=True)
class MLP:
    """
    Fully connected network, described by its layer sizes; the parameters are an argument.

    They hold, layer after layer, the matrix W (in, out) row by row and the bias b (out).

    Parameters
    ----------
    sizes : tuple of int
        Sizes of input, hidden layers and output, at least two; with two the map is affine.
    activation : {"tanh", "relu"}
        Activation of the hidden layers.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, one is not positive, or the activation is unknown.

    Examples
    --------
    >>> network = MLP((2, 3, 1))
    >>> network.size
    13
    >>> network.forward(np.zeros(13), np.ones((5, 2))).shape
    (5, 1)
    """

    sizes: tuple[int, ...]
    activation: Activation = "tanh"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2:
            raise ValueError(f"sizes must name input and output, got {self.sizes}")
        if min(self.sizes) < 1:
            raise ValueError(f"sizes must all be at least 1, got {self.sizes}")
        if self.activation not in ("tanh", "relu"):
            raise ValueError(f"activation must be 'tanh' or 'relu', got {self.activation!r}")

    @cached_property
    def _slots(self) -> tuple[tuple[slice, slice, tuple[int, int]], ...]:
        """Where W and b of every layer lie in theta, and the shape of W."""
        slots, at = [], 0
        for n_in, n_out in pairwise(self.sizes):
            middle = at + n_in * n_out
            slots.append((slice(at, middle), slice(middle, middle + n_out), (n_in, n_out)))
            at = middle + n_out
        return tuple(slots)

    @cached_property
    def size(self) -> int:
        """Number of parameters, P."""
        return int(self._slots[-1][1].stop)

    @cached_property
    def sizes_array(self) -> NDArray[np.int64]:
        """Sizes of the layers, as `npvpg.kernels.network` takes them."""
        return np.array(self.sizes)

    def unpack(self, theta: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """View the parameters as W (in, out) and b (out) of every layer."""
        return [(theta[w].reshape(shape), theta[b]) for w, b, shape in self._slots]

    def init(
        self,
        rng: np.random.Generator,
        *,
        scheme: Scheme = "orthogonal",
        last_gain: float = 1.0,
        dtype: DTypeLike = np.float64,
    ) -> NDArray[Any]:
        r"""
        Draw initial parameters; biases are 0.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        scheme : {"orthogonal", "glorot"}
            Orthogonal [1]_, or uniform on :math:`\pm\sqrt{6/(n_{in}+n_{out})}` [2]_.
        last_gain : float
            Factor of the last layer; orthogonal hidden layers have :math:`\sqrt 2`, others 1.
        dtype : dtype
            Type of the result; the draw itself is in float64.

        Returns
        -------
        ndarray, shape (P,)
            Parameters.

        Raises
        ------
        ValueError
            If the scheme is unknown.

        References
        ----------
        .. [1] A. M. Saxe, J. L. McClelland and S. Ganguli, "Exact solutions to the nonlinear
           dynamics of learning in deep linear neural networks", ICLR 2014, arXiv:1312.6120.
        .. [2] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
           feedforward neural networks", AISTATS 2010.
        """
        if scheme not in ("orthogonal", "glorot"):
            raise ValueError(f"scheme must be 'orthogonal' or 'glorot', got {scheme!r}")
        theta = np.zeros(self.size)
        layers = self.unpack(theta)
        for weight, _ in layers:
            n_in, n_out = weight.shape
            if scheme == "glorot":
                bound = np.sqrt(6 / (n_in + n_out))
                weight[...] = rng.uniform(-bound, bound, weight.shape)
            else:
                tall = rng.standard_normal((max(n_in, n_out), min(n_in, n_out)))
                q, r = np.linalg.qr(tall)
                q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the law uniform (Haar)
                weight[...] = q if n_in >= n_out else q.T
                weight[...] *= np.sqrt(2) if weight is not layers[-1][0] else 1
        layers[-1][0][...] *= last_gain
        return theta.astype(dtype)

    def layers(self, theta: NDArray[Any], x: NDArray[Any]) -> list[NDArray[Any]]:
        """
        Run the network and keep every layer, which is what `backward` needs.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        x : ndarray, shape (S, O)
            Input rows; taken in the precision of `theta`.

        Returns
        -------
        list of ndarray
            Input, hidden layers after their activation, output (S, H).

        Raises
        ------
        ValueError
            If `theta` or `x` has another shape.
        """
        layers = [self._seen(theta, x)]
        dtype = np.result_type(theta, layers[0])
        *hidden, (last_weight, last_bias) = self.unpack(theta)
        for weight, bias in hidden:
            z = layers[-1] @ weight
            real = dtype == bias.dtype in (np.float32, np.float64)
            if real:
                network.add_bias(z, bias)
            else:
                z += bias
            if self.activation == "relu" and real:
                network.positive_part(z.reshape(-1))
            elif self.activation == "relu":
                z *= z.real > 0
            elif dtype == np.float32:
                # half of NumPy's time without AVX-512, and the tanh that acting takes
                activations.tanh(z.reshape(-1), np.empty(z.size, dtype))
            else:
                np.tanh(z, out=z)
            layers.append(z)
        layers.append(layers[-1] @ last_weight + last_bias)
        return layers

    def forward(self, theta: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
        """Run the network: the last of `layers`, (S, H)."""
        return self.layers(theta, x)[-1]

    def forward_small(self, theta: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
        """
        Run the network by compiled loops, for acting faster than BLAS; float32 or float64.

        Rows are those of `forward` to rounding, and none depends on the others.
        """
        x = self._seen(theta, x)
        y = np.empty((len(x), self.sizes[-1]), theta.dtype)
        network.forward(theta, self.sizes_array, self.activation == "relu", x, y)
        return y

    def _seen(self, theta: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
        """Take input in the precision of the parameters; complex input stays complex."""
        checks.shape((self.size,), theta=theta)
        checks.shape((-1, self.sizes[0]), x=x)
        return x if x.dtype.kind == "c" else x.astype(theta.dtype, copy=False)

    def backward(
        self, theta: NDArray[Any], layers: list[NDArray[Any]], d_out: NDArray[Any]
    ) -> NDArray[Any]:
        r"""
        Gradient with respect to the parameters, summed over the rows.

        .. math:: \sum_s \sum_j d_{sj} \frac{\partial y_{sj}}{\partial\theta}

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        layers : list of ndarray
            What `layers` returned for `theta`.
        d_out : ndarray, shape (S, H)
            Derivative of the objective with respect to the output.

        Returns
        -------
        ndarray, shape (P,)
            Gradient.

        Raises
        ------
        ValueError
            If `d_out` is not of the output's shape.
        """
        grad = np.empty(self.size, dtype=np.result_type(theta, d_out))
        ones = np.ones(len(d_out), d_out.dtype)  # a product with it sums rows, by BLAS
        for index, d in self._deltas(theta, layers, d_out):
            w, b, shape = self._slots[index]
            np.matmul(layers[index].T, d, out=grad[w].reshape(shape))
            np.matmul(ones, d, out=grad[b])
        return grad

    def backward_samples(
        self, theta: NDArray[Any], layers: list[NDArray[Any]], d_out: NDArray[Any]
    ) -> NDArray[Any]:
        r"""
        Gradient with respect to the parameters, row by row, (S, P); `backward` is their sum.

        .. math:: g_s = \sum_j d_{sj} \frac{\partial y_{sj}}{\partial\theta}
        """
        grad = np.empty((len(d_out), self.size), dtype=np.result_type(theta, d_out))
        for index, d in self._deltas(theta, layers, d_out):
            w, b, _ = self._slots[index]
            outer = layers[index][:, :, np.newaxis] * d[:, np.newaxis, :]
            grad[:, w] = outer.reshape(len(d_out), w.stop - w.start)
            grad[:, b] = d
        return grad

    def backward_input(
        self, theta: NDArray[Any], layers: list[NDArray[Any]], d_out: NDArray[Any]
    ) -> NDArray[Any]:
        r"""
        Gradient with respect to the input, row by row, (S, O).

        .. math:: \sum_j d_{sj} \frac{\partial y_{sj}}{\partial x_s}
        """
        *_, (_, d) = self._deltas(theta, layers, d_out)
        return np.asarray(d @ self.unpack(theta)[0][0].T)

    def _deltas(
        self, theta: NDArray[Any], layers: list[NDArray[Any]], d_out: NDArray[Any]
    ) -> list[tuple[int, NDArray[Any]]]:
        """From the last layer to the first: its index, and the derivative at its output."""
        checks.shape(layers[-1].shape, d_out=d_out)
        weights = self.unpack(theta)
        deltas = [(len(weights) - 1, d_out)]
        dtype = np.result_type(theta, d_out)
        for index in range(len(weights) - 1, 0, -1):
            h = layers[index]
            after, weight = deltas[-1][1], weights[index][0]
            times = np.multiply if weight.shape[1] == 1 else np.matmul  # BLAS has no outer product
            d = times(after, weight.T)
            if self.activation == "relu":
                d *= h.real > 0
            elif dtype == h.dtype in (np.float32, np.float64):
                network.through_tanh(d, h)
            else:
                d *= 1 - h * h
            deltas.append((index - 1, d))
        return deltas
