"""Returns compared within groups of trajectories: the baselines that need no network."""

from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np
from typing_extensions import override

from npvpg import checks, kernels
from npvpg.estimators.base import Array, Estimator, Offsets
from npvpg.estimators.standardizing import standardize

Baseline = Literal["leave-one-out", "mean", "standardized"]


@final
@dataclass(frozen=True)
class GroupRelative(Estimator):
    r"""
    Return of a trajectory, compared with those of its group: RLOO and GRPO.

    .. math:: \Phi_t = R_k - \frac1{N-1}\sum_{j\ne k} R_j, \qquad
              R_k - \bar R, \qquad \text{or} \qquad \frac{R_k - \bar R}{\operatorname{std} R}

    Parameters
    ----------
    gamma : float
        Discount in [0, 1] [per step].
    group : int
        Trajectories of a group, N, at least 2; so many that follow one another, all from the same
        first state.
    baseline : {"leave-one-out", "mean", "standardized"}
        The mean of the others (RLOO); of all, which shrinks the expected gradient by
        :math:`1 - 1/N`; or that, divided by the standard deviation of the group (GRPO).
    per_length : bool
        Divide the weight by the length of the trajectory, as a mean over the steps of each does.

    Raises
    ------
    ValueError
        If a number is out of range, the baseline is unknown, or, as it is called, the number of
        trajectories is no multiple of `group`.

    Notes
    -----
    Only the first of the three is unbiased. Divided by its standard deviation every group counts
    alike, one whose returns differ by their last digits too: no weight exceeds
    :math:`\sqrt{N-1}`, one return far out makes all others equal, and equal returns weigh nothing.
    Divided by its length a trajectory counts the less the longer it is: what fails is made longer,
    what succeeds shorter.

    References
    ----------
    .. [1] A. Ahmadian et al., "Back to Basics: Revisiting REINFORCE Style Optimization for
       Learning from Human Feedback in LLMs", ACL 2024, arXiv:2402.14740.
    .. [2] Z. Shao et al., "DeepSeekMath", 2024, arXiv:2402.03300, section 4.1.
    .. [3] Z. Liu et al., "Understanding R1-Zero-Like Training: A Critical Perspective", 2025,
       arXiv:2503.20783: the biases of both divisions.

    Examples
    --------
    >>> rew, zero, start = np.array([1.0, 1.0, 3.0]), np.zeros(3), np.array([0, 2, 3])
    >>> GroupRelative(0.5, 2, "mean")(rew, zero, zero[:2], start)
    array([-0.75, -0.75,  0.75])
    >>> GroupRelative(0.5, 2, "leave-one-out", per_length=True)(rew, zero, zero[:2], start)
    array([-0.75, -0.75,  1.5 ])
    """

    name = "group-relative"
    formula = "Φₜ = R(τₖ) compared with its group"
    uses_value = False
    from_start = True
    needs_whole_episodes = True
    compares_trajectories = True
    group: int
    baseline: Baseline = "leave-one-out"
    per_length: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.at_least(2, group=self.group)
        if self.baseline not in get_args(Baseline):
            known = ", ".join(get_args(Baseline))
            raise ValueError(f"baseline must be one of {known}, got {self.baseline!r}")

    @property
    @override
    def constants(self) -> dict[str, float]:
        return {"gamma": self.gamma, "group": self.group}

    @override
    def weigh(self, rew: Array, val: Array, last_val: Array, start: Offsets) -> Array:
        n = len(start) - 1
        if n % self.group:
            raise ValueError(f"trajectories must number a multiple of {self.group}, got {n}")
        total = kernels.returns.total_return(rew, start, self.gamma)[start[:-1]]
        groups = total.reshape(-1, self.group)
        if self.baseline == "standardized":
            weight = np.array([standardize(one) for one in groups])
        else:
            weight = groups - groups.mean(axis=1, keepdims=True)
        if self.baseline == "leave-one-out":
            weight *= self.group / (self.group - 1)
        lengths = np.diff(start)
        each = weight.ravel() / lengths if self.per_length else weight.ravel()
        return np.repeat(each, lengths)
