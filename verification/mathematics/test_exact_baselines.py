"""X7 and X8: baselines of least variance and the mean over actions, by sums and least squares."""

from itertools import product

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import BaselinedReturn, TDResidual
from npvpg.lab.exact import all_actions, best_baseline
from verification.claims import claim, observe, require
from verification.mathematics.test_exact import GAMMA, SEED, both, largest, table
from verification.oracles import mdp as exact
from verification.oracles import returns as textbook
from verification.oracles.moments import episode_gradients, moments, score


@claim(
    name="X7",
    title="The baselines of least variance",
    statement=r"b = \arg\min_b\mathrm{tr\,Cov}\Bigl(\sum_t\gamma^t(G_t - b_t(s_t))\psi_t\Bigr),"
    r"\qquad E[\psi_t\cdot\psi_u] = 0 \text{ for } t \ne u",
    words="the quotients are the least-squares fit of the gradient by what a baseline subtracts",
    assumptions="finite states, actions and time; values at the horizon as given",
    source="Greensmith, Bartlett and Baxter 2004",
    method="LAPACK's weighted least squares over every episode and coordinate",
    tolerance=1e-11,
    tolerance_reason="relative to the returns; least squares of cells of chance 1e-6 and more",
    about=("npvpg.lab.exact.baselines.best_baseline",),
)
@given(SEED, GAMMA, st.integers(1, 2), st.integers(1, 3), st.booleans())
@example(0, 0.9, 2, 3, False)
@example(1, 1.0, 2, 3, True)
def test_best_baseline(seed, gamma, n_states, horizon, constant):
    rng = np.random.default_rng([95, seed])
    lab, mdp, pi = both(rng, n_states, 2, horizon, gamma)

    def to_go(episode):
        end = 0.0 if episode.terminated else mdp.final[episode.states[-1]]
        returns = textbook.reward_to_go(episode.rewards, end, gamma)
        return [gamma**t * G for t, G in enumerate(returns)]

    chances, whole = episode_gradients(mdp, pi, to_go)
    cells = [(None, None)] if constant else list(product(range(horizon), range(n_states)))
    columns = []
    for time, state in cells:

        def one(episode, time=time, state=state):
            return [
                gamma**t * float(time is None or (t, s) == (time, state))
                for t, s in enumerate(episode.states[:-1])
            ]

        columns.append(np.concatenate(episode_gradients(mdp, pi, one)[1]))
    weight = np.repeat(np.sqrt(chances), len(whole[0]))
    fit = np.linalg.lstsq(
        weight[:, None] * np.stack(columns, axis=1), weight * np.concatenate(whole), rcond=None
    )[0]
    found = best_baseline(lab, constant=constant)
    seen = np.array([found[0 if t is None else t, 0 if s is None else s] for t, s in cells])
    # where gamma = 0 nothing later counts, and where no episode comes there is nothing to fit
    counts = np.array([float(weight**2 @ column**2) > 1e-6 for column in columns])
    size = 1e-11 * (1 + largest(np.concatenate(whole)))
    observe(largest((seen - fit)[counts]) if counts.any() else 0.0, size, f"{seed=}")
    observe(largest(found[-1, :-1] - mdp.final), 0)
    estimator = BaselinedReturn(gamma)
    least = lab.moments(estimator, found)
    observe(largest(least.bias), 1e-12 * (1 + largest(np.concatenate(whole)) ** 2), f"{seed=}")
    for _ in range(3):
        other = found.copy()
        other[:-1, :-1] += rng.standard_normal() if constant else rng.standard_normal((horizon, 1))
        spread = lab.moments(estimator, other).variance
        require(least.variance <= spread * (1 + 1e-9) + 1e-12, f"{seed=}")


@claim(
    name="X8",
    title="The gradient over all actions of the states that were met",
    statement=r"E\Bigl[\sum_t\gamma^t\sum_a\pi(a|s_t)\,Q_t(s_t,a)\,\nabla\log\pi(a|s_t)\Bigr]"
    r" = E\Bigl[\sum_t\gamma^t\,\delta_t\,\nabla\log\pi(a_t|s_t)\Bigr]",
    words="its mean is that of the TD residual's gradient, whatever V; by V's own, grad J",
    assumptions="Q looks one step ahead of V by the true model; discrete actions",
    source="Sutton and Barto 2018, equation (13.7); Ciosek and Whiteson 2018",
    method="plain sums over recursive enumeration; the TD residual's moments; complex step",
    tolerance=1e-12,
    tolerance_reason="relative to the second moment; sums of some hundred terms",
    about=("npvpg.lab.exact.baselines.all_actions",),
)
@given(SEED, GAMMA, st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.0, 1.0, 3.0]))
@example(0, 0.9, 2, 3, 1.0)
def test_all_actions(seed, gamma, n_states, horizon, error):
    rng = np.random.default_rng([96, seed])
    lab, mdp, pi = both(rng, n_states, 2, horizon, gamma)
    value = lab.wrong_value(error, rng)
    values = []

    def ahead(t, s, a):
        return sum(
            p * (r + gamma * (value[t + 1, after] if after < n_states else 0.0))
            for after, (p, r) in enumerate(
                zip(mdp.transition[s, a].tolist(), mdp.reward[s, a].tolist(), strict=True)
            )
        )

    def nothing(episode):
        values.append(
            sum(
                gamma**t * pi[s, a] * ahead(t, s, a) * score(pi, s, a)
                for t, s in enumerate(episode.states[:-1])
                for a in range(pi.shape[1])
            )
        )
        return [0.0] * len(episode.actions)

    chances, _ = episode_gradients(mdp, pi, nothing)
    mean, covariance = moments(chances, values)
    size = 1e-12 * (1 + float(np.dot(chances, [g @ g for g in values])))
    value[:, -1] = 7  # what is said of the absorbing state must not be read
    found = all_actions(lab, value, 3)
    observe(largest(found.mean - mean), size, f"{seed=}")
    observe(largest(3 * found.covariance - covariance), size, f"{seed=}")
    value[:, -1] = 0
    residual = lab.moments(TDResidual(gamma), value)
    observe(largest(found.mean - residual.mean), 1e-12 * (1 + residual.variance), f"{seed=}")
    truth = exact.gradient(mdp, lambda x: table(mdp, x), lab.theta)
    observe(largest(all_actions(lab).mean - truth), 1e-11 * (1 + largest(truth)), f"{seed=}")


def test_it_varies_less_than_the_action_that_was_drawn() -> None:
    """No theorem of whole episodes, but a term that knew its action would not vary so little."""
    lab, *_ = both(np.random.default_rng(3), 3, 2, 4, 0.9)
    assert all_actions(lab).variance < 0.5 * lab.moments(TDResidual(0.9)).variance
