"""M6 and M7: groups of episodes, listed and played, against oracles of another hand."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.estimators import GroupRelative
from npvpg.lab.exact import Laboratory, Process, group_moments
from npvpg.studies.groups import play
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, largest
from verification.oracles.moments import moments
from verification.oracles.statistics import MeanTest, two_stage

N_EPISODES = 20_000


def _library(lab: Lab) -> Laboratory:
    """The same process and policy, as the library has them."""
    ours = lab.process
    process = Process(ours.transition, ours.reward, ours.initial, ours.horizon, ours.gamma)
    return Laboratory(process, lab.theta)


def _summed(lab: Lab) -> tuple[Table, Table, list[int]]:
    """Of every episode its discounted return, its summed score and its length, by plain sums."""
    flat, scores = lab.flat, lab.score()
    returns, score, lengths = [], [], []
    for a, b in zip(flat.start[:-1], flat.start[1:], strict=True):
        returns.append(sum(lab.process.gamma**t * r for t, r in enumerate(flat.rew[a:b])))
        score.append(scores[flat.state[a:b], flat.act[a:b]].sum(axis=0))
        lengths.append(int(b - a))
    return np.array(returns), np.array(score), lengths


def _weigh(ret: Table, baseline: str) -> Any:
    n, mean = len(ret), sum(ret.tolist()) / len(ret)
    if baseline == "leave-one-out":
        return np.array([r - (n * mean - r) / (n - 1) for r in ret.tolist()])
    if baseline == "mean":
        return ret - mean
    if max(ret) == min(ret):
        return np.zeros(n)
    return (ret - mean) / ((sum((r - mean) ** 2 for r in ret.tolist()) / n) ** 0.5 + 1e-8)


@claim(
    name="M6",
    title="Mean and covariance of a group's gradient, exactly",
    statement=r"E\hat g = \sum_s d_0(s)\sum_{\tau_1\dots\tau_N|s}\prod_k\Pr(\tau_k|s)\;"
    r"\hat g(\tau_1\dots\tau_N), \qquad \#\text{orders} = N!/\textstyle\prod_j m_j!",
    words="what the table of groups shows is the sum over every group in every order",
    assumptions="finite states, actions and time; episodes of a group from one first state",
    source="Ahmadian et al. 2024; Shao et al. 2024; Liu et al. 2025",
    method="every ordered group, weighed by plain sums; moments of another hand",
    tolerance=1e-9,
    tolerance_reason="of weights divided by a deviation; products of chances are exact to 1e-12",
    about=("npvpg.lab.exact.groups.group_moments",),
)
@given(
    cases(n_actions=st.just(2)),
    st.sampled_from([(2, 1), (2, 2), (3, 1)]),
    st.sampled_from(["leave-one-out", "mean", "standardized"]),
    st.booleans(),
    st.integers(1, 5),
)
@example(Case(gamma=0.5), (3, 1), "standardized", True, 1)
@example(Case(gamma=1.0), (2, 2), "leave-one-out", False, 3)
def test_moments_of_groups(case, sizes, baseline, per_length, n_groups):
    n, horizon = sizes
    lab = case._replace(horizon=horizon, n_states=min(case.n_states, 2)).lab.bare
    ret, score, lengths = _summed(lab)
    first, chance = lab.flat.state[lab.flat.start[:-1]], lab.flat.probability
    chances, values = [], []
    for s, initial in enumerate(lab.process.initial):
        for group in product(np.flatnonzero(first == s).tolist(), repeat=n):
            weight = _weigh(ret[list(group)], baseline)
            terms = [
                w * score[k] / (lengths[k] if per_length else 1)
                for w, k in zip(weight, group, strict=True)
            ]
            chances.append(initial * float(np.prod([chance[k] / initial for k in group])))
            values.append(sum(terms) / n)
    mean, covariance = moments(chances, values)
    estimator: Any = GroupRelative(case.gamma, n, baseline, per_length)
    found = group_moments(_library(lab), estimator, n_groups)
    size = 1e-9 * (1 + largest(np.array(values))) ** 2
    observe(largest(found.mean - mean), size, lambda: f"{case} {sizes}")
    observe(largest(found.covariance - covariance / n_groups), size, lambda: f"{case} {sizes}")
    observe(largest(found.truth - lab.truth), 1e-12 * lab.size * horizon)


@claim("M6")
def test_what_cannot_be_listed_is_refused():
    lab = _library(Case(n_states=3, horizon=4).lab.bare)
    with pytest.raises(ValueError, match="groups must number at most 500,000, got "):
        group_moments(lab, GroupRelative(0.9, 4))
    with pytest.raises(ValueError, match="n_groups must be at least 1, got 0"):
        group_moments(lab, GroupRelative(0.9, 2), 0)


def _excess(lab: Lab, first: int, theta: Table | None = None) -> Any:
    """How far out the mean of return times score is, of episodes that were played."""
    ours = _library(lab)
    if theta is not None:
        ours = Laboratory(ours.process, theta)
    flat = lab.flat
    here = flat.state[flat.start[:-1]] == first
    ret, score, _ = _summed(lab)
    values = (ret[:, np.newaxis] * score)[here]
    chance = flat.probability[here] / lab.process.initial[first]
    mean = chance @ values
    expected = MeanTest(mean, chance @ (values - mean) ** 2, np.abs(values - mean).max(axis=0))

    def excess(stage: int, n: int, alpha: float) -> float:
        rng = np.random.default_rng([243, first, stage])
        played = play(ours, np.full(n, first), rng)
        t = np.arange(len(played.rew)) - np.repeat(played.start[:-1], np.diff(played.start))
        total = np.add.reduceat(lab.process.gamma**t * played.rew, played.start[:-1])
        return expected.excess(total[:, np.newaxis] * played.score, alpha / len(mean))

    return excess


@claim(
    name="M7",
    title="What is played beside it obeys the process",
    statement=r"E\Bigl[R(\tau)\,\textstyle\sum_t\nabla\log\pi(a_t|s_t)\Bigr]"
    r" = \sum_\tau\Pr(\tau)\,R(\tau)\,\textstyle\sum_t\nabla\log\pi(a_t|s_t)",
    words="episodes played step by step have the returns and scores of those that are listed",
    assumptions="independent episodes from a given first state",
    source="Spinning Up, part 1: the probability of a trajectory",
    method="Bernstein's bound in two stages, false alarms below 1e-7, of fixed seeds",
    tolerance=1.0,
    tolerance_reason="deviation over the allowed one",
    about=("npvpg.studies.groups.play",),
)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("first", [0, 1])
def test_play(seed, first):
    lab = Case(seed, gamma=0.9).lab.bare
    observe(two_stage(_excess(lab, first), N_EPISODES).excess, 1.0, f"{seed=} {first=}")


def test_play_of_another_policy_is_seen() -> None:
    """Negative control: logits that are off by a half are told from the right ones."""
    lab = Case(0, gamma=0.9).lab.bare
    theta = lab.theta.copy()
    theta[:2] += (0.5, -0.5)
    assert two_stage(_excess(lab, 0, theta), N_EPISODES).excess > 1


@claim("M7")
def test_play_is_whole():
    lab = Case(3).lab.bare
    played = play(_library(lab), np.zeros(50, np.int64), np.random.default_rng(0))
    require(played.start[-1] == len(played.rew) and len(played.start) == 51)
    lengths = np.diff(played.start)
    require((lengths >= 1).all() and (lengths <= lab.process.horizon).all())
