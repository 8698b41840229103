"""A laboratory: a process that is solved exactly, and the library's batch of all its episodes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.estimators import Estimator
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.mathematics.strategies import SEED
from verification.oracles import mdp as exact
from verification.oracles.enumeration import Ensemble, ensemble

Table = NDArray[np.float64]


def largest(x: Any) -> float:
    """Give the largest absolute entry."""
    return float(np.abs(x).max())


@dataclass(frozen=True)
class Lab:
    """
    A process, a policy of the library for it, and every episode the two can make.

    Parameters
    ----------
    process : MDP
        The process.
    policy : Policy
        Softmax of a linear function of the one-hot state, with a bias.
    theta : ndarray, shape (P,)
        Its parameters.
    flat : Ensemble
        Every episode, with its probability.
    batch : Batch
        The same episodes as the library sees them.
    solved : Solution
        J, V, Q and A.
    """

    process: exact.MDP
    policy: Policy
    theta: Table
    flat: Ensemble
    batch: Batch
    solved: exact.Solution

    def table(self, theta: NDArray[Any]) -> NDArray[Any]:
        """Probabilities of the policy, worked out without the library, shape (S, A)."""
        n, m = self.process.n_states, self.process.n_actions
        return exact.softmax(theta[: n * m].reshape(n, m) + theta[n * m :])

    @property
    def truth(self) -> Table:
        """Gradient of J, by complex step through backward induction."""
        return exact.gradient(self.process, self.table, self.theta)

    def values(self, table: Table) -> tuple[Table, Table]:
        """Look a (H + 1, S + 1) table of values up: at every step, and where episodes stop."""
        flat = self.flat
        return table[flat.time, flat.state], table[flat.last_time, flat.last_state]

    def weigh(
        self, estimator: Callable[..., NDArray[np.float64]], table: Table | None = None
    ) -> NDArray[np.float64]:
        """Weights that an estimator of the library gives, with the exact V unless told."""
        val, last_val = self.values(self.solved.V if table is None else table)
        return estimator(self.batch.rew, val, last_val, self.batch.start)

    def expect(self, psi: NDArray[np.float64], discount: float | None) -> Table:
        """Expected gradient by the library: episodes weighed by probability times their number."""
        weight = psi * self.flat.step_probability * self.batch.n_trajectories
        return policy_gradient(
            self.policy.at(self.theta, self.batch.obs), self.batch, weight, discount=discount
        )

    def expected(self, estimator: Estimator, table: Table | None = None) -> Table:
        """Expected gradient of an estimator, with gamma^t unless it is in the weights already."""
        discount = None if estimator.from_start else self.process.gamma
        return self.expect(self.weigh(estimator, table), discount)

    @property
    def size(self) -> float:
        """One and the largest value: what rounding of a gradient is relative to."""
        return 1 + largest(self.solved.V)

    @property
    def bare(self) -> "Lab":
        """The same with states that are worth nothing at the horizon, where nothing is cut."""
        return laboratory(replace(self.process, final=0 * self.process.final), self.theta)

    def each(self, psi: NDArray[np.float64], discount: float | None) -> Table:
        """Gradient that the library makes of every episode alone, shape (K, P)."""
        batch = self.batch
        rows = []
        for k in range(batch.n_trajectories):
            part = slice(batch.start[k], batch.start[k + 1])
            one = Batch(
                batch.obs[part],
                batch.act[part],
                batch.rew[part],
                np.array([0, batch.start[k + 1] - batch.start[k]]),
                batch.last_obs[k : k + 1],
                batch.terminated[k : k + 1],
            )
            rows.append(
                policy_gradient(
                    self.policy.at(self.theta, one.obs), one, psi[part], discount=discount
                )
            )
        return np.array(rows)

    def score(self) -> Table:
        """Score of every (s, a), worked out without the library, shape (S, A, P)."""
        n, m = self.process.n_states, self.process.n_actions
        to_logits = np.eye(m) - self.table(self.theta)[:, np.newaxis, :]  # d log pi / d logits
        out = np.zeros((n, m, n * m + m))
        for s in range(n):
            out[s, :, s * m : (s + 1) * m] = to_logits[s]
        out[:, :, n * m :] = to_logits
        return out

    def occupancy(self) -> Table:
        """Probability of being in s at time t and taking a, shape (H, S, A)."""
        process = self.process
        pi = self.table(self.theta)
        state = process.initial
        out = np.zeros((process.horizon, *pi.shape))
        for t in range(process.horizon):
            out[t] = state[:, np.newaxis] * pi
            state = np.einsum("sa,san->n", out[t], process.transition)[:-1]
        return out


def laboratory(process: exact.MDP, theta: Table) -> Lab:
    """
    Enumerate what a policy does in a process.

    Parameters
    ----------
    process : MDP
        The process.
    theta : ndarray, shape (S * A + A,)
        Parameters of the policy.

    Returns
    -------
    Lab
        All there is to know about them.
    """
    n, m = process.n_states, process.n_actions
    pi = exact.softmax(theta[: n * m].reshape(n, m) + theta[n * m :])
    flat = ensemble(process, pi)
    shown = np.vstack([np.eye(n), np.zeros(n)])  # the absorbing state shows nothing
    batch = Batch(
        shown[flat.state],
        flat.act,
        flat.rew,
        flat.start,
        shown[flat.last_state],
        flat.terminated,
    )
    policy = Policy(MLP((n, m)), Categorical(m))
    return Lab(process, policy, theta, flat, batch, exact.solve(process, pi))


def random_laboratory(
    rng: np.random.Generator,
    n_states: int = 2,
    n_actions: int = 2,
    horizon: int = 3,
    gamma: float = 0.9,
    *,
    final: bool = True,
) -> Lab:
    """
    Draw a process and a policy.

    Parameters
    ----------
    rng : Generator
        Where the numbers come from.
    n_states, n_actions, horizon : int
        Sizes of the process.
    gamma : float
        Its discount.
    final : bool
        Whether states have a worth at the horizon, so that a cut episode must be bootstrapped.

    Returns
    -------
    Lab
        All there is to know about them.
    """
    process = exact.random_mdp(rng, n_states, n_actions, horizon, gamma, final=final)
    return laboratory(process, rng.standard_normal(n_states * n_actions + n_actions))


class Case(NamedTuple):
    """
    What a laboratory is drawn from.

    Parameters
    ----------
    seed : int
        Of process and policy.
    n_states, n_actions, horizon : int
        Sizes of the process.
    gamma : float
        Its discount.
    """

    seed: int = 0
    n_states: int = 2
    n_actions: int = 2
    horizon: int = 3
    gamma: float = 0.9

    @property
    def lab(self) -> Lab:
        """The laboratory; its states have a worth at the horizon."""
        return random_laboratory(np.random.default_rng([60, self.seed]), *self[1:])

    @property
    def rng(self) -> np.random.Generator:
        """Another source of numbers."""
        return np.random.default_rng([61, self.seed])


def cases(**fixed: Any) -> st.SearchStrategy[Case]:
    """
    Draw what laboratories are drawn from: small enough that all episodes can be listed.

    Parameters
    ----------
    **fixed : strategy
        Strategies in place of those of the fields of the same name.

    Returns
    -------
    strategy
        Of `Case`.
    """
    free: dict[str, Any] = {
        "seed": SEED,
        "n_states": st.integers(1, 2),
        "n_actions": st.integers(2, 3),
        "horizon": st.integers(1, 3),
        "gamma": st.sampled_from([0.0, 0.5, 0.9, 1.0]) | st.floats(0, 1),
    }
    return st.builds(Case, **{**free, **fixed})
