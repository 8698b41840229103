r"""
The gradient of a batch if some of its steps had other weights.

It is linear in the weights: with :math:`u_i = f_i \nabla_\theta\log\pi_\theta(a_i\mid s_i)`, where
:math:`f_i` is what the weight of step i is multiplied by, K steps that weigh :math:`\Phi'_i` in
place of :math:`\Phi_i` give

.. math:: g' = g + \sum_{i=1}^K \delta_i u_i, \qquad \delta_i = \Phi'_i - \Phi_i.

Lengths and angles of it, block by block of theta, so follow from scalar products that are worked
out once; whoever has these, such as a page in a browser, needs neither network nor batch.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.policy import Policy, PolicyAt

WHOLE = "θ"  # the last block is all of it


class Reweighted(NamedTuple):
    """
    What a gradient would be.

    Attributes
    ----------
    squared : ndarray of float64, shape (B,)
        Squared length of every block of it.
    inner : ndarray of float64, shape (B,)
        Scalar product of every block with that of the gradient as it is.
    share : ndarray of float64, shape (K,)
        Part of its length that each of the steps would have along it, as
        `npvpg.lab.contributions.Contributions` has it.
    """

    squared: NDArray[np.float64]
    inner: NDArray[np.float64]
    share: NDArray[np.float64]


class Reweighting(NamedTuple):
    r"""
    What a gradient and K of its steps must be asked once.

    Attributes
    ----------
    blocks : tuple of str
        Names of the B blocks of theta: matrix and bias of every layer, free log sigmas, and last
        all of it.
    sizes : tuple of int
        How many parameters each has.
    weight : ndarray of float64, shape (K,)
        Weights :math:`\Phi_i` of the steps as they are.
    squared : ndarray of float64, shape (B,)
        :math:`\lVert g_b\rVert^2` of every block.
    along : ndarray of float64, shape (B, K)
        :math:`g_b \cdot u_{ib}`.
    gram : ndarray of float64, shape (B, K, K)
        :math:`u_{ib} \cdot u_{jb}`.
    entropy_along : ndarray of float64, shape (K,)
        :math:`g \cdot e_i`, where :math:`e_i` is what the entropy of step i adds to the gradient.
    entropy_gram : ndarray of float64, shape (K, K)
        :math:`e_i \cdot u_j`.
    """

    blocks: tuple[str, ...]
    sizes: tuple[int, ...]
    weight: NDArray[np.float64]
    squared: NDArray[np.float64]
    along: NDArray[np.float64]
    gram: NDArray[np.float64]
    entropy_along: NDArray[np.float64]
    entropy_gram: NDArray[np.float64]

    def at(self, weight: NDArray[np.float64]) -> Reweighted:
        r"""
        Work out the gradient with other weights of the steps.

        .. math::
           \lVert g'_b\rVert^2 = \lVert g_b\rVert^2 + 2\,\delta\cdot c_b + \delta^\top G_b\,\delta,
           \qquad g_b \cdot g'_b = \lVert g_b\rVert^2 + \delta\cdot c_b, \qquad
           c'_i = \frac{g' \cdot (\Phi'_i u_i + e_i)}{\lVert g'\rVert^2}

        with :math:`c_b` for `along` and :math:`G_b` for `gram`.

        Parameters
        ----------
        weight : ndarray of float64, shape (K,)
            Weights :math:`\Phi'_i`.

        Returns
        -------
        Reweighted
            The gradient.

        Raises
        ------
        ValueError
            If `weight` has another shape.
        """
        checks.shape(self.weight.shape, weight=weight)
        delta = weight - self.weight
        moved = self.gram @ delta
        inner = self.squared + self.along @ delta
        squared = inner + self.along @ delta + moved @ delta
        pull = weight * (self.along[-1] + moved[-1])
        share = (pull + self.entropy_along + self.entropy_gram @ delta) / squared[-1]
        return Reweighted(squared, inner, share)


def blocks(policy: Policy) -> list[tuple[str, slice]]:
    """
    Name the blocks of theta.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    list of (str, slice)
        Matrix and bias of every layer and the free log sigmas, if there are any; last all of it.
    """
    found, at = [], 0
    for layer, (n_in, n_out) in enumerate(pairwise(policy.network.sizes), 1):
        for name, size in ((f"W{layer}", n_in * n_out), (f"b{layer}", n_out)):
            found.append((name, slice(at, at + size)))
            at += size
    if at < policy.size:
        found.append(("log σ", slice(at, policy.size)))
    return [*found, (WHOLE, slice(0, policy.size))]


def reweighting(
    pi: PolicyAt,
    act: NDArray[Any],
    weight: NDArray[Any],
    factor: NDArray[Any],
    grad: NDArray[Any],
    entropy_weight: float = 0.0,
) -> Reweighting:
    r"""
    Ask a gradient and some of its steps what follows if these weigh otherwise.

    Parameters
    ----------
    pi : PolicyAt
        The policy that acted, at the observations of K steps.
    act : ndarray, shape (K,) or (K, D)
        Their actions.
    weight : ndarray, shape (K,)
        Their weights :math:`\Phi_i` [reward].
    factor : ndarray, shape (K,)
        What each weight is multiplied by, :math:`f_i`: 1 by what the sum is divided by, and
        :math:`\gamma^t` where that belongs to it.
    grad : ndarray, shape (P,)
        The gradient :math:`g` that these steps are part of.
    entropy_weight : float
        Weight of the entropy of a step in it, with what the sum is divided by.

    Returns
    -------
    Reweighting
        Their scalar products.

    Raises
    ------
    ValueError
        If a shape is not as above.

    Notes
    -----
    Takes memory for 2 K scores.
    """
    checks.shape((pi.n_rows,), weight=weight, factor=factor)
    checks.shape((pi.policy.size,), grad=grad)
    law = pi.policy.distribution
    u = pi.backward_samples(factor[:, np.newaxis] * law.score(pi.params, act))
    e = pi.backward_samples(entropy_weight * law.entropy_score(pi.params))
    named = blocks(pi.policy)
    return Reweighting(
        tuple(name for name, _ in named),
        tuple(part.stop - part.start for _, part in named),
        weight.astype(np.float64),
        np.array([grad[part] @ grad[part] for _, part in named]),
        np.array([u[:, part] @ grad[part] for _, part in named]),
        np.array([u[:, part] @ u[:, part].T for _, part in named]),
        e @ grad,
        e @ u.T,
    )
