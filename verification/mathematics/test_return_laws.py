"""D4 and D6: limits and laws of the estimators, and kernels that compile to what they say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg import estimators
from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.gradient import policy_gradient
from npvpg.kernels import returns as kernels
from npvpg.kernels import sampling
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.strategies import SEED, Roll, rolls

CUT = Roll((1.0, -3.0, 2.0), (8.0, 16.0, 5.0), (0.0, 7.0, 64.0), (False, True, True), (False,) * 3)


def _same(have, want, roll):
    require(np.array_equal(have, want), lambda: f"{roll}")


def _advantages(roll):
    gamma = roll.gamma
    return (
        estimators.GAE(gamma, roll.lam),
        estimators.TDResidual(gamma),
        estimators.NStep(gamma, roll.n),
        estimators.BaselinedReturn(gamma),
    )


def _all(roll):
    return (
        *_advantages(roll),
        estimators.RewardToGo(roll.gamma),
        estimators.TotalReturn(roll.gamma),
        estimators.ActionValue(estimators.GAE(roll.gamma, roll.lam)),
    )


@claim(
    name="D4",
    title="Limits and laws of the estimators",
    statement=r"\lambda=0:\ \delta_t,\quad \lambda=1:\ G_t - V(s_t),\quad \gamma=0:\ r_t - V(s_t),"
    r"\quad \hat A(r + \gamma F' - F,\, V - F) = \hat A(r, V)",
    words="limits of GAE and of n steps; a potential changes no advantage; order only permutes",
    assumptions="a potential of the state that is 0 where a trajectory terminated",
    source="Schulman et al. 2016, (17)-(18); Ng, Harada and Russell 1999 for the potential",
    method="the estimators against each other, and against themselves on changed input",
    tolerance=0.0,
    tolerance_reason="bitwise on dyadic input; a change of order changes no bit of any floats",
    about=(
        "npvpg.kernels.returns.gae",
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.discounted_sum",
        "npvpg.estimators.GAE",
        "npvpg.estimators.NStep",
        "npvpg.estimators.TDResidual",
        "npvpg.estimators.BaselinedReturn",
        "npvpg.estimators.RewardToGo",
    ),
)
@given(rolls())
@example(CUT)
@example(CUT._replace(gamma=1.0))
def test_limits(roll):
    arrays, gamma = roll.arrays(), roll.gamma
    rew, val, *_ = arrays
    td, whole = estimators.TDResidual(gamma)(*arrays), estimators.BaselinedReturn(gamma)(*arrays)
    to_go, n_steps = estimators.RewardToGo(gamma)(*arrays), len(rew)
    _same(estimators.GAE(gamma, 0.0)(*arrays), td, roll)
    _same(estimators.GAE(gamma, 1.0)(*arrays), whole, roll)
    _same(estimators.GAE(gamma, 1.0)(*arrays) + val, to_go, roll)
    _same(estimators.NStep(gamma, 1)(*arrays), td, roll)
    _same(estimators.NStep(gamma, n_steps)(*arrays), whole, roll)
    _same(estimators.NStep(gamma, n_steps + 3)(*arrays), whole, roll)
    for advantage in _advantages(roll._replace(gamma=0.0)):
        _same(advantage(*arrays), rew - val, roll)


@claim("D4")
@given(rolls(), SEED)
@example(CUT, 0)
@example(CUT._replace(terminated=(False, True, False), gamma=1.0), 1)
def test_a_potential_changes_nothing(roll, seed):
    rew, val, last_val, start = arrays = roll.arrays()
    rng = np.random.default_rng([42, seed])
    ends = start[1:] - 1
    F = rng.integers(-64, 65, len(rew)).astype(np.float64)
    # beyond the end of a trajectory: nothing if it terminated, the potential of its last state
    last = rng.integers(-64, 65, len(ends)).astype(np.float64)
    last[np.array(roll.terminated)[ends]] = 0
    following = np.append(F[1:], 0.0)
    following[ends] = last
    shaped = (rew + roll.gamma * following - F, val - F, last_val - last, start)
    for advantage in _advantages(roll):
        _same(advantage(*shaped), advantage(*arrays), roll)
    to_go = estimators.RewardToGo(roll.gamma)
    _same(to_go(*shaped), to_go(*arrays) - F, roll)


def test_a_potential_of_values_alone_changes_advantages() -> None:
    """Negative control: values less a potential, with the rewards as they were."""
    rew, val, last_val, start = CUT.arrays()
    for advantage in _advantages(CUT):
        moved = advantage(rew, val - np.array([1.0, -2.0, 4.0]), last_val, start)
        assert not np.array_equal(moved, advantage(rew, val, last_val, start))


@claim("D4")
@given(rolls() | rolls(dyadic=False), st.randoms(use_true_random=False))
@example(CUT, None)
def test_order_only_permutes(roll, random):
    rew, val, last_val, start = arrays = roll.arrays()
    order = list(range(len(last_val)))[::-1]
    if random is not None:
        random.shuffle(order)
    rows = np.concatenate([np.arange(start[k], start[k + 1]) for k in order])
    moved_start = np.concatenate([[0], np.cumsum(np.diff(start)[order])])
    moved = (rew[rows], val[rows], last_val[order], moved_start)
    for estimator in _all(roll):
        _same(estimator(*moved), estimator(*arrays)[rows], roll)
    weights = kernels.discount_weights(start, roll.gamma)
    _same(kernels.discount_weights(moved_start, roll.gamma), weights[rows], roll)
    # alone in a batch a trajectory gets what it gets among others
    for k, (begin, end) in enumerate(pairwise(start)):
        part = slice(begin, end)
        alone = (rew[part], val[part], last_val[k : k + 1], np.array([0, end - begin]))
        for estimator in _all(roll):
            _same(estimator(*alone), estimator(*arrays)[part], roll)


def _kernels(roll, arrays):
    """Give every kernel over time, compiled and plain, with its arguments."""
    rew, val, last_val, start = arrays
    gamma, lam, n = roll.gamma, roll.lam, roll.n
    return (
        (kernels.discounted_sum, kernels._discounted_sum, (rew, last_val, start, gamma)),
        (kernels.total_return, kernels._total_return, (rew, start, gamma)),
        (kernels.td_residual, kernels._td_residual, (rew, val, last_val, start, gamma)),
        (kernels.n_step, kernels._n_step, (rew, val, last_val, start, gamma, n)),
        (kernels.gae, kernels._gae, (rew, val, last_val, start, gamma, lam)),
        (kernels.discount_weights, kernels._discount_weights, (start, gamma)),
    )


def _awkward(x):
    """Lay an array out with gaps, and forbid to write to it."""
    gapped = np.zeros(2 * len(x), x.dtype)
    gapped[::2] = x
    view = gapped[::2]
    view.flags.writeable = False
    return view


@pytest.mark.slow
@claim(
    name="D6",
    title="Compiled kernels are their Python",
    statement=r"\mathrm{njit}(f)(x) = f(x)",
    words="compiled and plain kernels agree bit for bit, also with gaps, read-only, single, empty",
    assumptions="no fastmath",
    source="this library",
    method="the plain function beside the compiled one; float32 beside its float64",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.kernels.returns.discounted_sum",
        "npvpg.kernels.returns.total_return",
        "npvpg.kernels.returns.td_residual",
        "npvpg.kernels.returns.n_step",
        "npvpg.kernels.returns.gae",
        "npvpg.kernels.returns.discount_weights",
        "npvpg.kernels.sampling.categorical",
    ),
)
@given(rolls(dyadic=False))
@example(CUT)
@example(Roll((0.1,), (0.2,), (0.3,), (True,), (False,), 0.9, 0.8, 1))
def test_compiled(roll):
    arrays = roll.arrays()
    for compiled, plain, arguments in _kernels(roll, arrays):
        want = plain(*arguments)
        _same(compiled(*arguments), want, (plain.__name__, roll))
        require(want.dtype == np.float64)
    awkward = [_awkward(x) for x in arrays]
    for (compiled, plain, arguments), (_, _, same) in zip(
        _kernels(roll, awkward), _kernels(roll, arrays), strict=True
    ):
        _same(compiled(*arguments), plain(*same), (plain.__name__, roll))
    for estimator in _all(roll):
        _same(estimator(*awkward), estimator(*arrays), roll)


@claim("D6")
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from([np.float32, np.float64]), SEED)
@example(1, 1, np.float32, 0)
def test_compiled_sampler(n_actions, n_rows, dtype, seed):
    rng = np.random.default_rng([43, seed])
    logits = (3 * rng.standard_normal((n_rows, n_actions))).astype(dtype)
    uniform = rng.random(n_rows)
    _same(sampling.categorical(logits, uniform), sampling._categorical(logits, uniform), seed)


@claim("D6")
@given(rolls(dyadic=False))
@example(CUT)
def test_float32_is_summed_in_float64(roll):
    rew, val, last_val, start = roll.arrays()
    a, b, c = (x.astype(np.float32) for x in (rew, val, last_val))
    rew, val, last_val = (x.astype(np.float64) for x in (a, b, c))
    for estimator in _all(roll):
        have = estimator(a, b, c, start.astype(np.int32))
        require(have.dtype == np.float64)
        _same(have, estimator(rew, val, last_val, start), roll)
    # and beside the kernel itself, which sees what it is given
    gae = kernels.gae(rew, val, last_val, start, roll.gamma, roll.lam)
    _same(estimators.GAE(roll.gamma, roll.lam)(a, b, c, start), gae, roll)


@claim("D6")
def test_long_float32_sums_do_not_drift():
    """A hundred thousand tenths: summed in float32 they are ten thousandths off."""
    n = 100_000
    rew, zero = np.full(n, 0.1, np.float32), np.zeros(1, np.float32)
    have = estimators.RewardToGo(1.0)(rew, 0 * rew, zero, np.array([0, n]))
    want = n * float(np.float32(0.1))
    observe(abs(float(have[0]) / want - 1), n * 2.0**-53)
    assert abs(float(np.cumsum(rew)[-1]) / want - 1) > 1e-5


@claim("D6")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_gives_nothing(dtype):
    nothing, start = np.zeros(0, dtype), np.zeros(1, np.int64)
    for compiled, plain, arguments in _kernels(Roll(), (nothing, nothing, nothing, start)):
        for kernel in (compiled, plain):
            require(kernel(*arguments).size == 0)
    for estimator in _all(Roll()):
        require(estimator(nothing, nothing, nothing, start).size == 0)
    require(estimators.standardize(nothing).size == 0)
    with pytest.raises(ValueError, match="at least 2, got 0"):
        estimators.LeaveOneOut(0.9)(nothing, nothing, nothing, start)
    policy = Policy(MLP((2, 3)), Categorical(3))
    empty = np.zeros((0, 2))
    batch = Batch(empty, np.zeros(0, int), np.zeros(0), start, empty, np.zeros(0, bool))
    for per_step in (False, True):
        grad = policy_gradient(
            policy.at(np.ones(policy.size), batch.obs),
            batch,
            np.zeros(0),
            per_step=per_step,
            discount=0.9,
        )
        require(not grad.any())
