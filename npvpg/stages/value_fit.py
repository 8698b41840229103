"""How the value function is fitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.algorithm import Turn
from npvpg.estimators import BaselinedReturn, Estimator
from npvpg.optimizers import Ascent, OptimizerState
from npvpg.stages.weigh import Seen
from npvpg.value import Value, ValueAt
from npvpg.world.streams import Purpose


@final
@dataclass(frozen=True)
class ValueFit:
    """
    How the value function is fitted to what was seen.

    Parameters
    ----------
    ascent : Ascent
        Bound, optimiser and schedule; what climbs is minus half the mean squared error.
    value_target : Estimator, optional
        An advantage; the target is that plus V. By default the bootstrapped return,
        `npvpg.estimators.BaselinedReturn`; with `npvpg.estimators.GAE` the lambda-return.
    value_steps : int
        Passes over the batch.
    value_minibatch : int
        Steps of a minibatch; 0 makes a pass one step on the whole batch.
    value_clip : float
        How far V may go from what it was before the passes where that makes it better; what has
        gone farther stays as it is. 0 sets no bound. A heuristic of PPO's first code, which has
        been found to help nowhere; its bound has the scale of the rewards [reward].

    Raises
    ------
    ValueError
        If a number is out of range, or `value_target` is no advantage.
    """

    ascent: Ascent
    value_target: Estimator | None = None
    value_steps: int = 10
    value_minibatch: int = 0
    value_clip: float = 0.0

    def __post_init__(self) -> None:
        checks.settings(self)
        if self.value_target is not None and not self.value_target.is_advantage:
            raise ValueError(f"value_target must be an advantage, got {self.value_target}")

    def target(self, seen: Seen, gamma: float) -> NDArray[np.float64]:
        r"""
        Target of every step, :math:`y_t = \hat A_t + V(s_t)`.

        Parameters
        ----------
        seen : Seen
            Rewards and values of a batch.
        gamma : float
            Discount of the bootstrapped return, where `value_target` is left out.

        Returns
        -------
        ndarray of float64, shape (S,)
            Targets [reward].
        """
        advantage = self.value_target or BaselinedReturn(gamma)
        return np.asarray(advantage(*seen) + seen.val)

    def __call__(
        self,
        value: Value,
        phi: NDArray[Any],
        memory: OptimizerState,
        obs: NDArray[Any],
        v: ValueAt,
        target: NDArray[np.float64],
        turn: Turn,
    ) -> tuple[NDArray[Any], OptimizerState]:
        """
        Fit.

        Parameters
        ----------
        value : Value
            The value function.
        phi : ndarray, shape (P,)
            Its parameters.
        memory : OptimizerState
            What the optimiser remembers.
        obs : ndarray, shape (S, O)
            Observations of the batch.
        v : ValueAt
            The value function with these parameters at them.
        target : ndarray, shape (S,)
            What it is fitted to [reward].
        turn : Turn
            Which update it is.

        Returns
        -------
        phi : ndarray, shape (P,)
            New parameters.
        memory : OptimizerState
            New memory.

        Raises
        ------
        ValueError
            If a gradient is not finite.
        """
        if value.is_zero:
            return phi, memory
        for number, rows in enumerate(self._rows(len(target), turn)):
            known = number == 0 and isinstance(rows, slice)  # the first pass is v itself
            now = v if known else value.at(phi, obs[rows])
            grad = now.gradient(self._clipped(now.values, v.values[rows], target[rows]))
            checks.finite(value_gradient=grad)
            phi, memory = self.ascent.step(phi, -grad, memory, turn.fraction)
        return phi, memory

    def _clipped(
        self, now: NDArray[Any], before: NDArray[Any], target: NDArray[np.float64]
    ) -> NDArray[Any]:
        r"""
        Put V itself for the target of what has gone as far as it may, which takes its gradient.

        .. math:: \max\Bigl((V - y)^2,\;
           \bigl(V_k + \operatorname{clip}(V - V_k, -c, c) - y\bigr)^2\Bigr)
        """
        if not self.value_clip:
            return target
        bound = np.clip(now, before - self.value_clip, before + self.value_clip)
        return np.where(np.abs(bound - target) > np.abs(now - target), now, target)

    def _rows(self, n_rows: int, turn: Turn) -> Iterator[slice | NDArray[np.int64]]:
        """Deal the rows of the batch in every pass."""
        rng = turn.generator(Purpose.MINIBATCH)
        for _ in range(self.value_steps):
            yield from deal(n_rows, self.value_minibatch, rng)


def deal(
    n_rows: int, minibatch: int, rng: np.random.Generator
) -> Iterator[slice | NDArray[np.int64]]:
    """
    Deal the rows of a batch for one pass: all at once, or a random partition of them.

    Parameters
    ----------
    n_rows : int
        Rows of the batch.
    minibatch : int
        Rows of a part, the last of which may have fewer; 0 deals all of them at once.
    rng : numpy.random.Generator
        Source of the order; untouched where all are dealt at once.

    Yields
    ------
    slice or ndarray of int64
        Rows of a part.
    """
    if not 0 < minibatch < n_rows:
        yield slice(None)
        return
    order = rng.permutation(n_rows)
    for begin in range(0, n_rows, minibatch):
        yield order[begin : begin + minibatch]
