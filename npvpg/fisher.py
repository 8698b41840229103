r"""
Fisher information of a policy times a vector, and the system that a natural gradient solves.

With :math:`J_t` the derivative of the distribution's parameters at an observation,

.. math:: F = \frac1S \sum_t E_{a\sim\pi_\theta(\cdot\mid s_t)}
          \bigl[\nabla\log\pi\,\nabla\log\pi^\top\bigr]
          = \frac1S \sum_t J_t^\top M_t J_t

is P by P and never formed: a product is one pass forward and one backward.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvpg import checks
from npvpg.policy import PolicyAt


def fisher_product(pi: PolicyAt, v: NDArray[Any]) -> NDArray[Any]:
    r"""
    Fisher information times a vector, from the curvature of the divergence.

    .. math:: F v = \nabla^2_{\theta'}\, \frac1S\sum_t
              D\bigl(\pi_\theta(\cdot\mid s_t) \| \pi_{\theta'}(\cdot\mid s_t)\bigr)
              \Big|_{\theta'=\theta} v = \frac1S \sum_t J_t^\top M_t\, (J_t v)

    Parameters
    ----------
    pi : PolicyAt
        The policy at S observations.
    v : ndarray, shape (P,)
        Vector.

    Returns
    -------
    ndarray, shape (P,)
        Product.

    Raises
    ------
    ValueError
        If `v` is of another shape, or the distribution has no `fisher_product`.

    Notes
    -----
    Forward over reverse: the forward pass carries the direction to the distribution's parameters,
    the head multiplies it by its own information, the backward pass carries it back. What the
    derivative of the backward pass itself would add is multiplied by the derivative of the
    divergence, which is 0 where the two policies are one.

    References
    ----------
    .. [1] S. Kakade, "A Natural Policy Gradient", NIPS 2001.
    .. [2] B. A. Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 6,
       1994.
    """
    curved = pi.policy.distribution.fisher_product(pi.params, pi.tangent(v))
    return pi.backward(curved) / pi.n_rows


def score_product(pi: PolicyAt, act: ArrayLike, v: NDArray[Any]) -> NDArray[Any]:
    r"""
    Mean square of the scores of given actions times a vector: what estimates :math:`F v`.

    .. math:: \hat F v = \frac1S \sum_t \nabla\log\pi_\theta(a_t\mid s_t)
              \bigl(\nabla\log\pi_\theta(a_t\mid s_t)^\top v\bigr)

    Parameters
    ----------
    pi : PolicyAt
        The policy at S observations.
    act : array_like, shape (S,) or (S, D)
        Actions; drawn from the policy, the mean is :math:`F v`.
    v : ndarray, shape (P,)
        Vector.

    Returns
    -------
    ndarray, shape (P,)
        Product.

    Raises
    ------
    ValueError
        If a shape is not as above.
    """
    to_params = pi.policy.distribution.score(pi.params, act)
    along = (to_params * pi.tangent(v)).sum(axis=1)
    return pi.weighted_score(act, along / pi.n_rows)


def conjugate_gradient(
    product: Callable[[NDArray[Any]], NDArray[Any]],
    b: NDArray[Any],
    *,
    n_steps: int,
    tolerance: float = 1e-10,
) -> NDArray[np.float64]:
    r"""
    Solve :math:`A x = b` with a symmetric, positive matrix of which products alone are known.

    .. math:: x \leftarrow x + \alpha d, \quad r \leftarrow r - \alpha A d, \quad
              d \leftarrow r + \frac{r^\top r}{r_-^\top r_-}\, d, \qquad
              \alpha = \frac{r_-^\top r_-}{d^\top A d}

    Parameters
    ----------
    product : callable
        Gives :math:`A d` of a vector (P,).
    b : ndarray, shape (P,)
        Right-hand side.
    n_steps : int
        Steps at most; in exact arithmetic as many as A has different eigenvalues are enough.
    tolerance : float
        Length of the residual, in units of that of `b`, at which to stop.

    Returns
    -------
    ndarray of float64, shape (P,)
        The best x, in the norm of A, among combinations of :math:`b, Ab, A^2b, \dots`.

    Raises
    ------
    ValueError
        If `n_steps` is smaller than 1.

    References
    ----------
    .. [1] M. R. Hestenes and E. Stiefel, "Methods of Conjugate Gradients for Solving Linear
       Systems", Journal of Research of the National Bureau of Standards 49, 1952.

    Examples
    --------
    >>> conjugate_gradient(lambda d: np.array([2.0, 4.0]) * d, np.array([2.0, 2.0]), n_steps=2)
    array([1. , 0.5])
    """
    checks.at_least(1, n_steps=n_steps)
    r = b.astype(np.float64)
    x, d = np.zeros_like(r), r
    square = r @ r
    enough = tolerance**2 * square
    for _ in range(n_steps):
        if square <= enough:
            break
        curved = product(d)
        curvature = d @ curved
        if curvature <= 0:  # all that is left is rounding
            break
        alpha = square / curvature
        x, r = x + alpha * d, r - alpha * curved
        before, square = square, r @ r
        d = r + square / before * d
    return x
