"""The surrogate: what a batch of an old policy says of the objective of a new one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.gradient import policy_gradient
from npvpg.kernels import returns
from npvpg.policy import PolicyAt


def importance_ratio(log_prob: NDArray[Any], old_log_prob: NDArray[Any]) -> NDArray[Any]:
    r"""
    How much more probable actions are by a new policy than by the one that took them.

    .. math:: \rho_t = \frac{\pi_\theta(a_t\mid s_t)}{\pi_{\theta_k}(a_t\mid s_t)}
              = \exp\bigl(\log\pi_\theta(a_t\mid s_t) - \log\pi_{\theta_k}(a_t\mid s_t)\bigr)

    Parameters
    ----------
    log_prob, old_log_prob : ndarray, shape (S,)
        Logarithms by the new policy and by the old.

    Returns
    -------
    ndarray, shape (S,)
        Ratios; infinite where they are beyond the largest float.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Its mean under the old policy is 1, its mean square one and the chi-square divergence of the
    two: of two Gaussians whose means are :math:`\delta` apart, :math:`e^{\delta^2/\sigma^2}`.

    Examples
    --------
    >>> importance_ratio(np.array([-1000.0, -1.0]), np.array([-1000.0, -1.0]))
    array([1., 1.])
    """
    checks.shape(log_prob.shape, old_log_prob=old_log_prob)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(log_prob - old_log_prob))


def surrogate_objective(
    pi: PolicyAt,
    batch: Batch,
    psi: NDArray[Any],
    old_log_prob: NDArray[Any],
    *,
    per_step: bool = False,
    discount: float | None = None,
) -> Any:
    r"""
    Surrogate objective of a new policy on the batch of an old one.

    .. math:: \hat L(\theta) = \frac1K \sum_{k=1}^K \sum_{t=0}^{T_k-1} \rho_t\, \Phi_t

    Parameters
    ----------
    pi : PolicyAt
        The new policy, at the observations of the batch.
    batch : Batch
        K trajectories of the old policy, S steps.
    psi : ndarray, shape (S,)
        Weight :math:`\Phi_t` of every step [reward].
    old_log_prob : ndarray, shape (S,)
        Logarithms of the actions' probabilities by the old policy.
    per_step, discount : bool, float
        As in `npvpg.gradient.policy_gradient`.

    Returns
    -------
    float
        The surrogate; complex where theta is [reward].

    Raises
    ------
    ValueError
        If a shape is not as above, or `discount` lies outside [0, 1].

    Notes
    -----
    With the advantages of the old policy for weights it is, on average, what the new policy gains
    if states stay as likely as they were. That they do not is an error of second order in the
    step, so at the old policy value and gradient are right, and nowhere else.

    References
    ----------
    .. [1] S. Kakade and J. Langford, "Approximately Optimal Approximate Reinforcement Learning",
       ICML 2002.
    .. [2] J. Schulman, S. Levine, P. Moritz, M. I. Jordan and P. Abbeel, "Trust Region Policy
       Optimization", ICML 2015, arXiv:1502.05477, equation (3).
    """
    checks.shape((batch.n_steps,), psi=psi, old_log_prob=old_log_prob)
    gain = importance_ratio(pi.log_prob(batch.act), old_log_prob) * psi
    if discount is not None:
        checks.unit_interval(discount=discount)
        gain = gain * returns.discount_weights(batch.start, discount)
    return gain.sum() / (batch.n_steps if per_step else batch.n_trajectories)


def surrogate_gradient(
    pi: PolicyAt,
    batch: Batch,
    psi: NDArray[Any],
    old_log_prob: NDArray[Any],
    *,
    per_step: bool = False,
    discount: float | None = None,
) -> NDArray[Any]:
    r"""
    Gradient of the surrogate: the policy gradient, every weight times its ratio.

    .. math:: \nabla\hat L(\theta) = \frac1K \sum_{k=1}^K \sum_{t=0}^{T_k-1}
              \rho_t\, \Phi_t\, \nabla_\theta\log\pi_\theta(a_t\mid s_t)

    Parameters
    ----------
    pi, batch, psi, old_log_prob, per_step, discount
        As in `surrogate_objective`.

    Returns
    -------
    ndarray, shape (P,)
        Gradient; the way up.

    Raises
    ------
    ValueError
        If a shape is not as in `surrogate_objective`, a weight times its ratio is not finite, or
        `discount` lies outside [0, 1].
    """
    checks.shape((batch.n_steps,), psi=psi, old_log_prob=old_log_prob)
    weight = importance_ratio(pi.log_prob(batch.act), old_log_prob) * psi
    return policy_gradient(pi, batch, weight, per_step=per_step, discount=discount)
