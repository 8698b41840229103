"""The policy gradient itself, and how far two halves of a batch agree on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.kernels import returns
from npvpg.policy import PolicyAt


def policy_gradient(
    pi: PolicyAt,
    batch: Batch,
    psi: NDArray[Any],
    *,
    per_step: bool = False,
    discount: float | None = None,
) -> NDArray[Any]:
    r"""
    Estimate the gradient of the expected return by one weighted sum of scores.

    .. math:: \hat g = \frac1K \sum_{k=1}^K \sum_{t=0}^{T_k-1}
              \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

    Parameters
    ----------
    pi : PolicyAt
        Policy that took the actions, at the observations of the batch.
    batch : Batch
        K trajectories, S steps.
    psi : ndarray, shape (S,)
        Weight :math:`\Phi_t` of every step [reward].
    per_step : bool
        Divide by S in place of K. A change of scale, not of direction; with it the step size
        means the same for short and long episodes.
    discount : float, optional
        The :math:`\gamma` of the factor :math:`\gamma^t` that makes the gradient of the
        discounted objective exact. Without it the result is the usual "semi-gradient".
        `npvpg.estimators.TotalReturn` and `npvpg.estimators.LeaveOneOut` are discounted from
        time 0 and must not get it.

    Returns
    -------
    ndarray, shape (P,)
        Gradient; the way up.

    Raises
    ------
    ValueError
        If `psi` has not one finite entry a step, `pi` is at another number of steps, or `discount`
        lies outside [0, 1].

    References
    ----------
    .. [1] J. Achiam, "Spinning Up in Deep Reinforcement Learning", 2018, part 3.
    .. [2] C. Nota and P. S. Thomas, "Is the Policy Gradient a Gradient?", AAMAS 2020,
       arXiv:1906.07073.

    Examples
    --------
    >>> import numpy as np
    >>> from npvpg.distributions import Categorical
    >>> from npvpg.mlp import MLP
    >>> from npvpg.policy import Policy
    >>> policy = Policy(MLP((1, 2)), Categorical(2))
    >>> batch = Batch(np.zeros((2, 1)), np.array([0, 1]), np.ones(2), np.array([0, 2]),
    ...               np.zeros((1, 1)), np.array([True]))
    >>> policy_gradient(policy.at(np.zeros(4), batch.obs), batch, np.array([2.0, 1.0]))
    array([ 0. ,  0. ,  0.5, -0.5])
    """
    checks.shape((batch.n_steps,), psi=psi)
    checks.finite(psi=psi)
    count = batch.n_steps if per_step else batch.n_trajectories
    weight = psi / count
    if discount is not None:
        checks.unit_interval(discount=discount)
        weight = weight * returns.discount_weights(batch.start, discount)
    return pi.weighted_score(batch.act, weight)


def half_cosine(
    pi: PolicyAt, batch: Batch, psi: NDArray[Any], *, discount: float | None = None
) -> float:
    r"""
    Cosine between the gradients of two halves of a batch: near 1 signal, about 0 noise.

    .. math:: c = \frac{\langle g_0, g_1\rangle}{\lVert g_0\rVert\,\lVert g_1\rVert}, \qquad
              g_j = \sum_{k \equiv j \;(\mathrm{mod}\; 2)} \sum_{t=0}^{T_k-1}
              \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

    Parameters
    ----------
    pi : PolicyAt
        Policy that took the actions, at the observations of the batch.
    batch : Batch
        K trajectories, S steps; every other one makes a half.
    psi : ndarray, shape (S,)
        Weight :math:`\Phi_t` of every step [reward].
    discount : float, optional
        As `policy_gradient` takes it.

    Returns
    -------
    float
        From -1 to 1; 0 if one half has no gradient, NaN of a single trajectory.

    Raises
    ------
    ValueError
        If `policy_gradient` does.

    Notes
    -----
    Were the halves independent, :math:`2c/(1-c)` would estimate the ratio of
    :math:`\lVert\mathbb E\,\hat g\rVert^2` to :math:`\mathbb E\lVert\hat g - \mathbb E\,\hat
    g\rVert^2`, the signal-to-noise ratio of the gradient of the whole batch. A single cosine says
    little, the mean of forty a lot. Costs two passes back through the network.
    """
    if batch.n_trajectories < 2:
        return float("nan")
    odd = np.repeat(np.arange(batch.n_trajectories) % 2 == 1, batch.lengths)
    one, other = (
        np.asarray(
            policy_gradient(pi, batch, np.where(kept, psi, 0.0), discount=discount), np.float64
        )
        for kept in (odd, ~odd)
    )
    scale = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / scale if scale > 0 else 0.0
