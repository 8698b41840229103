r"""
Natural policy gradient and TRPO: a step of a given length in the metric of the policies.

.. math:: \theta_{k+1} = \theta_k + \alpha\, x, \qquad (F + cI)\,x = \hat g, \qquad
          \alpha = \sqrt{\frac{2\delta}{x^\top (F + cI)\, x}}

Half of :math:`\Delta^\top F \Delta` is the mean divergence to second order, so :math:`\delta`
bounds it, and the step is the same whatever parameters the policies are written in. A gradient
knows nothing of that: its step size means another divergence in every update.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.algorithm import Turn
from npvpg.batch import Batch
from npvpg.fisher import conjugate_gradient, fisher_product
from npvpg.optimizers import SGD, Linear, OptimizerState
from npvpg.policy import PolicyAt
from npvpg.stages import PolicyStage, Stepped, Weigh


class Natural(NamedTuple):
    r"""
    A natural gradient, and how far to go along it.

    Attributes
    ----------
    direction : ndarray of float64, shape (P,)
        The natural gradient :math:`x`.
    lr : float
        Factor :math:`\alpha` that makes the divergence what it may be; 0 where there is no
        gradient.
    """

    direction: NDArray[np.float64]
    lr: float


def natural_gradient(
    pi: PolicyAt, grad: NDArray[Any], *, max_kl: float, damping: float, cg_steps: int
) -> Natural:
    r"""
    Turn a gradient into a natural one.

    .. math:: (F + cI)\,x = g, \qquad \alpha = \sqrt{\frac{2\delta}{x^\top (F + cI)\, x}}

    Parameters
    ----------
    pi : PolicyAt
        The policy at S observations.
    grad : ndarray, shape (P,)
        Gradient of the objective; its scale does not matter.
    max_kl : float
        Divergence :math:`\delta` of the step, to second order [nat].
    damping : float
        :math:`c`, which keeps the system regular where nothing that was observed depends on a
        parameter, and shortens the step there.
    cg_steps : int
        Steps of `npvpg.fisher.conjugate_gradient`.

    Returns
    -------
    Natural
        Direction and length.

    Raises
    ------
    ValueError
        If `grad` is of another shape or not finite, or `cg_steps` is smaller than 1.

    References
    ----------
    .. [1] S. Kakade, "A Natural Policy Gradient", NIPS 2001.
    .. [2] J. Schulman, S. Levine, P. Moritz, M. I. Jordan and P. Abbeel, "Trust Region Policy
       Optimization", ICML 2015, arXiv:1502.05477, appendix C.
    """
    checks.shape((pi.policy.size,), grad=grad)
    checks.finite(grad=grad)

    def product(v: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(fisher_product(pi, v.astype(pi.network.dtype)) + damping * v)

    direction = conjugate_gradient(product, grad, n_steps=cg_steps)
    curvature = float(direction @ product(direction))
    return Natural(direction, float(np.sqrt(2 * max_kl / curvature)) if curvature > 0 else 0.0)


@final
@dataclass(frozen=True)
class LineSearch:
    """
    Shorter steps, tried one after the other where the full one does not hold what it promised.

    Parameters
    ----------
    backtracks : int
        Steps that are tried, the full one among them, at least 1.
    shrink : float
        Each is so many times as long as the one before, in (0, 1).

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    backtracks: int = 10
    shrink: float = 0.8

    def __post_init__(self) -> None:
        checks.settings(self)
        if not 0 < self.shrink < 1:
            raise ValueError(f"shrink must lie in (0, 1), got {self.shrink}")

    @property
    def factors(self) -> NDArray[np.float64]:
        """Parts of the full step, from 1 downwards."""
        return np.asarray(self.shrink ** np.arange(self.backtracks), np.float64)


@final
@dataclass(frozen=True)
class NaturalStep(PolicyStage):
    """
    A step along the natural gradient, as long as a divergence allows.

    Parameters
    ----------
    max_kl : Linear
        Largest mean divergence from the policy that acted to the new one, over the run [nat].
    damping : float
        What is added to the diagonal of Fisher's matrix.
    cg_steps : int
        Steps of conjugate gradients.
    search : LineSearch, optional
        The first of its steps that raises the objective and keeps the measured divergence within
        its bound is taken, and none if there is none: that is TRPO. By default the full step is
        taken as it is: that is the natural policy gradient.
    entropy_weight : float
        As in `PolicyStage`.
    greedy : Linear, optional
        As in `PolicyStage`.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    max_kl: Linear
    damping: float = 0.1
    cg_steps: int = 10
    search: LineSearch | None = None
    entropy_weight: float = 0.0
    greedy: Linear | None = None

    @override
    def init(self, theta: NDArray[Any]) -> OptimizerState:
        """Give an empty memory: every step stands for itself."""
        return SGD().init(theta)

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
        max_kl = self.max_kl(turn.fraction)
        x, lr = natural_gradient(
            pi, grad, max_kl=max_kl, damping=self.damping, cg_steps=self.cg_steps
        )
        memory = memory._replace(n_made=memory.n_made + 1)
        if self.search is None:
            return Stepped((theta + lr * x).astype(theta.dtype), memory, grad, lr)
        log_prob = pi.log_prob(batch.act)
        before = self.objective(pi, batch, psi, log_prob, weigh)
        for factor in self.search.factors.tolist():
            tried = (theta + factor * lr * x).astype(theta.dtype)
            new = pi.policy.at(tried, batch.obs)
            gained = self.objective(new, batch, psi, log_prob, weigh) > before
            if gained and float(pi.kl(new).mean()) <= max_kl:
                return Stepped(tried, memory, grad, factor * lr)
        return Stepped(theta, memory, grad, 0.0)
