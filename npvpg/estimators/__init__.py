r"""
Weights of the score: how much better each action was than expected.

Every estimator makes one :math:`\Phi_t` per step of the policy gradient

.. math:: \hat g = \frac1K \sum_t \Phi_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)

and is called the same way, ``estimator(rew, val, last_val, start)``, whatever it reads of it. The
base class checks the arguments, a subclass gives the formula and says what it is; most formulas
are kernels of `npvpg.kernels.returns`. `NAMED` is the one list of all estimators by name.
"""

from collections.abc import Mapping
from types import MappingProxyType

from npvpg.estimators.advantages import GAE, ActionValue, BaselinedReturn, NStep, TDResidual
from npvpg.estimators.base import Array, Estimator, Offsets
from npvpg.estimators.groups import GroupRelative
from npvpg.estimators.standardizing import standardize
from npvpg.estimators.without_value import LeaveOneOut, RewardToGo, TotalReturn

__all__ = [
    "GAE",
    "NAMED",
    "ActionValue",
    "Array",
    "BaselinedReturn",
    "Estimator",
    "GroupRelative",
    "LeaveOneOut",
    "NStep",
    "Offsets",
    "RewardToGo",
    "TDResidual",
    "TotalReturn",
    "named",
    "standardize",
]

NAMED: Mapping[str, type[Estimator]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            TotalReturn,
            LeaveOneOut,
            RewardToGo,
            BaselinedReturn,
            TDResidual,
            NStep,
            GAE,
            ActionValue,
        )
    }
    | {"advantage": GAE}
)
"""Every estimator by its name, from the plainest to the most refined; "advantage" is a synonym."""


def named(name: str, *, gamma: float, lam: float, n: int) -> Estimator:
    """
    Make an estimator by its name.

    Parameters
    ----------
    name : str
        One of `NAMED`.
    gamma : float
        Discount in [0, 1] [per step].
    lam : float
        Lambda in [0, 1], where the estimator has one.
    n : int
        Number of rewards to look ahead, where the estimator looks so far.

    Returns
    -------
    Estimator
        The estimator.

    Raises
    ------
    ValueError
        If there is no such name, or a constant is out of range.

    Examples
    --------
    >>> named("gae", gamma=0.99, lam=0.95, n=5)
    GAE(gamma=0.99, lam=0.95)
    """
    if name not in NAMED:
        raise ValueError(f"estimator must be one of {', '.join(NAMED)}, got {name!r}")
    return NAMED[name].from_constants(gamma=gamma, lam=lam, n=n)
