r"""
Stochastic policy: a network whose output parametrises a distribution of actions.

.. math:: \pi_\theta(a \mid s) = p\bigl(a;\, f_\theta(s)\bigr)

The score is the chain rule through both: the distribution gives the derivative of
:math:`\log\pi` with respect to its parameters, the network carries it to its own.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from npvpg import checks
from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN, Distribution
from npvpg.mlp import MLP
from npvpg.tangent import tangent


@final
@dataclass(frozen=True)
class Policy:
    r"""
    Network and distribution.

    A network of ``distribution.n_params`` outputs gives all parameters of the distribution. One
    that has an output less for each of ``distribution.scale_columns`` leaves these, the log
    sigmas, to a vector that no observation changes: the tail of theta.

    Parameters
    ----------
    network : MLP
        From observations to parameters of the distribution.
    distribution : Distribution
        Distribution of actions.
    init_log_sigma : float
        Initial value of the log sigmas in theta's tail, in [-20, 2].

    Raises
    ------
    ValueError
        If the network has another number of outputs, or `init_log_sigma` is out of range.

    Examples
    --------
    >>> from npvpg.distributions import Categorical
    >>> policy = Policy(MLP((4, 8, 2)), Categorical(2))
    >>> pi = policy.at(policy.init(np.random.default_rng(0)), np.zeros((3, 4)))
    >>> pi.sample(np.array([0.1, 0.5, 0.9]))
    array([0, 1, 1])
    >>> pi.weighted_score([0, 1, 1], np.array([1.0, 1.0, 0.0])).shape
    (58,)
    """

    network: MLP
    distribution: Distribution
    init_log_sigma: float = 0.0

    def __post_init__(self) -> None:
        n_outputs, law = self.network.sizes[-1], self.distribution
        fits = sorted({law.n_params, law.n_params - len(law.scale_columns)})
        if n_outputs not in fits:
            rule = " or ".join(map(str, fits))
            raise ValueError(f"network must have {rule} outputs, got {n_outputs}")
        if not LOG_SIGMA_MIN <= self.init_log_sigma <= LOG_SIGMA_MAX:
            raise ValueError(f"init_log_sigma must lie in [-20, 2], got {self.init_log_sigma}")

    def __str__(self) -> str:
        """Name the distribution, and where its sigma is from."""
        if not self.distribution.scale_columns:
            return str(self.distribution)
        return f"{self.distribution} ({'free sigma' if self._n_free else 'sigma by the network'})"

    @property
    def size(self) -> int:
        """Number of parameters, P."""
        return self.network.size + self._n_free

    @property
    def n_obs(self) -> int:
        """Number of numbers of an observation, O."""
        return self.network.sizes[0]

    @property
    def _n_free(self) -> int:
        return self.distribution.n_params - self.network.sizes[-1]

    @cached_property
    def _columns(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which parameters of the distribution the network gives, and which theta's tail."""
        free = self.distribution.scale_columns if self._n_free else ()
        every = np.arange(self.distribution.n_params)
        return np.delete(every, free), np.array(free, np.intp)

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """
        Draw initial parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        dtype : dtype
            Type of the result.

        Returns
        -------
        ndarray, shape (P,)
            Parameters: an orthogonal network whose last layer is scaled by 0.01, so that the
            first policy hardly depends on the observation, then the free log sigmas.
        """
        network = self.network.init(rng, last_gain=0.01)
        free = np.full(self._n_free, self.init_log_sigma)
        return np.concatenate([network, free]).astype(dtype)

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw the noise of n actions, float64 (n,) or (n, D): what `PolicyAt.sample` takes."""
        return self.distribution.noise(rng, n)

    def params(self, theta: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """
        Parameters of the distribution for acting, (S, H): those of `at` to rounding.

        Nothing is kept, and real rows go through `npvpg.mlp.MLP.forward_small`, where none depends
        on the others. Takes and refuses what `at` does.
        """
        network, free = self._split(theta)
        real = theta.dtype in (np.float32, np.float64) and obs.dtype.kind != "c"
        run = self.network.forward_small if real else self.network.forward
        return self._filled(run(network, obs), free)

    def at(self, theta: NDArray[Any], obs: NDArray[Any]) -> "PolicyAt":
        """
        Run the network once, for all that is asked of the same observations.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters; kept, not copied.
        obs : ndarray, shape (S, O)
            Observations; taken in the precision of `theta`.

        Returns
        -------
        PolicyAt
            The policy at its observations.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        network, free = self._split(theta)
        layers = self.network.layers(network, obs)
        return PolicyAt(self, network, layers, self._filled(layers[-1], free))

    def _split(self, theta: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        checks.shape((self.size,), theta=theta)
        return theta[: self.network.size], theta[self.network.size :]

    def _filled(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """Put the network's columns and the free ones to their places."""
        if not self._n_free:
            return out
        params = np.empty((len(out), self.distribution.n_params), out.dtype)
        of_network, of_theta = self._columns
        params[:, of_network], params[:, of_theta] = out, free
        return params

    def _parted(self, d_params: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Undo `_filled`: what goes through the network, (S, n), and what to theta's tail."""
        if not self._n_free:
            return d_params, d_params[:, :0]
        of_network, of_theta = self._columns
        return np.take(d_params, of_network, axis=1), np.take(d_params, of_theta, axis=1)


@final
@dataclass(frozen=True, eq=False)
class PolicyAt:
    r"""
    A policy at S observations, :math:`\pi_\theta(\cdot\mid s_t)`: made by `Policy.at`.

    Actions `act` are an array_like as they were sampled, (S,) whole numbers or (S, D); `noise` is
    what `Policy.noise` draws, (S,) or (S, D); `weight` are numbers :math:`w_t`, (S,); `d_params`
    is a derivative :math:`d_t` with respect to `params`, (S, H). What is of another shape, or no
    action, is refused with a ValueError.

    Parameters
    ----------
    policy : Policy
        The policy.
    network : ndarray, shape (P - F,)
        Parameters of its network.
    layers : list of ndarray
        What `npvpg.mlp.MLP.layers` gave for them.
    params : ndarray, shape (S, H)
        Parameters of the distribution.
    """

    policy: Policy
    network: NDArray[Any]
    layers: list[NDArray[Any]]
    params: NDArray[Any]

    @property
    def n_rows(self) -> int:
        """Number of observations, S."""
        return len(self.params)

    def sample(self, noise: NDArray[np.float64]) -> NDArray[Any]:
        r"""Sample :math:`a_t \sim \pi_\theta(\cdot\mid s_t)`, (S,) int64 or (S, D) float."""
        return self.policy.distribution.sample(self.params, noise)

    def mode(self) -> NDArray[Any]:
        """Most probable actions, (S,) int64 or (S, D) float."""
        return self.policy.distribution.mode(self.params)

    def log_prob(self, act: ArrayLike) -> NDArray[Any]:
        r"""Log-probabilities, or log-densities, :math:`\log\pi_\theta(a_t\mid s_t)`, (S,)."""
        return self.policy.distribution.log_prob(self.params, act)

    def score(self, act: ArrayLike) -> NDArray[Any]:
        r"""Score of every step, :math:`\nabla_\theta\log\pi_\theta(a_t\mid s_t)`, (S, P)."""
        return self.backward_samples(self.policy.distribution.score(self.params, act))

    def weighted_score(self, act: ArrayLike, weight: NDArray[Any]) -> NDArray[Any]:
        r"""
        Weighted sum of scores, (P,), without forming one per step.

        .. math:: \sum_t w_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)
        """
        return self._weighted(self.policy.distribution.score(self.params, act), weight)

    def entropy(self) -> NDArray[Any]:
        """Entropy in every observation, (S,) [nat]."""
        return self.policy.distribution.entropy(self.params)

    def weighted_entropy_score(self, weight: NDArray[Any]) -> NDArray[Any]:
        r"""
        Gradient of a weighted sum of entropies, (P,).

        .. math:: \sum_t w_t \nabla_\theta H(\pi_\theta(\cdot\mid s_t))
        """
        return self._weighted(self.policy.distribution.entropy_score(self.params), weight)

    def kl(self, other: "PolicyAt") -> NDArray[Any]:
        r"""
        Divergence :math:`D(\pi_\theta \| \pi_{\theta'})` in every observation, (S,) [nat].

        The other is to be at the same observations.
        """
        return self.policy.distribution.kl(self.params, other.params)

    def tangent(self, v: NDArray[Any]) -> NDArray[Any]:
        r"""
        Derivative of `params` along a direction in theta, (S, H): `backward` is its transpose.

        .. math:: \sum_i v_i \frac{\partial f_\theta(s_t)}{\partial\theta_i}
        """
        network, free = self.policy._split(v)
        moved = tangent(self.policy.network, self.network, self.layers, network)
        return self.policy._filled(moved, free)

    def backward(self, d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Carry a derivative with respect to `params` to theta, (P,).

        .. math:: \sum_t \sum_j d_{tj} \nabla_\theta f_\theta(s_t)_j
        """
        d_out, d_free = self.policy._parted(d_params)
        through = self.policy.network.backward(self.network, self.layers, d_out)
        return np.concatenate([through, d_free.sum(axis=0)])

    def backward_samples(self, d_params: NDArray[Any]) -> NDArray[Any]:
        """Carry it observation by observation, (S, P); `backward` is their sum."""
        d_out, d_free = self.policy._parted(d_params)
        through = self.policy.network.backward_samples(self.network, self.layers, d_out)
        return np.concatenate([through, d_free], axis=1)

    def backward_obs(self, d_params: NDArray[Any]) -> NDArray[Any]:
        """Carry a derivative with respect to `params` to the observations, (S, O)."""
        d_out, _ = self.policy._parted(d_params)
        return self.policy.network.backward_input(self.network, self.layers, d_out)

    def _weighted(self, d_params: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Do as `backward` does with every row times its weight."""
        checks.shape((self.n_rows,), weight=weight)
        weight = weight.astype(d_params.dtype, copy=False)
        d_out, d_free = self.policy._parted(d_params)
        d_out = d_out * weight[:, np.newaxis]
        through = self.policy.network.backward(self.network, self.layers, d_out)
        return np.concatenate([through, weight @ d_free])
