"""M1 to M5: episodes from one first state, compared with each other."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import Categorical
from npvpg.estimators import GroupRelative, TotalReturn
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.runs import environments
from npvpg.world.actor import Actor
from npvpg.world.position import Position
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, largest
from verification.mathematics.strategies import SEED

SIZES = st.sampled_from([(2, 1), (2, 2), (3, 1)])  # of a group, and steps of an episode at most


def _groups(lab: Lab, n: int) -> tuple[Batch, Table]:
    """Every group of n episodes with one first state, end to end, and the chance of each."""
    flat, start = lab.flat, lab.batch.start
    first = flat.state[start[:-1]]
    chosen, chance = [], []
    for s, initial in enumerate(lab.process.initial):
        for group in product(np.flatnonzero(first == s), repeat=n):
            chosen.append(group)
            chance.append(initial * np.prod(flat.probability[list(group)] / initial))
    order = np.ravel(chosen)
    rows = np.concatenate([np.arange(start[k], start[k + 1]) for k in order])
    batch = Batch(
        lab.batch.obs[rows],
        lab.batch.act[rows],
        lab.batch.rew[rows],
        np.concatenate([[0], np.cumsum(np.diff(start)[order])]),
        lab.batch.last_obs[order],
        lab.batch.terminated[order],
    )
    return batch, np.array(chance)


def _weigh(estimator: GroupRelative, batch: Batch) -> Table:
    nothing = np.full(batch.n_steps, np.nan), np.full(batch.n_trajectories, np.nan)
    return estimator(batch.rew, *nothing, batch.start)  # values are not read


def _expected(lab: Lab, n: int, **how: Any) -> Table:
    """Expected gradient of a group, by the library's weights of all groups at once."""
    batch, chance = _groups(lab, n)
    psi = _weigh(GroupRelative(lab.process.gamma, n, **how), batch)
    of_step = np.repeat(np.repeat(chance, n), batch.lengths)
    # the gradient divides by all trajectories, each group by its own n
    pi = lab.policy.at(lab.theta, batch.obs)
    return policy_gradient(pi, batch, psi * of_step * len(chance))


@claim(
    name="M1",
    title="Compared with the others a group is unbiased, with itself it is shrunk",
    statement=r"E\Bigl[\hat g\,|\,R_k - \tfrac1{N-1}\textstyle\sum_{j\ne k}R_j\Bigr] = \nabla J,"
    r" \qquad E\bigl[\hat g\,|\,R_k - \bar R\bigr] = \bigl(1-\tfrac1N\bigr)\nabla J",
    words="leave-one-out in groups of one first state gives the gradient; their mean 1 - 1/N of it",
    assumptions="independent whole episodes from a first state that a group has in common",
    source="Kool et al. 2019; Ahmadian et al. 2024 (RLOO)",
    method="enumeration of every group; the gradient by complex step through induction",
    tolerance=1e-12,
    tolerance_reason="relative to one and the largest reward; thousands of weighted terms",
    about=("npvpg.estimators.groups.GroupRelative",),
)
@given(cases(n_actions=st.just(2)), SIZES)
@example(Case(gamma=0.5), (2, 2))
@example(Case(gamma=1.0), (3, 1))
def test_bias_of_groups(case, sizes):
    n, horizon = sizes
    lab = case._replace(horizon=horizon, n_states=min(case.n_states, 4 - n)).lab.bare
    size = 1e-12 * (1 + largest(lab.batch.rew))
    alone = _expected(lab, n, baseline="leave-one-out")
    observe(largest(alone - lab.truth), size, lambda: f"{case} {sizes}")
    shrunk = _expected(lab, n, baseline="mean")
    observe(largest(shrunk - (1 - 1 / n) * lab.truth), size, lambda: f"{case} {sizes}")


@claim(
    name="M2",
    title="Divided by its length, an episode counts the less the longer it is",
    statement=r"E[\hat g] = E\Bigl[\frac{R - b}{T} \sum_t \nabla\log\pi(a_t|s_t)\Bigr]",
    words="the mean over steps of each episode is the gradient of another objective: bias 1/T",
    assumptions="a baseline of the other episodes, whose mean is that of the first state",
    source="Liu et al. 2025, section 3.1",
    method="enumeration of every group, beside single episodes by plain sums",
    tolerance=1e-12,
    tolerance_reason="relative to one and the largest reward",
    about=("npvpg.estimators.groups.GroupRelative",),
)
@given(cases(n_actions=st.just(2)), st.sampled_from([(2, 1), (2, 2)]))
@example(Case(gamma=0.5), (2, 2))
def test_bias_of_the_length(case, sizes):
    n, horizon = sizes
    lab = case._replace(horizon=horizon).lab.bare
    have = _expected(lab, n, baseline="leave-one-out", per_length=True)
    flat, table = lab.flat, lab.score()
    want = np.zeros(lab.policy.size)
    for k, (a, b) in enumerate(zip(flat.start[:-1], flat.start[1:], strict=True)):
        total = sum(case.gamma**t * r for t, r in enumerate(flat.rew[a:b]))
        above = total - lab.solved.V[0, flat.state[a]]
        score = table[flat.state[a:b], flat.act[a:b]].sum(axis=0)
        want += flat.probability[k] * above / (b - a) * score
    observe(largest(have - want), 1e-12 * lab.size, lambda: f"{case} {sizes}")
    if horizon == 1:  # all of one length: only the scale is another
        observe(largest(have - lab.truth), 1e-12 * lab.size, lambda: f"{case}")


def test_the_bias_of_the_length_is_no_rounding() -> None:
    """Negative control: where lengths differ, it is another vector, and not the old one shrunk."""
    for seed in range(3):
        lab = Case(seed, horizon=2).lab.bare
        have = _expected(lab, 2, baseline="leave-one-out", per_length=True)
        along = have @ lab.truth / (lab.truth @ lab.truth) * lab.truth
        assert largest(have - lab.truth) > 1e-2 * largest(lab.truth)
        assert largest(have - along) > 1e-3 * largest(lab.truth)


@claim(
    name="M3",
    title="What the division by the deviation of a group does",
    statement=r"\Phi(aR + b) = \Phi(R), \qquad |\Phi| \le \sqrt{N-1}, \qquad"
    r" \textstyle\sum_k\Phi_k = 0, \qquad \Phi(\text{equal}) = 0",
    words="every group counts alike: scale and level are lost, one far out silences the others",
    assumptions="returns that differ by more than rounding, for the first part",
    source="Shao et al. 2024 (GRPO); Samuelson 1968 for the bound",
    method="the quotient by plain sums; groups of equal returns; one return of a million",
    tolerance=1e-6,
    tolerance_reason="of weights of size one: 1e-8 is added to the deviation",
    about=("npvpg.estimators.groups.GroupRelative", "npvpg.estimators.standardize"),
)
@given(st.integers(2, 8), st.sampled_from([1e-3, 1.0, 1e6]), st.floats(-1e3, 1e3), SEED)
@example(2, 1.0, 0.0, 0)
def test_division_by_the_deviation(n, scale, level, seed):
    rng = np.random.default_rng([240, seed])
    ret = rng.standard_normal(2 * n)
    ret[n:] *= 5  # another group, of another spread
    start, estimator = np.arange(2 * n + 1), GroupRelative(1.0, n, "standardized")
    nothing = np.zeros(2 * n), np.zeros(2 * n)
    psi = estimator(ret, *nothing, start)
    for part in (slice(0, n), slice(n, 2 * n)):
        mean = sum(ret[part].tolist()) / n
        deviation = (sum((r - mean) ** 2 for r in ret[part].tolist()) / n) ** 0.5
        observe(largest(psi[part] - (ret[part] - mean) / deviation), 1e-6 / min(deviation, 1))
        require(largest(psi[part]) <= (n - 1) ** 0.5 + 1e-9)
        observe(abs(float(psi[part].sum())), 1e-9)
    moved = estimator(scale * ret + level, *nothing, start)
    least = min(float(ret[:n].std()), float(ret[n:].std()), 1.0)
    observe(largest(moved - psi), 1e-4 / (least * min(scale, 1.0)) * 0.1 + 1e-6, f"{n=} {scale=}")


@claim("M3")
@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e300])
def test_equal_returns_weigh_nothing(value):
    start, nothing = np.arange(5), (np.zeros(4), np.zeros(4))
    psi = GroupRelative(1.0, 4, "standardized")(np.full(4, value), *nothing, start)
    require(psi.tolist() == [0.0] * 4, f"{psi}")


@claim("M3")
@pytest.mark.parametrize("far", [1e6, -1e6])
def test_one_return_far_out_makes_the_others_equal(far):
    """The good and the bad of a group are told apart no more; with the mean alone they would be."""
    ret, start, nothing = np.array([1.0, 0.0, 1.0, far]), np.arange(5), (np.zeros(4), np.zeros(4))
    psi = GroupRelative(1.0, 4, "standardized")(ret, *nothing, start)
    observe(abs(abs(psi[3]) - 3**0.5), 1e-6)
    observe(abs(float(psi[0] - psi[1])), 3e-6)
    mean = GroupRelative(1.0, 4, "mean")(ret, *nothing, start)
    observe(abs(float(mean[0] - mean[1]) - 1), 1e-9)
    # and what differs in its last digits only counts as much as what differs by much
    close = GroupRelative(1.0, 4, "standardized")(1 + 1e-4 * ret[[0, 1, 2, 0]], *nothing, start)
    observe(abs(largest(close) - 3**0.5), 1e-3)


@claim(
    name="M4",
    title="A group is what begins alike",
    statement=r"\Phi_k = \Phi\bigl(R_{N\lfloor k/N\rfloor}, \dots,"
    r" R_{N\lfloor k/N\rfloor + N - 1}\bigr)",
    words="each group is compared with itself alone, and of one length or another the step is told",
    assumptions="none",
    source="Ahmadian et al. 2024; Shao et al. 2024",
    method="plain sums over lists, group by group",
    tolerance=1e-12,
    tolerance_reason="relative to the returns",
    about=("npvpg.estimators.groups.GroupRelative",),
)
@given(
    st.integers(2, 4),
    st.integers(1, 3),
    st.sampled_from(["leave-one-out", "mean"]),
    st.booleans(),
    st.floats(0, 1),
    SEED,
)
def test_groups_by_plain_sums(n, n_groups, baseline, per_length, gamma, seed):
    rng = np.random.default_rng([241, seed])
    lengths = rng.integers(1, 5, n * n_groups)
    start = np.concatenate([[0], np.cumsum(lengths)])
    rew, nothing = rng.standard_normal(start[-1]), (np.zeros(start[-1]), np.zeros(len(lengths)))
    psi = GroupRelative(gamma, n, baseline, per_length)(rew, *nothing, start)
    total = TotalReturn(gamma)(rew, *nothing, start)[start[:-1]].tolist()
    for k, length in enumerate(lengths.tolist()):
        group = total[k // n * n : k // n * n + n]
        others = (sum(group) - total[k]) / (n - 1) if baseline == "leave-one-out" else None
        due = total[k] - (sum(group) / n if others is None else others)
        due = due / length if per_length else due
        size = 1e-12 * (1 + max(map(abs, group)))
        observe(largest(psi[start[k] : start[k + 1]] - due), size, lambda: f"{seed=}")


@claim("M4")
def test_what_is_no_group_is_refused():
    start, three = np.arange(4), np.zeros(3)
    with pytest.raises(ValueError, match="trajectories must number a multiple of 2, got 3"):
        GroupRelative(0.9, 2)(three, three, three, start)
    with pytest.raises(ValueError, match="group must be at least 2, got 1"):
        GroupRelative(0.9, 1)
    with pytest.raises(ValueError, match="baseline must be one of leave-one-out, mean, stand"):
        GroupRelative(0.9, 2, "median")  # type: ignore[arg-type]
    require(GroupRelative(0.9, 2).constants == {"gamma": 0.9, "group": 2})


@claim(
    name="M5",
    title="The episodes of a group begin alike",
    statement=r"s_0^{(k)} = s_0^{(j)} \text{ in a group}, \qquad a^{(k)} \ne a^{(j)}",
    words="a sub-environment's episodes of one update have one seed, and noise of their own",
    assumptions="an environment that follows from its seed",
    source="Shao et al. 2024: one question, many answers",
    method="first observations of every episode, of two updates; compiled and Gymnasium's own",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.collect.WholeEpisodes",
        "npvpg.world.streams.Streams.seeds",
        "npvpg.world.vector.SeededVectorEnv.reset",
    ),
)
@pytest.mark.parametrize("backend", ["compiled", "gymnasium"])
@pytest.mark.parametrize("size", [2, 3])
def test_groups_begin_alike(backend, size):
    env = environments.make("CartPole-v1", 2, backend=backend)
    policy = Policy(MLP((4, 2)), Categorical(2))
    collect = WholeEpisodes(size, same_start=True)
    driver = SeededVectorEnv(env, 5, repeat=collect.repeat)
    actor, position, first = Actor(policy, np.zeros(policy.size)), Position.initial(2), []
    for iteration in range(2):
        rollout = collect(driver, actor, position, iteration=iteration)
        batch, position = rollout.batch, rollout.position
        began = batch.obs[batch.start[:-1]].reshape(2, size, 4)
        require((began == began[:, :1]).all(), "one first state in a group")
        first += began[:, 0].tolist()
        act = [batch.act[a:b].tolist() for a, b in pairwise(batch.start)]
        require(len({tuple(one) for one in act}) > 1, "noise of its own")
    require(len(np.unique(first, axis=0)) == 4, "another in every group")
    require(WholeEpisodes(size).repeat == FixedHorizon(4).repeat == 1)
    env.close()
