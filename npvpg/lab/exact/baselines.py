"""The baselines of least variance, and the gradient that averages over every action."""

import numpy as np

from npvpg import checks
from npvpg.kernels import returns
from npvpg.lab.exact.laboratory import FloatArray, Laboratory, Moments


def best_baseline(lab: Laboratory, *, constant: bool = False) -> FloatArray:
    r"""
    Baseline of the reward-to-go under which the gradient of an episode varies least.

    .. math:: b_t(s) = \frac{E\bigl[[s_t = s]\; \psi_t \cdot \sum_u \gamma^u \hat G_u \psi_u\bigr]}
              {E\bigl[[s_t = s]\; \gamma^t \lVert\psi_t\rVert^2\bigr]}, \qquad
              \psi_t = \nabla_\theta\log\pi_\theta(a_t\mid s_t)

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    constant : bool
        Whether all states and times have one number, in which both expectations are summed over
        them, with :math:`\gamma^t` for each.

    Returns
    -------
    ndarray of float64, shape (H + 1, S + 1)
        A table in the form of values, for `npvpg.estimators.BaselinedReturn`; where no episode
        comes it is 0, at the horizon what a state is worth [reward].

    Notes
    -----
    The variance is a quadratic form in the baseline. Its mixed terms are 0, since a later score
    has expectation 0 whatever came before, so every number has its own quotient. That of V is
    another: V leaves out how much a score weighs, and what the other steps of the episode bring.

    References
    ----------
    .. [1] E. Greensmith, P. L. Bartlett and J. Baxter, "Variance Reduction Techniques for Gradient
       Estimates in Reinforcement Learning", JMLR 5, 2004.
    """
    flat, process = lab.episodes, lab.process
    final = np.append(process.final, 0.0)
    chance = np.repeat(flat.probability, np.diff(flat.start))
    discount = returns.discount_weights(flat.start, process.gamma)
    to_go = returns.discounted_sum(flat.rew, final[flat.last_state], flat.start, process.gamma)
    whole = np.add.reduceat((discount * to_go)[:, np.newaxis] * lab.score, flat.start[:-1], axis=0)
    along = (lab.score * np.repeat(whole, np.diff(flat.start), axis=0)).sum(axis=1)
    cell, n_cells = flat.time * process.n_states + flat.state, process.horizon * process.n_states
    above = np.bincount(cell, chance * discount * along, n_cells)
    below = np.bincount(cell, chance * discount**2 * (lab.score**2).sum(axis=1), n_cells)
    if constant:
        above, below = np.full(n_cells, above.sum()), np.full(n_cells, below.sum())
    table = np.zeros((process.horizon + 1, process.n_states + 1))
    table[-1] = final
    best = np.divide(above, below, out=np.zeros(n_cells), where=below > 0)
    table[:-1, :-1] = best.reshape(process.horizon, -1)
    return table


def all_actions(
    lab: Laboratory, value: FloatArray | None = None, n_trajectories: int = 1
) -> Moments:
    r"""
    Mean and covariance of the gradient that averages over every action of a state that was met.

    .. math:: \hat g = \sum_t \gamma^t \sum_a \pi_\theta(a\mid s_t)\, Q_t(s_t, a)\,
              \nabla_\theta\log\pi_\theta(a\mid s_t), \qquad
              Q_t(s, a) = \sum_{s'} P(s'\mid s, a)\bigl(r(s, a, s') + \gamma V_{t+1}(s')\bigr)

    Parameters
    ----------
    lab : Laboratory
        Process and policy.
    value : ndarray of float64, shape (H + 1, S + 1), optional
        Value function that Q looks one step ahead of; the exact one if not given [reward].
    n_trajectories : int
        Episodes in a batch, K.

    Returns
    -------
    Moments
        Mean, covariance, and the gradient of the objective.

    Raises
    ------
    ValueError
        If `value` has another shape or `n_trajectories` is smaller than 1.

    References
    ----------
    .. [1] R. S. Sutton and A. G. Barto, "Reinforcement Learning", 2nd ed., 2018, equation (13.7).
    """
    checks.at_least(1, n_trajectories=n_trajectories)
    V = lab.solution.V if value is None else value
    checks.shape(lab.solution.V.shape, value=V)
    flat, process = lab.episodes, lab.process
    after = V[1:].copy()
    after[:, -1] = 0
    reward = (process.transition * process.reward).sum(axis=2)
    Q = reward + process.gamma * np.einsum("san,tn->tsa", process.transition, after)
    score = lab.score_table
    expected = np.einsum("sa,tsa,sap->tsp", lab.pi, Q, score)
    discount = returns.discount_weights(flat.start, process.gamma)
    steps = discount[:, np.newaxis] * expected[flat.time, flat.state]
    each = np.add.reduceat(steps, flat.start[:-1], axis=0)
    mean = flat.probability @ each
    centred = each - mean
    covariance = (centred.T * flat.probability) @ centred / n_trajectories
    return Moments(mean, covariance, lab.gradient)
