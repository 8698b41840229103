r"""
Proximal policy optimisation: many steps on one batch, each as long as it may still gain.

.. math:: \hat L(\theta) = \frac1S \sum_t \min\bigl(\rho_t\Phi_t,\;
          \operatorname{clip}(\rho_t, 1-\epsilon, 1+\epsilon)\,\Phi_t\bigr)

A term whose ratio has already gone beyond the bound in the direction that its weight wants is
constant, and has no gradient; one that has gone the other way is pulled back in full.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.algorithm import Turn
from npvpg.batch import Batch
from npvpg.estimators import standardize
from npvpg.kernels import returns
from npvpg.optimizers import Ascent, Linear, OptimizerState
from npvpg.policy import PolicyAt
from npvpg.stages import PolicyStage, Stepped, Weigh, deal
from npvpg.surrogate import importance_ratio
from npvpg.world.streams import Purpose


def clipped(ratio: NDArray[Any], psi: NDArray[Any], clip: float) -> NDArray[Any]:
    r"""
    Terms of the clipped surrogate.

    .. math:: \min\bigl(\rho_t\Phi_t,\;
              \operatorname{clip}(\rho_t, 1-\epsilon, 1+\epsilon)\,\Phi_t\bigr)

    Parameters
    ----------
    ratio : ndarray, shape (S,)
        Ratios :math:`\rho_t`; compared by their real part.
    psi : ndarray, shape (S,)
        Weight of every step [reward].
    clip : float
        Bound :math:`\epsilon`, positive.

    Returns
    -------
    ndarray, shape (S,)
        Terms [reward].

    References
    ----------
    .. [1] J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal Policy
       Optimization Algorithms", 2017, arXiv:1707.06347, equation (7).

    Examples
    --------
    >>> clipped(np.array([0.5, 1.5, 0.5, 1.5]), np.array([1.0, 1.0, -1.0, -1.0]), 0.25)
    array([ 0.5 ,  1.25, -0.75, -1.5 ])
    """
    bound = np.clip(ratio.real, 1 - clip, 1 + clip)
    return np.asarray(np.where(_spent(ratio, psi, clip), bound * psi, ratio * psi))


def clipped_weight(ratio: NDArray[Any], psi: NDArray[Any], clip: float) -> NDArray[Any]:
    r"""
    Derivative of the terms of the clipped surrogate to :math:`\log\pi`: the weights of the scores.

    .. math:: w_t = \begin{cases} 0 & \Phi_t > 0,\ \rho_t > 1 + \epsilon \\
              0 & \Phi_t < 0,\ \rho_t < 1 - \epsilon \\ \rho_t\Phi_t & \text{else} \end{cases}

    Parameters
    ----------
    ratio, psi, clip
        As in `clipped`.

    Returns
    -------
    ndarray, shape (S,)
        Weights [reward].

    Examples
    --------
    >>> clipped_weight(np.array([0.5, 1.5, 0.5, 1.5]), np.array([1.0, 1.0, -1.0, -1.0]), 0.25)
    array([ 0.5,  0. ,  0. , -1.5])
    """
    return np.asarray(np.where(_spent(ratio, psi, clip), 0, ratio * psi))


def _spent(ratio: NDArray[Any], psi: NDArray[Any], clip: float) -> NDArray[np.bool_]:
    """Tell the terms whose ratio has gone as far as their weight may take it."""
    checks.shape(ratio.shape, psi=psi)
    checks.positive(clip=clip)
    high, low = ratio.real > 1 + clip, ratio.real < 1 - clip
    return np.asarray((high & (psi > 0)) | (low & (psi < 0)))


@final
@dataclass(frozen=True)
class ClippedStep(PolicyStage):
    """
    Several passes over the batch in minibatches, up the clipped surrogate.

    Parameters
    ----------
    ascent : Ascent
        Bound, optimiser and schedule of every single step.
    clip : float
        How far a ratio may go from 1.
    policy_steps : int
        Passes over the batch.
    policy_minibatch : int
        Steps of a minibatch; 0 makes a pass one step on the whole batch.
    standardize_minibatch : bool
        Shift and scale the weights of every minibatch to mean 0 and standard deviation 1, as many
        implementations do: the same step then counts otherwise in every pass.
    stop_kl : float
        Mean divergence from the policy that acted after which no further pass begins [nat]; 0
        makes all of them.
    entropy_weight : float
        As in `PolicyStage`.
    greedy : Linear, optional
        As in `PolicyStage`.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    .. [1] S. Huang, R. F. J. Dossa, A. Raffin, A. Kanervisto and W. Wang, "The 37 Implementation
       Details of Proximal Policy Optimization", ICLR Blog Track, 2022.
    """

    ascent: Ascent
    clip: float = 0.2
    policy_steps: int = 10
    policy_minibatch: int = 64
    standardize_minibatch: bool = False
    stop_kl: float = 0.0
    entropy_weight: float = 0.0
    greedy: Linear | None = None

    @override
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        return self.ascent.init(theta)

    @override
    def __call__(
        self,
        theta: NDArray[Any],
        pi: PolicyAt,
        batch: Batch,
        psi: NDArray[np.float64],
        weigh: Weigh,
        memory: OptimizerState,
        turn: Turn,
    ) -> Stepped:
        grad = self.gradient(pi, batch, psi, weigh)
        log_prob = pi.log_prob(batch.act)
        if weigh.discount is not None:
            psi = psi * returns.discount_weights(batch.start, weigh.discount)
        rng = turn.generator(Purpose.POLICY_MINIBATCH)
        for _ in range(self.policy_steps):
            for rows in deal(batch.n_steps, self.policy_minibatch, rng):
                now = pi.policy.at(theta, batch.obs[rows])
                step = self._gradient(now, batch.act[rows], psi[rows], log_prob[rows], batch, weigh)
                theta, memory = self.ascent.step(theta, step, memory, turn.fraction)
            if self.stop_kl and float(pi.kl(pi.policy.at(theta, batch.obs)).mean()) > self.stop_kl:
                break
        return Stepped(theta, memory, grad, self.ascent.lr(turn.fraction))

    def _gradient(
        self,
        now: PolicyAt,
        act: NDArray[Any],
        psi: NDArray[np.float64],
        log_prob: NDArray[Any],
        batch: Batch,
        weigh: Weigh,
    ) -> NDArray[Any]:
        """Gradient of the clipped surrogate and the entropy on the rows of a minibatch."""
        if self.standardize_minibatch:
            psi = standardize(psi)
        weight = clipped_weight(importance_ratio(now.log_prob(act), log_prob), psi, self.clip)
        # the mean over rows, or by trajectories that times the mean length of one
        share = batch.n_steps / weigh.count(batch) / now.n_rows
        grad = now.weighted_score(act, share * weight)
        if self.entropy_weight:
            bonus = np.full(now.n_rows, share * self.entropy_weight)
            grad = grad + now.weighted_entropy_score(bonus)
        checks.finite(gradient=grad)
        return grad
