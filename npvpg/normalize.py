"""Running mean and variance, for observations and for the scale of rewards."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg import checks

BOUND = 10.0  # of a normalised observation, in standard deviations
ROUNDING = 1e-12  # of the mean: a deviation that is smaller is what rounding leaves of a constant


class RunningMoments(NamedTuple):
    r"""
    Mean and variance of all rows seen so far.

    It changes only between batches and never in evaluation, so every observation of a batch is
    normalised by the same numbers.

    Attributes
    ----------
    n_rows : int
        Number of rows.
    mean : ndarray of float64, shape (O,)
        Mean of the rows.
    var : ndarray of float64, shape (O,)
        Variance of the rows (divided by their number); 1 before the first.

    Examples
    --------
    >>> moments = RunningMoments.empty(1).update(np.array([[1.0], [3.0]]))
    >>> moments.update(np.array([[5.0]]))
    RunningMoments(n_rows=3, mean=array([3.]), var=array([2.66666667]))
    """

    n_rows: int
    mean: NDArray[np.float64]
    var: NDArray[np.float64]

    @staticmethod
    def empty(size: int) -> "RunningMoments":
        """
        Moments of nothing: mean 0 and variance 1, which leave what they normalise as it is.

        Parameters
        ----------
        size : int
            Number of components, O.

        Returns
        -------
        RunningMoments
            Moments of no rows.
        """
        return RunningMoments(0, np.zeros(size), np.ones(size))

    def update(self, rows: NDArray[Any]) -> "RunningMoments":
        r"""
        Take more rows into account.

        .. math::
           \mu = \mu_a + \delta\frac{n_b}{n}, \qquad
           n\sigma^2 = n_a\sigma_a^2 + n_b\sigma_b^2 + \delta^2\frac{n_a n_b}{n}, \qquad
           \delta = \mu_b - \mu_a

        Parameters
        ----------
        rows : ndarray, shape (S, O)
            New rows.

        Returns
        -------
        RunningMoments
            Moments of the old and the new rows together.

        Raises
        ------
        ValueError
            If the rows have another width.

        References
        ----------
        .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise
           algorithm for computing sample variances", COMPSTAT 1982.
        """
        checks.shape((-1, len(self.mean)), rows=rows)
        n_new = len(rows)
        if n_new == 0:
            return self
        mean = rows.mean(axis=0, dtype=np.float64)
        var = rows.var(axis=0, dtype=np.float64)
        n_rows = self.n_rows + n_new
        delta = mean - self.mean
        squares = self.n_rows * self.var + n_new * var + delta**2 * (self.n_rows * n_new / n_rows)
        return RunningMoments(n_rows, self.mean + delta * (n_new / n_rows), squares / n_rows)

    def normalize(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        r"""
        Shift and scale to mean 0 and variance 1, and cut at ten standard deviations.

        A component that was constant so far is shifted only.

        .. math:: x \mapsto \operatorname{clip}\bigl((x-\mu)/\sqrt{\sigma^2+10^{-8}}, -10, 10\bigr)

        Parameters
        ----------
        rows : ndarray, shape (S, O)
            Rows.

        Returns
        -------
        ndarray of float64, shape (S, O)
            Normalised rows; the rows themselves as long as nothing was seen.
        """
        if self.n_rows == 0:
            return np.asarray(rows, np.float64)
        normal = (rows - self.mean) * self.inverse_std
        # np.clip looks its two bounds over for longer than a few rows take
        return np.minimum(np.maximum(normal, -BOUND, out=normal), BOUND, out=normal)

    @property
    def inverse_std(self) -> NDArray[np.float64]:
        r"""
        One over the standard deviation, shape (O,), :math:`1/\sqrt{\sigma^2+10^{-8}}`.

        A scale of zero is no scale: it is 1 where the variance is zero up to rounding, that is
        where all rows were the same.
        """
        scale = 1.0 / np.sqrt(self.var + 1e-8)
        scale[self.var <= (ROUNDING * self.mean) ** 2] = 1.0
        return np.asarray(scale)
