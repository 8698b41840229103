"""R1 to R4: what a run is judged by: the last 100 episodes, the middle half of the seeds."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvpg.recent import rolling_mean, solved
from npvpg.runs.over_seeds import over_seeds
from npvpg.runs.statistics import bootstrap_interval, iqm, iqm_band
from npvpg.studies.ablation import half_way
from verification.claims import claim, observe, require

RETURNS = st.integers(-1000, 1000).map(float)


@claim(
    name="R1",
    title="A run is judged by its last 100 episodes",
    statement=r"m_i = \frac{1}{\min(i+1, w)} \sum_{j=\max(0,\,i-w+1)}^{i} x_j,\qquad"
    r"\text{solved at } i \iff i + 1 \ge 100 \wedge m_i \ge \text{threshold}",
    words="the rolling mean and the step at which an environment counts as solved",
    assumptions="finite returns",
    source="Gymnasium, reward_threshold of an environment: mean of 100 episodes",
    method="every window summed by itself, in exact fractions",
    tolerance=1e-12,
    tolerance_reason="relative to the largest return; a hundred terms",
    about=("npvpg.recent.rolling_mean", "npvpg.recent.solved"),
)
@given(st.lists(RETURNS, max_size=260), st.none() | st.integers(1, 12))
def test_the_rolling_mean_is_that_of_every_window(returns, window):
    size = 100 if window is None else window
    found = rolling_mean(np.array(returns)) if window is None else rolling_mean(returns, window)
    observe(float(len(found) - len(returns)), 0)
    for i, mean in enumerate(found):
        last = [Fraction(x) for x in returns[: i + 1]][-size:]
        observe(abs(float(sum(last) / len(last)) - float(mean)), 1e-12 * 1000)


@claim("R1")
@pytest.mark.parametrize("n", [99, 100, 101, 350])
def test_the_window_is_a_hundred_wide(n):
    returns = np.random.default_rng([171, n]).integers(-1000, 1000, n).astype(float)
    due = [float(np.mean(returns[max(0, i - 99) : i + 1])) for i in range(n)]
    observe(float(np.abs(rolling_mean(returns) - due).max()), 1e-12 * 1000)


@claim("R1")
@given(RETURNS, st.integers(90, 110), st.integers(-2, 2))
def test_the_threshold_met_exactly_solves_with_a_hundred_episodes(ret, n, above):
    mean = float(rolling_mean(np.full(n, ret))[-1])
    due = n >= 100 and above <= 0
    require(solved(mean, n, ret + above) == due)
    require(not (solved(None, n, ret) or solved(mean, n, None)))


@claim(
    name="R2",
    title="The interquartile mean is the mean of the middle half",
    statement=r"\mathrm{IQM}(x) = \frac{1}{n-2k}\sum_{i=k+1}^{n-k} x_{(i)},"
    r"\quad k = \lfloor n/4\rfloor",
    words="a quarter at either end is left out; where a seed has no number, nothing is said",
    assumptions="finite numbers",
    source="Agarwal et al. 2021, arXiv:2108.13264, section 4",
    method="the entries that stand among the middle, one by one, in exact fractions",
    tolerance=1e-12,
    tolerance_reason="relative to the largest entry",
    about=("npvpg.runs.statistics.iqm", "npvpg.runs.over_seeds.over_seeds"),
)
@given(st.lists(RETURNS, min_size=1, max_size=17))
def test_the_interquartile_mean_is_that_of_the_middle(x):
    left = list(x)
    for _ in range(len(x) // 4):
        left.remove(min(left))
        left.remove(max(left))
    observe(abs(float(sum(map(Fraction, left)) / len(left)) - iqm(x)), 1e-12 * 1000)


@claim("R2")
@given(st.lists(RETURNS, min_size=1, max_size=6), st.integers(0, 6))
def test_there_is_no_mean_of_survivors(x, at):
    """Seeds that never solved their environment are not left out of the steps it took."""
    require(over_seeds([*x[:at], None, *x[at:]]) is None)
    found = over_seeds(x)
    assert found is not None
    observe(abs(found["iqm"] - iqm(x)) + abs(found["mean"] - float(np.mean(x))), 0)


@claim(
    name="R3",
    title="The bootstrap interval is that of all samples that can be redrawn",
    statement=r"\Pr_B\bigl[q^B_p \le q_p\bigr] \ge 1 - \alpha,\qquad q_p = "
    r"\inf\{x : n^{-n}\,\#\{i \in \{1..n\}^n : \bar x_i \le x\} \ge p\}",
    words="ends of the interval lie where the law of the redrawn mean, listed in full, has them",
    assumptions="redrawing with replacement",
    source="Efron and Tibshirani 1993, chapter 13",
    method="all n^n samples; the share below an end of the interval, against its binomial law;"
    " not drawn by Hypothesis: five deviations are meant for so many comparisons, not for more",
    tolerance=0.015,
    tolerance_reason="probability: five standard deviations of the share of 10,000 samples",
    about=("npvpg.runs.statistics.bootstrap_interval", "npvpg.runs.statistics.iqm_band"),
)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["mean", "iqm"])
def test_the_ends_leave_out_what_they_should(kind, seed):
    x = np.random.default_rng([170, seed]).standard_normal(5) * 100
    every = x[np.array(list(itertools.product(range(5), repeat=5)))]
    if kind == "mean":
        law, ends = every.mean(axis=1), bootstrap_interval(x, seed=seed, level=0.8)
    else:
        law = np.sort(every, axis=1)[:, 1:4].mean(axis=1)
        low, high = iqm_band(x[:, np.newaxis], seed=seed, level=0.8)
        ends = float(low[0]), float(high[0])
    for end, share in zip(ends, (0.1, 0.9), strict=True):
        tie = 1e-9 * np.abs(x).max()
        below, up_to = (law < end - tie).mean(), (law <= end + tie).mean()
        # five deviations of a share of 10,000, sqrt(0.1 * 0.9 / 10,000) each
        observe(max(0.0, float(below) - share, share - float(up_to)), 0.015, kind)


@claim(
    name="R4",
    title="Half-way is where half of the improvement is made",
    statement=r"t = \min\{t_i : m_i - m_0 \ge \tfrac12 (\max_j m_j - m_0)\}",
    words="the fixed policy of an ablation stands where its run came to half of its improvement",
    assumptions="at least one episode; returns of either sign",
    source="definition",
    method="one episode after the other",
    tolerance=0,
    tolerance_reason="a step of the run, exactly",
    about=("npvpg.studies.ablation.half_way",),
)
@given(st.lists(RETURNS, min_size=1, max_size=40), st.sampled_from([-5000.0, 0.0, 5000.0]))
def test_half_way_does_not_depend_on_the_sign_of_returns(returns, shift):
    ret, step = np.array(returns) + shift, 10 * np.arange(1, len(returns) + 1)
    mean = rolling_mean(ret)
    goal = (mean[0] + mean.max()) / 2
    due = next(int(s) for s, m in zip(step, mean, strict=True) if m >= goal)
    observe(float(abs(half_way(step, ret, 1000) - due)), 0)
