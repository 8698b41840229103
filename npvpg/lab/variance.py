r"""
Variance of a gradient estimate, measured on trajectories of one fixed policy.

Trajectories are independent, so the gradient that each gives alone is a draw, and the gradient of
a batch of K is the mean of K draws: its variance is that of one trajectory by K.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.kernels import returns
from npvpg.policy import Policy


class GradientVariance(NamedTuple):
    r"""
    What the gradients of single trajectories say of their spread.

    Attributes
    ----------
    total : float
        Estimate of the total variance :math:`\mathrm{tr\,Cov}(g)` of one trajectory.
    signal : float
        Estimate of :math:`\lVert E g\rVert^2`; below 0 where too few trajectories tell it from 0.
    relative : float
        The first by the second: the batch size at which the noise is as long as the gradient.
        Infinite where the signal is not positive.
    total_error, relative_error : float
        Jackknife standard error of the logarithm of either; infinite where it has none.
    """

    total: float
    signal: float
    relative: float
    total_error: float
    relative_error: float


def trajectory_gradients(
    policy: Policy,
    theta: NDArray[Any],
    batch: Batch,
    psi: NDArray[Any],
    *,
    discount: float | None = None,
) -> NDArray[Any]:
    r"""
    Gradient that every trajectory of a batch gives alone.

    .. math:: g_k = \sum_{t=0}^{T_k-1} \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

    Parameters
    ----------
    policy : Policy
        Policy that took the actions.
    theta : ndarray, shape (P,)
        Its parameters at the time.
    batch : Batch
        K trajectories, S steps.
    psi : ndarray, shape (S,)
        Weight :math:`\Phi_t` of every step [reward].
    discount : float, optional
        The :math:`\gamma` of the factor :math:`\gamma^t`, as in
        `npvpg.gradient.policy_gradient`.

    Returns
    -------
    ndarray, shape (K, P)
        One gradient a trajectory; their mean is `npvpg.gradient.policy_gradient`.

    Raises
    ------
    ValueError
        If `psi` has not one finite entry a step, or `discount` lies outside [0, 1].
    """
    checks.shape((batch.n_steps,), psi=psi)
    checks.finite(psi=psi)
    if discount is not None:
        checks.unit_interval(discount=discount)
        psi = psi * returns.discount_weights(batch.start, discount)
    parts = [slice(*ends) for ends in zip(batch.start[:-1], batch.start[1:], strict=True)]
    return np.stack(
        [policy.at(theta, batch.obs[p]).weighted_score(batch.act[p], psi[p]) for p in parts]
    )


def gradient_variance(grads: NDArray[Any]) -> GradientVariance:
    r"""
    Estimate variance and length of the mean of gradients, both without bias.

    .. math:: \widehat{\mathrm{tr\,Cov}} = \frac{1}{n-1} \sum_i \lVert g_i - \bar g\rVert^2,
              \qquad \widehat{\lVert E g\rVert^2}
              = \lVert\bar g\rVert^2 - \frac1n\,\widehat{\mathrm{tr\,Cov}}

    Parameters
    ----------
    grads : ndarray, shape (n, P)
        Gradients of independent trajectories, at least 3.

    Returns
    -------
    GradientVariance
        The two, their quotient, and the errors of the logarithms.

    Raises
    ------
    ValueError
        If there are fewer than 3 gradients, or one is not finite.

    Notes
    -----
    The error is that of the jackknife: with :math:`f_{(i)}` the logarithm of the estimate from all
    gradients but the i-th,

    .. math:: \widehat{\mathrm{se}}^2 = \frac{n-1}{n} \sum_i \bigl(f_{(i)} - \bar f\bigr)^2.

    Of a logarithm, because a variance is positive and its estimate skewed; an estimate times
    :math:`e^{\pm 1.96\,\mathrm{se}}` covers the truth in about 95 % of all cases.

    References
    ----------
    .. [1] B. Efron and C. Stein, "The Jackknife Estimate of Variance", Annals of Statistics 9(3),
       1981.

    Examples
    --------
    >>> found = gradient_variance(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 3.0]]))
    >>> found.total, found.signal
    (4.0, 3.666666666666667)
    """
    checks.shape((-1, -1), grads=grads)
    checks.at_least(3, n_gradients=len(grads))
    checks.finite(grads=grads)
    grads = grads.astype(np.float64, copy=False)
    n, mean = len(grads), grads.mean(axis=0)
    off = grads - mean
    apart = (off * off).sum(axis=1)
    length = float(mean @ mean)
    total = float(apart.sum()) / (n - 1)
    signal = length - total / n
    # without gradient i, in closed form: the mean moves by off[i] / (n - 1)
    totals = (apart.sum() - apart * n / (n - 1)) / (n - 2)
    lengths = length - 2 * (off @ mean) / (n - 1) + apart / (n - 1) ** 2
    signals = lengths - totals / (n - 1)
    varies, resolved = (totals > 0).all(), (signals > 0).all()  # and so is signal, their mean
    return GradientVariance(
        total,
        signal,
        total / signal if signal > 0 else np.inf,
        _log_error(totals) if varies else np.inf,
        _log_error(totals / signals) if varies and resolved else np.inf,
    )


def _log_error(left_out: NDArray[np.float64]) -> float:
    """Jackknife standard error of a logarithm, from the estimates that leave one out."""
    logs = np.log(left_out)
    return float(np.sqrt((len(logs) - 1) * np.var(logs)))
