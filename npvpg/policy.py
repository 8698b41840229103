r"""
Stochastic policy: a network whose output parametrises a distribution of actions.

.. math:: \pi_\theta(a \mid s) = p(a;\, f_\theta(s), \text{free})

The score is the chain rule through both: the distribution gives the derivative of
:math:`\log\pi` with respect to the network's output, the network carries it to its parameters.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvpg import checks
from npvpg.distributions import Distribution
from npvpg.mlp import MLP, SMALL_BATCH
from npvpg.workspace import Workspace


@dataclass(frozen=True)
class Policy:
    r"""
    Network and distribution; theta is [network parameters, free parameters].

    Parameters
    ----------
    network : MLP
        From observations to the parameters of the distribution.
    distribution : Distribution
        Distribution of actions.

    Raises
    ------
    ValueError
        If the network's output has not the size that the distribution needs.

    Examples
    --------
    >>> from npvpg.distributions import Categorical
    >>> policy = Policy(MLP((4, 8, 2)), Categorical(2))
    >>> theta = policy.init(np.random.default_rng(0))
    >>> policy.act(theta, np.zeros((3, 4)), np.array([0.1, 0.5, 0.9]))
    array([0, 1, 1])
    """

    network: MLP
    distribution: Distribution

    def __post_init__(self) -> None:
        n_outputs = self.distribution.n_outputs
        if self.network.sizes[-1] != n_outputs:
            raise ValueError(f"network must have {n_outputs} outputs, got {self.network.sizes[-1]}")

    @cached_property
    def size(self) -> int:
        """Number of parameters, P."""
        return self.network.size + self.distribution.n_free

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
            first policy hardly depends on the observation, then the free parameters.
        """
        network = self.network.init(rng, last_gain=0.01)
        return np.concatenate([network, self.distribution.init_free()]).astype(dtype)

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """
        Draw the noise of n actions.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        n : int
            Number of actions.

        Returns
        -------
        ndarray of float64, shape (n,) or (n, D)
            What `act` needs.
        """
        return self.distribution.noise(rng, n)

    def act(
        self, theta: NDArray[Any], obs: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[Any]:
        r"""
        Sample actions :math:`a_t \sim \pi_\theta(\cdot\mid s_t)` from given noise.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        noise : ndarray of float64, shape (S,) or (S, D)
            Noise, as `noise` draws it.

        Returns
        -------
        ndarray of int64, shape (S,), or of float, shape (S, D)
            Actions.

        Raises
        ------
        ValueError
            If a shape is not as above.

        Notes
        -----
        Up to `npvpg.mlp.SMALL_BATCH` rows go through `npvpg.mlp.MLP.forward_small`.
        """
        network, free = self._split(theta)
        real = theta.dtype == obs.dtype in (np.float32, np.float64)
        small = real and len(obs) <= SMALL_BATCH
        run = self.network.forward_small if small else self.network.forward
        return self.distribution.sample(run(network, obs), free, noise)

    def mode(self, theta: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """
        Most probable actions: the greedy policy.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.

        Returns
        -------
        ndarray of int64, shape (S,), or of float, shape (S, D)
            Actions.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.distribution.mode(*self._params(theta, obs))

    def log_prob(self, theta: NDArray[Any], obs: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        r"""
        Log-probability of actions, :math:`\log\pi_\theta(a_t\mid s_t)`.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        act : ndarray, shape (S,) or (S, D)
            Actions as they were sampled.

        Returns
        -------
        ndarray, shape (S,)
            Log-probabilities, or log-densities.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.distribution.log_prob(*self._params(theta, obs), act)

    def score(self, theta: NDArray[Any], obs: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        r"""
        Score of every step, :math:`\nabla_\theta\log\pi_\theta(a_t\mid s_t)`.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        act : ndarray, shape (S,) or (S, D)
            Actions as they were sampled.

        Returns
        -------
        ndarray, shape (S, P)
            One gradient per step: what the lemmas speak of.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        network, free = self._split(theta)
        layers = self.network.layers(network, obs)
        d_out, d_free = self.distribution.score(layers[-1], free, act)
        return np.concatenate(
            [self.network.backward_samples(network, layers, d_out), d_free], axis=1
        )

    def layers(
        self, theta: NDArray[Any], obs: NDArray[Any], work: Workspace | None = None
    ) -> list[NDArray[Any]]:
        """
        Run the network and keep every layer, for all that is asked of the same observations.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        work : Workspace, optional
            Where the hidden layers are kept.

        Returns
        -------
        list of ndarray
            What `npvpg.mlp.MLP.layers` returns.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.network.layers(self._split(theta)[0], obs, work)

    def weighted_score(
        self,
        theta: NDArray[Any],
        obs: NDArray[Any],
        act: NDArray[Any],
        weight: NDArray[Any],
        work: Workspace | None = None,
        layers: list[NDArray[Any]] | None = None,
    ) -> NDArray[Any]:
        r"""
        Weighted sum of scores, without forming one per step.

        .. math:: \sum_t w_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        act : ndarray, shape (S,) or (S, D)
            Actions as they were sampled.
        weight : ndarray, shape (S,)
            Weights :math:`w_t`.
        work : Workspace, optional
            Memory for the layers.
        layers : list of ndarray, optional
            What `layers` returned for `theta` and `obs`, to save that pass.

        Returns
        -------
        ndarray, shape (P,)
            Weighted sum.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        network, free = self._split(theta)
        if layers is None:
            layers = self.network.layers(network, obs, work)
        score = self.distribution.score(layers[-1], free, act)
        return self._weighted(network, layers, score, weight, work)

    def entropy(self, theta: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        """
        Entropy of the policy in every observation.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.

        Returns
        -------
        ndarray, shape (S,)
            Entropy [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.distribution.entropy(*self._params(theta, obs))

    def weighted_entropy_score(
        self,
        theta: NDArray[Any],
        obs: NDArray[Any],
        weight: NDArray[Any],
        layers: list[NDArray[Any]] | None = None,
    ) -> NDArray[Any]:
        r"""
        Gradient of a weighted sum of entropies.

        .. math:: \sum_t w_t \nabla_\theta H(\pi_\theta(\cdot\mid s_t))

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Parameters.
        obs : ndarray, shape (S, O)
            Observations.
        weight : ndarray, shape (S,)
            Weights :math:`w_t`.
        layers : list of ndarray, optional
            What `layers` returned for `theta` and `obs`, to save that pass.

        Returns
        -------
        ndarray, shape (P,)
            Gradient.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        network, free = self._split(theta)
        if layers is None:
            layers = self.network.layers(network, obs)
        score = self.distribution.entropy_score(layers[-1], free)
        return self._weighted(network, layers, score, weight)

    def kl(self, theta: NDArray[Any], other: NDArray[Any], obs: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence :math:`D(\pi_\theta \| \pi_{\theta'})` in every observation.

        Parameters
        ----------
        theta, other : ndarray, shape (P,)
            Parameters :math:`\theta` and :math:`\theta'`.
        obs : ndarray, shape (S, O)
            Observations.

        Returns
        -------
        ndarray, shape (S,)
            Divergence [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        return self.distribution.kl(*self._params(theta, obs), *self._params(other, obs))

    def change(
        self,
        theta: NDArray[Any],
        new: NDArray[Any],
        obs: NDArray[Any],
        layers: list[NDArray[Any]] | None = None,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        What a step does in every observation: the entropy before it, and how far it goes.

        .. math:: H(\pi_\theta), \qquad D(\pi_\theta \| \pi_{\theta'})

        Parameters
        ----------
        theta, new : ndarray, shape (P,)
            Parameters :math:`\theta` before and :math:`\theta'` after the step.
        obs : ndarray, shape (S, O)
            Observations.
        layers : list of ndarray, optional
            What `layers` returned for `theta` and `obs`, to save that pass.

        Returns
        -------
        entropy, kl : ndarray, shape (S,)
            As `entropy` and `kl`, from one pass of each network [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        network, free = self._split(theta)
        before = (self.network.forward(network, obs) if layers is None else layers[-1]), free
        entropy = self.distribution.entropy(*before)
        return entropy, self.distribution.kl(*before, *self._params(new, obs))

    def _split(self, theta: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        checks.shape((self.size,), theta=theta)
        return theta[: self.network.size], theta[self.network.size :]

    def _params(self, theta: NDArray[Any], obs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        network, free = self._split(theta)
        return self.network.forward(network, obs), free

    def _weighted(
        self,
        network: NDArray[Any],
        layers: list[NDArray[Any]],
        score: tuple[NDArray[Any], NDArray[Any]],
        weight: NDArray[Any],
        work: Workspace | None = None,
    ) -> NDArray[Any]:
        d_out, d_free = score
        checks.shape((len(d_out),), weight=weight)
        weight = weight.astype(d_out.dtype, copy=False)
        return np.concatenate(
            [
                self.network.backward(network, layers, d_out * weight[:, np.newaxis], work),
                weight @ d_free,
            ]
        )
