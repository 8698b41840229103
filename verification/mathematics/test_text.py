"""L2 and L3: steps that the texts take and no other claim states."""

from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npvpg.estimators import TotalReturn
from verification.claims import claim, observe, require
from verification.mathematics.lab import laboratory, largest, random_laboratory
from verification.mathematics.strategies import SEED
from verification.oracles.derivatives import complex_step
from verification.oracles.enumeration import trajectories


@claim(
    name="L2",
    title="The log-derivative trick, for the probability of a whole trajectory",
    statement=r"\nabla_\theta P(\tau\mid\theta) = P(\tau\mid\theta)\,"
    r"\nabla_\theta\log P(\tau\mid\theta), \qquad \sum_\tau \nabla_\theta P(\tau\mid\theta) = 0",
    words="the gradient of a trajectory's probability is that probability times the summed score",
    assumptions="every action that occurs has positive probability",
    source="Spinning Up, part 3, the log-derivative trick",
    method="complex step of the probability itself, dynamics included; no logarithm is taken",
    tolerance=1e-12,
    tolerance_reason="relative to the scores, of size one; probabilities are at most one",
    about=("npvpg.policy.PolicyAt.weighted_score", "npvpg.policy.PolicyAt.log_prob"),
)
@settings(max_examples=20)
@given(SEED)
@example(0)
def test_log_derivative(seed):
    lab = random_laboratory(np.random.default_rng([131, seed]), 2, 2, 2)
    batch = lab.batch
    rows = list(trajectories(lab.process, lab.table(lab.theta)))
    dynamics = np.array([row.dynamics for row in rows])

    def chance(theta):
        pi = lab.table(theta)
        taken = [pi[list(row.states[:-1]), list(row.actions)] for row in rows]
        return dynamics * np.array([np.prod(each) for each in taken])

    scores = lab.each(np.ones(batch.n_steps), None)
    log_prob = lab.policy.at(lab.theta, batch.obs).log_prob(batch.act)
    probability = dynamics * np.exp(np.add.reduceat(log_prob, batch.start[:-1]))
    size = 1 + largest(scores)
    slopes = complex_step(chance, lab.theta)
    observe(largest(slopes - probability[:, np.newaxis] * scores), 1e-12 * size, f"{seed=}")
    observe(largest((probability[:, np.newaxis] * scores).sum(axis=0)), 1e-12 * size, f"{seed=}")


@claim(
    name="L3",
    title="When nothing is learnt: equal returns, not equal rewards",
    statement=r"R(\tau) = c \;\Rightarrow\; E[\hat g] = 0,\ \hat g \ne 0; \qquad "
    r"r = 0 \;\Rightarrow\; \hat g = 0; \qquad "
    r"r = c,\ T \text{ random} \;\Rightarrow\; E[\hat g] = \nabla J \ne 0",
    words="equal returns teach nothing on average, equal rewards do, by how many there are",
    assumptions="a finite process; for the last an action that can end the episode",
    source="Basic Policy Gradients, against 'if the reward is the same everywhere'",
    method="enumeration of every trajectory; the gradient by complex step through induction",
    tolerance=1e-12,
    tolerance_reason="relative to the return; sums of some hundred terms",
    about=("npvpg.estimators.TotalReturn", "npvpg.gradient.policy_gradient"),
)
@settings(max_examples=12)
@given(SEED, st.floats(0.1, 10))
@example(0, 1.0)
def test_what_teaches_nothing(seed, paid):
    drawn = random_laboratory(np.random.default_rng([132, seed]), 2, 2, 3, 1.0, final=False)
    equal = np.full_like(drawn.process.reward, paid)
    lengths_vary = replace(drawn.process, reward=equal, final=0 * drawn.process.final)
    going_on = drawn.process.transition.copy()
    going_on[..., -1] = 0
    going_on /= going_on.sum(axis=-1, keepdims=True)
    size = 1 + 3 * paid

    always = laboratory(replace(lengths_vary, transition=going_on), drawn.theta)
    psi = always.weigh(TotalReturn(1.0))
    # The two probabilities of an action differ, so no sum of its scores vanishes for all.
    observe(largest(always.expect(psi, None)), 1e-12 * size, f"equal returns {seed=}")
    require(np.abs(always.each(psi, None)).max(axis=1).min() > 0, f"a sample of it {seed=}")

    never = laboratory(replace(lengths_vary, reward=0 * equal), drawn.theta)
    require(not never.each(never.weigh(TotalReturn(1.0)), None).any(), f"no reward {seed=}")

    some = laboratory(lengths_vary, drawn.theta)
    learnt = some.expect(some.weigh(TotalReturn(1.0)), None)
    observe(largest(learnt - some.truth), 1e-12 * size, f"equal rewards {seed=}")
    require(largest(learnt) > 1e-9 * size, f"equal rewards teach {seed=}")
