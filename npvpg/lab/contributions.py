r"""
An update taken apart: what every step of a batch has in the gradient.

The gradient is a sum over steps, so its squared length is the sum of what each of them has along
it, and the share of a step says how far it alone moves the parameters that way.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.policy import PolicyAt

_ROWS = 256  # scores that are formed at a time


class Contributions(NamedTuple):
    """
    What the steps of a batch have in its gradient.

    Attributes
    ----------
    share : ndarray of float64, shape (S,)
        Part of the gradient's length that a step has along it; they sum to 1, and a negative one
        pulls back.
    score_norm : ndarray of float64, shape (S,)
        Length of the score of a step.
    log_prob : ndarray, shape (S,)
        Logarithm of the probability, or density, of its action [nat].
    """

    share: NDArray[np.float64]
    score_norm: NDArray[np.float64]
    log_prob: NDArray[Any]


def contributions(
    pi: PolicyAt,
    batch: Batch,
    weight: NDArray[Any],
    grad: NDArray[Any],
    entropy_weight: float = 0.0,
) -> Contributions:
    r"""
    Take a gradient apart.

    .. math:: c_t = \frac{g \cdot \bigl(w_t \nabla_\theta\log\pi_\theta(a_t\mid s_t)
              + \beta\, \nabla_\theta H(\pi_\theta(\cdot\mid s_t))\bigr)}{\lVert g\rVert^2},
              \qquad \sum_t c_t = 1

    Parameters
    ----------
    pi : PolicyAt
        The policy that acted, at the observations of the batch.
    batch : Batch
        S steps.
    weight : ndarray, shape (S,)
        Weight :math:`w_t` of every score, with what the sum is divided by.
    grad : ndarray, shape (P,)
        The gradient :math:`g` that these weights make.
    entropy_weight : float
        Weight :math:`\beta` of the entropy of a step, likewise.

    Returns
    -------
    Contributions
        What each step has.

    Raises
    ------
    ValueError
        If a shape is not as above, or the gradient is zero, which nothing is a part of.

    Notes
    -----
    The scalar products are worked out forwards, by the derivative along :math:`g`
    (`npvpg.policy.PolicyAt.tangent`), where the gradient itself was worked out backwards.
    """
    checks.shape((batch.n_steps,), weight=weight)
    squared = float(grad @ grad)
    if not squared > 0:
        raise ValueError("grad must not be zero: no step is a part of it")
    law = pi.policy.distribution
    of_score = law.score(pi.params, batch.act)
    pull = weight[:, np.newaxis] * of_score
    if entropy_weight:
        pull = pull + entropy_weight * law.entropy_score(pi.params)
    share = (pull * pi.tangent(grad)).sum(axis=1) / squared
    blocks = [slice(i, i + _ROWS) for i in range(0, batch.n_steps, _ROWS)]
    norms = [
        np.linalg.norm(_rows(pi, block).backward_samples(of_score[block]), axis=1)
        for block in blocks
    ]
    return Contributions(share, np.concatenate(norms), pi.log_prob(batch.act))


def _rows(pi: PolicyAt, rows: slice) -> PolicyAt:
    """Give the policy at some of its observations."""
    layers = [layer[rows] for layer in pi.layers]
    return PolicyAt(pi.policy, pi.network, layers, pi.params[rows])
