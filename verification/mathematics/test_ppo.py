"""K14 to K16: the clipped surrogate, its passes, and the clipped value."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.algorithm import Turn
from npvpg.estimators import RewardToGo, standardize
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam, Ascent, Linear
from npvpg.ppo import ClippedStep, clipped, clipped_weight
from npvpg.stages import PolicyStep, ValueFit, Weigh
from npvpg.value import MLPValue
from npvpg.world.streams import Purpose, generator
from verification.claims import claim, observe, require
from verification.mathematics.lab import largest
from verification.mathematics.stepping import LAW, drawn_batch
from verification.mathematics.strategies import SEED
from verification.oracles.derivatives import complex_step, relative_error

TURN = Turn(seed=3, iteration=5, fraction=0.5)


@claim(
    name="K14",
    title="The clipped surrogate, and where its gradient is zero",
    statement=r"L_t = \min\bigl(\rho\Phi, \mathrm{clip}(\rho, 1 \pm \epsilon)\Phi\bigr), \qquad"
    r" \frac{\partial L_t}{\partial\log\pi} = \begin{cases} 0 & \Phi > 0, \rho > 1 + \epsilon"
    r" \text{ or } \Phi < 0, \rho < 1 - \epsilon \\ \rho\Phi & \text{else}\end{cases}",
    words="it stops pulling where the ratio has gone as far as its weight may take it, only there",
    assumptions="the convention at a kink: the ratio at its bound still pulls",
    source="Schulman et al. 2017, (7)",
    method="the formula by minimum and clip; complex step in the logarithm; all six branches",
    tolerance=1e-14,
    tolerance_reason="relative to the terms",
    about=("npvpg.ppo.clipped", "npvpg.ppo.clipped_weight"),
)
@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(0.01, 0.9))
def test_clipped_surrogate(log_ratio, weight, clip):
    ratio, psi = np.exp(np.array([log_ratio])), np.array([weight])
    want = min(ratio[0] * weight, min(max(ratio[0], 1 - clip), 1 + clip) * weight)
    size = (1 + ratio[0]) * abs(weight)
    observe(abs(clipped(ratio, psi, clip)[0] - want), 1e-14 * size, f"{log_ratio} {weight}")
    slope = complex_step(lambda y: clipped(np.exp(y), psi, clip), np.array([log_ratio]))[0, 0]
    observe(abs(clipped_weight(ratio, psi, clip)[0] - slope), 1e-14 * size)


@claim("K14")
def test_every_branch():
    """Low, inside, high; liked or not: two of six are spent, and at the bounds none is."""
    clip = 0.25
    ratio = np.array([0.5, 1.0, 2.0, 0.5, 1.0, 2.0, 0.75, 1.25, 0.75, 1.25, 2.0])
    psi = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 0.0])
    terms = [0.5, 1.0, 1.25, -0.75, -1.0, -2.0, 0.75, 1.25, -0.75, -1.25, 0.0]
    weights = [0.5, 1.0, 0.0, 0.0, -1.0, -2.0, 0.75, 1.25, -0.75, -1.25, 0.0]
    require(clipped(ratio, psi, clip).tolist() == terms)
    require(clipped_weight(ratio, psi, clip).tolist() == weights)
    require((clipped(ratio, psi, clip) <= ratio * psi).all(), "a lower bound of the surrogate")
    for wrong, what in ((psi[:1], "psi must have shape"), (psi, "clip must be positive")):
        with pytest.raises(ValueError, match=what):
            clipped_weight(ratio, wrong, 0.25 if wrong is not psi else 0.0)


@claim(
    name="K15",
    title="The passes of PPO",
    statement=r"\theta \leftarrow \theta + \alpha\,\nabla"
    r"\Bigl[\tfrac1{|M|}\sum_{t\in M} L_t(\theta) + \beta H(\pi_\theta(\cdot|s_t))\Bigr]"
    r" \text{ for every minibatch } M \text{ of every pass}",
    words="each step climbs the clipped surrogate and entropy of its minibatch; kl ends the passes",
    assumptions="ratios off the kinks",
    source="Schulman et al. 2017, algorithm 1; Huang et al. 2022",
    method="complex step through minimum and clip of log-probabilities; the order from its stream",
    tolerance=1e-10,
    tolerance_reason="relative to the step, after up to a dozen of them",
    about=("npvpg.ppo.ClippedStep", "npvpg.stages.value_fit.deal"),
)
@given(
    LAW,
    st.sampled_from([0, 5, 12, 40]),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.3]),
    st.booleans(),
    SEED,
)
def test_passes(law, minibatch, passes, per_step, standardized, beta, discounted, seed):
    rng = np.random.default_rng([230, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    weigh = Weigh(RewardToGo(0.9), per_step=per_step, discount_weights=discounted)
    ascent = Ascent(Linear(0.2, 0.0), SGD())
    step = ClippedStep(ascent, 0.1, passes, minibatch, standardized, entropy_weight=beta)
    pi = policy.at(theta, batch.obs)
    have = step(theta, pi, batch, psi, weigh, step.init(theta), TURN)
    old, order = pi.log_prob(batch.act), generator(3, Purpose.POLICY_MINIBATCH, 5)
    if discounted:
        psi = psi * np.concatenate([0.9 ** np.arange(n) for n in batch.lengths])
    scale = 1.0 if per_step else 12 / 3
    want, far = theta, False
    for _ in range(passes):
        rows = order.permutation(12) if 0 < minibatch < 12 else np.arange(12)
        for part in np.split(rows, range(minibatch, 12, minibatch) if minibatch else []):
            phi = standardize(psi[part]) if standardized else psi[part]

            def objective(t):
                at = policy.at(t, batch.obs[part])  # noqa: B023
                ratio = np.exp(at.log_prob(batch.act[part]) - old[part])  # noqa: B023
                plain, real = ratio * phi, ratio.real  # noqa: B023
                bound = np.clip(real, 0.9, 1.1)
                low = np.where(bound * phi < real * phi, bound * phi, plain)  # noqa: B023
                return scale * (low + beta * at.entropy()).mean()

            at = policy.at(want, batch.obs[part])
            ratio = np.exp(at.log_prob(batch.act[part]) - old[part])
            far |= bool((np.abs(np.abs(ratio - 1) - 0.1) < 1e-7).any())
            want = want + 0.1 * complex_step(objective, want)
    if not far:
        observe(relative_error(have.theta - theta, want - theta, 1e-3), 1e-9, f"{law} {seed=}")
    require(have.lr == 0.1)


@claim("K15")
@given(LAW, st.booleans(), SEED)
def test_one_pass_on_the_whole_batch_is_the_policy_gradient(law, per_step, seed):
    rng = np.random.default_rng([231, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    weigh, ascent = Weigh(RewardToGo(0.9), per_step=per_step), Ascent(Linear(0.2, 0.0), Adam())
    pi = policy.at(theta, batch.obs)
    plain, once = PolicyStep(ascent, 0.1), ClippedStep(ascent, 0.2, 1, 0, entropy_weight=0.1)
    want, have = (
        step(theta, pi, batch, psi, weigh, step.init(theta), TURN) for step in (plain, once)
    )
    observe(largest(have.theta - want.theta), 1e-9, lambda: f"{law} {seed=}")
    observe(largest(have.grad - want.grad), 0)


@claim("K15")
@given(LAW, st.sampled_from([1e-4, 1e-2, 1.0]), SEED)
def test_divergence_ends_the_passes(law, stop_kl, seed):
    """As many passes as it takes to go beyond the bound, and no more."""
    rng = np.random.default_rng([232, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    pi = policy.at(theta, batch.obs)

    def after(n: int, stop: float) -> tuple[np.ndarray, float]:
        step = ClippedStep(Ascent(Linear(0.1, 0.0), SGD()), 0.2, n, 5, stop_kl=stop)
        new = step(theta, pi, batch, psi, Weigh(RewardToGo(0.9)), step.init(theta), TURN).theta
        return new, float(pi.kl(policy.at(new, batch.obs)).mean())

    every = [after(n, 0.0) for n in range(1, 6)]
    n_made = next((n for n, (_, kl) in enumerate(every) if kl > stop_kl), 4)
    require(np.array_equal(after(5, stop_kl)[0], every[n_made][0]), lambda: f"{law} {seed=}")


@claim(
    name="K16",
    title="The clipped value, a heuristic, is what it says",
    statement=r"\nabla_\phi \tfrac1{2S}\sum_t \max\Bigl((V - y)^2,\;"
    r" \bigl(V_k + \mathrm{clip}(V - V_k, \pm c) - y\bigr)^2\Bigr)",
    words="values that have gone beyond the bound and are the better for it are left as they are",
    assumptions="off the kinks; SGD",
    source="the first code of PPO; Engstrom et al. 2020; Andrychowicz et al. 2021",
    method="complex step through maximum and clip",
    tolerance=1e-12,
    tolerance_reason="relative to the parameters' step",
    about=("npvpg.stages.value_fit.ValueFit",),
)
@given(st.sampled_from([0.0, 0.01, 0.05, 0.3]), SEED)
@example(0.05, 0)
def test_clipped_value(clip, seed):
    rng = np.random.default_rng([233, seed])
    value = MLPValue(MLP((2, 3, 1)))
    phi, obs = rng.standard_normal(value.size), rng.standard_normal((9, 2))
    v = value.at(phi, obs)
    target = v.values + rng.standard_normal(9)
    fit = ValueFit(Ascent(Linear(1.0, 0.0), SGD()), value_steps=4, value_clip=clip)
    have, _ = fit(value, phi, fit.ascent.init(phi), obs, v, target, TURN)

    def loss(p):
        now = value.at(p, obs).values
        moved = now - v.values
        bound = np.where(np.abs(moved.real) > clip, v.values + clip * np.sign(moved.real), now)
        error, other = now - target, bound - target
        worse = np.abs(other.real) > np.abs(error.real)
        square = np.where(worse, other**2, error**2) if clip else error**2
        return 0.5 * square.mean()

    want = phi
    for _ in range(4):
        want = want - 0.5 * complex_step(loss, want)
    observe(relative_error(have - phi, want - phi, 1e-3), 1e-10, lambda: f"{clip=} {seed=}")


def test_the_bound_changes_what_is_learnt() -> None:
    """Negative control: with and without are not the same in the drawn cases."""
    rng = np.random.default_rng(234)
    value = MLPValue(MLP((2, 3, 1)))
    phi, obs = rng.standard_normal(value.size), rng.standard_normal((9, 2))
    v = value.at(phi, obs)
    target = v.values + rng.standard_normal(9)
    fits = [
        ValueFit(Ascent(Linear(1.0, 0.0), SGD()), value_steps=4, value_clip=clip)
        for clip in (0.0, 0.3)
    ]
    free, held = (fit(value, phi, fit.ascent.init(phi), obs, v, target, TURN)[0] for fit in fits)
    assert largest(free - held) > 1e-2
