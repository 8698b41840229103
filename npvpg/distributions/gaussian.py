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
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.distributions.base import Distribution
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
    if inside.all():  # as nearly always, in a quarter of the time
        return log_sigma.copy(), inside
    bound = np.clip(real, LOG_SIGMA_MIN, LOG_SIGMA_MAX)
    return np.where(inside, log_sigma, bound.astype(log_sigma.dtype)), inside


@final
@dataclass(frozen=True)
class DiagonalGaussian(Distribution):
    r"""
    Gaussian in D dimensions; the parameters are :math:`\mu` and :math:`\log\sigma`, H = 2 D.

    Parameters
    ----------
    dim : int
        Number of components, D.
    unit : tuple of float
        What a component counts in, :math:`h`: the action is :math:`c + h x`, and :math:`x` is what
        is drawn, stored and scored. D numbers, or none for 1 each.

    Raises
    ------
    ValueError
        If `dim` is smaller than 1, or `unit` does not hold D positive, finite numbers.

    Notes
    -----
    Samples, modes, scores and divergences are those of :math:`x`; density and entropy are those of
    the action, by the determinant :math:`\prod_i h_i` of the map.

    Examples
    --------
    >>> normal = DiagonalGaussian(1)
    >>> normal.log_prob(np.zeros((1, 2)), [[0.0]])
    array([-0.91893853])
    """

    dim: int
    unit: tuple[float, ...] = ()
    sampler: ClassVar[Literal["gaussian"]] = "gaussian"
    pathwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.at_least(1, dim=self.dim)
        if self.unit:
            checks.shape((self.dim,), unit=np.asarray(self.unit))
        for number in self.unit:
            checks.positive(unit=number)

    def __str__(self) -> str:
        return f"Gaussian of {self.dim}" + (" in units of its Box" if self.unit else "")

    @cached_property
    def _log_volume(self) -> float:
        return math.fsum(map(math.log, self.unit))

    @property
    @override
    def event_shape(self) -> tuple[int, ...]:
        return (self.dim,)

    @property
    @override
    def n_params(self) -> int:
        return 2 * self.dim

    @property
    @override
    def scale_columns(self) -> tuple[int, ...]:
        return tuple(range(self.dim, 2 * self.dim))

    def split(self, params: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        r"""
        Read mean and log standard deviation off the parameters.

        Parameters
        ----------
        params : ndarray, shape (S, 2 D)
            Parameters.

        Returns
        -------
        mu : ndarray, shape (S, D)
            Mean.
        log_sigma : ndarray, shape (S, D)
            Clamped :math:`\log\sigma`.
        inside : ndarray of bool, shape (S, D)
            Derivative of the clamp.

        Raises
        ------
        ValueError
            If the shape is not as above.
        """
        self._check(params)
        return params[:, : self.dim], *clamp(params[:, self.dim :])

    @override
    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw from the standard normal."""
        return rng.standard_normal((n, self.dim))

    @override
    def sample(self, params: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        r"""
        Shift and scale noise.

        .. math:: a = \mu + \sigma\epsilon
        """
        mu, log_sigma, _ = self.split(params)
        checks.shape(mu.shape, noise=noise)
        if mu.dtype.kind == "c":
            return np.asarray(mu + np.exp(log_sigma) * noise)
        return np.asarray(sampling.gaussian(mu, log_sigma, noise))

    @override
    def sample_back(
        self, params: NDArray[Any], act: NDArray[Any], d_act: NDArray[Any]
    ) -> NDArray[Any]:
        r"""
        Derivatives of samples.

        .. math:: \frac{\partial a_i}{\partial\mu_i} = 1, \qquad
           \frac{\partial a_i}{\partial\log\sigma_i} = a_i - \mu_i
        """
        mu, _, inside = self.split(params)
        return np.concatenate([d_act, np.where(inside, d_act * (act - mu), 0)], axis=1)

    @override
    def mode(self, params: NDArray[Any]) -> NDArray[Any]:
        """Most probable actions: the mean."""
        self._check(params)
        return params[:, : self.dim].copy()

    @override
    def log_prob(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Log-density.

        .. math::
           \log\pi(a) = -\tfrac12\Bigl(D\log 2\pi
               + \sum_i \Bigl[\frac{(x_i-\mu_i)^2}{\sigma_i^2} + 2\log\sigma_i\Bigr]\Bigr)
               - \sum_i \log h_i
        """
        mu, log_sigma, _ = self.split(params)
        z = (self._actions(params, act) - mu) * np.exp(-log_sigma)
        normal = -0.5 * (self.dim * LOG_2PI + (z * z + 2 * log_sigma).sum(1))
        return np.asarray(normal - self._log_volume)

    @override
    def score(self, params: NDArray[Any], act: ArrayLike) -> NDArray[Any]:
        r"""
        Derivatives of the log-density.

        .. math::
           \frac{\partial\log\pi}{\partial\mu_i} = \frac{a_i-\mu_i}{\sigma_i^2}, \qquad
           \frac{\partial\log\pi}{\partial\log\sigma_i} = \frac{(a_i-\mu_i)^2}{\sigma_i^2} - 1
        """
        mu, log_sigma, inside = self.split(params)
        inverse = np.exp(-log_sigma)
        z = (self._actions(params, act) - mu) * inverse
        d_params = np.empty(params.shape, z.dtype)
        np.multiply(z, inverse, out=d_params[:, : self.dim])
        d_params[:, self.dim :] = np.where(inside, z * z - 1, 0)
        return d_params

    @override
    def entropy(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Entropy.

        .. math:: H = \sum_i \bigl(\tfrac12 + \tfrac12\log 2\pi + \log\sigma_i + \log h_i\bigr)
        """
        _, log_sigma, _ = self.split(params)
        constant = self.dim * (0.5 + 0.5 * LOG_2PI) + self._log_volume
        return np.asarray(constant + log_sigma.sum(axis=1))

    @override
    def entropy_score(self, params: NDArray[Any]) -> NDArray[Any]:
        r"""Derivatives of the entropy: 0 for :math:`\mu`, 1 for :math:`\log\sigma` in the clamp."""
        d_params = np.zeros(params.shape, params.dtype)
        _, _, d_params[:, self.dim :] = self.split(params)
        return d_params

    @override
    def kl(self, params: NDArray[Any], other_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Divergence.

        .. math::
           D(p\|q) = \sum_i \Bigl(\log\frac{\sigma^q_i}{\sigma^p_i}
               + \frac{(\sigma^p_i)^2 + (\mu^p_i-\mu^q_i)^2}{2(\sigma^q_i)^2} - \frac12\Bigr)
        """
        checks.shape(params.shape, other_params=other_params)
        mu_p, log_p, _ = self.split(params)
        mu_q, log_q, _ = self.split(other_params)
        ratio = log_p - log_q
        z = (mu_p - mu_q) * np.exp(-log_q)
        # expm1 keeps the digits of two neighbours, for which the terms nearly cancel
        return np.asarray((0.5 * (z * z + np.expm1(2 * ratio)) - ratio).sum(axis=1))

    @override
    def fisher_product(self, params: NDArray[Any], d_params: NDArray[Any]) -> NDArray[Any]:
        r"""
        Fisher information times a direction: it is diagonal.

        .. math:: M = \operatorname{diag}\bigl(\sigma_i^{-2}, \; 2\bigr)
        """
        _, log_sigma, inside = self.split(params)
        checks.shape(params.shape, d_params=d_params)
        d_mu, d_log_sigma = d_params[:, : self.dim], d_params[:, self.dim :]
        curved = np.where(inside, 2 * d_log_sigma, 0)
        return np.concatenate([d_mu * np.exp(-2 * log_sigma), curved], axis=1)
