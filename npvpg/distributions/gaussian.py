r"""
Gaussian distribution with independent components.

.. math::
   \log\pi(a) = -\tfrac12\Bigl(D\log 2\pi
       + \sum_i \Bigl[\frac{(a_i-\mu_i)^2}{\sigma_i^2} + 2\log\sigma_i\Bigr]\Bigr)

The parameters are :math:`\mu` and :math:`\log\sigma`; the latter is clamped to [-20, 2] before
use. The clamp has derivative 1 on the closed interval and 0 outside, and so have the score and
the entropy: beyond a bound they push :math:`\log\sigma` nowhere.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.kernels import sampling
from npvpg.kernels.sampling import LOG_SIGMA_MAX, LOG_SIGMA_MIN

LOG_2PI: Final = math.log(2 * math.pi)  # a plain float, so that float32 stays float32


def clamp(log_sigma: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    r"""
    Clamp :math:`\log\sigma` to [-20, 2].

    Parameters
    ----------
    log_sigma : ndarray
        Logarithm of the standard deviation; compared by its real part.

    Returns
    -------
    clamped : ndarray
        The value inside the interval, its nearest bound outside.
    inside : ndarray of bool
        The derivative of the clamp: 1 on the closed interval, 0 outside.

    Examples
    --------
    >>> clamp(np.array([-21.0, 0.5, 2.0]))
    (array([-20. ,   0.5,   2. ]), array([False,  True,  True]))
    """
    real = log_sigma.real
    inside = (real >= LOG_SIGMA_MIN) & (real <= LOG_SIGMA_MAX)
    bound = np.clip(real, LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    return np.where(inside, log_sigma, bound.astype(log_sigma.dtype)), inside


@dataclass(frozen=True)
class DiagonalGaussian:
    """
    Gaussian in D dimensions, its components independent.

    Parameters
    ----------
    dim : int
        Number of components, D.
    state_dependent : bool
        Where log sigma comes from: a free vector (False), or the second half of the network's
        output (True).
    init_log_sigma : float
        Initial value of the free log sigma.

    Raises
    ------
    ValueError
        If `dim` is smaller than 1 or `init_log_sigma` lies outside the clamp.

    Examples
    --------
    >>> normal = DiagonalGaussian(1)
    >>> normal.log_prob(np.zeros((1, 1)), np.zeros(1), np.zeros((1, 1)))
    array([-0.91893853])
    """

    dim: int
    state_dependent: bool = False
    init_log_sigma: float = 0.0

    def __post_init__(self) -> None:
        checks.at_least(1, dim=self.dim)
        if not LOG_SIGMA_MIN <= self.init_log_sigma <= LOG_SIGMA_MAX:
            raise ValueError(f"init_log_sigma must lie in [-20, 2], got {self.init_log_sigma}")

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action and of its noise, (D,)."""
        return (self.dim,)

    @property
    def n_outputs(self) -> int:
        """Number of network outputs, D or 2 D."""
        return 2 * self.dim if self.state_dependent else self.dim

    @property
    def n_free(self) -> int:
        """Number of free parameters, D or 0."""
        return 0 if self.state_dependent else self.dim

    def init_free(self) -> NDArray[np.float64]:
        """
        Initial free parameters.

        Returns
        -------
        ndarray of float64, shape (F,)
            `init_log_sigma` for every component, or nothing.
        """
        return np.full(self.n_free, self.init_log_sigma)

    def split(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        r"""
        Read mean and log standard deviation off the parameters.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        mu : ndarray, shape (S, D)
            Mean.
        log_sigma : ndarray, shape (S, D) or (1, D)
            Clamped :math:`\log\sigma`.
        inside : ndarray of bool, shape of `log_sigma`
            Derivative of the clamp.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape((-1, self.n_outputs), out=out)
        checks.shape((self.n_free,), free=free)
        raw = out[:, self.dim :] if self.state_dependent else free[np.newaxis]
        return out[:, : self.dim], *clamp(raw)

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """
        Draw the noise of n samples.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draw.
        n : int
            Number of samples.

        Returns
        -------
        ndarray of float64, shape (n, D)
            Standard normal.
        """
        return rng.standard_normal((n, self.dim))

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[Any]:
        r"""
        Turn standard normal noise into actions: :math:`a = \mu + \sigma\epsilon`.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        noise : ndarray of float64, shape (S, D)
            Standard normal :math:`\epsilon`.

        Returns
        -------
        ndarray, shape (S, D)
            Actions, of the type of `out`.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        mu, log_sigma, _ = self.split(out, free)
        checks.shape(mu.shape, noise=noise)
        if mu.dtype.kind == "c":
            return np.asarray(mu + np.exp(log_sigma) * noise)
        return np.asarray(sampling.gaussian(mu, log_sigma, noise))

    def mode(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """
        Most probable actions: the mean.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        ndarray, shape (S, D)
            Actions.
        """
        return out[:, : self.dim].copy()

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        """
        Log-density of actions.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        act : ndarray, shape (S, D)
            Actions.

        Returns
        -------
        ndarray, shape (S,)
            Log-densities.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        mu, log_sigma, _ = self.split(out, free)
        checks.shape(mu.shape, act=act)
        z = (act - mu) * np.exp(-log_sigma)
        return np.asarray(-0.5 * (self.dim * LOG_2PI + (z * z + 2 * log_sigma).sum(1)))

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivatives of the log-density.

        .. math::
           \frac{\partial\log\pi}{\partial\mu_i} = \frac{a_i-\mu_i}{\sigma_i^2}, \qquad
           \frac{\partial\log\pi}{\partial\log\sigma_i} = \frac{(a_i-\mu_i)^2}{\sigma_i^2} - 1

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.
        act : ndarray, shape (S, D)
            Actions.

        Returns
        -------
        d_out : ndarray, shape (S, H)
            Derivative with respect to the output.
        d_free : ndarray, shape (S, F)
            Derivative with respect to the free parameters.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        mu, log_sigma, inside = self.split(out, free)
        checks.shape(mu.shape, act=act)
        inverse = np.exp(-log_sigma)
        z = (act - mu) * inverse
        return self._place(z * inverse, np.where(inside, z * z - 1, 0))

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = \sum_i \bigl(\tfrac12 + \tfrac12\log 2\pi + \log\sigma_i\bigr)

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        ndarray, shape (S,)
            Entropy [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        _, log_sigma, _ = self.split(out, free)
        constant = self.dim * (0.5 + 0.5 * LOG_2PI)
        return np.broadcast_to(constant + log_sigma.sum(axis=1), (len(out),))

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        r"""
        Derivatives of the entropy: 0 for :math:`\mu`, 1 for :math:`\log\sigma` in the clamp.

        Parameters
        ----------
        out : ndarray, shape (S, H)
            Output of the network.
        free : ndarray, shape (F,)
            Free parameters.

        Returns
        -------
        d_out : ndarray, shape (S, H)
            Derivative with respect to the output.
        d_free : ndarray, shape (S, F)
            Derivative with respect to the free parameters.

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        mu, _, inside = self.split(out, free)
        return self._place(np.zeros_like(mu), np.broadcast_to(inside, mu.shape).astype(mu.dtype))

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        r"""
        Kullback-Leibler divergence from this distribution to another.

        .. math::
           D(p\|q) = \sum_i \Bigl(\log\frac{\sigma^q_i}{\sigma^p_i}
               + \frac{(\sigma^p_i)^2 + (\mu^p_i-\mu^q_i)^2}{2(\sigma^q_i)^2} - \frac12\Bigr)

        Parameters
        ----------
        out, other_out : ndarray, shape (S, H)
            Network outputs of p and of q.
        free, other_free : ndarray, shape (F,)
            Free parameters of p and of q.

        Returns
        -------
        ndarray, shape (S,)
            Divergence [nat].

        Raises
        ------
        ValueError
            If a shape is not as above.
        """
        checks.shape(out.shape, other_out=other_out)
        mu_p, log_p, _ = self.split(out, free)
        mu_q, log_q, _ = self.split(other_out, other_free)
        ratio = log_p - log_q
        z = (mu_p - mu_q) * np.exp(-log_q)
        # expm1 keeps the digits of two neighbours, for which the terms nearly cancel
        return np.asarray((0.5 * (z * z + np.expm1(2 * ratio)) - ratio).sum(axis=1))

    def _place(
        self, d_mu: NDArray[Any], d_log_sigma: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Lay derivatives out as the parameters are."""
        if self.state_dependent:
            return np.concatenate([d_mu, d_log_sigma], axis=1), d_mu[:, :0]
        return d_mu, d_log_sigma
